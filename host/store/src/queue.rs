//! The queue: leased rows, heard again and again, ended once.
//!
//! A worker takes a submission for a while ([`Store::lease`]), says that it is alive ([`Store::heartbeat`]) and writes down how
//! it ended ([`Store::finish`]). Every lease has a number; whoever writes with an older one has lost the submission and changes
//! nothing. A lease that runs out, or whose worker is known to have died ([`Store::lose_worker`]), puts the submission back,
//! three times at most, and nobody is charged for it.

use std::time::Duration;

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use thimble_api::operator::RecordState;
use thimble_api::submission::Progress;
use thimble_api::{Compute, SubmissionId, Timestamp};
use thimble_challenge::Verdict;

use crate::columns::{self, Columns as _};
use crate::ending::{Finish, Without, end_without, settle};
use crate::lease::{Lease, Moment};
use crate::submissions::{SubmissionRow, row};
use crate::{Actor, Refusal, RefusedOr, Store, StoreError, audit};

/// Leases of one submission that may run out, and platform faults it may end in, before it ends as one.
pub const MAX_LOSSES: u32 = 3;

/// A submission that a worker has.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The submission.
    pub submission: SubmissionRow,
    /// The worker.
    pub worker: String,
    /// The number of this lease.
    pub attempt: u32,
}

/// What a worker hears back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Continue,
    /// Its builder or an operator wants it ended.
    Cancel,
    /// The submission is another's now: stop, and write nothing.
    Lost,
}

/// What became of an end that a worker wrote down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is the end.
    Finished,
    /// A fault of ours: it is queued again.
    Requeued,
    /// The lease was lost before: nothing was written.
    Lost,
}

impl Store {
    /// Takes the next submission: official before validation, earlier before later, and none whose builder has as many
    /// running in the same mode as the challenge allows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn lease(&self, worker: &str, lease_millis: u32, now: Moment) -> Result<Option<Job>, StoreError> {
        let mut transaction = self.write().await?;
        self.reap_in(&mut transaction, now).await?;
        let Moment { wall: now, steady } = now;
        let id: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT s.id FROM submissions s WHERE s.state = 'queued' AND s.concurrency > \
             (SELECT count(*) FROM submissions r WHERE r.state = 'running' AND r.account_id = s.account_id \
              AND r.challenge_id = s.challenge_id AND r.mode = s.mode) ORDER BY s.mode, s.submitted_at, s.id LIMIT 1",
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let id = id.map(|id| columns::submission_id(&id)).transpose()?;
        if let Some(id) = id {
            sqlx::query(
                "UPDATE submissions SET state = 'running', worker = ?, attempts = attempts + 1, lease_ms = ?, \
                 started_at = ?, heartbeat_at = ?, progress = NULL, revision = revision + 1 WHERE id = ?",
            )
            .bind(worker)
            .bind(lease_millis)
            .bind(now.millis())
            .bind(now.millis())
            .bind(id.as_bytes().as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        hear(&mut transaction, worker, lease_millis, id, now).await?;
        let job = match id {
            None => None,
            Some(id) => row(&mut transaction, id).await?.map(|submission| Job {
                attempt: submission.attempts,
                worker: worker.to_owned(),
                submission,
            }),
        };
        transaction.commit().await?;
        if let Some(job) = &job {
            let length = Duration::from_millis(lease_millis.into());
            let (submission, attempt) = (job.submission.id, job.attempt);
            self.heard.begin(Lease { submission, attempt, heartbeat_at: now, length }, steady);
        }
        Ok(job)
    }

    /// Says that a worker is alive and how far its submission has come.
    ///
    /// # Errors
    /// The database fails.
    pub async fn heartbeat(
        &self,
        job: &Job,
        progress: Option<&Progress>,
        lease_millis: u32,
        now: Timestamp,
    ) -> Result<Answer, StoreError> {
        let progress = progress.map(|progress| columns::stored_json("progress", progress)).transpose()?;
        let mut transaction = self.write().await?;
        let cancel: Option<bool> = sqlx::query_scalar(
            "UPDATE submissions SET heartbeat_at = ?, lease_ms = ?, progress = ?, revision = revision + 1 \
             WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ? RETURNING cancel_requested",
        )
        .bind(now.millis())
        .bind(lease_millis)
        .bind(progress)
        .bind(job.submission.id.as_bytes().as_slice())
        .bind(&job.worker)
        .bind(job.attempt)
        .fetch_optional(&mut *transaction)
        .await?;
        let held = cancel.map(|_| job.submission.id);
        hear(&mut transaction, &job.worker, lease_millis, held, now).await?;
        transaction.commit().await?;
        Ok(match cancel {
            None => Answer::Lost,
            Some(true) => Answer::Cancel,
            Some(false) => Answer::Continue,
        })
    }

    /// Writes down how a submission ended, once: with an older lease nothing is written.
    ///
    /// # Errors
    /// The database fails.
    pub async fn finish(&self, job: &Job, end: &Finish<'_>, now: Timestamp) -> Result<Recorded, StoreError> {
        let mut transaction = self.write().await?;
        let Some(current) = held(&mut transaction, job).await? else { return Ok(Recorded::Lost) };
        if end.verdict == Verdict::PlatformFault && current.losses + 1 < MAX_LOSSES {
            requeue(&mut transaction, &current, true).await?;
            transaction.commit().await?;
            return Ok(Recorded::Requeued);
        }
        settle(&mut transaction, &current, end, now).await?;
        hear(&mut transaction, &job.worker, 0, None, now).await?;
        transaction.commit().await?;
        Ok(Recorded::Finished)
    }

    /// Writes down that a submission was cancelled while it ran, after `used` FLOPs.
    ///
    /// # Errors
    /// The database fails.
    pub async fn finish_cancelled(&self, job: &Job, used: Compute, now: Timestamp) -> Result<Recorded, StoreError> {
        let mut transaction = self.write().await?;
        let Some(current) = held(&mut transaction, job).await? else { return Ok(Recorded::Lost) };
        let used = if current.rescoring { Compute::ZERO } else { used };
        end_without(&mut transaction, &current, used, Without::CancelledRunning, now).await?;
        hear(&mut transaction, &job.worker, 0, None, now).await?;
        transaction.commit().await?;
        Ok(Recorded::Finished)
    }

    /// Writes down that a submission could not be evaluated by our fault: it is queued again, three times at most.
    ///
    /// # Errors
    /// The database fails.
    pub async fn finish_faulty(&self, job: &Job, now: Timestamp) -> Result<Recorded, StoreError> {
        let mut transaction = self.write().await?;
        let Some(current) = held(&mut transaction, job).await? else { return Ok(Recorded::Lost) };
        let again = current.losses + 1 < MAX_LOSSES;
        if again {
            requeue(&mut transaction, &current, true).await?;
        } else {
            end_without(&mut transaction, &current, Compute::ZERO, Without::Fault, now).await?;
        }
        hear(&mut transaction, &job.worker, 0, None, now).await?;
        transaction.commit().await?;
        Ok(if again { Recorded::Requeued } else { Recorded::Finished })
    }

    /// Returns when this process has accepted a submission; another process's are seen by looking.
    pub async fn wait_for_submission(&self) {
        self.submitted.notified().await;
    }

    /// Gives a submission back unfinished: a worker that is told to stop. No lease was lost.
    ///
    /// # Errors
    /// The database fails.
    pub async fn release(&self, job: &Job) -> Result<Recorded, StoreError> {
        let mut transaction = self.write().await?;
        let Some(current) = held(&mut transaction, job).await? else { return Ok(Recorded::Lost) };
        requeue(&mut transaction, &current, false).await?;
        transaction.commit().await?;
        self.submitted.notify_waiters();
        Ok(Recorded::Requeued)
    }

    /// Says that a worker has gone.
    ///
    /// # Errors
    /// The database fails.
    pub async fn forget_worker(&self, worker: &str) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM workers WHERE name = ?").bind(worker).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Ends what was submitted and never will be taken: leases that have run out are put back, or end as a fault of ours.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reap(&self, now: Moment) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        self.reap_in(&mut transaction, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Says that the process of a worker has died: what it had is put back at once, or ends as a fault of ours, as when a
    /// lease runs out. A worker of the same name may be started afterwards.
    ///
    /// # Errors
    /// The database fails.
    pub async fn lose_worker(&self, worker: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let ids: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT id FROM submissions WHERE state = 'running' AND worker = ? ORDER BY id")
                .bind(worker)
                .fetch_all(&mut *transaction)
                .await?;
        for id in ids {
            lose(&mut transaction, columns::submission_id(&id)?, "its worker died", now).await?;
        }
        sqlx::query("DELETE FROM workers WHERE name = ?").bind(worker).execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.submitted.notify_waiters();
        Ok(())
    }

    /// Puts leases back that have run out, and forgets workers that have not been heard for long, or were heard at a time
    /// that the wall clock has gone back behind: those that live are heard again.
    async fn reap_in(&self, connection: &mut SqliteConnection, now: Moment) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT id, attempts, heartbeat_at, lease_ms FROM submissions WHERE state = 'running'")
            .fetch_all(&mut *connection)
            .await?;
        let lease = |row: &SqliteRow| {
            let attempt = u32::try_from(row.whole("attempts")?).unwrap_or(u32::MAX);
            Ok(Lease {
                submission: row.submission_id("id")?,
                attempt,
                heartbeat_at: row.time("heartbeat_at")?,
                length: Duration::from_millis(row.whole("lease_ms")?),
            })
        };
        let leases = rows.iter().map(lease).collect::<Result<Vec<Lease>, StoreError>>()?;
        for id in self.heard.run_out(&leases, now.steady) {
            lose(connection, id, "its lease ran out", now.wall).await?;
        }
        sqlx::query("DELETE FROM workers WHERE heartbeat_at + 20 * lease_ms < ?1 OR heartbeat_at > ?1 + lease_ms")
            .bind(now.wall.millis())
            .execute(connection)
            .await?;
        Ok(())
    }

    /// Queues a finished submission again, charged to nobody. Its published figures stand until the new ones replace them.
    ///
    /// # Errors
    /// There is none of this id, or it has not ended; or the database fails.
    pub async fn rescore(&self, id: SubmissionId, actor: &Actor, now: Timestamp) -> Result<SubmissionRow, RefusedOr> {
        let mut transaction = self.write().await?;
        let before = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        if before.state != RecordState::Finished {
            let message = "it has not ended: there is nothing to score again";
            return Err(Refusal::new(thimble_api::ErrorCode::Conflict, message).into());
        }
        queue_again(&mut transaction, id).await?;
        audit::record(&mut transaction, actor, "submission.rescore", &id.to_string(), &[], now).await?;
        let after = row(&mut transaction, id).await?.ok_or_else(Refusal::not_found)?;
        transaction.commit().await?;
        self.submitted.notify_waiters();
        Ok(after)
    }

    /// Queues all finished official submissions of a challenge again that were not cancelled.
    ///
    /// # Errors
    /// The database fails.
    pub async fn rescore_all(
        &self,
        challenge_id: i64,
        challenge: &str,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.write().await?;
        let changed = sqlx::query(
            "UPDATE submissions SET state = 'queued', rescoring = 1, losses = 0, cancel_requested = 0, \
             revision = revision + 1 WHERE challenge_id = ? AND mode = 'official' AND state = 'finished' AND cancelled = 0",
        )
        .bind(challenge_id)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        let details = [("submissions", changed.to_string())];
        audit::record(&mut transaction, actor, "challenge.rescore", challenge, &details, now).await?;
        transaction.commit().await?;
        self.submitted.notify_waiters();
        Ok(changed)
    }
}

/// Remembers that a worker was heard.
async fn hear(
    connection: &mut SqliteConnection,
    worker: &str,
    lease_millis: u32,
    submission: Option<SubmissionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO workers (name, heartbeat_at, lease_ms, submission_id) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE \
         SET heartbeat_at = ?2, lease_ms = max(?3, CASE WHEN ?3 = 0 THEN lease_ms ELSE 0 END), submission_id = ?4",
    )
    .bind(worker)
    .bind(now.millis())
    .bind(lease_millis)
    .bind(submission.map(|id| id.as_bytes().to_vec()))
    .execute(connection)
    .await?;
    Ok(())
}

/// The submission of a job, if the job still has it.
async fn held(connection: &mut SqliteConnection, job: &Job) -> Result<Option<SubmissionRow>, StoreError> {
    let current = row(connection, job.submission.id).await?;
    Ok(current.filter(|current| {
        current.state == RecordState::Running
            && current.attempts == job.attempt
            && current.worker.as_deref() == Some(&*job.worker)
    }))
}

/// Takes a submission from a worker that is gone.
async fn lose(
    connection: &mut SqliteConnection,
    id: SubmissionId,
    why: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(lost) = row(connection, id).await? else { return Ok(()) };
    let wanted: bool = sqlx::query_scalar("SELECT cancel_requested FROM submissions WHERE id = ?")
        .bind(id.as_bytes().as_slice())
        .fetch_one(&mut *connection)
        .await?;
    if wanted {
        end_without(connection, &lost, Compute::ZERO, Without::CancelledRunning, now).await?;
    } else if lost.losses + 1 < MAX_LOSSES {
        requeue(connection, &lost, true).await?;
    } else {
        end_without(connection, &lost, Compute::ZERO, Without::Fault, now).await?;
    }
    tracing::warn!(submission = %id, worker = lost.worker.as_deref(), losses = lost.losses + 1, why, "a worker lost it");
    Ok(())
}

async fn requeue(connection: &mut SqliteConnection, current: &SubmissionRow, lost: bool) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE submissions SET state = 'queued', lease_ms = NULL, heartbeat_at = NULL, progress = NULL, \
         losses = losses + ?, revision = revision + 1 WHERE id = ?",
    )
    .bind(lost)
    .bind(current.id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(())
}

async fn queue_again(connection: &mut SqliteConnection, id: SubmissionId) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE submissions SET state = 'queued', rescoring = 1, losses = 0, cancelled = 0, cancel_requested = 0, \
         revision = revision + 1 WHERE id = ?",
    )
    .bind(id.as_bytes().as_slice())
    .execute(connection)
    .await?;
    Ok(())
}
