//! Inputs of the tasks, drawn at random, and what can be done with them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::Union;
use thimble_metrics::{
    ClassificationInputs, ClassificationTruth, ForecastInputs, ForecastTruth, Inputs, RegressionInputs,
    RegressionTruth, SurvivalInputs, SurvivalTruth, Task, Truth, argmax,
};

/// One row: its truth, and what was predicted for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Row {
    /// The label, and the scores.
    Class(i64, Vec<f32>),
    /// The last value, the targets and the predictions; a row of a regression has one of each.
    Numbers(f64, Vec<f64>, Vec<f64>),
    /// The time, the event and the risk.
    Risk(f64, i64, f64),
}

/// Inputs that own their rows, column by column.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) task: Task,
    rows: Vec<Row>,
    integers: Vec<i64>,
    scores: Vec<f32>,
    firsts: Vec<f64>,
    truths: Vec<f64>,
    predictions: Vec<f64>,
    /// Classes, steps of a forecast; and the positive class.
    width: usize,
    positive: u32,
}

impl Case {
    fn new(task: Task, width: usize, positive: u32, rows: Vec<Row>) -> Self {
        let (mut integers, mut scores) = (Vec::new(), Vec::new());
        let (mut firsts, mut truths, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            match row {
                Row::Class(label, row_scores) => {
                    integers.push(*label);
                    scores.extend(row_scores);
                }
                Row::Numbers(last, targets, values) => {
                    firsts.push(*last);
                    truths.extend(targets);
                    predictions.extend(values);
                }
                Row::Risk(time, event, risk) => {
                    integers.push(*event);
                    truths.push(*time);
                    predictions.push(*risk);
                }
            }
        }
        Self { task, rows, integers, scores, firsts, truths, predictions, width, positive }
    }

    /// The same truth and settings with other rows.
    fn with_rows(&self, rows: Vec<Row>) -> Self {
        Self::new(self.task, self.width, self.positive, rows)
    }

    pub(crate) fn inputs(&self) -> Inputs<'_> {
        match self.truth() {
            Truth::Classification(truth) => {
                Inputs::Classification(ClassificationInputs { truth, scores: &self.scores })
            }
            Truth::Regression(truth) => Inputs::Regression(RegressionInputs { truth, predictions: &self.predictions }),
            Truth::Survival(truth) => Inputs::Survival(SurvivalInputs { truth, risks: &self.predictions }),
            _ => {
                let truth = self.forecast();
                Inputs::Forecast(ForecastInputs { truth, predictions: &self.predictions })
            }
        }
    }

    pub(crate) fn truth(&self) -> Truth<'_> {
        match self.task {
            Task::TabularRegression => Truth::Regression(RegressionTruth { targets: &self.truths }),
            Task::TimeSeriesForecasting => Truth::Forecast(self.forecast()),
            Task::TimeToEvent => Truth::Survival(SurvivalTruth {
                times: &self.truths,
                events: &self.integers,
                horizon: 5.0,
                prevalence: 0.4,
            }),
            _ => Truth::Classification(ClassificationTruth {
                labels: &self.integers,
                classes: self.width as u32,
                positive: self.positive,
                ordinal: true,
            }),
        }
    }

    fn forecast(&self) -> ForecastTruth<'_> {
        ForecastTruth { horizon: self.width, targets: &self.truths, last: &self.firsts }
    }

    /// The best that can be predicted for the same truth.
    pub(crate) fn perfect(&self) -> Self {
        let perfect = |row: &Row| match row {
            Row::Class(label, scores) => Row::Class(*label, one_hot(*label as usize, scores.len())),
            Row::Numbers(last, targets, _) => Row::Numbers(*last, targets.clone(), targets.clone()),
            // Of equal times the event counts as earlier.
            Row::Risk(time, event, _) => Row::Risk(*time, *event, *event as f64 * 0.25 - time),
        };
        self.with_rows(self.rows.iter().map(perfect).collect())
    }
}

fn one_hot(class: usize, classes: usize) -> Vec<f32> {
    (0..classes).map(|index| f32::from(u8::from(index == class))).collect()
}

/// A case and the same rows in another order.
pub(crate) fn with_permuted(case: Case) -> impl Strategy<Value = (Case, Case)> {
    let rows = Just(case.rows.clone()).prop_shuffle();
    rows.prop_map(move |rows| (case.clone(), case.with_rows(rows)))
}

pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    let classes =
        [Task::ImageClassification, Task::TextClassification, Task::TabularClassification].map(classification);
    let numbers = [regression().boxed(), forecast().boxed(), survival().boxed()];
    Union::new(classes.into_iter().map(Strategy::boxed).chain(numbers))
}

/// Scores in eighths, so that there are ties.
fn probabilities(classes: usize) -> impl Strategy<Value = Vec<f32>> {
    vec(0_u8..8, classes).prop_map(|parts| {
        let total: f32 = parts.iter().map(|&part| f32::from(part)).sum();
        match total {
            0.0 => vec![1.0 / parts.len() as f32; parts.len()],
            _ => parts.iter().map(|&part| f32::from(part) / total).collect(),
        }
    })
}

fn classification(task: Task) -> impl Strategy<Value = Case> {
    (1_usize..8, 0_u32..2).prop_flat_map(move |(classes, positive)| {
        let row = (0..classes as i64, probabilities(classes)).prop_map(|(label, scores)| Row::Class(label, scores));
        vec(row, 0..24).prop_map(move |rows| Case::new(task, classes, positive, rows))
    })
}

/// Whole and broken numbers, some equal and some 0.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![(-4_i8..5).prop_map(f64::from), -1e3_f64..1e3]
}

fn regression() -> impl Strategy<Value = Case> {
    let row = (value(), value()).prop_map(|(target, value)| Row::Numbers(0.0, vec![target], vec![value]));
    vec(row, 0..24).prop_map(|rows| Case::new(Task::TabularRegression, 1, 0, rows))
}

fn forecast() -> impl Strategy<Value = Case> {
    (1_usize..4).prop_flat_map(|horizon| {
        let row = (value(), vec(value(), horizon), vec(value(), horizon));
        let row = row.prop_map(|(last, targets, values)| Row::Numbers(last, targets, values));
        vec(row, 0..12).prop_map(move |rows| Case::new(Task::TimeSeriesForecasting, horizon, 0, rows))
    })
}

fn survival() -> impl Strategy<Value = Case> {
    let time = (1_u8..10).prop_map(f64::from);
    let row = (time, 0_i64..2, value()).prop_map(|(time, event, risk)| Row::Risk(time, event, risk));
    vec(row, 0..24).prop_map(|rows| Case::new(Task::TimeToEvent, 1, 0, rows))
}

/// For every task a submission that is right and one that is wrong throughout.
pub(crate) fn good_and_bad() -> Vec<(Case, Case)> {
    let mut pairs = Vec::new();
    for task in [Task::ImageClassification, Task::TextClassification, Task::TabularClassification] {
        for classes in [2, 6] {
            // top-3 and top-5 accuracy need a class that comes after five others.
            if classes == 2 && task == Task::ImageClassification {
                continue;
            }
            let wrong = |label: usize| {
                (0..classes).map(move |class| if class == label { 0.0 } else { share(class, label, classes) })
            };
            let rows = (0..12).map(|row| row % classes);
            let good = rows.clone().map(|label| Row::Class(label as i64, one_hot(label, classes))).collect();
            let bad = rows.map(|label| Row::Class(label as i64, wrong(label).collect())).collect();
            pairs.push((Case::new(task, classes, 1, good), Case::new(task, classes, 1, bad)));
        }
    }
    let targets = [3.0, 4.0, 6.0, 5.0, 9.0];
    let numbers = |predict: fn(f64) -> f64| move |target: f64| Row::Numbers(1.0, vec![target], vec![predict(target)]);
    for task in [Task::TabularRegression, Task::TimeSeriesForecasting] {
        let good = targets.map(numbers(|target| target)).to_vec();
        // On the other side of the last value.
        let bad = targets.map(numbers(|target| 0.5 - target)).to_vec();
        pairs.push((Case::new(task, 1, 0, good), Case::new(task, 1, 0, bad)));
    }
    let times = [1.0, 3.0, 6.0, 8.0, 9.0];
    let good = times.map(|time| Row::Risk(time, 1, -time)).to_vec();
    let bad = times.map(|time| Row::Risk(time, 1, time)).to_vec();
    pairs.push((Case::new(Task::TimeToEvent, 1, 0, good), Case::new(Task::TimeToEvent, 1, 0, bad)));
    pairs
}

/// Of the probability of the wrong classes: most for the one after the label, so that one is predicted.
fn share(class: usize, label: usize, classes: usize) -> f32 {
    let rest = 1.0 / classes as f32;
    let next = 1.0 - rest * (classes - 2) as f32;
    if class == (label + 1) % classes { next } else { rest }
}

#[test]
fn the_wrong_submission_predicts_the_true_class_nowhere() {
    for (_, bad) in good_and_bad() {
        for row in &bad.rows {
            if let Row::Class(label, scores) = row {
                assert_ne!(argmax(scores) as i64, *label);
            }
        }
    }
}
