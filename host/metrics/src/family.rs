//! Metrics that are computed from the same truth and predictions.

use crate::inputs::{InputError, Options};
use crate::registry::{Metric, Reads};
use crate::value::MetricValue;

/// The tasks that share their inputs, and so their metrics.
pub(crate) trait Family: 'static {
    /// What a challenge owns.
    type Truth<'a>: Copy;
    /// What a submission gave, beside the truth.
    type Inputs<'a>: Copy;

    /// Every metric of the family.
    const METRICS: &'static [Entry<Self>];

    /// Checks lengths and values of the truth; an error names the first bad row.
    fn check_truth(truth: &Self::Truth<'_>) -> Result<(), InputError>;

    /// Checks the truth, and lengths and values of the predictions as far as a metric that reads `reads` relies on them; an
    /// error names the first bad row.
    fn check(inputs: &Self::Inputs<'_>, reads: Reads) -> Result<(), InputError>;
}

/// A metric with its functions, which see checked inputs only.
pub(crate) struct Entry<F: Family + ?Sized> {
    pub(crate) metric: Metric,
    /// The value.
    pub(crate) compute: for<'a> fn(&F::Inputs<'a>, &Options) -> MetricValue,
    /// Why the metric says nothing about any submission on this truth, with what is found there.
    pub(crate) degenerate: for<'a> fn(&F::Truth<'a>, &Options) -> Option<String>,
}

/// Checks inputs and computes a metric of a family.
pub(crate) fn evaluate<F: Family>(
    name: &str,
    inputs: &F::Inputs<'_>,
    options: &Options,
) -> Option<Result<MetricValue, InputError>> {
    let entry = F::METRICS.iter().find(|entry| entry.metric.name == name)?;
    Some(F::check(inputs, entry.metric.reads).map(|()| (entry.compute)(inputs, options)))
}

/// Why a metric of a family says nothing on a truth.
pub(crate) fn degenerate<F: Family>(
    name: &str,
    truth: &F::Truth<'_>,
    options: &Options,
) -> Option<Result<Option<String>, InputError>> {
    let entry = F::METRICS.iter().find(|entry| entry.metric.name == name)?;
    Some(F::check_truth(truth).map(|()| (entry.degenerate)(truth, options)))
}
