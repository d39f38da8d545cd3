//! Metrics of time-to-event prediction.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalTruth<'a> {
    /// When each row had the event, or was last seen; above 0.
    pub times: &'a [f64],
    /// Whether the row had the event (1) or was censored (0).
    pub events: &'a [i64],
    /// The horizon of F1: an event until then is a positive.
    pub horizon: f64,
    /// F1: the share of events until the horizon among the training rows whose state at the horizon is known, 0 to 1. As
    /// large a share of the rows, those with the largest risks, are predicted positives.
    pub prevalence: f64,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurvivalInputs<'a> {
    /// The truth.
    pub truth: SurvivalTruth<'a>,
    /// One risk a row: the larger, the earlier the event.
    pub risks: &'a [f64],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Survival;

impl Family for Survival {
    type Truth<'a> = SurvivalTruth<'a>;
    type Inputs<'a> = SurvivalInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &SurvivalTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &SurvivalInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
