//! The queue: leased rows, heard again and again, ended once.
//!
//! A worker takes a submission for a while ([`Store::lease`]), says that it is alive ([`Store::heartbeat`]) and writes down how
//! it ended ([`Store::finish`]). Every lease has a number; whoever writes with an older one has lost the submission and changes
//! nothing. A lease that runs out puts the submission back, three times at most, and nobody is charged for it.

use sqlx::{Row as _, SqliteConnection};
use thimble_api::operator::{Capacity, RecordState, WorkerView};
use thimble_api::submission::{Progress, Queued};
use thimble_api::{Compute, SubmissionId, Timestamp};
use thimble_challenge::Verdict;
use thimble_challenge::challenge::Challenge;
use thimble_challenge::result::{Mode, Published};
use thimble_datasets::Digest;
use thimble_metrics::Direction;

use crate::columns::{self, Columns as _, stored_compute};
use crate::submissions::{SubmissionRow, mode_name, row};
use crate::{Actor, Refusal, RefusedOr, Store, StoreError, audit, budgets, quota};

/// Leases of one submission that may run out, and platform faults it may end in, before it ends as one.
pub const MAX_LOSSES: u32 = 3;

const DAY_MILLIS: i64 = 86_400_000;

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

/// How an evaluation ended.
#[derive(Debug, Clone)]
pub struct Finish<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The artifact that holds the whole result.
    pub result: Digest,
    /// Official runs: what is published.
    pub published: Option<Published>,
    /// FLOPs that it is charged.
    pub used: Compute,
    /// The challenge that it was evaluated under.
    pub challenge: &'a Challenge,
    /// Failed runs of a builder in 24 hours that do not count as submissions.
    pub failures_per_day: u32,
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
    /// running as the challenge allows.
    ///
    /// # Errors
    /// The database fails.
    pub async fn lease(&self, worker: &str, lease_millis: u32, now: Timestamp) -> Result<Option<Job>, StoreError> {
        let mut transaction = self.write().await?;
        reap(&mut transaction, now).await?;
        let id: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT s.id FROM submissions s WHERE s.state = 'queued' AND s.concurrency > \
             (SELECT count(*) FROM submissions r WHERE r.state = 'running' AND r.account_id = s.account_id \
              AND r.challenge_id = s.challenge_id) ORDER BY s.mode, s.submitted_at, s.id LIMIT 1",
        )
        .fetch_optional(&mut *transaction)
        .await?;
        let id = id.map(|id| columns::submission_id(&id)).transpose()?;
        if let Some(id) = id {
            sqlx::query(
                "UPDATE submissions SET state = 'running', worker = ?, attempts = attempts + 1, lease_until = ?, \
                 started_at = ?, heartbeat_at = ?, progress = NULL, revision = revision + 1 WHERE id = ?",
            )
            .bind(worker)
            .bind(now.plus_millis(lease_millis.into()).millis())
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
            "UPDATE submissions SET heartbeat_at = ?, lease_until = ?, progress = ?, revision = revision + 1 \
             WHERE id = ? AND state = 'running' AND worker = ? AND attempts = ? RETURNING cancel_requested",
        )
        .bind(now.millis())
        .bind(now.plus_millis(lease_millis.into()).millis())
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
    pub async fn reap(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        reap(&mut transaction, now).await?;
        Ok(transaction.commit().await?)
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

    /// Workers, the queue, and what a submission made now would wait.
    ///
    /// # Errors
    /// The database fails.
    pub async fn capacity(&self, now: Timestamp) -> Result<Capacity, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let workers = sqlx::query(
            "SELECT name, heartbeat_at, submission_id FROM workers WHERE heartbeat_at + lease_ms >= ? ORDER BY name",
        )
        .bind(now.millis())
        .fetch_all(&mut *connection)
        .await?;
        let workers: Vec<WorkerView> = workers
            .iter()
            .map(|row| {
                Ok(WorkerView {
                    name: row.try_get("name")?,
                    heartbeat_at: row.time("heartbeat_at")?,
                    submission: row.submission_id_or_null("submission_id")?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let count = "SELECT coalesce(sum(state = 'queued' AND mode = 'official'), 0) AS official, \
                     coalesce(sum(state = 'queued' AND mode = 'validation'), 0) AS validation, \
                     coalesce(sum(state = 'running'), 0) AS running FROM submissions WHERE state <> 'finished'";
        let counts = sqlx::query(count).fetch_one(&mut *connection).await?;
        let mean = mean_run_seconds(&mut connection, now).await?;
        let (official, validation) = (counts.whole("official")?, counts.whole("validation")?);
        drop(connection);
        let sizes = self.sizes().await?;
        Ok(Capacity {
            queued_official: official,
            queued_validation: validation,
            running: counts.whole("running")?,
            mean_run_seconds: mean,
            expected_wait_seconds: wait(official + validation + 1, workers.len() as u64, mean),
            workers,
            database_bytes: sizes.database_bytes,
            artifact_bytes: sizes.artifact_bytes,
        })
    }
}

/// Where a queued submission stands, and how long those before it will take.
pub(crate) async fn place(
    connection: &mut SqliteConnection,
    submission: &SubmissionRow,
    now: Timestamp,
) -> Result<Queued, StoreError> {
    let before: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM submissions WHERE state = 'queued' AND (mode, submitted_at, id) < (?, ?, ?)",
    )
    .bind(mode_name(submission.mode))
    .bind(submission.submitted_at.millis())
    .bind(submission.id.as_bytes().as_slice())
    .fetch_one(&mut *connection)
    .await?;
    let workers: i64 = sqlx::query_scalar("SELECT count(*) FROM workers WHERE heartbeat_at + lease_ms >= ?")
        .bind(now.millis())
        .fetch_one(&mut *connection)
        .await?;
    let position = before.unsigned_abs() + 1;
    let mean = mean_run_seconds(connection, now).await?;
    Ok(Queued {
        position,
        expected_wait_seconds: wait(position, workers.unsigned_abs(), mean),
        attempt: submission.attempts + 1,
    })
}

/// The wait of whoever is at `position`, if every run takes `mean` seconds.
fn wait(position: u64, workers: u64, mean: Option<f64>) -> Option<u64> {
    let rounds = position.div_ceil(workers.max(1));
    (workers > 0).then_some(())?;
    mean.map(|mean| (rounds as f64 * mean).ceil() as u64)
}

async fn mean_run_seconds(connection: &mut SqliteConnection, now: Timestamp) -> Result<Option<f64>, StoreError> {
    let mean: Option<f64> = sqlx::query_scalar(
        "SELECT avg(finished_at - started_at) / 1000.0 FROM (SELECT finished_at, started_at FROM submissions \
         WHERE state = 'finished' AND finished_at > ? AND started_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1000)",
    )
    .bind(now.plus_millis(-DAY_MILLIS).millis())
    .fetch_one(connection)
    .await?;
    Ok(mean)
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

/// Puts leases back that have run out.
async fn reap(connection: &mut SqliteConnection, now: Timestamp) -> Result<(), StoreError> {
    let ids: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT id FROM submissions WHERE state = 'running' AND lease_until < ? ORDER BY id")
            .bind(now.millis())
            .fetch_all(&mut *connection)
            .await?;
    for id in ids {
        let Some(lost) = row(connection, columns::submission_id(&id)?).await? else { continue };
        let wanted: bool = sqlx::query_scalar("SELECT cancel_requested FROM submissions WHERE id = ?")
            .bind(&id)
            .fetch_one(&mut *connection)
            .await?;
        if wanted {
            end_without(connection, &lost, Compute::ZERO, Without::CancelledRunning, now).await?;
        } else if lost.losses + 1 < MAX_LOSSES {
            requeue(connection, &lost, true).await?;
        } else {
            end_without(connection, &lost, Compute::ZERO, Without::Fault, now).await?;
        }
        tracing::warn!(submission = %lost.id, worker = lost.worker.as_deref(), losses = lost.losses + 1, "a lease ran out");
    }
    sqlx::query("DELETE FROM workers WHERE heartbeat_at + 20 * lease_ms < ?")
        .bind(now.millis())
        .execute(connection)
        .await?;
    Ok(())
}

async fn requeue(connection: &mut SqliteConnection, current: &SubmissionRow, lost: bool) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE submissions SET state = 'queued', lease_until = NULL, heartbeat_at = NULL, progress = NULL, \
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

/// A queued submission that is not wanted any more: neither charged nor counted.
pub(crate) async fn end_cancelled(
    connection: &mut SqliteConnection,
    current: &SubmissionRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    end_without(connection, current, Compute::ZERO, Without::CancelledQueued, now).await
}

/// An end without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    /// Cancelled before a worker took it: not counted against the quota.
    CancelledQueued,
    /// Cancelled while it ran: counted.
    CancelledRunning,
    /// Our fault: not counted.
    Fault,
}

/// Ends a submission without a result; one that is scored again keeps its first result.
async fn end_without(
    connection: &mut SqliteConnection,
    current: &SubmissionRow,
    used: Compute,
    how: Without,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = current.id.as_bytes().as_slice();
    if current.rescoring {
        sqlx::query(
            "UPDATE submissions SET state = 'finished', rescoring = 0, lease_until = NULL, progress = NULL, \
             revision = revision + 1 WHERE id = ?",
        )
        .bind(id)
        .execute(connection)
        .await?;
        return Ok(());
    }
    let cancelled = how != Without::Fault;
    sqlx::query(
        "UPDATE submissions SET state = 'finished', finished_at = ?, released_at = ?, lease_until = NULL, progress = NULL, \
         cancelled = ?, counted = counted AND ?, verdict = ?, reserved = 0, charged = ?, revision = revision + 1 WHERE id = ?",
    )
    .bind(now.millis())
    .bind(now.millis())
    .bind(cancelled)
    .bind(how == Without::CancelledRunning)
    .bind((!cancelled).then_some(Verdict::PlatformFault.name()))
    .bind(stored_compute(used))
    .bind(id)
    .execute(&mut *connection)
    .await?;
    budgets::settle(connection, (current.challenge_id, current.team_id), current.reserved, used).await
}

/// Ends a submission with its result: the verdict, the charge, what counts, and what is published.
async fn settle(
    connection: &mut SqliteConnection,
    current: &SubmissionRow,
    end: &Finish<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let fault = end.verdict == Verdict::PlatformFault;
    if current.rescoring && fault {
        return end_without(connection, current, Compute::ZERO, Without::Fault, now).await;
    }
    let free = current.rescoring || fault;
    let used = if free { Compute::ZERO } else { end.used };
    let failed = !matches!(end.verdict, Verdict::Scored | Verdict::OverParameterLimit | Verdict::PlatformFault);
    let forgiven = failed
        && !current.rescoring
        && quota::forgives(
            connection,
            current.account_id,
            current.challenge_id,
            current.mode,
            end.failures_per_day,
            now,
        )
        .await?;
    let tick = if current.mode == Mode::Official { end.challenge.release.tick_seconds } else { 0 };
    let released_at = now.on_tick(tick);
    let improved = match &end.published {
        Some(published) if !current.rescoring => improves(connection, current, published, end.challenge).await?,
        _ => current.improved,
    };
    let published =
        end.published.as_ref().map(|published| columns::stored_json("published figures", published)).transpose()?;
    sqlx::query(
        "UPDATE submissions SET state = 'finished', finished_at = ?, released_at = ?, lease_until = NULL, progress = NULL, \
         verdict = ?, counted = counted AND ?, forgiven = forgiven OR ?, reserved = 0, charged = charged + ?, result = ?, \
         published = ?, improved = ?, rescoring = 0, cancelled = 0, revision = revision + 1 WHERE id = ?",
    )
    .bind(now.millis())
    .bind(released_at.millis())
    .bind(end.verdict.name())
    .bind(!(fault || forgiven))
    .bind(forgiven)
    .bind(stored_compute(used))
    .bind(end.result.as_bytes().as_slice())
    .bind(&published)
    .bind(improved)
    .bind(current.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?;
    budgets::settle(connection, (current.challenge_id, current.team_id), current.reserved, used).await?;
    let Some(published) = published.filter(|_| current.mode == Mode::Official) else { return Ok(()) };
    let scored = end.verdict == Verdict::Scored;
    let was_shown: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM publications WHERE submission_id = ?)")
        .bind(current.id.as_bytes().as_slice())
        .fetch_one(&mut *connection)
        .await?;
    // A result that no longer scores takes its earlier figures off the board.
    if improved && (scored || was_shown) {
        let event = Publication { released_at, published: &published, withdrawn: current.withdrawn || !scored };
        publish(connection, current, &event).await?;
    }
    Ok(())
}

/// Whether figures beat the builder's best published ones by more than the challenge asks for (the Ladder rule, Blum and
/// Hardt 2015).
async fn improves(
    connection: &mut SqliteConnection,
    current: &SubmissionRow,
    published: &Published,
    challenge: &Challenge,
) -> Result<bool, StoreError> {
    let Some(margin) = challenge.release.improvement else { return Ok(true) };
    let Some(metric) = challenge.ranking_metric() else { return Ok(true) };
    // More is better.
    let height = |published: &Published| {
        let value = published.metrics.get(metric.name)?.value()?;
        Some(match metric.direction {
            _ if metric.ranks_by_magnitude => -value.abs(),
            Direction::HigherIsBetter => value,
            Direction::LowerIsBetter => -value,
        })
    };
    let Some(found) = height(published) else { return Ok(true) };
    let earlier = sqlx::query(
        "SELECT published FROM submissions WHERE account_id = ? AND challenge_id = ? AND mode = 'official' \
         AND verdict = 'scored' AND improved = 1 AND id <> ?",
    )
    .bind(current.account_id)
    .bind(current.challenge_id)
    .bind(current.id.as_bytes().as_slice())
    .fetch_all(connection)
    .await?;
    for row in &earlier {
        let other: Option<Published> = row.json_or_null("published")?;
        if other.as_ref().and_then(height).is_some_and(|best| found <= best + margin) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A change of what is published of a submission.
pub(crate) struct Publication<'a> {
    pub(crate) released_at: Timestamp,
    /// JSON.
    pub(crate) published: &'a str,
    pub(crate) withdrawn: bool,
}

pub(crate) async fn publish(
    connection: &mut SqliteConnection,
    submission: &SubmissionRow,
    event: &Publication<'_>,
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
