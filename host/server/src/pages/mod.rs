//! The pages for people: what `thimble_pages` draws, with the forms that are sent from them.

mod accounts;
mod challenges;
mod operator;
pub(crate) mod shown;
mod steps;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use thimble_api::{ErrorCode, ErrorDetail};
use thimble_pages::{SignedIn, Viewer};

use crate::answer::Prepared;
use crate::auth::{self, Caller, Identity};
use crate::body::{self, Form};
use crate::failure::{Failure, Result};
use crate::frame::NO_STORE;
use crate::service::Service;
use shown::Shown;

/// Every page.
pub(crate) fn router() -> Router<Service> {
    Router::new().merge(challenges::router()).merge(accounts::router()).merge(operator::router()).merge(steps::router())
}

/// Who looks at a page.
pub(crate) fn viewer(caller: &Caller) -> Viewer {
    let Some(Identity { principal, csrf }) = &caller.identity else { return Viewer::Anonymous };
    Viewer::SignedIn(SignedIn {
        account: principal.account.clone(),
        team: principal.team.clone(),
        scope: principal.scope,
        csrf: csrf.as_deref().unwrap_or_default().to_owned(),
    })
}

/// A page of someone, or of nobody.
fn shown(viewer: &Viewer, html: String) -> Shown {
    Shown::new(Prepared::html(html), viewer.signed_in().is_some())
}

/// A page with a secret on it, or with what was typed.
fn unkept(page: Shown) -> Response {
    let mut response = page.into_response();
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    response
}

/// To another page, by GET.
fn see_other(address: &str) -> Result<Response> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    response.headers_mut().insert(LOCATION, HeaderValue::from_str(address).map_err(Failure::internal)?);
    Ok(response)
}

/// A form of someone who is signed in: from this site, from their session, of at most `limit` bytes.
async fn form_of(service: &Service, identity: &Identity, request: Request, limit: usize) -> Result<Form> {
    auth::check_origin(request.headers())?;
    let form = body::form(service, request, limit).await?;
    auth::check_csrf(identity, form.fields.csrf())?;
    Ok(form)
}

/// The largest form without a file, in bytes: a description of 200 KiB, each byte as three characters.
const SMALL_FORM: usize = 1 << 20;

/// What a person can mend in the form; other failures are pages of their own.
fn mendable(failure: Failure, field: &str) -> Result<Vec<ErrorDetail>> {
    let can = matches!(
        failure.code,
        ErrorCode::ValidationFailed
            | ErrorCode::UnsupportedMediaType
            | ErrorCode::Conflict
            | ErrorCode::QuotaExhausted
            | ErrorCode::BudgetExhausted
    );
    if !can {
        return Err(failure);
    }
    if failure.details.is_empty() || failure.code == ErrorCode::Conflict {
        return Ok(vec![ErrorDetail { field: field.to_owned(), message: failure.message }]);
    }
    Ok(failure.details)
}

/// How people reach the service, by what the browser asked for.
fn origin(service: &Service, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.map_or_else(|| service.config.listen.to_string(), str::to_owned);
    let scheme = if auth::is_loopback(headers) { "http" } else { "https" };
    format!("{scheme}://{host}")
}
