//! What an operation answers.

/// A typed value, and the JSON that it was read from.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// As it came.
    pub json: String,
}
