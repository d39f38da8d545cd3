//! Metrics of time series forecasting.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastTruth<'a> {
    /// Steps of a forecast; there is one forecast a row.
    pub horizon: usize,
    /// The next `horizon` values of each row.
    pub targets: &'a [f64],
    /// The last value of each row's window, before the first target.
    pub last: &'a [f64],
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastInputs<'a> {
    /// The truth.
    pub truth: ForecastTruth<'a>,
    /// As the targets.
    pub predictions: &'a [f64],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Forecast;

impl Family for Forecast {
    type Truth<'a> = ForecastTruth<'a>;
    type Inputs<'a> = ForecastInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &ForecastTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &ForecastInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
