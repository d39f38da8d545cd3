//! How often each class is true, predicted, and both.

use super::{ClassificationInputs, argmax};
use crate::sum::mean;
use crate::value::MetricValue;

/// Counts of rows; `truth`, `predicted` and `both` have one entry a class.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) correct: u64,
    pub(super) truth: Vec<u64>,
    pub(super) predicted: Vec<u64>,
    pub(super) both: Vec<u64>,
}

/// One class against all others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    pub(super) tp: u64,
    pub(super) fp: u64,
    pub(super) fn_: u64,
    pub(super) tn: u64,
}

impl Counts {
    /// None of no rows, whose number of classes is not bounded by the number of scores.
    pub(super) fn of(inputs: &ClassificationInputs<'_>) -> Option<Self> {
        if inputs.truth.labels.is_empty() {
            return None;
        }
        let none = || vec![0; inputs.truth.classes as usize];
        let mut counts = Self { rows: 0, correct: 0, truth: none(), predicted: none(), both: none() };
        for (scores, label) in inputs.rows() {
            let class = argmax(scores);
            counts.rows += 1;
            counts.truth[label] += 1;
            counts.predicted[class] += 1;
            if class == label {
                counts.correct += 1;
                counts.both[class] += 1;
            }
        }
        Some(counts)
    }

    pub(super) fn rates(&self, class: usize) -> Rates {
        let tp = self.both[class];
        let (fp, fn_) = (self.predicted[class] - tp, self.truth[class] - tp);
        Rates { tp, fp, fn_, tn: self.rows - tp - fp - fn_ }
    }

    /// The classes of at least one row, true or predicted.
    pub(super) fn present(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.truth.len()).filter(|&class| self.truth[class] + self.predicted[class] > 0)
    }
}

/// What `compute` makes of the counts; undefined of no rows.
pub(super) fn of_counts(inputs: &ClassificationInputs<'_>, compute: impl FnOnce(&Counts) -> f64) -> MetricValue {
    MetricValue::of_mean(Counts::of(inputs).map(|counts| compute(&counts)))
}

/// With two classes the score of the positive one, else the mean over the classes that occur.
pub(super) fn averaged(inputs: &ClassificationInputs<'_>, score: impl Fn(Rates) -> f64) -> MetricValue {
    of_counts(inputs, |counts| match inputs.truth.binary() {
        Some(positive) => score(counts.rates(positive)),
        None => mean(counts.present().map(|class| score(counts.rates(class)))).unwrap_or(0.0),
    })
}

/// 0 where both are 0.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
