//! What holds of every metric of objects, pixels and points, whatever the inputs.

mod cases;
mod hostile;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use thimble_metrics::{
    Direction, Inputs, Metric, MetricValue, Options, average_precision_per_class, degenerate, evaluate, metrics,
};

use cases::{Case, any_case};

/// Sums in another order may differ by this.
const REORDERED: f64 = 1e-12;

/// The metrics of the case with their values.
fn values(case: &Case) -> Result<Vec<(&'static Metric, MetricValue)>, TestCaseError> {
    case.with(|task, inputs, _| {
        metrics(task)
            .map(|metric| match evaluate(task, metric.name, inputs, &Options::default()) {
                Ok(value) => Ok((metric, value)),
                Err(error) => Err(TestCaseError::fail(format!("{}: {error}", metric.name))),
            })
            .collect()
    })
}

fn is_degenerate(case: &Case, metric: &Metric) -> Result<bool, TestCaseError> {
    case.with(|task, _, truth| degenerate(task, metric.name, truth, &Options::default()))
        .map(|reason| reason.is_some())
        .map_err(|error| TestCaseError::fail(format!("{}: {error}", metric.name)))
}

/// Smaller is better.
fn cost(metric: &Metric, value: f64) -> f64 {
    match metric.direction {
        Direction::LowerIsBetter => value,
        Direction::HigherIsBetter => -value,
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
    fn the_order_of_images_and_of_predictions_does_not_count((case, permuted) in any_case().prop_flat_map(cases::with_permuted)) {
        for ((metric, value), (_, other)) in values(&case)?.into_iter().zip(values(&permuted)?) {
            match (value.value(), other.value()) {
                (Some(value), Some(other)) => {
                    let near = (value - other).abs() <= REORDERED * value.abs().max(1.0);
                    prop_assert!(near, "{} {value} {other}", metric.name);
                }
                (value, other) => prop_assert_eq!(value, other, "{}", metric.name),
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
            if let (Some(value), Some(best), false) = (value.value(), best.value(), is_degenerate(&case, metric)?) {
                // COCO's precision of a first hit is 1 less the spacing of doubles.
                let behind = cost(metric, best) - cost(metric, value);
                prop_assert!(behind <= f64::EPSILON, "{} {best} {value}", metric.name);
            }
        }
    }

    #[test]
    fn a_perfect_prediction_has_the_best_value(case in any_case()) {
        for (metric, best) in values(&case.perfect())? {
            // Of more objects than detections that count, some are missed.
            if is_degenerate(&case, metric)? || metric.name == "mar_1" {
                continue;
            }
            let expected = match metric.direction {
                Direction::HigherIsBetter => metric.range.max,
                Direction::LowerIsBetter => Some(0.0),
            };
            let near = best.value().zip(expected).is_some_and(|(best, expected)| (best - expected).abs() <= 2.0 * f64::EPSILON);
            prop_assert!(near, "{} {best:?}, not {expected:?}", metric.name);
        }
    }

    #[test]
    fn the_mean_of_average_precisions_is_map_and_their_least_is_that_of_the_worst_class(case in any_case()) {
        let found = case.with(|task, inputs, _| match inputs {
            Inputs::Detection(detections) => {
                let of = |name: &str| evaluate(task, name, inputs, &Options::default()).ok()?.value();
                Some((average_precision_per_class(detections).ok()?, of("map"), of("map_per_class")))
            }
            _ => None,
        });
        if let Some((classes, mean, least)) = found {
            let known: Vec<_> = classes.into_iter().flatten().collect();
            prop_assert_eq!(least, known.iter().copied().reduce(f64::min));
            let total = known.iter().sum::<f64>() / known.len() as f64;
            prop_assert!(mean.is_none_or(|mean| (mean - total).abs() < REORDERED) && mean.is_some() != known.is_empty());
        }
    }
}

#[test]
fn the_better_submission_has_the_better_value_in_every_metric() {
    for (good, bad) in cases::good_and_bad() {
        let (good, bad) = (values(&good).expect("good inputs"), values(&bad).expect("bad inputs"));
        for ((metric, better), (_, worse)) in good.into_iter().zip(bad) {
            let better = better.value().map(|value| cost(metric, value));
            let worse = worse.value().map(|value| cost(metric, value));
            let ordered = better.zip(worse).is_some_and(|(better, worse)| better < worse);
            assert!(ordered, "{}: {better:?} is not better than {worse:?}", metric.name);
        }
    }
}

#[test]
fn a_truth_with_nothing_to_find_is_refused_by_every_metric() {
    let scene = || vec![cases::Scene { truth: vec![], found: vec![([0, 0, 4, 4], 0, 0.9)] }];
    let pose = cases::Pose { truth: [([1.0; 2], 0); 3], found: [([1.0; 2], 0.9); 3] };
    let given = [
        Case::Detection(scene()),
        Case::Instances(scene()),
        Case::Segmentation(vec![(vec![0; 48], vec![1; 48])]),
        Case::Keypoints(vec![pose], false),
    ];
    for case in given {
        case.with(|task, _, truth| {
            for metric in metrics(task) {
                let reason = degenerate(task, metric.name, truth, &Options::default()).expect("a right truth");
                assert!(reason.is_some(), "{} {}", task.name(), metric.name);
            }
        });
    }
}
