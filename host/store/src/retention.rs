//! What is not kept for ever: whole results, and packages that nothing will run again.

use sqlx::Row as _;
use thimble_api::Timestamp;
use thimble_datasets::Digest;

use crate::columns::Columns as _;
use crate::{Actor, Result, Store, audit};

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retained {
    /// Submissions whose log, curves and unpublished figures are gone.
    pub results: u64,
    /// Artifacts that nothing refers to any more.
    pub artifacts: u64,
}

impl Store {
    /// Removes the results of runs that ended before `before`, and the packages of those that are not scored again: validation
    /// runs, and official ones of a closed challenge. Verdicts, charges and published figures stay.
    ///
    /// # Errors
    ///
    /// The database or the disk fails. Files that were removed until then stay removed, and count as not kept.
    pub async fn retain(&self, before: Timestamp, actor: &Actor, now: Timestamp) -> Result<Retained> {
        let mut transaction = self.write().await?;
        let rows = sqlx::query(
            "SELECT s.id, s.result, s.package, s.mode = 'validation' OR c.stage = 'closed' AS done FROM submissions s \
             JOIN challenges c ON c.id = s.challenge_id WHERE s.state = 'finished' AND s.finished_at < ? \
             AND s.result IS NOT NULL",
        )
        .bind(before.millis())
        .fetch_all(&mut *transaction)
        .await?;
        let mut unneeded: Vec<Digest> = Vec::new();
        for row in &rows {
            let id: Vec<u8> = row.try_get("id")?;
            sqlx::query("UPDATE submissions SET result = NULL, revision = revision + 1 WHERE id = ?")
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            unneeded.push(row.digest("result")?);
            if row.flag("done")? {
                unneeded.push(row.digest("package")?);
            }
        }
        unneeded.sort();
        unneeded.dedup();
        let mut removed = Vec::new();
        for digest in unneeded {
            // Another submission may have the same bytes: as its result, as a package that will run, or as a page.
            let needed: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM submissions s JOIN challenges c ON c.id = s.challenge_id WHERE s.result = ?1 \
                 OR (s.package = ?1 AND (s.state <> 'finished' OR s.finished_at >= ?2 OR (s.mode = 'official' AND \
                 c.stage <> 'closed')))) OR EXISTS (SELECT 1 FROM challenges WHERE cover = ?1 OR exploration = ?1)",
            )
            .bind(digest.as_bytes().as_slice())
            .bind(before.millis())
            .fetch_one(&mut *transaction)
            .await?;
            if !needed {
                removed.push(digest);
            }
        }
        let retained = Retained { results: rows.len() as u64, artifacts: removed.len() as u64 };
        let details = [("before", before.to_string()), ("results", retained.results.to_string())];
        audit::record(&mut transaction, actor, "retention.apply", "submissions", &details, now).await?;
        // Before the commit: whoever submits the same bytes waits for this transaction and then finds them gone.
        for digest in removed {
            self.remove_artifact(&digest).await?;
        }
        transaction.commit().await?;
        Ok(retained)
    }
}
