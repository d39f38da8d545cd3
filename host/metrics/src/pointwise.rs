//! Metrics of numbers against numbers: the rows of a regression, the steps of forecasts.

use crate::inputs::{InputError, Options};
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::sum::{mean, sum};
use crate::value::{MetricValue, NO_ROW};

/// What these metrics have in common.
pub(crate) const ERROR: Metric = Metric {
    name: "",
    label: "",
    description: "",
    direction: Direction::LowerIsBetter,
    ranks_by_magnitude: false,
    range: Range::NOT_NEGATIVE,
    unit: Unit::Target,
    reads: Reads::Everything,
    formula: "",
    edge_cases: "in the target's own unit; every step of every forecast counts as one",
    undefined_when: "there is no row, or a square or sum is beyond the range of a double",
    reference: "",
};

pub(crate) const ACCURACY: Metric = Metric {
    name: "accuracy",
    label: "Accuracy",
    description: "The share of predictions within the owner's tolerance of the true value, ±5 % unless set.",
    direction: Direction::HigherIsBetter,
    range: Range::SHARE,
    unit: Unit::Share,
    formula: "|{i : |ŷᵢ − yᵢ| ≤ atol + rtol·|yᵢ|}| / n",
    edge_cases: "exact match with both tolerances 0; with a relative tolerance alone, a true 0 must be met exactly; every step of \
                 every forecast counts as one",
    undefined_when: "there is no row",
    reference: "numpy 2.4.6, isclose(ŷ, y, rtol=0.05, atol=0): an exact match of real numbers has no chance to happen, and is the \
                limit of this",
    ..ERROR
};

pub(crate) const MAE: Metric = Metric {
    name: "mae",
    label: "Mean absolute error (MAE)",
    description: "The mean distance between prediction and truth.",
    formula: "Σᵢ |ŷᵢ − yᵢ| / n",
    reference: "scikit-learn 1.9.1, mean_absolute_error",
    ..ERROR
};

pub(crate) const MSE: Metric = Metric {
    name: "mse",
    label: "Mean squared error (MSE)",
    description: "The mean square of the distance between prediction and truth, so that large errors weigh more.",
    unit: Unit::TargetSquared,
    formula: "Σᵢ (ŷᵢ − yᵢ)² / n",
    edge_cases: "in the square of the target's own unit; every step of every forecast counts as one",
    reference: "scikit-learn 1.9.1, mean_squared_error",
    ..ERROR
};

pub(crate) const LOSS: Metric = Metric {
    name: "loss",
    label: "Loss",
    description: "The mean squared error, computed by the host from the predictions.",
    reference: "the same as mse; the loss that a submission trained with says nothing about another submission",
    ..MSE
};

pub(crate) const RMSE: Metric = Metric {
    name: "rmse",
    label: "Root mean squared error (RMSE)",
    description: "The square root of the mean squared error, in the unit of the target.",
    formula: "√(Σᵢ (ŷᵢ − yᵢ)² / n)",
    reference: "scikit-learn 1.9.1, root_mean_squared_error",
    ..ERROR
};

pub(crate) const R2: Metric = Metric {
    name: "r2",
    label: "R² (coefficient of determination)",
    description: "The part of the target's variance that the predictions explain; 0 is as good as the mean of the test targets.",
    direction: Direction::HigherIsBetter,
    range: Range::UP_TO_ONE,
    unit: Unit::None,
    formula: "1 − Σᵢ (yᵢ − ŷᵢ)² / Σᵢ (yᵢ − ȳ)²",
    edge_cases: "if all targets are equal: 1 if every prediction is exact, else 0; every step of every forecast counts as one",
    undefined_when: "there are fewer than 2 targets, or a square or sum is beyond the range of a double",
    reference: "scikit-learn 1.9.1, r2_score(force_finite=True); equal targets are told by comparing them, not by a variance of 0, \
                which rounding may miss",
    ..ERROR
};

pub(crate) const RMSLE: Metric = Metric {
    name: "rmsle",
    label: "Root mean squared logarithmic error (RMSLE)",
    description: "The root mean squared error of logarithms, so that errors weigh relative to the size of the target.",
    unit: Unit::None,
    formula: "√(Σᵢ (ln(1 + max(ŷᵢ, 0)) − ln(1 + yᵢ))² / n)",
    edge_cases: "a prediction below 0 counts as 0; every step of every forecast counts as one",
    undefined_when: "there is no row, or a target is below 0",
    reference: "scikit-learn 1.9.1, root_mean_squared_log_error of max(ŷ, 0); that takes targets above −1, releases before it took \
                none below 0, as here",
    ..ERROR
};

/// Checks that numbers are as many as they must be and finite. `rows_of` tells a row from a position.
pub(crate) fn finite(
    what: &'static str,
    numbers: &[f64],
    expected: usize,
    error: impl Fn(usize, String) -> InputError,
) -> Result<(), InputError> {
    if numbers.len() != expected {
        return Err(InputError::Length { what, expected, found: numbers.len() });
    }
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(position) => Err(error(position, format!("{} is not a finite number", numbers[position]))),
        None => Ok(()),
    }
}

/// Predictions minus targets.
fn errors<'a>(targets: &'a [f64], predictions: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    predictions.iter().zip(targets).map(|(prediction, target)| prediction - target)
}

fn sum_of_squares(terms: impl Iterator<Item = f64>) -> f64 {
    sum(terms.map(|term| term * term))
}

pub(crate) fn accuracy(targets: &[f64], predictions: &[f64], options: &Options) -> MetricValue {
    let tolerance = |target: f64| options.absolute_tolerance + options.relative_tolerance * target.abs();
    let close = |error: f64, target: f64| error.is_finite() && error.abs() <= tolerance(target);
    if targets.is_empty() {
        return MetricValue::Undefined(NO_ROW.into());
    }
    let right = errors(targets, predictions).zip(targets).filter(|&(error, &target)| close(error, target)).count();
    MetricValue::of(right as f64 / targets.len() as f64)
}

pub(crate) fn mae(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(mean(errors(targets, predictions).map(f64::abs)))
}

pub(crate) fn mse(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(mean(errors(targets, predictions).map(|error| error * error)))
}

pub(crate) fn rmse(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(mean(errors(targets, predictions).map(|error| error * error)).map(libm::sqrt))
}

pub(crate) fn mbe(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(mean(errors(targets, predictions)))
}

pub(crate) fn max_error(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(errors(targets, predictions).map(f64::abs).reduce(f64::max))
}

/// Not a number if the divisor is beyond the range of a double: dividing by infinity would make the best value of it.
pub(crate) fn quotient(part: f64, whole: f64) -> f64 {
    if whole.is_finite() { part / whole } else { f64::NAN }
}

/// 1 minus the part of the targets' spread that is left, by the sums of squares of both.
fn explained(targets: &[f64], left: f64, nothing_left: bool) -> MetricValue {
    if all_equal(targets) {
        return MetricValue::Value(if nothing_left { 1.0 } else { 0.0 });
    }
    let Some(centre) = mean(targets.iter().copied()) else {
        return MetricValue::Undefined(NO_ROW.into());
    };
    let spread = sum_of_squares(targets.iter().map(|target| target - centre));
    MetricValue::of(1.0 - quotient(left, spread))
}

pub(crate) fn r2(targets: &[f64], predictions: &[f64]) -> MetricValue {
    if let Some(reason) = fewer_than_two(targets) {
        return MetricValue::Undefined(reason);
    }
    explained(targets, sum_of_squares(errors(targets, predictions)), targets == predictions)
}

pub(crate) fn explained_variance(targets: &[f64], predictions: &[f64]) -> MetricValue {
    let Some(bias) = mean(errors(targets, predictions)) else {
        return MetricValue::Undefined(NO_ROW.into());
    };
    let left = sum_of_squares(errors(targets, predictions).map(|error| error - bias));
    // Equal targets and equal predictions differ by one bias.
    explained(targets, left, all_equal(predictions))
}

pub(crate) fn rmsle(targets: &[f64], predictions: &[f64]) -> MetricValue {
    if let Some(reason) = negative(targets) {
        return MetricValue::Undefined(reason);
    }
    let logs = targets.iter().zip(predictions).map(|(&y, &z)| libm::log1p(z.max(0.0)) - libm::log1p(y));
    MetricValue::of_mean(mean(logs.map(|error| error * error)).map(libm::sqrt))
}

/// The middle value, of an even number the mean of the middle two; none of no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let below = lower.iter().copied().reduce(f64::max).filter(|_| even);
    // Half by half: the sum of two finite values may be infinite.
    Some(below.map_or(upper, |below| below / 2.0 + upper / 2.0))
}

pub(crate) fn median_ae(targets: &[f64], predictions: &[f64]) -> MetricValue {
    MetricValue::of_mean(median(errors(targets, predictions).map(f64::abs).collect()))
}

fn all_equal(numbers: &[f64]) -> bool {
    numbers.iter().all(|number| number == &numbers[0])
}

pub(crate) fn no_row(targets: &[f64]) -> Option<String> {
    targets.is_empty().then(|| NO_ROW.into())
}

fn fewer_than_two(targets: &[f64]) -> Option<String> {
    (targets.len() < 2).then(|| format!("variance needs at least 2 targets, found {}", targets.len()))
}

/// Why a metric relative to the targets' variance says nothing.
pub(crate) fn no_variance(targets: &[f64]) -> Option<String> {
    fewer_than_two(targets)
        .or_else(|| all_equal(targets).then(|| format!("all {} targets are {}", targets.len(), targets[0])))
}

/// Why a metric of logarithms has no value.
pub(crate) fn negative(targets: &[f64]) -> Option<String> {
    let below = targets.iter().enumerate().find(|&(_, &target)| target < 0.0);
    no_row(targets).or_else(|| below.map(|(index, target)| format!("target {index} is {target}, below 0")))
}
