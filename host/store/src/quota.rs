//! Submissions per rolling day, in all, and the separate allowance for failures.
//!
//! How an official run counts is decided when it ends and seen when that is released: until then it counts as a submission, so that
//! nobody reads from a quota that a run has ended.

use sqlx::SqliteConnection;
use thimble_api::Timestamp;
use thimble_api::error::ErrorCode;
use thimble_api::submission::QuotaLeft;
use thimble_challenge::challenge::Quotas;
use thimble_challenge::result::Mode;

use crate::challenges::ChallengeRow;
use crate::submissions::mode_name;
use crate::{DAY_MILLIS, Refusal, StoreError};

/// What is left for an account on a challenge.
pub(crate) async fn left(
    connection: &mut SqliteConnection,
    challenge: &ChallengeRow,
    account_id: i64,
    mode: Mode,
    now: Timestamp,
) -> Result<QuotaLeft, StoreError> {
    let quotas =
        challenge.published.as_ref().map_or_else(Quotas::default, |published| published.challenge.quotas.clone());
    let per_day = match mode {
        Mode::Validation => quotas.validation_per_day,
        Mode::Official => quotas.official_per_day,
    };
    let rules = &challenge.draft.rules;
    let since = now.plus_millis(-DAY_MILLIS).millis();
    let (used, forgiven): (i64, i64) = sqlx::query_as(
        "SELECT coalesce(sum(counted OR released_at > ?1), 0), coalesce(sum(forgiven AND released_at <= ?1), 0) \
         FROM submissions WHERE account_id = ?2 AND challenge_id = ?3 AND mode = ?4 AND submitted_at > ?5",
    )
    .bind(now.millis())
    .bind(account_id)
    .bind(challenge.id)
    .bind(mode_name(mode))
    .bind(since)
    .fetch_one(&mut *connection)
    .await?;
    let left = per_day.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    let next_at = if left > 0 {
        None
    } else {
        // The one whose leaving the window makes room: with a quota that was lowered, more than one has to leave.
        let to_leave = used - i64::from(per_day);
        let at: Option<i64> = sqlx::query_scalar(
            "SELECT submitted_at FROM submissions WHERE account_id = ? AND challenge_id = ? AND mode = ? \
             AND submitted_at > ? AND (counted = 1 OR released_at > ?) ORDER BY submitted_at LIMIT 1 OFFSET ?",
        )
        .bind(account_id)
        .bind(challenge.id)
        .bind(mode_name(mode))
        .bind(since)
        .bind(now.millis())
        .bind(to_leave)
        .fetch_optional(&mut *connection)
        .await?;
        at.map(|at| Timestamp::from_millis(at).plus_millis(DAY_MILLIS))
    };
    let lifetime = if mode == Mode::Official { rules.official_lifetime } else { None };
    let lifetime_left = match lifetime {
        None => None,
        Some(limit) => {
            let all: i64 = sqlx::query_scalar(
                "SELECT coalesce(sum(counted OR released_at > ?), 0) FROM submissions \
                 WHERE account_id = ? AND challenge_id = ? AND mode = ?",
            )
            .bind(now.millis())
            .bind(account_id)
            .bind(challenge.id)
            .bind(mode_name(mode))
            .fetch_one(connection)
            .await?;
            Some(limit.saturating_sub(u32::try_from(all).unwrap_or(u32::MAX)))
        }
    };
    Ok(QuotaLeft {
        mode,
        per_day,
        left,
        next_at,
        lifetime,
        lifetime_left,
        failures_per_day: rules.failures_per_day,
        failures_left: rules.failures_per_day.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX)),
    })
}

/// Refuses when nothing is left.
pub(crate) fn check(quota: &QuotaLeft, now: Timestamp) -> Result<(), Refusal> {
    let mode = mode_name(quota.mode);
    if quota.lifetime_left == Some(0) {
        let limit = quota.lifetime.unwrap_or_default();
        let message = format!("all {limit} {mode} submissions that this challenge allows a builder are used");
        return Err(Refusal::new(ErrorCode::QuotaExhausted, message));
    }
    if quota.left > 0 {
        return Ok(());
    }
    let when = quota.next_at.map_or_else(String::new, |at| format!("; the next one is possible at {at}"));
    let message = format!("{} of {} {mode} submissions in 24 hours are used{when}", quota.per_day, quota.per_day);
    let seconds = quota.next_at.map(|at| (at.millis() - now.millis()).max(0).unsigned_abs().div_ceil(1_000));
    Err(Refusal { retry_after_seconds: seconds, ..Refusal::new(ErrorCode::QuotaExhausted, message) })
}

/// What a failed run counts as: a failure while the day's allowance lasts, otherwise a submission.
pub(crate) async fn forgives(
    connection: &mut SqliteConnection,
    account_id: i64,
    challenge_id: i64,
    mode: Mode,
    failures_per_day: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let forgiven: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM submissions WHERE account_id = ? AND challenge_id = ? AND mode = ? AND submitted_at > ? \
         AND forgiven = 1",
    )
    .bind(account_id)
    .bind(challenge_id)
    .bind(mode_name(mode))
    .bind(now.plus_millis(-DAY_MILLIS).millis())
    .fetch_one(connection)
    .await?;
    Ok(forgiven < i64::from(failures_per_day))
}
