//! Registered datasets: what drafts may name. Their rows stay where they are.

use std::path::PathBuf;

use sqlx::sqlite::SqliteRow;
use thimble_api::id::DatasetName;
use thimble_api::operator::DatasetView;
use thimble_api::{ErrorCode, Page, Timestamp};
use thimble_datasets::{Digest, Metadataset};

use crate::columns::{self, Columns as _};
use crate::{Actor, Refusal, RefusedOr, Result, Store, audit, cursor};

/// A dataset to register, opened and checked by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDataset {
    /// What the service calls it.
    pub name: DatasetName,
    /// Its directory, absolute.
    pub path: PathBuf,
    /// The digest of its content.
    pub digest: Digest,
    /// It has an operator's secret.
    pub official: bool,
    /// What is known of it.
    pub metadataset: Metadataset,
}

/// A registered dataset. Its digest and path are for the service alone.
#[derive(Debug, Clone, PartialEq)]
pub struct DatasetRecord {
    /// What the service calls it.
    pub name: DatasetName,
    /// Its directory.
    pub path: PathBuf,
    /// The digest of its content.
    pub digest: Digest,
    /// It has an operator's secret.
    pub official: bool,
    /// What is known of it.
    pub metadataset: Metadataset,
    /// When it was registered.
    pub registered_at: Timestamp,
}

impl From<DatasetRecord> for DatasetView {
    /// For official data every digest is zeros: whoever guesses labels can confirm the guess with one of them.
    fn from(record: DatasetRecord) -> Self {
        let DatasetRecord { name, digest, official, mut metadataset, registered_at, .. } = record;
        if official {
            let splits = &mut metadataset.splits;
            let of_files = [
                &mut splits.train.file_digest,
                &mut splits.validation.file_digest,
                &mut splits.test.file_digest,
                &mut metadataset.digest,
            ];
            for digest in of_files {
                *digest = Digest::from_bytes([0; 32]);
            }
        }
        Self { name, digest: (!official).then_some(digest), official, metadataset, registered_at }
    }
}

impl Store {
    /// Registers a dataset, or says where a registered one is now.
    ///
    /// # Errors
    ///
    /// A path that is not absolute or not UTF-8, a name that other data has; or the database fails.
    pub async fn register_dataset(&self, new: &NewDataset, actor: &Actor, now: Timestamp) -> Result<(), RefusedOr> {
        let Some(path) = new.path.to_str().filter(|_| new.path.is_absolute()) else {
            return Err(Refusal::of_field("path", "must be absolute and UTF-8").into());
        };
        let mut transaction = self.write().await?;
        let found = sqlx::query("SELECT * FROM datasets WHERE name = ?")
            .bind(new.name.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let action = match found.as_ref().map(record).transpose()? {
            Some(old) if old.digest == new.digest && old.official == new.official => {
                sqlx::query("UPDATE datasets SET path = ?, metadataset = ? WHERE name = ?")
                    .bind(path)
                    .bind(columns::stored_json("metadataset", &new.metadataset)?)
                    .bind(new.name.as_str())
                    .execute(&mut *transaction)
                    .await?;
                "dataset.move"
            }
            Some(_) => {
                let message = format!("dataset {} is registered with other content: take another name", new.name);
                return Err(Refusal::new(ErrorCode::Conflict, message).into());
            }
            None => {
                sqlx::query(
                    "INSERT INTO datasets (name, path, digest, official, metadataset, registered_at) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                )
                .bind(new.name.as_str())
                .bind(path)
                .bind(new.digest.as_bytes().as_slice())
                .bind(new.official)
                .bind(columns::stored_json("metadataset", &new.metadataset)?)
                .bind(now.millis())
                .execute(&mut *transaction)
                .await?;
                "dataset.register"
            }
        };
        let details = [("official", new.official.to_string()), ("path", path.to_owned())];
        audit::record(&mut transaction, actor, action, new.name.as_str(), &details, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// All datasets by name.
    ///
    /// # Errors
    ///
    /// `after` or `limit` that no part of the list has; or the database fails.
    pub async fn datasets(&self, after: Option<&str>, limit: Option<u32>) -> Result<Page<DatasetView>, RefusedOr> {
        let limit = cursor::limit(limit)?;
        let after: Option<DatasetName> = cursor::after(after)?;
        let rows = sqlx::query("SELECT * FROM datasets WHERE name > ? ORDER BY name LIMIT ?")
            .bind(after.as_ref().map_or("", DatasetName::as_str))
            .bind(limit + 1)
            .fetch_all(&self.readers)
            .await?;
        let views = rows.iter().map(|row| record(row).map(DatasetView::from)).collect::<Result<_>>()?;
        Ok(cursor::page(views, limit, |view: &DatasetView| view.name.clone()))
    }

    /// The dataset of this name.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn dataset(&self, name: &DatasetName) -> Result<Option<DatasetRecord>> {
        let query = sqlx::query("SELECT * FROM datasets WHERE name = ?").bind(name.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(record).transpose()
    }
}

fn record(row: &SqliteRow) -> Result<DatasetRecord> {
    Ok(DatasetRecord {
        name: row.parsed("name")?,
        path: row.text("path")?.into(),
        digest: row.digest("digest")?,
        official: row.flag("official")?,
        metadataset: row.json("metadataset")?,
        registered_at: row.time("registered_at")?,
    })
}
