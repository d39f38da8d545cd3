//! Metrics of time series forecasting.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::pointwise;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::sum::{mean, sum};
use crate::value::MetricValue;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastTruth<'a> {
    /// Steps of a forecast, at least 1; there is one forecast a row.
    pub horizon: usize,
    /// The next `horizon` values of each row, finite.
    pub targets: &'a [f64],
    /// The last value of each row's window, before the first target; finite.
    pub last: &'a [f64],
}

impl<'a> ForecastTruth<'a> {
    /// The last value of the window before each target.
    fn origins(&self) -> impl Iterator<Item = f64> + use<'a> {
        let horizon = self.horizon;
        self.last.iter().flat_map(move |&last| std::iter::repeat_n(last, horizon))
    }
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastInputs<'a> {
    /// The truth.
    pub truth: ForecastTruth<'a>,
    /// As the targets.
    pub predictions: &'a [f64],
}

impl ForecastInputs<'_> {
    /// Number of predicted values below 0, which RMSLE takes for 0.
    pub fn below_zero(&self) -> usize {
        self.predictions.iter().filter(|&&prediction| prediction < 0.0).count()
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Forecast;

impl Family for Forecast {
    type Truth<'a> = ForecastTruth<'a>;
    type Inputs<'a> = ForecastInputs<'a>;

    const METRICS: &'static [Entry<Self>] =
        &[ACCURACY, LOSS, MAE, MSE, RMSE, R2, RMSLE, MAPE, SMAPE, MDAPE, THEIL_U2, MAX_ERROR, DIRECTION_ACCURACY];

    fn check_truth(truth: &ForecastTruth<'_>) -> Result<(), InputError> {
        let ForecastTruth { horizon, targets, last } = *truth;
        if horizon == 0 {
            return Err(InputError::Setting {
                name: "horizon",
                reason: "is 0, a forecast has at least one step".into(),
            });
        }
        let row_of = |position, reason| InputError::Truth { row: position, reason };
        pointwise::finite("last values", last, last.len(), row_of)?;
        let row_of = |position, reason| InputError::Truth {
            row: position / horizon,
            reason: at_step(position % horizon, reason),
        };
        pointwise::finite("targets", targets, last.len().saturating_mul(horizon), row_of)
    }

    fn check(inputs: &ForecastInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        let horizon = inputs.truth.horizon;
        let row_of = |position, reason| InputError::Prediction {
            row: position / horizon,
            reason: at_step(position % horizon, reason),
        };
        pointwise::finite("predicted values", inputs.predictions, inputs.truth.targets.len(), row_of)
    }
}

fn at_step(step: usize, reason: String) -> String {
    format!("step {step}: {reason}")
}

const ACCURACY: Entry<Forecast> = Entry {
    metric: pointwise::ACCURACY,
    compute: |inputs, options| pointwise::accuracy(inputs.truth.targets, inputs.predictions, options),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const LOSS: Entry<Forecast> = Entry { metric: pointwise::LOSS, ..MSE };

const MAE: Entry<Forecast> = Entry {
    metric: pointwise::MAE,
    compute: |inputs, _| pointwise::mae(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const MSE: Entry<Forecast> = Entry {
    metric: pointwise::MSE,
    compute: |inputs, _| pointwise::mse(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const RMSE: Entry<Forecast> = Entry {
    metric: pointwise::RMSE,
    compute: |inputs, _| pointwise::rmse(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const R2: Entry<Forecast> = Entry {
    metric: pointwise::R2,
    compute: |inputs, _| pointwise::r2(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_variance(truth.targets),
};

const RMSLE: Entry<Forecast> = Entry {
    metric: pointwise::RMSLE,
    compute: |inputs, _| pointwise::rmsle(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::negative(truth.targets),
};

const MAX_ERROR: Entry<Forecast> = Entry {
    metric: Metric {
        name: "max_error",
        label: "Max error",
        description: "The largest distance between prediction and truth.",
        formula: "maxᵢ |ŷᵢ − yᵢ|",
        undefined_when: "there is no row, or a difference is beyond the range of a double",
        reference: "scikit-learn 1.9.1, max_error",
        ..pointwise::ERROR
    },
    compute: |inputs, _| pointwise::max_error(inputs.truth.targets, inputs.predictions),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const MAPE: Entry<Forecast> = Entry {
    metric: Metric {
        name: "mape",
        label: "Mean absolute percentage error (MAPE)",
        description: "The mean distance between prediction and truth in hundredths of the true value.",
        unit: Unit::Percent,
        formula: "100·Σᵢ |(yᵢ − ŷᵢ) / yᵢ| / n",
        edge_cases: "every step of every forecast counts as one; no target is left out",
        undefined_when: "there is no row, a target is 0, or a quotient or sum is beyond the range of a double",
        reference: "100·mean_absolute_percentage_error of scikit-learn 1.9.1; where a target is 0 that divides by 2⁻⁵², here there is \
                    no value",
        ..pointwise::ERROR
    },
    compute: |inputs, _| percentages(inputs, |errors| mean(errors.iter().copied())),
    degenerate: |truth, _| zero(truth),
};

const MDAPE: Entry<Forecast> = Entry {
    metric: Metric {
        name: "mdape",
        label: "Median absolute percentage error (MdAPE)",
        description: "The distance between prediction and truth, in hundredths of the true value, that half of the steps do not \
                      exceed.",
        formula: "100·median of |(yᵢ − ŷᵢ) / yᵢ|",
        edge_cases: "of an even number the mean of the middle two; every step of every forecast counts as one",
        reference: "100·MedianAbsolutePercentageError of sktime 1.2.0; where a target is 0 that divides by 2⁻⁵², here there is no \
                    value",
        ..MAPE.metric
    },
    compute: |inputs, _| percentages(inputs, |errors| pointwise::median(errors.to_vec())),
    degenerate: |truth, _| zero(truth),
};

const SMAPE: Entry<Forecast> = Entry {
    metric: Metric {
        name: "smape",
        label: "Symmetric mean absolute percentage error (SMAPE)",
        description: "The mean distance between prediction and truth in hundredths of the mean of their sizes, at most 200.",
        range: Range { min: Some(0.0), max: Some(200.0) },
        formula: "100·Σᵢ 2·|yᵢ − ŷᵢ| / (|yᵢ| + |ŷᵢ|) / n",
        edge_cases: "0 where both are 0; every step of every forecast counts as one",
        undefined_when: "there is no row",
        reference: "100·MeanAbsolutePercentageError(symmetric=True) of sktime 1.2.0, 0 to 200; without the 2 it would end at 100",
        ..MAPE.metric
    },
    compute: |inputs, _| smape(inputs),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

const THEIL_U2: Entry<Forecast> = Entry {
    metric: Metric {
        name: "theil_u2",
        label: "Theil's U (U2 statistic)",
        description: "The error relative to that of repeating the last known value: below 1 is better than it.",
        unit: Unit::None,
        formula: "√(Σᵢ (ŷᵢ − yᵢ)² / Σᵢ (lᵢ − yᵢ)²), l the last value of the window before the target",
        edge_cases: "over several steps the last value of the window is repeated; every step of every forecast counts as one",
        undefined_when: "there is no row, every target equals the last value before it, or a square is beyond the range of a double",
        reference: "√(mean_squared_error(y, ŷ) / mean_squared_error(y, l)) of scikit-learn 1.9.1, which for one series of one-step \
                    forecasts is TheilU2 of sktime 1.2.0; Theil's form of 1966 in relative changes is not relative to a forecast",
        ..pointwise::ERROR
    },
    compute: |inputs, _| theil_u2(inputs),
    degenerate: |truth, _| no_change(truth),
};

const DIRECTION_ACCURACY: Entry<Forecast> = Entry {
    metric: Metric {
        name: "direction_accuracy",
        label: "Direction accuracy",
        description: "The share of steps at which the forecast goes up, down or nowhere as the truth does.",
        direction: Direction::HigherIsBetter,
        range: Range::SHARE,
        unit: Unit::Share,
        formula: "|{t : sgn(ŷₜ − ŷₜ₋₁) = sgn(yₜ − yₜ₋₁)}| / n, with y₀ = ŷ₀ = the last value of the window",
        edge_cases: "no change is right only if there is none in both; every step of every forecast counts as one",
        undefined_when: "there is no row",
        reference: "numpy 2.4.6, sign of diff with the last value put before both; without it a forecast of one step has no direction",
        ..pointwise::ERROR
    },
    compute: |inputs, _| direction_accuracy(inputs),
    degenerate: |truth, _| pointwise::no_row(truth.targets),
};

/// What `middle` makes of the absolute errors relative to the targets, in hundredths.
fn percentages(inputs: &ForecastInputs<'_>, middle: fn(&[f64]) -> Option<f64>) -> MetricValue {
    if let Some(reason) = zero(&inputs.truth) {
        return MetricValue::Undefined(reason);
    }
    let pairs = inputs.truth.targets.iter().zip(inputs.predictions);
    let errors: Vec<_> = pairs.map(|(y, z)| ((y - z) / y).abs()).collect();
    MetricValue::of_mean(middle(&errors).map(|value| 100.0 * value))
}

/// Why a metric that divides by the targets has no value.
fn zero(truth: &ForecastTruth<'_>) -> Option<String> {
    let position = truth.targets.iter().position(|&target| target == 0.0);
    pointwise::no_row(truth.targets).or_else(|| {
        position.map(|position| {
            format!("the target of row {}, step {} is 0", position / truth.horizon, position % truth.horizon)
        })
    })
}

fn smape(inputs: &ForecastInputs<'_>) -> MetricValue {
    let term = |(&y, &z): (&f64, &f64)| match y.abs() + z.abs() {
        0.0 => 0.0,
        size if size.is_finite() => 2.0 * ((y - z).abs() / size),
        _ => 2.0 * ((y / 2.0 - z / 2.0).abs() / (y.abs() / 2.0 + z.abs() / 2.0)),
    };
    let terms = inputs.truth.targets.iter().zip(inputs.predictions).map(term);
    // Rounding of the mean may pass the largest term by an ulp.
    MetricValue::of_mean(mean(terms).map(|value| (100.0 * value).min(200.0)))
}

/// The sum of squares of how far the last values are from the targets.
fn naive(truth: &ForecastTruth<'_>) -> f64 {
    sum(truth.origins().zip(truth.targets).map(|(last, target)| (last - target) * (last - target)))
}

/// Why a metric relative to the naive forecast has no value.
fn no_change(truth: &ForecastTruth<'_>) -> Option<String> {
    pointwise::no_row(truth.targets).or_else(|| {
        (naive(truth) == 0.0)
            .then(|| "every target equals the last value before it, or differs too little to be squared".into())
    })
}

fn theil_u2(inputs: &ForecastInputs<'_>) -> MetricValue {
    if let Some(reason) = no_change(&inputs.truth) {
        return MetricValue::Undefined(reason);
    }
    let model = inputs.truth.targets.iter().zip(inputs.predictions).map(|(y, z)| (z - y) * (z - y));
    MetricValue::of(libm::sqrt(pointwise::quotient(sum(model), naive(&inputs.truth))))
}

fn direction_accuracy(inputs: &ForecastInputs<'_>) -> MetricValue {
    let truth = &inputs.truth;
    let mut right = 0_usize;
    let rows = truth.targets.chunks_exact(truth.horizon).zip(inputs.predictions.chunks_exact(truth.horizon));
    for ((targets, predictions), &last) in rows.zip(truth.last) {
        let (mut y0, mut z0) = (last, last);
        for (&y, &z) in targets.iter().zip(predictions) {
            // Comparing tells the sign of a difference too small or too large for a double as well.
            right += usize::from(y.partial_cmp(&y0) == z.partial_cmp(&z0));
            (y0, z0) = (y, z);
        }
    }
    MetricValue::of_mean((!truth.targets.is_empty()).then(|| right as f64 / truth.targets.len() as f64))
}
