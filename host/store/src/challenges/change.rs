//! What operators do to challenges. Every change is fenced by the revision that it was made from, where one is named.

use std::path::Path;

use sqlx::SqliteConnection;
use thimble_api::challenge::Stage;
use thimble_api::draft::{Draft, NewDraft};
use thimble_api::{ErrorCode, Timestamp};
use thimble_challenge::challenge::Visibility;
use thimble_challenge::composite::Anchors;
use thimble_datasets::Digest;

use super::list::searched;
use super::{ChallengeRow, Cover, PublishedChallenge, in_transaction};
use crate::columns::{stored_json, stored_whole};
use crate::{Actor, Refusal, RefusedOr, Result, Store, StoreError, audit, publications};

/// What `title` may have, in characters.
const MAX_TITLE: usize = 82;

impl Store {
    /// Begins a draft.
    ///
    /// # Errors
    ///
    /// The name is taken, the title is empty or too long; or the database fails.
    pub async fn create_draft(&self, new: &NewDraft, actor: &Actor, now: Timestamp) -> Result<ChallengeRow, RefusedOr> {
        let characters = new.title.chars().count();
        if !(1..=MAX_TITLE).contains(&characters) {
            let message = format!("has {characters} characters and must have 1 to {MAX_TITLE}");
            return Err(Refusal::of_field("title", message).into());
        }
        let draft = Draft { title: new.title.clone(), ..Draft::default() };
        let mut transaction = self.write().await?;
        let id: Option<i64> = sqlx::query_scalar(
            "INSERT INTO challenges (name, stage, revision, draft, private, search, created_at) \
             VALUES (?, 'draft', 1, ?, 0, ?, ?) ON CONFLICT DO NOTHING RETURNING id",
        )
        .bind(new.name.as_str())
        .bind(stored_json("draft", &draft)?)
        .bind(searched(&draft))
        .bind(now.millis())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(id) = id else {
            let message = format!("the name {} is taken: choose another", new.name);
            return Err(Refusal::new(ErrorCode::Conflict, message).into());
        };
        audit::record(&mut transaction, actor, "challenge.create", new.name.as_str(), &[], now).await?;
        let row = in_transaction(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Writes a draft anew, before it is published.
    ///
    /// # Errors
    ///
    /// Another revision than the expected one, a challenge that is published; or the database fails.
    pub async fn save_draft(
        &self,
        id: i64,
        expected_revision: Option<u64>,
        draft: &Draft,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let row = in_transaction(&mut transaction, id).await?;
        require_stage(&row, &[Stage::Draft], "is published: edit it instead")?;
        require_revision(&row, expected_revision)?;
        let row = write_draft(&mut transaction, &row, draft, draft.visibility).await?;
        record(&mut transaction, &row, "challenge.save", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Sets the cover image, or takes it away.
    ///
    /// # Errors
    ///
    /// There is no such challenge; or the database fails.
    pub async fn set_cover(
        &self,
        id: i64,
        cover: Option<Cover>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE challenges SET cover = ?, cover_type = ? WHERE id = ?")
            .bind(cover.as_ref().map(|cover| cover.digest.as_bytes().as_slice()))
            .bind(cover.as_ref().map(|cover| cover.media_type.as_str()))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        let row = in_transaction(&mut transaction, id).await?;
        record(&mut transaction, &row, "challenge.cover", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Sets the page of statistics, or takes it away.
    ///
    /// # Errors
    ///
    /// There is no such challenge; or the database fails.
    pub async fn set_exploration(
        &self,
        id: i64,
        exploration: Option<Digest>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        sqlx::query("UPDATE challenges SET exploration = ? WHERE id = ?")
            .bind(exploration.as_ref().map(|digest| digest.as_bytes().as_slice()))
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        let row = in_transaction(&mut transaction, id).await?;
        record(&mut transaction, &row, "challenge.exploration", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Opens a draft for submissions. What it resolves to was checked by the caller.
    ///
    /// # Errors
    ///
    /// Another revision than the expected one, a challenge that is no draft; or the database fails.
    pub async fn publish(
        &self,
        id: i64,
        expected_revision: Option<u64>,
        published: PublishedChallenge,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let row = in_transaction(&mut transaction, id).await?;
        require_stage(&row, &[Stage::Draft], "is published already")?;
        require_revision(&row, expected_revision)?;
        write_published(&mut transaction, id, &published).await?;
        sqlx::query("UPDATE challenges SET stage = 'published', published_at = ? WHERE id = ?")
            .bind(now.millis())
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        let row = write_draft(&mut transaction, &row, &row.draft, published.challenge.visibility).await?;
        record(&mut transaction, &row, "challenge.publish", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Changes a challenge that is published or closed. What may change was checked by the caller.
    ///
    /// # Errors
    ///
    /// Another revision than the expected one, a draft; or the database fails.
    pub async fn edit(
        &self,
        id: i64,
        expected_revision: Option<u64>,
        draft: &Draft,
        published: PublishedChallenge,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let row = in_transaction(&mut transaction, id).await?;
        require_stage(&row, &[Stage::Published, Stage::Closed], "is a draft: save it instead")?;
        require_revision(&row, expected_revision)?;
        write_published(&mut transaction, id, &published).await?;
        let row = write_draft(&mut transaction, &row, draft, published.challenge.visibility).await?;
        record(&mut transaction, &row, "challenge.edit", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Ends a challenge for good: it takes no submissions, figures that were kept until now are published, `frozen` is what costs are measured against from now on, and with
    /// `revealed_salt` anyone can check which data it was.
    ///
    /// # Errors
    ///
    /// It is not published, or closed already; or the database fails.
    pub async fn close(
        &self,
        id: i64,
        frozen: Option<Anchors>,
        revealed_salt: Option<String>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<ChallengeRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let row = in_transaction(&mut transaction, id).await?;
        require_stage(&row, &[Stage::Published], "is a draft or closed already")?;
        let frozen = frozen.map(|anchors| stored_json("anchors", &anchors)).transpose()?;
        sqlx::query(
            "UPDATE challenges SET stage = 'closed', closed_at = ?, frozen = ?, salt = ?, revision = revision + 1 WHERE id = ?",
        )
        .bind(now.millis())
        .bind(frozen)
        .bind(revealed_salt)
        .bind(id)
        .execute(&mut *transaction)
        .await?;
        publications::publish_kept(&mut transaction, id, now).await?;
        let row = in_transaction(&mut transaction, id).await?;
        record(&mut transaction, &row, "challenge.close", actor, now).await?;
        transaction.commit().await?;
        Ok(row)
    }
}

fn require_stage(row: &ChallengeRow, stages: &[Stage], otherwise: &str) -> Result<(), Refusal> {
    if stages.contains(&row.stage) {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::Conflict, format!("challenge {} {otherwise}", row.name)))
}

fn require_revision(row: &ChallengeRow, expected: Option<u64>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != row.revision => {
            let message = format!(
                "challenge {} is at revision {} and no longer at {expected}: look at the change and try again",
                row.name, row.revision
            );
            Err(Refusal::new(ErrorCode::PreconditionFailed, message))
        }
        _ => Ok(()),
    }
}

/// Writes what an operator wrote and what queries need of it, and counts the revision.
async fn write_draft(
    connection: &mut SqliteConnection,
    row: &ChallengeRow,
    draft: &Draft,
    visibility: Visibility,
) -> Result<ChallengeRow, RefusedOr> {
    sqlx::query(
        "UPDATE challenges SET draft = ?, private = ?, search = ?, closes_at = ?, revision = revision + 1 WHERE id = ?",
    )
    .bind(stored_json("draft", draft)?)
    .bind(visibility == Visibility::Private)
    .bind(searched(draft))
    .bind(draft.rules.closes_at.map(Timestamp::millis))
    .bind(row.id)
    .execute(&mut *connection)
    .await?;
    in_transaction(connection, row.id).await
}

/// Writes what is in force.
async fn write_published(
    connection: &mut SqliteConnection,
    id: i64,
    published: &PublishedChallenge,
) -> Result<(), RefusedOr> {
    if Digest::of(published.json.as_bytes()) != published.digest {
        return Err(StoreError::corrupt("challenge_json", "its digest is another").into());
    }
    sqlx::query(
        "UPDATE challenges SET challenge_json = ?, digest = ?, statement = ?, public_path = ?, official_path = ?, \
         validation_rows = ?, official_rows = ? WHERE id = ?",
    )
    .bind(&published.json)
    .bind(published.digest.as_bytes().as_slice())
    .bind(&published.statement)
    .bind(text_of(&published.public_path)?)
    .bind(published.official_path.as_deref().map(text_of).transpose()?)
    .bind(stored_whole(published.validation_rows))
    .bind(stored_whole(published.official_rows))
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

/// Registered paths are UTF-8.
fn text_of(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| StoreError::corrupt("path", format!("{} is not UTF-8", path.display())))
}

async fn record(
    connection: &mut SqliteConnection,
    row: &ChallengeRow,
    action: &str,
    actor: &Actor,
    now: Timestamp,
) -> Result<()> {
    let details = [("revision", row.revision.to_string())];
    audit::record(connection, actor, action, row.name.as_str(), &details, now).await
}
