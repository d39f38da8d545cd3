//! Inputs that break rules: an error or a finite value, never a panic.

use proptest::collection::vec;
use proptest::prelude::*;
use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, ForecastInputs, ForecastTruth, Inputs, MetricValue, Options,
    RegressionInputs, RegressionTruth, SurvivalInputs, SurvivalTruth, Task, Truth, degenerate, evaluate, metrics,
};

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(f64::MAX),
        Just(-f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(1.0),
        Just(1e-200),
    ]
}

fn finite_number() -> impl Strategy<Value = f64> {
    any_number().prop_filter("finite", |number| number.is_finite())
}

fn any_integer() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -1_i64..4]
}

fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), 0_u32..4]
}

/// Computes all that there is; a value must be finite.
fn exercise(task: Task, inputs: &Inputs<'_>, truth: &Truth<'_>, options: &Options) -> Result<(), TestCaseError> {
    for metric in metrics(task) {
        if let Ok(MetricValue::Value(value)) = evaluate(task, metric.name, inputs, options) {
            prop_assert!(value.is_finite(), "{} {}", metric.name, value);
        }
        if let Ok(Some(reason)) = degenerate(task, metric.name, truth, options) {
            prop_assert!(!reason.is_empty(), "{}", metric.name);
        }
    }
    Ok(())
}

fn exercise_numbers(targets: &[f64], last: &[f64], predictions: &[f64], horizon: usize) -> Result<(), TestCaseError> {
    let options = Options { relative_tolerance: predictions.first().copied().unwrap_or(0.1), ..Options::default() };
    let truth = RegressionTruth { targets };
    let inputs = Inputs::Regression(RegressionInputs { truth, predictions });
    exercise(Task::TabularRegression, &inputs, &Truth::Regression(truth), &options)?;
    let truth = ForecastTruth { horizon, targets, last };
    let inputs = Inputs::Forecast(ForecastInputs { truth, predictions });
    exercise(Task::TimeSeriesForecasting, &inputs, &Truth::Forecast(truth), &options)
}

proptest! {
    #[test]
    fn no_classes_panic(
        labels in vec(any_integer(), 0..6),
        scores in vec(any_number(), 0..12),
        classes in any_count(),
        positive in any_count(),
        ordinal in any::<bool>(),
    ) {
        let scores: Vec<_> = scores.into_iter().map(|score| score as f32).collect();
        let truth = ClassificationTruth { labels: &labels, classes, positive, ordinal };
        let inputs = Inputs::Classification(ClassificationInputs { truth, scores: &scores });
        for task in [Task::ImageClassification, Task::TextClassification, Task::TabularClassification] {
            exercise(task, &inputs, &Truth::Classification(truth), &Options::default())?;
        }
    }

    #[test]
    fn no_numbers_panic(
        targets in vec(any_number(), 0..5),
        last in vec(any_number(), 0..5),
        predictions in vec(any_number(), 0..5),
        horizon in prop_oneof![any::<usize>(), 0_usize..3],
    ) {
        exercise_numbers(&targets, &last, &predictions, horizon)?;
    }

    #[test]
    fn the_largest_and_smallest_numbers_give_no_infinity(
        rows in (1_usize..4).prop_flat_map(|rows| vec(vec(finite_number(), rows), 3)),
    ) {
        exercise_numbers(&rows[0], &rows[1], &rows[2], 1)?;
    }

    #[test]
    fn no_risks_panic(
        times in vec(any_number(), 0..5),
        events in vec(any_integer(), 0..5),
        risks in vec(any_number(), 0..5),
        horizon in any_number(),
        prevalence in any_number(),
    ) {
        let truth = SurvivalTruth { times: &times, events: &events, horizon, prevalence };
        let inputs = Inputs::Survival(SurvivalInputs { truth, risks: &risks });
        exercise(Task::TimeToEvent, &inputs, &Truth::Survival(truth), &Options::default())?;
    }

    #[test]
    fn times_and_risks_of_every_size_give_a_share(
        rows in vec((finite_number(), 0_i64..2, finite_number()), 1..5),
        horizon in finite_number(),
    ) {
        let times: Vec<_> = rows.iter().map(|row| row.0.abs().max(f64::MIN_POSITIVE)).collect();
        let events: Vec<_> = rows.iter().map(|row| row.1).collect();
        let risks: Vec<_> = rows.iter().map(|row| row.2).collect();
        let horizon = horizon.abs().max(f64::MIN_POSITIVE);
        let truth = SurvivalTruth { times: &times, events: &events, horizon, prevalence: 1.0 };
        let inputs = Inputs::Survival(SurvivalInputs { truth, risks: &risks });
        for name in ["c_index", "f1"] {
            let value = evaluate(Task::TimeToEvent, name, &inputs, &Options::default());
            let share = value.map(|value| value.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
            prop_assert_eq!(share, Ok(true), "{}", name);
        }
    }
}

#[test]
fn classes_without_rows_take_no_memory_and_no_time() {
    let truth = ClassificationTruth { labels: &[], classes: u32::MAX, positive: 1, ordinal: true };
    let inputs = Inputs::Classification(ClassificationInputs { truth, scores: &[] });
    for task in [Task::ImageClassification, Task::TextClassification, Task::TabularClassification] {
        for metric in metrics(task) {
            let value = evaluate(task, metric.name, &inputs, &Options::default());
            assert_eq!(value, Ok(MetricValue::Undefined("there is no row".into())), "{}", metric.name);
        }
    }
}
