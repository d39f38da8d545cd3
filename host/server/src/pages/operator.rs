//! The operator's pages: overview, monitor, and what is done from them.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use thimble_api::id::ChallengeName;
use thimble_api::operator::DatasetView;
use thimble_api::page::{MAX_LIMIT, PageQuery};
use thimble_api::{ErrorDetail, SubmissionId};
use thimble_pages::OperatorHome;
use thimble_pages::forms::{BudgetForm, NewDraftForm};

use super::{SMALL_FORM, form_of, mendable, see_other, shown, unkept, viewer};
use crate::api::{Identified, Named, Prefixed};
use crate::auth::{Caller, Identity, Operator};
use crate::catalog;
use crate::extract::{Path, Query};
use crate::failure::{Failure, Result};
use crate::operations::running::{self, Act};
use crate::operations::{challenges, drafts};
use crate::pages::shown::Shown;
use crate::service::Service;

/// Acts that the operator's page shows.
const AUDIT_TAIL: u32 = 50;

pub(super) fn router() -> Router<Service> {
    Router::new()
        .route("/operator", get(home))
        .route("/operator/new", post(begin))
        .route("/challenges/{name}/monitor", get(monitor))
        .route("/operator/challenges/{name}/budget", post(budget))
        .route("/operator/challenges/{name}/close", post(close))
        .route("/operator/challenges/{name}/rescore", post(rescore_all))
        .route("/operator/invites/{prefix}/revoke", post(revoke))
        .route("/operator/submissions/{id}/withdraw", post(withdraw))
        .route("/operator/submissions/{id}/reinstate", post(reinstate))
        .route("/operator/submissions/{id}/rescore", post(rescore))
        .route("/operator/submissions/{id}/cancel", post(cancel))
}

async fn home(State(service): State<Service>, Operator(identity): Operator) -> Result<Response> {
    Ok(home_page(&service, &identity, &NewDraftForm::default(), &[]).await?.into_response())
}

async fn home_page(
    service: &Service,
    identity: &Identity,
    form: &NewDraftForm,
    faults: &[ErrorDetail],
) -> Result<Shown> {
    let all = PageQuery { after: None, limit: Some(MAX_LIMIT) };
    let drafts = drafts::list(service, identity, &all).await?.items;
    let capacity = running::capacity(service).await?;
    let datasets = all_datasets(service).await?;
    let audit = service.store.audit_log(None, Some(AUDIT_TAIL)).await?.items;
    let home = OperatorHome { drafts: &drafts, capacity: &capacity, datasets: &datasets, audit: &audit };
    let viewer = viewer(&Caller::from(identity));
    Ok(shown(&viewer, thimble_pages::operator(&viewer, &home, form, faults).into_string()))
}

/// Every registered dataset.
pub(super) async fn all_datasets(service: &Service) -> Result<Vec<DatasetView>> {
    let (mut datasets, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = service.store.datasets(after.as_deref(), Some(MAX_LIMIT)).await?;
        datasets.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(datasets),
        }
    }
}

async fn begin(State(service): State<Service>, Operator(identity): Operator, request: Request) -> Result<Response> {
    let form = NewDraftForm::read(&form_of(&service, &identity, request, SMALL_FORM).await?.fields);
    let outcome = match form.request() {
        Ok(new) => drafts::create(&service, &identity, &new).await,
        Err(faults) => Err(crate::publish::refused(faults)),
    };
    match outcome {
        Ok(view) => see_other(&format!("/operator/challenges/{}/step/1", view.name)),
        Err(failure) => {
            let status = failure.status();
            let faults = mendable(failure, "name")?;
            Ok(unkept(home_page(&service, &identity, &form, &faults).await?.faulty(status)))
        }
    }
}

async fn monitor(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    Query(query): Query<PageQuery>,
) -> Result<Response> {
    Ok(monitor_page(&service, &identity, &name, &query, &[]).await?.into_response())
}

async fn monitor_page(
    service: &Service,
    identity: &Identity,
    name: &ChallengeName,
    query: &PageQuery,
    faults: &[ErrorDetail],
) -> Result<Shown> {
    let caller = Caller::from(identity);
    let row = catalog::published(service, &caller, name).await?;
    let view = challenges::view(service, &caller, &row).await?;
    let used = running::monitor(service, name).await?;
    let records = running::records(service, name, query).await?;
    let viewer = viewer(&caller);
    Ok(shown(&viewer, thimble_pages::monitor(&viewer, &view, &used, &records, faults).into_string()))
}

async fn budget(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Response> {
    let form = BudgetForm::read(&form_of(&service, &identity, request, SMALL_FORM).await?.fields);
    let outcome = match form.request() {
        Ok((team, request)) => running::set_budget(&service, &identity, &name, &team, request).await,
        Err(faults) => Err(crate::publish::refused(faults)),
    };
    match outcome {
        Ok(_) => see_other(&format!("/challenges/{name}/monitor")),
        Err(failure) => {
            let faults = mendable(failure, "team")?;
            let page = monitor_page(&service, &identity, &name, &PageQuery::default(), &faults).await?;
            Ok(unkept(page.faulty(StatusCode::UNPROCESSABLE_ENTITY)))
        }
    }
}

async fn close(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Response> {
    form_of(&service, &identity, request, SMALL_FORM).await?;
    drafts::close(&service, &identity.actor(), &name).await?;
    see_other(&format!("/challenges/{name}"))
}

async fn rescore_all(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Named { name }): Path<Named>,
    request: Request,
) -> Result<Response> {
    form_of(&service, &identity, request, SMALL_FORM).await?;
    running::rescore_all(&service, &identity, &name).await?;
    see_other(&format!("/challenges/{name}/monitor"))
}

async fn revoke(
    State(service): State<Service>,
    Operator(identity): Operator,
    Path(Prefixed { prefix }): Path<Prefixed>,
    request: Request,
) -> Result<Response> {
    let back = came_from(&request);
    form_of(&service, &identity, request, SMALL_FORM).await?;
    running::revoke_invite(&service, &identity, &prefix).await?;
    see_other(&back)
}

/// The page of this service that a form was on.
fn came_from(request: &Request) -> String {
    let from = || {
        let referer = request.headers().get(axum::http::header::REFERER)?.to_str().ok()?;
        let host = request.headers().get(axum::http::header::HOST)?.to_str().ok()?;
        let path = referer.split_once("://")?.1.strip_prefix(host)?;
        (path.starts_with("/operator") || path.starts_with("/challenges")).then(|| path.to_owned())
    };
    from().unwrap_or_else(|| "/operator".to_owned())
}

async fn acted(
    service: &Service,
    identity: &Identity,
    id: SubmissionId,
    act: Act,
    request: Request,
) -> Result<Response> {
    form_of(service, identity, request, SMALL_FORM).await?;
    match running::act(service, identity, id, act).await {
        Ok(_) => {}
        // What has changed meanwhile is shown as it is.
        Err(failure) if failure.status() == StatusCode::CONFLICT => {}
        Err(failure) => return Err(failure),
    }
    see_other(&format!("/submissions/{id}"))
}

macro_rules! act {
    ($name:ident, $act:expr) => {
        async fn $name(
            State(service): State<Service>,
            Operator(identity): Operator,
            Path(Identified { id }): Path<Identified>,
            request: Request,
        ) -> Result<Response, Failure> {
            acted(&service, &identity, id, $act, request).await
        }
    };
}
act!(withdraw, Act::Withdraw);
act!(reinstate, Act::Reinstate);
act!(rescore, Act::Rescore);
act!(cancel, Act::Cancel);
