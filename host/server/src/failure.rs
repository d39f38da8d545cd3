//! What goes wrong, until it becomes the one shape of an error.

use std::fmt::{self, Display};

use aide::OperationOutput;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use thimble_api::{ErrorBody, ErrorCode, ErrorDetail, ErrorEnvelope};
use thimble_store::{Refusal, RefusedOr, StoreError};

/// Why a request was not answered. It travels as an extension of a response without a body; [`crate::frame`] knows the
/// request and writes the envelope, or a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) details: Vec<ErrorDetail>,
    pub(crate) retry_after_seconds: Option<u64>,
    /// For the log only: what broke inside the service.
    pub(crate) cause: Option<String>,
}

/// A result of an operation.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), retry_after_seconds: None, cause: None }
    }

    /// Not there, or not for whoever asks: both say the same.
    pub(crate) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is nothing here, or it is not for you: check the address, and sign in")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            ErrorCode::Unauthorized,
            "this needs a token that is valid: send `Authorization: Bearer thb_…`, or sign in at /login",
        )
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(ErrorCode::Forbidden, "this needs a token with the scope `operator`")
    }

    /// A fault of one field.
    pub(crate) fn of_field(field: &str, message: impl Into<String>) -> Self {
        Refusal::of_field(field, message).into()
    }

    pub(crate) fn unavailable(message: &str, retry_after_seconds: u64) -> Self {
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::new(ErrorCode::Unavailable, message) }
    }

    /// A defect of the service: the cause goes to the log, under the request's id.
    pub(crate) fn internal(cause: impl Display) -> Self {
        let message = "the service failed, not you; its operator finds the reason in the log under this request's id";
        Self { cause: Some(cause.to_string()), ..Self::new(ErrorCode::Internal, message) }
    }

    /// What an answer that no code of ours made stands for: a router's 404 and 405.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::METHOD_NOT_ALLOWED => {
                Self::new(ErrorCode::MethodNotAllowed, "this address has other methods: `allow` names them")
            }
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(ErrorCode::PayloadTooLarge, "the body is too large"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::new(ErrorCode::UnsupportedMediaType, "another content type"),
            status if status.is_client_error() => {
                Self::new(ErrorCode::BadRequest, "the request is not what this takes")
            }
            status => Self::internal(format!("an answer with status {status}")),
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn envelope(&self, request_id: &str) -> ErrorEnvelope {
        let Self { code, message, details, retry_after_seconds, .. } = self.clone();
        ErrorEnvelope {
            error: ErrorBody { code, message, details, retry_after_seconds, request_id: request_id.to_owned() },
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Refusal> for Failure {
    fn from(Refusal { code, message, details, retry_after_seconds }: Refusal) -> Self {
        // One text for all that is absent or hidden, whichever crate says so.
        if code == ErrorCode::NotFound {
            return Self::not_found();
        }
        Self { code, message, details, retry_after_seconds, cause: None }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        use std::error::Error as _;
        let mut cause = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            cause += &format!(": {error}");
            source = error.source();
        }
        Self::internal(cause)
    }
}

impl From<RefusedOr> for Failure {
    fn from(error: RefusedOr) -> Self {
        match error {
            RefusedOr::Refused(refusal) => refusal.into(),
            RefusedOr::Failed(error) => error.into(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The document has one answer for all errors; see [`crate::openapi`].
impl OperationOutput for Failure {
    type Inner = ErrorEnvelope;
}
