//! What goes wrong, by whose fault it is.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thimble_api::{AccountName, ErrorCode, ErrorDetail};
use thimble_datasets::Digest;

/// A result whose error is the service's own.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A fault of the service or its disk, for its log. None of these holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// Its tables cannot be brought up to date.
    #[error("the tables of the database cannot be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The directory or a file in it cannot be used.
    #[error("{} cannot be used", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The directory is not safe for secrets.
    #[error("data directory {}: {reason}", path.display())]
    NotPrivate {
        /// Which.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// The directory of artifacts cannot be used.
    #[error("the directory of artifacts cannot be used")]
    Artifacts(#[source] object_store::Error),
    /// An artifact cannot be read or written.
    #[error("artifact {digest} cannot be read or written")]
    Artifact {
        /// Which.
        digest: Digest,
        /// Why.
        source: object_store::Error,
    },
    /// Something was stored that cannot have been written so.
    #[error("stored {what} is damaged: {reason}")]
    Corrupt {
        /// The column or the file.
        what: &'static str,
        /// How it is seen.
        reason: String,
    },
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Random(#[from] getrandom::Error),
    /// A task of the service was stopped.
    #[error("a task was stopped")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl StoreError {
    pub(crate) fn corrupt(what: &'static str, reason: impl fmt::Display) -> Self {
        Self::Corrupt { what, reason: reason.to_string() }
    }
}

/// What a user cannot have, and why: becomes the body of an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// What, the limit and the value, what to do.
    pub message: String,
    /// Faults by field.
    pub details: Vec<ErrorDetail>,
    /// When another attempt can succeed.
    pub retry_after_seconds: Option<u64>,
}

impl Refusal {
    /// One without details.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), retry_after_seconds: None }
    }

    /// Not there, or not for whoever asks: the two are not told apart.
    pub fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is nothing at this address")
    }

    /// A fault of one field.
    pub fn of_field(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = ErrorDetail { field: field.to_owned(), message: message.clone() };
        Self { details: vec![detail], ..Self::new(ErrorCode::ValidationFailed, format!("{field}: {message}")) }
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum RefusedOr {
    /// By the user's fault, or by the rules.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// By the service's fault.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl From<sqlx::Error> for RefusedOr {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Who does something, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A command on the machine itself, by whoever may write to the data directory.
    Local,
    /// An account, by a token or a session.
    Account {
        /// Which.
        account: AccountName,
    },
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::Account { account } => account.fmt(f),
        }
    }
}
