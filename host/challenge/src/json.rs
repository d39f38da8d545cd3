//! Strict JSON: a size cap, the path of the faulty field, nothing after the value; one way to write.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thimble_datasets::printable;

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
        // Both may repeat what a hostile file says.
        let path = error.path().to_string();
        // `?` is how the library names a path it does not know, as where the text ends too early; a key of the outermost
        // object that is the empty text has an empty path, which would point nowhere.
        let path = (!["", ".", "?"].contains(&path.as_str())).then(|| printable(&path));
        JsonError { path, message: printable(&error.into_inner().to_string()) }
    })?;
    deserializer.end().map_err(|error| JsonError { path: None, message: printable(&error.to_string()) })?;
    Ok(value)
}

/// Pretty, in the order of the type's fields, with a final newline. The types written here have text keys and plain
/// values only, so writing them cannot fail.
pub(crate) fn pretty<T: Serialize>(value: &T) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("text keys and plain values");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    #[test]
    fn an_empty_key_leaves_no_empty_path() {
        let error = parse::<Empty>(br#"{"": 1}"#, 1 << 20).expect_err("unknown field");
        assert_eq!(error.path, None);
        assert!(error.to_string().starts_with("unknown field ``"), "{error}");
    }

    #[test]
    fn hostile_keys_are_escaped_and_cut() {
        let text = format!("{{\"\\u001b]0;{}\": 1}}", "x".repeat(100_000));
        let error = parse::<Empty>(text.as_bytes(), 1 << 20).expect_err("unknown field").to_string();
        assert!(error.contains("unknown field") && !error.contains('\u{1b}'), "{error}");
        assert!(error.chars().count() < 700, "{}", error.len());
    }
}
