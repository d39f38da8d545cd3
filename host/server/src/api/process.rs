//! What is asked about the process itself: alive, ready, counted, described.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use thimble_pages::assets::Asset;

use crate::answer::{JSON, Prepared};
use crate::auth::Operator;
use crate::failure::{Failure, Result};
use crate::operations::running;
use crate::service::Service;

/// The address has the content's hash in it.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const PROMETHEUS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// Routes that ask nobody who they are.
pub(crate) fn router(document: String) -> Router<Service> {
    let document = Arc::new(Prepared::new(document, JSON));
    Router::new()
        .route("/healthz", get(async || text("ok\n")))
        .route("/readyz", get(ready))
        .route("/static/{name}", get(asset))
        .route("/api/openapi.json", get(async move || Prepared::clone(&document)))
}

/// What only an operator may ask: it counts ends as they happen, before their release.
pub(crate) fn counted() -> Router<Service> {
    Router::new().route("/metrics", get(metrics))
}

fn text(text: &'static str) -> Response {
    ([(CONTENT_TYPE, PLAIN), (CACHE_CONTROL, crate::frame::NO_STORE)], text).into_response()
}

async fn ready(State(service): State<Service>) -> Result<Response> {
    running::ready(&service).await?;
    Ok(text("ready\n"))
}

async fn metrics(State(service): State<Service>, _: Operator) -> Result<Response> {
    let body = running::metrics(&service).await?;
    Ok(([(CONTENT_TYPE, PROMETHEUS), (CACHE_CONTROL, crate::frame::NO_STORE)], body).into_response())
}

async fn asset(Path(name): Path<String>) -> Result<Response> {
    let asset = Asset::named(&name).ok_or_else(Failure::not_found)?;
    let mut response = Prepared::new(asset.content, HeaderValue::from_static(asset.media_type)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
    Ok(response)
}
