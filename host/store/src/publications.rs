//! What was published, in order: a leaderboard as of any version is a replay of these.

use std::sync::Arc;

use sqlx::{Row as _, SqliteConnection};
use thimble_api::{AccountName, SubmissionId, TeamName, Timestamp};
use thimble_challenge::result::{Mode, Published};
use thimble_datasets::Digest;

use crate::columns::{Columns as _, stored_whole};
use crate::submissions::{SubmissionRow, row};
use crate::{Actor, Refusal, RefusedOr, Store, StoreError, audit};

/// One change of a leaderboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Publication {
    /// Ascending in the service.
    pub seq: u64,
    /// The submission; a later change of the same one replaces an earlier.
    pub submission: SubmissionId,
    /// Its builder.
    pub builder: AccountName,
    /// Its team.
    pub team: TeamName,
    /// Digest of `solution.wasm`.
    pub component: Option<Digest>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When the change was released.
    pub released_at: Timestamp,
    /// The figures.
    pub published: Arc<Published>,
    /// Off the board.
    pub withdrawn: bool,
}

impl Store {
    /// The released changes after `after`, in their order, at most `limit`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn publications(
        &self,
        challenge_id: i64,
        after: u64,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Publication>, StoreError> {
        let rows = sqlx::query(
            "SELECT p.seq, p.submission_id, p.released_at, p.published, p.withdrawn, a.name AS builder, t.name AS team, \
             s.component, s.submitted_at FROM publications p JOIN submissions s ON s.id = p.submission_id \
             JOIN accounts a ON a.id = s.account_id JOIN teams t ON t.id = s.team_id \
             WHERE p.challenge_id = ? AND p.seq > ? ORDER BY p.seq LIMIT ?",
        )
        .bind(challenge_id)
        .bind(stored_whole(after))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let mut publications = Vec::with_capacity(rows.len());
        for row in &rows {
            let released_at = row.time("released_at")?;
            // What comes after waits with it: versions have no holes.
            if released_at > now {
                break;
            }
            let published: Option<Published> = row.json_or_null("published")?;
            publications.push(Publication {
                seq: row.whole("seq")?,
                submission: row.submission_id("submission_id")?,
                builder: row.parsed("builder")?,
                team: row.parsed("team")?,
                component: row.digest_or_null("component")?,
                submitted_at: row.time("submitted_at")?,
                released_at,
                published: Arc::new(published.ok_or_else(|| StoreError::corrupt("publication", "no figures"))?),
                withdrawn: row.try_get("withdrawn")?,
            });
        }
        Ok(publications)
    }

    /// The figures that take the place of published ones when the challenge closes.
    ///
    /// # Errors
    /// The database fails.
    pub async fn kept_figures(&self, challenge_id: i64) -> Result<Vec<(SubmissionId, Published)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, published_at_close FROM submissions WHERE challenge_id = ? AND published_at_close IS NOT NULL",
        )
        .bind(challenge_id)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.submission_id("id")?, row.json("published_at_close")?))).collect()
    }

    /// Takes a submission off the leaderboard, or puts it back.
    ///
    /// # Errors
    /// There is none of this id; or the database fails.
    pub async fn withdraw(
        &self,
        id: SubmissionId,
        withdrawn: bool,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<SubmissionRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let before = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        if before.withdrawn != withdrawn {
            sqlx::query("UPDATE submissions SET withdrawn = ?, revision = revision + 1 WHERE id = ?")
                .bind(withdrawn)
                .bind(id.as_bytes().as_slice())
                .execute(&mut *transaction)
                .await?;
            let shown: Option<(String, i64)> = sqlx::query_as(
                "SELECT published, released_at FROM publications WHERE submission_id = ? ORDER BY seq DESC LIMIT 1",
            )
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some((published, released_at)) = shown.filter(|_| before.mode == Mode::Official) {
                let event = Event {
                    // Not before the figures themselves.
                    released_at: now.max(Timestamp::from_millis(released_at)),
                    published: &published,
                    withdrawn: withdrawn || before.verdict != Some(thimble_challenge::Verdict::Scored),
                };
                publish(&mut transaction, &before, &event).await?;
            }
            let action = if withdrawn { "submission.withdraw" } else { "submission.reinstate" };
            audit::record(&mut transaction, actor, action, &id.to_string(), &[], now).await?;
        }
        let after = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// Publishes what was kept until the close of a challenge: it takes the place of what was shown, and what was never shown
/// stays so.
pub(crate) async fn publish_kept(
    connection: &mut SqliteConnection,
    challenge_id: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept = sqlx::query(
        "SELECT id, published_at_close FROM submissions WHERE challenge_id = ? AND published_at_close IS NOT NULL ORDER BY id",
    )
    .bind(challenge_id)
    .fetch_all(&mut *connection)
    .await?;
    for stored in &kept {
        let (id, published) = (stored.submission_id("id")?, stored.text("published_at_close")?);
        sqlx::query(
            "UPDATE submissions SET published = published_at_close, published_at_close = NULL, revision = revision + 1 WHERE id = ?",
        )
        .bind(id.as_bytes().as_slice())
        .execute(&mut *connection)
        .await?;
        let shown: Option<(bool, i64)> = sqlx::query_as(
            "SELECT withdrawn, released_at FROM publications WHERE submission_id = ? ORDER BY seq DESC LIMIT 1",
        )
        .bind(id.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
        let Some((withdrawn, released_at)) = shown else { continue };
        let submission = row(connection, id).await?.ok_or_else(|| StoreError::corrupt("submission", "it is gone"))?;
        // Not before the figures that they replace.
        let released_at = now.max(Timestamp::from_millis(released_at));
        publish(connection, &submission, &Event { released_at, published: &published, withdrawn }).await?;
    }
    Ok(())
}

/// A change of what is published of a submission.
pub(crate) struct Event<'a> {
    pub(crate) released_at: Timestamp,
    /// JSON.
    pub(crate) published: &'a str,
    pub(crate) withdrawn: bool,
}

pub(crate) async fn publish(
    connection: &mut SqliteConnection,
    submission: &SubmissionRow,
    event: &Event<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO publications (challenge_id, submission_id, released_at, published, withdrawn) VALUES (?, ?, ?, ?, ?)",
    )
    .bind(submission.challenge_id)
    .bind(submission.id.as_bytes().as_slice())
    .bind(event.released_at.millis())
    .bind(event.published)
    .bind(event.withdrawn)
    .execute(connection)
    .await?;
    Ok(())
}
