//! Submissions: made, looked at, cancelled.

use bytes::Bytes;
use thimble_api::id::ChallengeName;
use thimble_api::leaderboard::RankingContext;
use thimble_api::submission::{Accepted, BuilderSubmission, ListQuery, Log, MAX_NOTE_BYTES};
use thimble_api::{ErrorCode, ErrorDetail, Page, SubmissionId, Timestamp};
use thimble_challenge::Package;
use thimble_challenge::result::Mode;
use thimble_store::{Filter, NewSubmission, RefusedOr, SubmissionRow, estimate};

use crate::auth::{Caller, Identity};
use crate::board;
use crate::catalog;
use crate::failure::{Failure, Result};
use crate::project;
use crate::service::Service;
use crate::status;

/// A submission as it arrived.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) package: Bytes,
    pub(crate) mode: Mode,
    pub(crate) note: String,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) again: bool,
}

/// Accepts a submission. A package that cannot be read is neither kept nor counted.
pub(crate) async fn submit(
    service: &Service,
    identity: &Identity,
    challenge: &ChallengeName,
    sent: Sent,
) -> Result<Accepted> {
    catalog::published(service, &Caller::from(identity), challenge).await?;
    // Its rules as they are now: they bind the submission.
    let challenge = catalog::fresh(service, challenge).await?;
    if sent.note.len() > MAX_NOTE_BYTES {
        let message = format!("must have at most {MAX_NOTE_BYTES} bytes; found {}", sent.note.len());
        return Err(Failure::of_field("note", message));
    }
    let package = sent.package;
    let package_bytes = package.len() as u64;
    let (package, read) = read(package).await?;
    let package = service.store.put_artifact(package).await?;
    let new = NewSubmission {
        challenge: &challenge,
        principal: &identity.principal,
        mode: sent.mode,
        package,
        package_bytes,
        component: Some(read.component),
        name: read.name,
        version: read.version,
        note: sent.note,
        idempotency_key: sent.idempotency_key,
        again: sent.again,
    };
    let now = Timestamp::now();
    let submitted = match service.store.submit(new, now).await {
        Ok(submitted) => submitted,
        Err(error) => {
            // What is not accepted is not kept: it would fill the disk beside every quota, or keep a full one full.
            let discarded = service.store.discard_package(&package).await;
            if matches!(error, RefusedOr::Refused(_)) {
                discarded?;
            }
            return Err(error.into());
        }
    };
    Ok(Accepted {
        submission: status::builder_view(service, &submitted.row, now).await?,
        quota: submitted.quota,
        estimate: estimate(&challenge, sent.mode),
        repeated: submitted.repeated,
    })
}

/// What is kept of a package beside its bytes.
struct Read {
    component: thimble_datasets::Digest,
    name: Option<String>,
    version: Option<String>,
}

async fn read(bytes: Bytes) -> Result<(Bytes, Read)> {
    let reading = move || match Package::read(&bytes) {
        Ok(package) => {
            let (name, version) = package.manifest.map(|manifest| (manifest.name, manifest.version)).unzip();
            Ok((bytes, Read { component: package.component_digest, name, version }))
        }
        Err(error) => {
            let detail = ErrorDetail { field: "package".to_owned(), message: error.to_string() };
            let message = format!("the package breaks the rule `{}`: {error}", error.rule());
            Err(Failure { details: vec![detail], ..Failure::new(ErrorCode::ValidationFailed, message) })
        }
    };
    tokio::task::spawn_blocking(reading).await.map_err(Failure::internal)?
}

/// One's own submissions, newest first.
pub(crate) async fn list(service: &Service, caller: &Caller, query: &ListQuery) -> Result<Page<BuilderSubmission>> {
    let principal = caller.principal().ok_or_else(Failure::unauthorized)?;
    let challenge_id = match &query.challenge {
        Some(name) => Some(catalog::visible(service, caller, name).await?.id),
        None => None,
    };
    let filter = Filter { account_id: Some(principal.account_id), challenge_id, mode: query.mode };
    let page = service.store.submissions(filter, query.after.as_deref(), query.limit).await?;
    let now = Timestamp::now();
    let mut items = Vec::with_capacity(page.items.len());
    for row in &page.items {
        items.push(status::builder_view(service, row, now).await?);
    }
    Ok(Page { items, next: page.next })
}

/// A submission of the caller's, of their team's, or any for an operator.
pub(crate) async fn own(service: &Service, caller: &Caller, id: SubmissionId) -> Result<SubmissionRow> {
    let row = service.store.submission(id).await?.ok_or_else(Failure::not_found)?;
    if status::is_own(caller, row.account_id, row.team_id) { Ok(row) } else { Err(Failure::not_found()) }
}

/// The guest's own words.
pub(crate) async fn log(service: &Service, caller: &Caller, id: SubmissionId) -> Result<Log> {
    let row = own(service, caller, id).await?;
    let result = if row.mode == Mode::Validation { status::result(service, &row).await? } else { None };
    Ok(project::log(&row, result.as_ref()))
}

/// Where the submission's builder stands, for whoever may see the submission.
pub(crate) async fn context(service: &Service, caller: &Caller, id: SubmissionId) -> Result<RankingContext> {
    // Whoever sees its status sees its builder's place.
    status::status(service, caller, id).await?;
    let row = service.store.submission(id).await?.ok_or_else(Failure::not_found)?;
    let challenge = catalog::by_id(service, row.challenge_id).await?.ok_or_else(Failure::not_found)?;
    let snapshot = board::current(service, &challenge).await?;
    snapshot.context(&row.builder)
}

/// Ends a submission of one's own.
pub(crate) async fn cancel(service: &Service, identity: &Identity, id: SubmissionId) -> Result<SubmissionRow> {
    own(service, &Caller::from(identity), id).await?;
    let row = service.store.cancel(id, &identity.actor(), Timestamp::now()).await?;
    service.statuses.forget(id);
    Ok(row)
}
