//! A metric's value, which may be undefined.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A number, or the reason why there is none. Undefined ranks last in both directions and is never 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricValue {
    /// Finite.
    Value(f64),
    /// Why the metric has no value on these labels and predictions.
    Undefined(String),
}

/// Why there is no mean over rows.
pub(crate) const NO_ROW: &str = "there is no row";

impl MetricValue {
    /// The number, or undefined where it is beyond the range of a double.
    pub(crate) fn of(value: f64) -> Self {
        if value.is_finite() {
            Self::Value(value)
        } else {
            Self::Undefined("it is beyond the range of a double".into())
        }
    }

    /// A mean over rows; undefined where there is none.
    pub(crate) fn of_mean(mean: Option<f64>) -> Self {
        mean.map_or_else(|| Self::Undefined(NO_ROW.into()), Self::of)
    }

    /// The number, if there is one.
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Undefined(_) => None,
        }
    }
}
