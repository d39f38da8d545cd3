//! Status of submissions: projected once for each audience, kept for a moment, sent from memory.

use std::sync::Arc;
use std::time::Duration;

use thimble_api::operator::RecordState;
use thimble_api::submission::SubmissionView;
use thimble_api::{SubmissionId, Timestamp};
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_store::SubmissionRow;

use crate::answer::Prepared;
use crate::auth::Caller;
use crate::cache::{Cache, Loaded};
use crate::catalog;
use crate::failure::{Failure, Result};
use crate::project::{self, Known};
use crate::service::Service;

/// Submissions that are remembered at most, and bytes.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 128 << 20;
/// How long the status of a submission that has ended is believed; what changes it in this process forgets it.
const ENDED: Duration = Duration::from_secs(2);

/// A status, for each audience.
#[derive(Debug)]
pub(crate) struct Status {
    challenge_id: i64,
    account_id: i64,
    team_id: i64,
    revision: u64,
    /// For anyone who sees the challenge, once its figures are released.
    public: Option<Prepared>,
    builder: Prepared,
    /// Nothing will change of it by itself.
    pub(crate) ended: bool,
}

/// Statuses of a moment ago.
#[derive(Debug)]
pub(crate) struct Statuses {
    cache: Cache<SubmissionId, Option<Arc<Status>>>,
}

impl Statuses {
    pub(crate) fn new() -> Self {
        Self { cache: Cache::new(MOST, MOST_BYTES) }
    }

    /// After a change in this process.
    pub(crate) fn forget(&self, id: SubmissionId) {
        self.cache.forget(&id);
    }

    /// After a change of many.
    pub(crate) fn clear(&self) {
        self.cache.clear();
    }
}

/// What the caller may see of a submission, and whether it has ended.
pub(crate) async fn status(service: &Service, caller: &Caller, id: SubmissionId) -> Result<(Prepared, bool)> {
    let load = async |before| load(service, id, before).await;
    let status = service.statuses.cache.get_or_load(&id, load).await?.ok_or_else(Failure::not_found)?;
    if is_own(caller, status.account_id, status.team_id) {
        return Ok((status.builder.clone(), status.ended));
    }
    // A challenge that is hidden hides what was submitted to it.
    let challenge = catalog::by_id(service, status.challenge_id).await?.ok_or_else(Failure::not_found)?;
    match &status.public {
        Some(public) if catalog::may_see(service, caller, &challenge).await? => Ok((public.clone(), status.ended)),
        _ => Err(Failure::not_found()),
    }
}

/// Whether a submission is the caller's, their team's, or they are an operator.
pub(crate) fn is_own(caller: &Caller, account_id: i64, team_id: i64) -> bool {
    caller.is_operator()
        || caller
            .principal()
            .is_some_and(|principal| principal.account_id == account_id || principal.team_id == team_id)
}

async fn load(
    service: &Service,
    id: SubmissionId,
    before: Option<Option<Arc<Status>>>,
) -> Result<Loaded<Option<Arc<Status>>>> {
    let now = Timestamp::now();
    let Some(row) = service.store.submission(id).await? else {
        return Ok(Loaded { value: None, ttl: service.config.status_ttl, weight: 1 });
    };
    let ended = row.state == RecordState::Finished && project::is_released(&row, now);
    let ttl = if ended { ENDED } else { service.config.status_ttl };
    if let Some(Some(before)) = before
        && ended
        && before.ended
        && before.revision == row.revision
    {
        let weight = weight(&before);
        return Ok(Loaded { value: Some(before), ttl, weight });
    }
    let public = project::public(&row, now).map(SubmissionView::Public);
    let view = SubmissionView::Builder(builder_view(service, &row, now).await?);
    let status = Status {
        challenge_id: row.challenge_id,
        account_id: row.account_id,
        team_id: row.team_id,
        revision: row.revision,
        public: public.as_ref().map(Prepared::json).transpose()?,
        builder: Prepared::json(&view)?,
        ended,
    };
    let weight = weight(&status);
    Ok(Loaded { value: Some(Arc::new(status)), ttl, weight })
}

fn weight(status: &Status) -> usize {
    status.builder.weight() + status.public.as_ref().map_or(0, Prepared::weight)
}

/// A submission as its builder sees it, with what that needs from the store.
pub(crate) async fn builder_view(
    service: &Service,
    row: &SubmissionRow,
    now: Timestamp,
) -> Result<thimble_api::submission::BuilderSubmission> {
    let place = match row.state {
        RecordState::Queued => Some(service.store.place(row, now).await?),
        RecordState::Running | RecordState::Finished => None,
    };
    let result = if row.mode == Mode::Validation { result(service, row).await? } else { None };
    let challenge = catalog::by_id(service, row.challenge_id).await?;
    let published = challenge.as_ref().and_then(|challenge| challenge.published.as_ref());
    let limits = published.map(|published| (&published.challenge.limits, published.validation_rows));
    Ok(project::builder(row, Known { place, result: result.as_ref(), limits }, now))
}

/// The whole result of a submission that has ended, while it is kept.
pub(crate) async fn result(service: &Service, row: &SubmissionRow) -> Result<Option<EvaluationResult>> {
    let Some(digest) = &row.result else { return Ok(None) };
    let Some(bytes) = service.store.artifact(digest).await? else { return Ok(None) };
    // A result can have megabytes.
    let parsed = tokio::task::spawn_blocking(move || EvaluationResult::from_json(&bytes)).await;
    parsed.map_err(Failure::internal)?.map(Some).map_err(Failure::internal)
}
