//! Workers, the queue, and how long a submission waits.

use sqlx::SqliteConnection;
use thimble_api::Timestamp;
use thimble_api::operator::{Capacity, WorkerView};
use thimble_api::submission::Queued;

use crate::columns::Columns as _;
use crate::submissions::{SubmissionRow, mode_name};
use crate::{DAY_MILLIS, Store, StoreError};

impl Store {
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
                    name: row.text("name")?,
                    heartbeat_at: row.time("heartbeat_at")?,
                    submission: row.submission_id_or_null("submission_id")?,
                })
            })
            .collect::<Result<_, StoreError>>()?;
        let count = "SELECT coalesce(sum(state = 'queued' AND mode = 'official'), 0) AS official, \
                     coalesce(sum(state = 'queued' AND mode = 'validation'), 0) AS validation, \
                     coalesce(sum(state = 'running'), 0) AS running FROM submissions WHERE state <> 'finished'";
        let counts = sqlx::query(count).fetch_one(&mut *connection).await?;
        let mean = mean_run_seconds(&mut connection, Of::AllRuns, now).await?;
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
    let mean = mean_run_seconds(connection, Of::ValidationRuns, now).await?;
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

/// Which runs a mean is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// For operators.
    AllRuns,
    /// For builders: how long an official run took is a message that it could have written, and when it ended another.
    ValidationRuns,
}

async fn mean_run_seconds(
    connection: &mut SqliteConnection,
    of: Of,
    now: Timestamp,
) -> Result<Option<f64>, StoreError> {
    let mean: Option<f64> = sqlx::query_scalar(
        "SELECT avg(finished_at - started_at) / 1000.0 FROM (SELECT finished_at, started_at FROM submissions \
         WHERE state = 'finished' AND finished_at > ? AND started_at IS NOT NULL AND (? OR mode = 'validation') \
         ORDER BY finished_at DESC LIMIT 1000)",
    )
    .bind(now.plus_millis(-DAY_MILLIS).millis())
    .bind(of == Of::AllRuns)
    .fetch_one(connection)
    .await?;
    Ok(mean)
}
