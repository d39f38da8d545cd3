//! The one error type of a guest: a text.

use std::fmt;

/// Why a solution stopped. Crosses to the runner as text, so it is text from the start.
///
/// ```
/// # use thimble_sdk::{Error, Result};
/// fn check(rate: f32) -> Result<()> {
///     if rate > 0.0 { Ok(()) } else { Err(format!("learning rate {rate}, expected above 0").into()) }
/// }
/// assert_eq!(check(-1.0).unwrap_err().to_string(), "learning rate -1, expected above 0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

/// `Result` with the guest's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
