//! What can go wrong between a client and the service.

use std::fmt;
use std::io;
use std::time::Duration;

use thimble_api::{ErrorBody, ErrorCode};
use ureq::Timeout;

use crate::address::Server;
use crate::text::line;

/// Why an operation has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A secret would be readable on its way.
    #[error(
        "{server} is not encrypted and not this machine: a token or an invitation is not sent there; use its https:// address"
    )]
    NotEncrypted {
        /// The address.
        server: Server,
    },
    /// The operation needs a token, and there is none.
    #[error("there is no token for {server}: `thimble login --server {server}`, or set THIMBLE_TOKEN")]
    NoToken {
        /// The address.
        server: Server,
    },
    /// A part of the address of an operation that cannot be one.
    #[error("{value:?} is no {what}")]
    NotAName {
        /// What it should be.
        what: &'static str,
        /// What was given.
        value: String,
    },
    /// No answer: the service cannot be reached, or went away before it answered.
    #[error("no answer from {server}: {}", cause(.source))]
    Unreachable {
        /// The address.
        server: Server,
        /// What failed.
        source: Box<ureq::Error>,
    },
    /// The answer broke off.
    #[error("the answer of {server} broke off: {source}")]
    BrokenOff {
        /// The address.
        server: Server,
        /// What failed.
        source: io::Error,
    },
    /// The service refused, in its own words.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// An answer that is not the service's: something in between, or another program.
    #[error("{server} answered with status {status} and not in the service's words; is this the service's address?{}", request(.request_id))]
    Foreign {
        /// The address.
        server: Server,
        /// The HTTP status.
        status: u16,
        /// Seconds after which it wants to be asked again.
        retry_after: Option<Duration>,
        /// The header `x-request-id`.
        request_id: Option<String>,
    },
    /// It is somewhere else. A token is not taken along.
    #[error("{server} redirects to {:?}; use that address with --server if it is the service's", line(.location))]
    Redirected {
        /// The address.
        server: Server,
        /// Where to.
        location: String,
    },
    /// More than is read.
    #[error("the answer has more than {limit} bytes, which is the most that is read; ask for a smaller part (--limit)")]
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    /// Not what this client knows.
    #[error("the answer is not what this version knows ({source}); client and service may be of different versions")]
    Malformed {
        /// Where it is not.
        source: serde_json::Error,
    },
    /// A value that cannot be sent.
    #[error("the request cannot be written: {0}")]
    Unwritable(String),
}

/// What an error means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong, or the state of things does not allow it.
    Request,
    /// No token, one that is not valid, or one that may not do this.
    Access,
    /// The service cannot be reached or failed.
    Service,
    /// A quota, a budget or a rate is used up.
    Limit,
}

/// A refusal in the service's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The envelope's content.
    pub body: ErrorBody,
    /// When to ask again: the envelope's, or the header's.
    pub retry_after: Option<Duration>,
}

impl ClientError {
    /// Whose failure it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotEncrypted { .. } | Self::NotAName { .. } | Self::TooLarge { .. } | Self::Unwritable(_) => {
                Kind::Request
            }
            Self::NoToken { .. } => Kind::Access,
            Self::Refused(refusal) => refusal.kind(),
            Self::Foreign { status: 401 | 403 | 407, .. } => Kind::Access,
            Self::Foreign { status: 429, .. } => Kind::Limit,
            Self::Unreachable { .. }
            | Self::BrokenOff { .. }
            | Self::Foreign { .. }
            | Self::Redirected { .. }
            | Self::Malformed { .. } => Kind::Service,
        }
    }

    /// The refusal, where it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        if let Self::Refused(refusal) = self { Some(refusal) } else { None }
    }

    /// Whether another attempt can succeed without anything being changed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => match &**source {
                // A name that is mistyped is the likelier reason.
                ureq::Error::HostNotFound | ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
                    false
                }
                // A certificate that is not accepted arrives as an error of input.
                ureq::Error::Io(error) => error.kind() != io::ErrorKind::InvalidData,
                _ => true,
            },
            Self::BrokenOff { .. } => true,
            Self::Refused(refusal) => {
                matches!(refusal.body.code, ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::Timeout)
            }
            Self::Foreign { status, .. } => matches!(status, 408 | 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether the service has certainly not begun: then an operation that must not happen twice can be tried again too.
    pub(crate) fn nothing_happened(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => match &**source {
                ureq::Error::Timeout(timeout) => matches!(timeout, Timeout::Resolve | Timeout::Connect),
                ureq::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
                ureq::Error::ConnectionFailed => true,
                _ => false,
            },
            Self::Refused(refusal) => matches!(refusal.body.code, ErrorCode::RateLimited | ErrorCode::Unavailable),
            _ => false,
        }
    }

    /// When the service wants to be asked again.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Foreign { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl Refusal {
    fn kind(&self) -> Kind {
        match self.body.code {
            ErrorCode::Unauthorized | ErrorCode::Forbidden => Kind::Access,
            ErrorCode::RateLimited | ErrorCode::QuotaExhausted | ErrorCode::BudgetExhausted => Kind::Limit,
            ErrorCode::Timeout | ErrorCode::Internal | ErrorCode::Unavailable => Kind::Service,
            _ => Kind::Request,
        }
    }

    /// What to do, where the service's own message may not say it for the command line.
    const fn advice(&self) -> Option<&'static str> {
        match self.body.code {
            ErrorCode::Unauthorized => Some("log in with a token that is valid: `thimble login`"),
            ErrorCode::Forbidden => Some("`thimble whoami` says what the token may do"),
            ErrorCode::NotFound => Some(
                "check the name; `thimble whoami` says who asks: what an account is not invited to looks as if it were not there",
            ),
            ErrorCode::PreconditionFailed => {
                Some("somebody else changed it meanwhile: look at it, then repeat the command")
            }
            ErrorCode::QuotaExhausted => {
                Some("validation and official runs have quotas of their own; `thimble run` has none")
            }
            ErrorCode::BudgetExhausted => Some("ask the operator for compute; `thimble run` costs nothing"),
            ErrorCode::Internal => Some("tell the operator the request's id"),
            _ => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = serde_json::to_value(self.body.code).ok();
        let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("unknown");
        write!(f, "{} ({code}, request {})", line(&self.body.message), line(&self.body.request_id))?;
        for detail in &self.body.details {
            write!(f, "\n  {}: {}", line(&detail.field), line(&detail.message))?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, "\n  again in {}", spoken(wait))?;
        }
        match self.advice() {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}

/// A time for people: seconds, minutes, hours.
fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

/// The library's errors, for people.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "there is no host of that name".to_owned(),
        ureq::Error::Timeout(timeout) => format!("it took too long ({timeout})"),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "the connection was refused; is the service up?".to_owned()
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was closed before an answer".to_owned()
        }
        other => line(&other.to_string()),
    }
}

fn request(id: &Option<String>) -> String {
    id.as_ref().map(|id| format!(" (request {})", line(id))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use thimble_api::ErrorDetail;

    use super::*;

    fn refusal(code: ErrorCode) -> Refusal {
        Refusal {
            status: code.status(),
            body: ErrorBody {
                code,
                message: "the title has 90 characters; at most 82 are allowed\x1b[2J".to_owned(),
                details: vec![ErrorDetail {
                    field: "title".to_owned(),
                    message: "1 to 82\u{9b}H characters".to_owned(),
                }],
                retry_after_seconds: None,
                request_id: "r-1".to_owned(),
            },
            retry_after: None,
        }
    }

    #[test]
    fn a_refusal_shows_code_details_and_request_without_control_characters() {
        let mut refusal = refusal(ErrorCode::ValidationFailed);
        refusal.retry_after = Some(Duration::from_secs(7_201));
        assert_eq!(
            refusal.to_string(),
            "the title has 90 characters; at most 82 are allowed[2J (validation_failed, request r-1)\n  title: 1 to 82H \
             characters\n  again in 3 h"
        );
    }

    /// A quota is also a 429, and asking again within minutes is of no use.
    #[test]
    fn what_passes_by_itself_is_told_from_what_does_not() {
        use ErrorCode as Code;
        for (code, transient, kind) in [
            (Code::RateLimited, true, Kind::Limit),
            (Code::QuotaExhausted, false, Kind::Limit),
            (Code::BudgetExhausted, false, Kind::Limit),
            (Code::Unavailable, true, Kind::Service),
            (Code::Internal, false, Kind::Service),
            (Code::Timeout, true, Kind::Service),
            (Code::Unauthorized, false, Kind::Access),
            (Code::Forbidden, false, Kind::Access),
            (Code::NotFound, false, Kind::Request),
            (Code::Conflict, false, Kind::Request),
        ] {
            let error = ClientError::Refused(Box::new(refusal(code)));
            assert_eq!((error.is_transient(), error.kind()), (transient, kind), "{code:?}");
        }
    }
}
