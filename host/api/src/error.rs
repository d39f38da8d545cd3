//! The one shape of an error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What every answer with a status of 400 or above holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what, the limit and the value, what to do.
    pub message: String,
    /// Faults by field, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ErrorDetail>,
    /// Seconds after which another attempt can succeed; also in `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// The request's id, as in the header `x-request-id` and in the service's log.
    pub request_id: String,
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDetail {
    /// Path of the field, for example `limits.parameters`.
    pub field: String,
    /// The rule and the value.
    pub message: String,
}

/// The closed list of codes. Stable: a code keeps its meaning and its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 400: not what the operation takes.
    BadRequest,
    /// 401: no token, or one that is not valid (any more).
    Unauthorized,
    /// 403: the token's scope, or the account, does not allow it.
    Forbidden,
    /// 404: not there, or not for this token.
    NotFound,
    /// 405: the path has other methods.
    MethodNotAllowed,
    /// 409: the state of things does not allow it.
    Conflict,
    /// 412: changed since the version in `If-Match`.
    PreconditionFailed,
    /// 413: more bytes than the limit.
    PayloadTooLarge,
    /// 415: another content type.
    UnsupportedMediaType,
    /// 422: understood, and against the rules that `details` name.
    ValidationFailed,
    /// 429: more requests than the rate limit.
    RateLimited,
    /// 429: the quota of submissions is used up.
    QuotaExhausted,
    /// 402: the compute budget is used up.
    BudgetExhausted,
    /// 408: the request did not arrive in time.
    Timeout,
    /// 500: a defect of the service.
    Internal,
    /// 503: shutting down, or too many open streams.
    Unavailable,
}

impl ErrorCode {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::BudgetExhausted => 402,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::ValidationFailed => 422,
            Self::RateLimited | Self::QuotaExhausted => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}
