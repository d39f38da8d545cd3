//! What every request goes through: an id, a log line, a count, headers, and the one shape of an error.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use thimble_api::ErrorCode;

use crate::answer::{JSON, Prepared};
use crate::auth::Caller;
use crate::failure::Failure;
use crate::pages::shown as page;
use crate::service::Service;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Of everything that is no page: a browser that shows it runs and loads nothing.
const SEALED: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
/// Of what nobody else may keep, and of what may be kept and asked about.
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");
pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// The id of a request: the caller's where it has a plain form, a new one otherwise.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let given = headers.get(&X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let given = given.filter(|id| (8..=64).contains(&id.len()) && id.bytes().all(plain));
    given.map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), str::to_owned)
}

/// The method as a label: a made-up one is `other`.
fn label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Goes around every handler.
pub(crate) async fn frame(State(service): State<Service>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unknown", MatchedPath::as_str);
    let wanted = request.headers().get(IF_NONE_MATCH).cloned();
    // Pages answer with pages; the rest, and who asks for JSON, gets the envelope.
    let wants_page = page::wants_page(request.uri().path(), request.headers());
    let identified = request.headers().contains_key(axum::http::header::AUTHORIZATION);

    let response = answered(&service, &method, next.run(request)).await;
    let mut response = with_envelope(response, &id, wants_page);
    if matches!(method, Method::GET | Method::HEAD) {
        response = revalidated(response, wanted.as_ref());
    }
    add_headers(response.headers_mut(), &id, identified);

    let (status, took) = (response.status().as_u16(), begun.elapsed());
    service.metrics.request(route, label(&method), status, took);
    // The route, never the path or the query: an invitation's code can be in it.
    let micros = took.as_micros() as u64;
    if status < 400 && matches!(method, Method::GET | Method::HEAD) {
        tracing::debug!(target: "thimble::access", request_id = %id, method = label(&method), route, status, micros);
    } else {
        tracing::info!(target: "thimble::access", request_id = %id, method = label(&method), route, status, micros);
    }
    response
}

/// The handler's answer; a panic and an answer that does not come are the service's failures.
async fn answered(service: &Service, method: &Method, running: impl Future<Output = Response>) -> Response {
    let caught = AssertUnwindSafe(running).catch_unwind();
    // What has a body takes as long as its sender, who has limits of its own.
    let outcome = if matches!(*method, Method::GET | Method::HEAD) {
        match tokio::time::timeout(service.config.answer_timeout, caught).await {
            Ok(outcome) => outcome,
            Err(_) => return Failure::unavailable("the answer took too long to make: try again", 5).into_response(),
        }
    } else {
        caught.await
    };
    outcome.unwrap_or_else(|panic| {
        service.metrics.panics.inc();
        Failure::internal(format!("a handler panicked: {}", panic_text(&*panic))).into_response()
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// An error in its one shape.
fn with_envelope(response: Response, id: &str, wants_page: bool) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let failure = match response.extensions().get::<Failure>() {
        Some(failure) => failure.clone(),
        // A page with faults in a form: it is whole.
        None if response.extensions().get::<page::Whole>().is_some() => return response,
        None => Failure::of_status(status),
    };
    if let Some(cause) = &failure.cause {
        tracing::error!(request_id = %id, cause, "a request failed");
    }
    let envelope = failure.envelope(id);
    let prepared = if wants_page {
        Ok(Prepared::html(page::error(response.extensions().get::<Caller>(), &envelope.error)))
    } else {
        Prepared::json(&envelope)
    };
    let mut answer = match prepared {
        Ok(prepared) => prepared.into_response(),
        Err(_) => Response::new(Body::empty()),
    };
    *answer.status_mut() = failure.status();
    let headers = answer.headers_mut();
    // An error has no version.
    headers.remove(ETAG);
    for kept in [ALLOW, SET_COOKIE, LOCATION] {
        for value in response.headers().get_all(&kept) {
            headers.append(kept.clone(), value.clone());
        }
    }
    if let Some(seconds) = failure.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if failure.code == ErrorCode::Unauthorized {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"thimble\""));
    }
    headers.insert(CACHE_CONTROL, NO_STORE);
    if wants_page {
        headers.insert(CONTENT_SECURITY_POLICY, page::POLICY);
    }
    answer
}

/// 304 where the asker has these very bytes.
fn revalidated(response: Response, wanted: Option<&HeaderValue>) -> Response {
    let same = response.status() == StatusCode::OK
        && matches!((wanted, response.headers().get(ETAG)), (Some(wanted), Some(tag)) if names(wanted, tag));
    if !same {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Whether a list of entity tags has this one. A weak tag of a strong one names the same bytes.
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let Ok(list) = list.to_str() else { return false };
    list.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one).as_bytes() == tag)
}

fn add_headers(headers: &mut HeaderMap, id: &str, identified: bool) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(X_REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(SEALED);
    if identified {
        headers.insert(CACHE_CONTROL, NO_STORE);
    } else {
        headers.entry(CACHE_CONTROL).or_insert(REVALIDATE);
    }
    if headers.get(CONTENT_TYPE).is_some_and(|kind| kind == JSON || kind.as_bytes().starts_with(b"text/html")) {
        headers.insert(VARY, HeaderValue::from_static("authorization, cookie"));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it stands")]

    use super::*;

    #[test]
    fn an_id_is_taken_over_only_in_a_plain_form() {
        let id =
            |text: &'static str| request_id(&HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_static(text))]));
        assert_eq!(id("trace-0123.abc_D"), "trace-0123.abc_D");
        for bad in ["", "short", "has space in it", "<script>alert</script>", "\"quoted-id\""] {
            assert_ne!(id(bad), bad);
            assert_eq!(id(bad).len(), 32);
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_the_service_and_says_nothing_of_itself() {
        use tower::ServiceExt as _;

        let directory = tempfile::tempdir().unwrap();
        let store = thimble_store::Store::open(&directory.path().join("data")).await.unwrap();
        let service = Service::new(store, crate::Config::default());
        let faulty = async || -> &'static str { panic!("secret of the service") };
        let router = axum::Router::new()
            .route("/faulty", axum::routing::get(faulty))
            .layer(axum::middleware::from_fn_with_state(service.clone(), frame));
        let request = Request::get("/faulty").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let envelope: thimble_api::ErrorEnvelope = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(envelope.error.code, ErrorCode::Internal);
        assert!(!envelope.error.message.contains("secret"));
        assert_eq!(service.metrics.panics.get(), 1);
    }

    #[test]
    fn a_list_of_tags_names_the_one_that_is_in_it() {
        let names = |list: &'static str| names(&HeaderValue::from_static(list), &HeaderValue::from_static("\"ab\""));
        assert!(names("\"ab\"") && names("*") && names("\"x\", W/\"ab\""));
        assert!(!names("") && !names("ab") && !names("\"abc\""));
    }
}
