//! Pages as answers: their headers, and when an error is one.

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use thimble_api::ErrorBody;
use thimble_pages::Viewer;

use crate::answer::Prepared;
use crate::auth::Caller;

/// Nothing but the service's own files, and no script or style inside a page.
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'",
);
/// A page of someone: kept by nobody else, asked about before it is shown again.
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Marks an answer with the status of an error that is a whole page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole;

/// A page.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    prepared: Prepared,
    status: StatusCode,
    private: bool,
}

impl Shown {
    pub(crate) fn new(prepared: Prepared, private: bool) -> Self {
        Self { prepared, status: StatusCode::OK, private }
    }

    /// With faults in a form.
    pub(crate) fn faulty(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut response = self.prepared.into_response();
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        if self.private {
            headers.insert(CACHE_CONTROL, PRIVATE);
        }
        response.extensions_mut().insert(Whole);
        response
    }
}

/// Whether an error is shown as a page: not on addresses of programs, and only to who can show pages.
pub(crate) fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let program = ["/api", "/healthz", "/readyz", "/metrics", "/static"];
    let accepts = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.split(',').any(|kind| kind.trim().starts_with("text/html")));
    accepts && !program.iter().any(|start| path.starts_with(start))
}

/// An error as a page.
pub(crate) fn error(caller: Option<&Caller>, body: &ErrorBody) -> String {
    let viewer = caller.map_or(Viewer::Anonymous, super::viewer);
    thimble_pages::error(&viewer, body).into_string()
}
