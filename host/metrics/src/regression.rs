//! Metrics of tabular regression.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionTruth<'a> {
    /// One target a row, finite.
    pub targets: &'a [f64],
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionInputs<'a> {
    /// The truth.
    pub truth: RegressionTruth<'a>,
    /// One prediction a row.
    pub predictions: &'a [f64],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Regression;

impl Family for Regression {
    type Truth<'a> = RegressionTruth<'a>;
    type Inputs<'a> = RegressionInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &RegressionTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &RegressionInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
