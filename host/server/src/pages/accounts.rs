//! Signing in and out, and accepting invitations.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use thimble_api::ErrorCode;
use thimble_pages::forms::{Fields, JoinForm, LoginForm};

use super::{form_of, mendable, see_other, shown, unkept, viewer};
use crate::auth::{self, Builder, Caller};
use crate::body;
use crate::extract::Query;
use crate::failure::Result;
use crate::operations::accounts;
use crate::service::Service;

/// The largest form of someone who is not signed in, in bytes.
const UNKNOWN_FORM: usize = 16 << 10;

pub(super) fn router() -> Router<Service> {
    Router::new()
        .route("/login", get(login).post(sign_in))
        .route("/logout", post(sign_out))
        .route("/join", get(join).post(accept))
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn login(caller: Caller, Query(Next { next }): Query<Next>) -> Response {
    let viewer = viewer(&caller);
    shown(&viewer, thimble_pages::login(&viewer, &LoginForm::leading_to(&next), None).into_string()).into_response()
}

async fn sign_in(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    auth::check_origin(&headers)?;
    let form = LoginForm::read(&body::form(&service, request, UNKNOWN_FORM).await?.fields);
    match accounts::sign_in(&service, &caller, &form.token).await {
        Ok(secret) => with_session(see_other(form.next())?, &secret, &headers),
        Err(failure) if failure.code == ErrorCode::Unauthorized => {
            let viewer = viewer(&caller);
            let fault = Some("This token is not valid: it may have ended, or a part of it is missing.");
            // What was typed is not shown again: it may be a token with a fault.
            let html = thimble_pages::login(&viewer, &LoginForm::leading_to(form.next()), fault).into_string();
            Ok(unkept(shown(&viewer, html).faulty(StatusCode::UNAUTHORIZED)))
        }
        Err(failure) => Err(failure),
    }
}

fn with_session(mut response: Response, secret: &str, headers: &HeaderMap) -> Result<Response> {
    if let Some(cookie) = auth::session_cookie(secret, headers) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn sign_out(
    State(service): State<Service>,
    Builder(identity): Builder,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    form_of(&service, &identity, request, UNKNOWN_FORM).await?;
    if let Some(secret) = auth::cookie(&headers) {
        accounts::sign_out(&service, secret).await?;
    }
    let mut response = see_other("/")?;
    response.headers_mut().insert(SET_COOKIE, auth::ended_cookie());
    Ok(response)
}

#[derive(Debug, Deserialize)]
struct Code {
    #[serde(default)]
    code: String,
}

async fn join(caller: Caller, Query(Code { code }): Query<Code>) -> Response {
    let viewer = viewer(&caller);
    let form = JoinForm::read(&Fields::from_iter([("code".to_owned(), code)]));
    // The code is in the page: it is a secret until it was used.
    unkept(shown(&viewer, thimble_pages::join(&viewer, &form, &[]).into_string()))
}

async fn accept(
    State(service): State<Service>,
    caller: Caller,
    headers: HeaderMap,
    request: Request,
) -> Result<Response> {
    auth::check_origin(&headers)?;
    let fields = body::form(&service, request, UNKNOWN_FORM).await?.fields;
    if let Some(identity) = &caller.identity {
        auth::check_csrf(identity, fields.csrf())?;
    }
    let form = JoinForm::read(&fields);
    let outcome = match form.request(caller.identity.is_some()) {
        Ok(request) => accounts::join(&service, &caller, &request).await,
        Err(faults) => Err(crate::publish::refused(faults)),
    };
    let viewer = viewer(&caller);
    match outcome {
        Ok(joined) => {
            let response = unkept(shown(&viewer, thimble_pages::joined(&viewer, &joined).into_string()));
            match &joined.token {
                // They are signed in with what they were given.
                Some(token) => {
                    let secret = accounts::sign_in(&service, &caller, &token.secret).await?;
                    with_session(response, &secret, &headers)
                }
                None => see_other(&format!("/challenges/{}", joined.challenge)),
            }
        }
        Err(failure) => {
            let status = failure.status();
            let faults = match failure.code {
                ErrorCode::NotFound => {
                    vec![thimble_api::ErrorDetail { field: "code".to_owned(), message: failure.message }]
                }
                _ => mendable(failure, "code")?,
            };
            let html = thimble_pages::join(&viewer, &form, &faults).into_string();
            Ok(unkept(shown(&viewer, html).faulty(status)))
        }
    }
}
