//! Metrics of tabular regression.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::pointwise;
use crate::registry::{Direction, Metric, Range, Reads, Unit};

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
    /// One prediction a row, finite.
    pub predictions: &'a [f64],
}

impl RegressionInputs<'_> {
    /// Number of predictions below 0, which RMSLE takes for 0.
    pub fn below_zero(&self) -> usize {
        self.predictions.iter().filter(|&&prediction| prediction < 0.0).count()
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Regression;

impl Family for Regression {
    type Truth<'a> = RegressionTruth<'a>;
    type Inputs<'a> = RegressionInputs<'a>;

    const METRICS: &'static [Entry<Self>] =
        &[ACCURACY, LOSS, MAE, MSE, RMSE, R2, RMSLE, MEDIAN_AE, EXPLAINED_VARIANCE, MBE];

    fn check_truth(truth: &RegressionTruth<'_>) -> Result<(), InputError> {
        let error = |row, reason| InputError::Truth { row, reason };
        pointwise::finite("targets", truth.targets, truth.targets.len(), error)
    }

    fn check(inputs: &RegressionInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        let error = |row, reason| InputError::Prediction { row, reason };
        pointwise::finite("predictions", inputs.predictions, inputs.truth.targets.len(), error)
    }
}

const ACCURACY: Entry<Regression> = Entry {
    metric: pointwise::ACCURACY,
    compute: |inputs, options| pointwise::accuracy(inputs.truth.targets, inputs.predictions, options),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const LOSS: Entry<Regression> = Entry { metric: pointwise::LOSS, ..MSE };

const MAE: Entry<Regression> = Entry {
    metric: pointwise::MAE,
    compute: |inputs, _| pointwise::mae(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const MSE: Entry<Regression> = Entry {
    metric: pointwise::MSE,
    compute: |inputs, _| pointwise::mse(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const RMSE: Entry<Regression> = Entry {
    metric: pointwise::RMSE,
    compute: |inputs, _| pointwise::rmse(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const R2: Entry<Regression> = Entry {
    metric: pointwise::R2,
    compute: |inputs, _| pointwise::r2(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_variance(truth.targets),
};

const RMSLE: Entry<Regression> = Entry {
    metric: pointwise::RMSLE,
    compute: |inputs, _| pointwise::rmsle(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::negative(truth.targets),
};

const MEDIAN_AE: Entry<Regression> = Entry {
    metric: Metric {
        name: "median_ae",
        label: "Median absolute error (median AE)",
        description: "The distance between prediction and truth that half of the rows do not exceed, whatever the outliers.",
        formula: "median of |ŷᵢ − yᵢ|",
        edge_cases: "of an even number of rows the mean of the middle two; in the target's own unit",
        undefined_when: "there is no row, or a difference is beyond the range of a double",
        reference: "scikit-learn 1.9.1, median_absolute_error; torch.median would take the lower of the middle two",
        ..pointwise::ERROR
    },
    compute: |inputs, _| pointwise::median_ae(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const EXPLAINED_VARIANCE: Entry<Regression> = Entry {
    metric: Metric {
        name: "explained_variance",
        label: "Explained variance",
        description: "The part of the target's variance that the predictions explain, a constant bias apart.",
        direction: Direction::HigherIsBetter,
        range: Range::UP_TO_ONE,
        unit: Unit::None,
        formula: "1 − Var(y − ŷ) / Var(y)",
        edge_cases: "if all targets are equal: 1 if all predictions are equal too, else 0",
        reference: "scikit-learn 1.9.1, explained_variance_score(force_finite=True); equal targets are told by comparing them, not by a \
                    variance of 0, which rounding may miss",
        ..pointwise::ERROR
    },
    compute: |inputs, _| pointwise::explained_variance(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_variance(truth.targets),
};

const MBE: Entry<Regression> = Entry {
    metric: Metric {
        name: "mbe",
        label: "Mean bias error (MBE)",
        description: "The mean of prediction minus truth: above 0 predictions are too large, below 0 too small.",
        ranks_by_magnitude: true,
        range: Range::ANY,
        formula: "Σᵢ (ŷᵢ − yᵢ) / n",
        edge_cases: "in the target's own unit; ranked by its absolute value, since ranked as it is −∞ would win",
        reference: "numpy 2.4.6, mean(ŷ − y)",
        ..pointwise::ERROR
    },
    compute: |inputs, _| pointwise::mbe(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};
