//! How a submission ends: what it is charged, what counts, and what is published.

use sqlx::SqliteConnection;
use thimble_api::{Compute, Timestamp};
use thimble_challenge::challenge::Challenge;
use thimble_challenge::result::{Mode, Published};
use thimble_challenge::{Verdict, round};
use thimble_datasets::Digest;
use thimble_metrics::Direction;

use crate::columns::{self, Columns as _, stored_compute};
use crate::submissions::SubmissionRow;
use crate::{StoreError, budgets, publications, quota};

/// How an evaluation ended.
#[derive(Debug, Clone)]
pub struct Finish<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// The artifact that holds the whole result.
    pub result: Digest,
    /// Official runs: what is published.
    pub published: Option<Published>,
    /// Official runs of a challenge whose test rows are parted: what is published when it closes.
    pub published_at_close: Option<Published>,
    /// FLOPs that it is charged.
    pub used: Compute,
    /// The challenge that it was evaluated under.
    pub challenge: &'a Challenge,
    /// Failed runs of a builder in 24 hours that do not count as submissions.
    pub failures_per_day: u32,
}

/// An end without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// Cancelled before a worker took it: neither charged nor counted against the quota.
    CancelledQueued,
    /// Cancelled while it ran: counted.
    CancelledRunning,
    /// Our fault: not counted.
    Fault,
}

/// Ends a submission without a result; one that is scored again keeps its first result.
pub(crate) async fn end_without(
    connection: &mut SqliteConnection,
    current: &SubmissionRow,
    used: Compute,
    how: Without,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = current.id.as_bytes().as_slice();
    if current.rescoring {
        sqlx::query(
            "UPDATE submissions SET state = 'finished', rescoring = 0, lease_ms = NULL, progress = NULL, \
             revision = revision + 1 WHERE id = ?",
        )
        .bind(id)
        .execute(connection)
        .await?;
        return Ok(());
    }
    let cancelled = how != Without::Fault;
    // What had begun is told with the results: when it ended, and that it had not ended before, would be messages.
    let begun = current.mode == Mode::Official && how != Without::CancelledQueued;
    let tick = if begun { current.release_tick_seconds } else { 0 };
    sqlx::query(
        "UPDATE submissions SET state = 'finished', finished_at = ?, released_at = ?, lease_ms = NULL, progress = NULL, \
         cancelled = ?, counted = counted AND ?, verdict = ?, charged = ?, revision = revision + 1 WHERE id = ?",
    )
    .bind(now.millis())
    .bind(now.on_tick(tick).millis())
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
pub(crate) async fn settle(
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
    let closed: bool = sqlx::query_scalar("SELECT stage = 'closed' FROM challenges WHERE id = ?")
        .bind(current.challenge_id)
        .fetch_one(&mut *connection)
        .await?;
    // After the close, what was kept until then is all there is.
    let (published, at_close) = match (&end.published, &end.published_at_close) {
        (_, Some(kept)) if closed => (Some(kept), None),
        (published, at_close) => (published.as_ref(), at_close.as_ref()),
    };
    let improved = match published {
        Some(published) if !current.rescoring => improves(connection, current, published, end.challenge).await?,
        _ => current.improved,
    };
    let stored = |figures: Option<&Published>| {
        figures.map(|figures| columns::stored_json("published figures", figures)).transpose()
    };
    let (published, at_close) = (stored(published)?, stored(at_close)?);
    sqlx::query(
        "UPDATE submissions SET state = 'finished', finished_at = ?, released_at = ?, lease_ms = NULL, progress = NULL, \
         verdict = ?, counted = counted AND ?, forgiven = forgiven OR ?, charged = charged + ?, result = ?, \
         published = ?, published_at_close = ?, improved = ?, rescoring = 0, cancelled = 0, revision = revision + 1 WHERE id = ?",
    )
    .bind(now.millis())
    .bind(released_at.millis())
    .bind(end.verdict.name())
    .bind(!(fault || forgiven))
    .bind(forgiven)
    .bind(stored_compute(used))
    .bind(end.result.as_bytes().as_slice())
    .bind(&published)
    .bind(&at_close)
    .bind(improved)
    .bind(current.id.as_bytes().as_slice())
    .execute(&mut *connection)
    .await?;
    // What is scored again was settled the first time.
    let held = if current.rescoring { Compute::ZERO } else { current.reserved };
    budgets::settle(connection, (current.challenge_id, current.team_id), held, used).await?;
    let Some(published) = published.filter(|_| current.mode == Mode::Official) else { return Ok(()) };
    let scored = end.verdict == Verdict::Scored;
    let was_shown: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM publications WHERE submission_id = ?)")
        .bind(current.id.as_bytes().as_slice())
        .fetch_one(&mut *connection)
        .await?;
    // A result that no longer scores takes its earlier figures off the board.
    if improved && (scored || was_shown) {
        let event = publications::Event { released_at, published: &published, withdrawn: current.withdrawn || !scored };
        publications::publish(connection, current, &event).await?;
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
        // To twelve digits: 0.8 is not more than 0.1 above 0.7, whatever the sum of the doubles.
        if other.as_ref().and_then(height).is_some_and(|best| found <= round::significant(best + margin, 12)) {
            return Ok(false);
        }
    }
    Ok(true)
}
