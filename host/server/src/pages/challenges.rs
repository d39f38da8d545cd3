//! Challenges, their tabs, and submissions.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use thimble_api::challenge::{ChallengeView, ChallengesQuery};
use thimble_api::leaderboard::LeaderboardQuery;
use thimble_api::operator::RecordState;
use thimble_api::page::PageQuery;
use thimble_api::submission::{ListQuery, SubmissionView};
use thimble_api::{ErrorDetail, Timestamp};
use thimble_challenge::result::Mode;
use thimble_pages::forms::SubmitForm;
use thimble_store::ChallengeRow;

use super::shown::Shown;
use super::{form_of, mendable, origin, see_other, shown, unkept, viewer};
use crate::answer::Prepared;
use crate::api::{Identified, Named};
use crate::auth::{Builder, Caller, Identity};
use crate::board::What;
use crate::catalog;
use crate::extract::{Path, Query};
use crate::failure::{Failure, Result};
use crate::operations::submissions::{self, Sent};
use crate::operations::{challenges, running};
use crate::project;
use crate::ranking;
use crate::service::Service;
use crate::status;

pub(super) fn router() -> Router<Service> {
    Router::new()
        .route("/", get(list))
        .route("/challenges/{name}", get(leaderboard))
        .route("/challenges/{name}/description", get(description))
        .route("/challenges/{name}/explore", get(explore))
        .route("/challenges/{name}/training", get(training))
        .route("/challenges/{name}/submissions", get(own))
        .route("/challenges/{name}/submit", post(submit))
        .route("/submissions/{id}", get(submission))
        .route("/submissions/{id}/cancel", post(cancel))
}

async fn list(State(service): State<Service>, caller: Caller, Query(query): Query<ChallengesQuery>) -> Result<Shown> {
    let page = challenges::list(&service, &caller, &query).await?;
    let viewer = viewer(&caller);
    Ok(shown(&viewer, thimble_pages::challenges(&viewer, &page, &query).into_string()))
}

/// A challenge that has pages; an operator's draft has those of its steps only.
async fn challenge(service: &Service, caller: &Caller, named: &Named) -> Result<Result<Arc<ChallengeRow>, Response>> {
    let row = catalog::visible(service, caller, &named.name).await?;
    if row.published.is_none() {
        return Ok(Err(see_other(&format!("/operator/challenges/{}/step/1", named.name))?));
    }
    Ok(Ok(row))
}

async fn leaderboard(
    State(service): State<Service>,
    caller: Caller,
    Path(named): Path<Named>,
    Query(query): Query<LeaderboardQuery>,
) -> Result<Response> {
    let row = match challenge(&service, &caller, &named).await? {
        Ok(row) => row,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let (first, limit) = (ranking::first(query.after.as_deref())?, ranking::limit(query.limit)?);
    let snapshot = challenges::snapshot(&service, &row, query.version).await?;
    let anonymous = caller.identity.is_none();
    let pinned = query.version.is_some();
    let key = challenges::key(&snapshot, What::Page { first, limit, pinned }, None);
    let draw = async || {
        let view = challenges::view(&service, &caller, &row).await?;
        let caller = caller.clone();
        let drawing = move || {
            let board = challenges::leaderboard(&snapshot, &caller, &query)?;
            let html = thimble_pages::leaderboard(&viewer(&caller), &view, &board, &query);
            Ok::<_, Failure>(Prepared::html(html.into_string()))
        };
        tokio::task::spawn_blocking(drawing).await.map_err(Failure::internal)?
    };
    // A session's page has its name and its forms: only that of nobody is the same for all.
    let prepared = if anonymous { service.boards.answer(key, draw).await? } else { draw().await? };
    Ok(Shown::new(prepared, !anonymous).into_response())
}

async fn view_of(
    service: &Service,
    caller: &Caller,
    named: &Named,
) -> Result<Result<(Arc<ChallengeRow>, ChallengeView), Response>> {
    let row = match challenge(service, caller, named).await? {
        Ok(row) => row,
        Err(elsewhere) => return Ok(Err(elsewhere)),
    };
    let view = challenges::view(service, caller, &row).await?;
    Ok(Ok((row, view)))
}

async fn description(State(service): State<Service>, caller: Caller, Path(named): Path<Named>) -> Result<Response> {
    let (row, view) = match view_of(&service, &caller, &named).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let viewer = viewer(&caller);
    let html = thimble_pages::description(&viewer, &view, challenges::statement(&row)?).into_string();
    Ok(shown(&viewer, html).into_response())
}

async fn explore(State(service): State<Service>, caller: Caller, Path(named): Path<Named>) -> Result<Response> {
    let (_, view) = match view_of(&service, &caller, &named).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let viewer = viewer(&caller);
    Ok(shown(&viewer, thimble_pages::explore(&viewer, &view).into_string()).into_response())
}

async fn training(
    State(service): State<Service>,
    caller: Caller,
    Path(named): Path<Named>,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, view) = match view_of(&service, &caller, &named).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let viewer = viewer(&caller);
    let html = thimble_pages::training(&viewer, &view, &origin(&service, &headers)).into_string();
    Ok(shown(&viewer, html).into_response())
}

async fn own(
    State(service): State<Service>,
    caller: Caller,
    Path(named): Path<Named>,
    Query(PageQuery { after, limit }): Query<PageQuery>,
) -> Result<Response> {
    let (_, view) = match view_of(&service, &caller, &named).await? {
        Ok(found) => found,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let page = own_page(&service, &caller, &view, after, limit, &SubmitForm::default(), &[]).await?;
    Ok(page.into_response())
}

async fn own_page(
    service: &Service,
    caller: &Caller,
    view: &ChallengeView,
    after: Option<String>,
    limit: Option<u32>,
    form: &SubmitForm,
    faults: &[ErrorDetail],
) -> Result<Shown> {
    let page = if caller.identity.is_some() {
        let query = ListQuery { challenge: Some(view.summary.name.clone()), mode: None, after, limit };
        submissions::list(service, caller, &query).await?
    } else {
        thimble_api::Page { items: Vec::new(), next: None }
    };
    let viewer = viewer(caller);
    Ok(shown(&viewer, thimble_pages::submissions(&viewer, view, &page, form, faults).into_string()))
}

async fn submit(
    State(service): State<Service>,
    Builder(identity): Builder,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Response> {
    let sent = form_of(&service, &identity, request, service.config.max_submission_bytes).await?;
    let form = SubmitForm::read(&sent.fields);
    let again = sent.fields.is_ticked("again");
    let outcome = match (form.values(), sent.file("package")) {
        (Ok((mode, note)), Some(package)) => {
            let sent = Sent { package, mode, note, idempotency_key: None, again };
            submissions::submit(&service, &identity, &name, sent).await
        }
        (Ok(_), None) => Err(Failure::of_field("package", "must be chosen: the file that `thimble build` has made")),
        (Err(faults), _) => Err(crate::publish::refused(faults)),
    };
    match outcome {
        Ok(accepted) => see_other(&format!("/submissions/{}", accepted.submission.id)),
        Err(failure) => {
            let status = failure.status();
            let faults = mendable(failure, "package")?;
            let caller = Caller::from(&identity);
            let row = catalog::published(&service, &caller, &name).await?;
            let view = challenges::view(&service, &caller, &row).await?;
            let page = own_page(&service, &caller, &view, None, None, &form, &faults).await?;
            Ok(unkept(page.faulty(status)))
        }
    }
}

async fn submission(
    State(service): State<Service>,
    caller: Caller,
    Path(Identified { id }): Path<Identified>,
) -> Result<Response> {
    // Whoever may not see its status may not see its page.
    status::status(&service, &caller, id).await?;
    let row = service.store.submission(id).await?.ok_or_else(Failure::not_found)?;
    let challenge = catalog::by_id(&service, row.challenge_id).await?.ok_or_else(Failure::not_found)?;
    let view = challenges::view(&service, &caller, &challenge).await?;
    let viewer = viewer(&caller);
    let own = caller.principal().is_some_and(|principal| principal.team_id == row.team_id);
    if caller.is_operator() && !own {
        let record = running::record(&service, id).await?;
        return Ok(shown(&viewer, thimble_pages::record(&viewer, &view, &record).into_string()).into_response());
    }
    let now = Timestamp::now();
    let (submission, log) = if own {
        let log = match (row.mode, row.state) {
            (Mode::Validation, RecordState::Finished) => Some(submissions::log(&service, &caller, id).await?),
            _ => None,
        };
        (SubmissionView::Builder(status::builder_view(&service, &row, now).await?), log)
    } else {
        (SubmissionView::Public(project::public(&row, now).ok_or_else(Failure::not_found)?), None)
    };
    let context = match row.mode {
        Mode::Official if project::is_released(&row, now) => Some(submissions::context(&service, &caller, id).await?),
        _ => None,
    };
    let html = thimble_pages::submission(&viewer, &view, &submission, log.as_ref(), context.as_ref());
    Ok(shown(&viewer, html.into_string()).into_response())
}

async fn cancel(
    State(service): State<Service>,
    Builder(identity): Builder,
    Path(Identified { id }): Path<Identified>,
    request: Request,
) -> Result<Response> {
    form_of(&service, &identity, request, super::SMALL_FORM).await?;
    cancelled(&service, &identity, id).await?;
    see_other(&format!("/submissions/{id}"))
}

/// What has ended meanwhile is shown as it is.
async fn cancelled(service: &Service, identity: &Identity, id: thimble_api::SubmissionId) -> Result<()> {
    match submissions::cancel(service, identity, id).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.status() == StatusCode::CONFLICT => Ok(()),
        Err(failure) => Err(failure),
    }
}
