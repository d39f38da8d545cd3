//! What holds of every metric of classes, numbers and risks, whatever the inputs.

mod cases;
mod hostile;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use thimble_metrics::{Direction, Metric, MetricValue, Options, Task, degenerate, evaluate, metrics};

use cases::{Case, any_case};

/// Sums in another order may differ by this, relative.
const REORDERED: f64 = 1e-12;

/// The metrics of the case with their values.
fn values(case: &Case) -> Result<Vec<(&'static Metric, MetricValue)>, TestCaseError> {
    let inputs = case.inputs();
    metrics(case.task)
        .map(|metric| match evaluate(case.task, metric.name, &inputs, &Options::default()) {
            Ok(value) => Ok((metric, value)),
            Err(error) => Err(TestCaseError::fail(format!("{}: {error}", metric.name))),
        })
        .collect()
}

fn is_degenerate(case: &Case, metric: &Metric) -> Result<bool, TestCaseError> {
    degenerate(case.task, metric.name, &case.truth(), &Options::default())
        .map(|reason| reason.is_some())
        .map_err(|error| TestCaseError::fail(format!("{}: {error}", metric.name)))
}

/// F1 of risks: as many are positive as the prevalence says, however well they are ordered.
fn has_no_perfect(task: Task, metric: &Metric) -> bool {
    task == Task::TimeToEvent && metric.name == "f1"
}

/// Smaller is better.
fn cost(metric: &Metric, value: f64) -> f64 {
    match (metric.ranks_by_magnitude, metric.direction) {
        (true, _) => value.abs(),
        (false, Direction::LowerIsBetter) => value,
        (false, Direction::HigherIsBetter) => -value,
    }
}

proptest! {
    #[test]
    fn values_are_in_range(case in any_case()) {
        for (metric, value) in values(&case)? {
            let Some(value) = value.value() else { continue };
            let inside = metric.range.min.is_none_or(|min| value >= min) && metric.range.max.is_none_or(|max| value <= max);
            prop_assert!(value.is_finite() && inside, "{} {}", metric.name, value);
        }
    }

    #[test]
    fn what_is_not_degenerate_has_a_value_for_every_submission(case in any_case()) {
        for (metric, value) in values(&case)? {
            prop_assert!(value.value().is_some() || is_degenerate(&case, metric)?, "{} {:?}", metric.name, value);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_count((case, permuted) in any_case().prop_flat_map(cases::with_permuted)) {
        for ((metric, value), (_, other)) in values(&case)?.into_iter().zip(values(&permuted)?) {
            match (value, other) {
                (MetricValue::Value(value), MetricValue::Value(other)) => {
                    // Differences of sums of squares lose what is left of 1.
                    let near = (value - other).abs() <= REORDERED * value.abs().max(1.0);
                    prop_assert!(near, "{} {value} {other}", metric.name);
                    let counted = matches!(case.task, Task::TimeToEvent) || COUNTED.contains(&metric.name);
                    prop_assert!(!counted || value.to_bits() == other.to_bits(), "{} {value} {other}", metric.name);
                }
                (MetricValue::Undefined(_), MetricValue::Undefined(_)) => {}
                (value, other) => prop_assert!(false, "{} {value:?} {other:?}", metric.name),
            }
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bits(case in any_case()) {
        let again = case.clone();
        prop_assert_eq!(values(&case)?, values(&again)?);
    }

    #[test]
    fn no_prediction_beats_a_perfect_one(case in any_case()) {
        for ((metric, value), (_, best)) in values(&case)?.into_iter().zip(values(&case.perfect())?) {
            if is_degenerate(&case, metric)? || has_no_perfect(case.task, metric) {
                continue;
            }
            if let (Some(value), Some(best)) = (value.value(), best.value()) {
                prop_assert!(cost(metric, best) <= cost(metric, value), "{} {best} {value}", metric.name);
            }
        }
    }

    #[test]
    fn a_perfect_prediction_has_the_best_value(case in any_case()) {
        for (metric, best) in values(&case.perfect())? {
            if is_degenerate(&case, metric)? || has_no_perfect(case.task, metric) {
                continue;
            }
            let expected = match metric.direction {
                Direction::HigherIsBetter => metric.range.max,
                Direction::LowerIsBetter => Some(0.0),
            };
            // The log loss clips a probability of 1 by 2⁻⁵².
            let near = best.value().zip(expected).is_some_and(|(best, expected)| (best - expected).abs() <= 2.0 * f64::EPSILON);
            prop_assert!(near, "{} {best:?}, not {expected:?}", metric.name);
        }
    }
}

/// Counted in whole numbers before any division: the same bits in every order of the rows.
const COUNTED: [&str; 28] = [
    "accuracy",
    "auc",
    "auc_pr",
    "auc_roc",
    "balanced_accuracy",
    "c_index",
    "direction_accuracy",
    "f1",
    "f1_micro",
    "f1_weighted",
    "fbeta_0.5",
    "fbeta_2",
    "gini",
    "hamming",
    "jaccard",
    "kappa",
    "max_error",
    "mcc",
    "mdape",
    "median_ae",
    "normalized_gini",
    "npv",
    "precision",
    "qwk",
    "recall",
    "specificity",
    "top3",
    "top5",
];

#[test]
fn the_better_submission_has_the_better_value_in_every_metric() {
    for (good, bad) in cases::good_and_bad() {
        let (good_values, bad_values) = (values(&good).expect("good inputs"), values(&bad).expect("bad inputs"));
        for ((metric, better), (_, worse)) in good_values.into_iter().zip(bad_values) {
            let better = better.value().map(|value| cost(metric, value));
            let worse = worse.value().map(|value| cost(metric, value));
            let ordered = better.zip(worse).is_some_and(|(better, worse)| better < worse);
            assert!(ordered, "{} {}: {better:?} is not better than {worse:?}", good.task.name(), metric.name);
        }
    }
}
