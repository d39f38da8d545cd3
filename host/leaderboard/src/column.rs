//! The numbers of a board, by name.

use thimble_challenge::{Challenge, Published};
use thimble_metrics::{Metric, MetricValue};

/// A number that every standing may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Column {
    /// What ranks.
    Score,
    /// A metric that the challenge publishes.
    Metric(&'static Metric),
    /// FLOPs a row.
    FlopsPerSample,
    /// Grams of CO2e a row.
    Gco2ePerSample,
    /// As declared.
    Parameters,
    /// Size of `solution.wasm`.
    ComponentBytes,
}

impl Column {
    /// Those of a challenge, in the order in which they are shown.
    pub fn all(challenge: &Challenge) -> Vec<Self> {
        let costs = [Self::FlopsPerSample, Self::Gco2ePerSample, Self::Parameters, Self::ComponentBytes];
        std::iter::once(Self::Score).chain(challenge.metrics().map(Self::Metric)).chain(costs).collect()
    }

    /// The column of a challenge with this name.
    pub fn named(challenge: &Challenge, name: &str) -> Option<Self> {
        Self::all(challenge).into_iter().find(|column| column.name() == name)
    }

    /// The name used in every file: that of the field of a published result, or of the metric.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Metric(metric) => metric.name,
            Self::FlopsPerSample => "flops_per_sample",
            Self::Gco2ePerSample => "gco2e_per_sample",
            Self::Parameters => "parameters",
            Self::ComponentBytes => "component_bytes",
        }
    }

    /// The value of a result whose score on the board is `score`.
    pub fn value(&self, published: &Published, score: Option<f64>) -> Option<f64> {
        match self {
            Self::Score => score,
            Self::Metric(metric) => published.metrics.get(metric.name).and_then(MetricValue::value),
            Self::FlopsPerSample => published.flops_per_sample,
            Self::Gco2ePerSample => published.gco2e_per_sample,
            // Both are below 2^53: exact.
            Self::Parameters => published.parameters.map(|count| count.0 as f64),
            Self::ComponentBytes => published.component_bytes.map(|bytes| bytes as f64),
        }
    }
}
