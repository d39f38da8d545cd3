//! Strict JSON: a size cap, the path of the faulty field, nothing after the value; one way to write.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a JSON text could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default())]
pub struct JsonError {
    /// Path of the faulty field; none when the fault is the file's.
    pub path: Option<String>,
    /// What is wrong, with line and column.
    pub message: String,
}

pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], limit: u64) -> Result<T, JsonError> {
    if bytes.len() as u64 > limit {
        let message = format!("must be at most {limit} bytes; found {}", bytes.len());
        return Err(JsonError { path: None, message });
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        JsonError { path: (path != ".").then_some(path), message: error.into_inner().to_string() }
    })?;
    deserializer.end().map_err(|error| JsonError { path: None, message: error.to_string() })?;
    Ok(value)
}

/// Pretty, in the order of the type's fields, with a final newline. The types written here have text keys and plain
/// values only, so writing them cannot fail.
pub(crate) fn pretty<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("text keys and plain values");
    text.push('\n');
    text
}
