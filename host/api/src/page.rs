//! Lists in parts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Items of a part when the request does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most items of a part.
pub const MAX_LIMIT: u32 = 200;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// In the order that the operation names.
    pub items: Vec<T>,
    /// What to pass as `after` for the next part; null at the end.
    pub next: Option<String>,
}

/// Which part is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// The `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many items, 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
}
