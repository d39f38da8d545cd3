//! Metrics of single-label classification.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::{Direction, Metric, Range, Reads, Unit};
use crate::value::MetricValue;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassificationTruth<'a> {
    /// The true classes, 0 to `classes` − 1.
    pub labels: &'a [i64],
    /// Number of classes, in the order that the owner declared.
    pub classes: u32,
    /// With two classes: the one that precision, recall and the like are about.
    pub positive: u32,
    /// The owner declared that the classes are grades, in ascending order.
    pub ordinal: bool,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassificationInputs<'a> {
    /// The truth.
    pub truth: ClassificationTruth<'a>,
    /// One row of `classes` scores for each label, row after row. The predicted class is the index of the largest score, the
    /// first of equals.
    pub scores: &'a [f32],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Classification;

impl Family for Classification {
    type Truth<'a> = ClassificationTruth<'a>;
    type Inputs<'a> = ClassificationInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[Entry {
        metric: Metric {
            name: "accuracy",
            label: "Accuracy",
            description: "The share of rows whose predicted class is the true one.",
            direction: Direction::HigherIsBetter,
            ranks_by_magnitude: false,
            range: Range::SHARE,
            unit: Unit::Share,
            reads: Reads::Class,
            formula: "|{i : ŷᵢ = yᵢ}| / n",
            edge_cases: "of equal scores the lowest class",
            undefined_when: "there is no row",
            reference: "scikit-learn 1.9, sklearn.metrics.accuracy_score; of equal scores the lowest class, as numpy.argmax",
        },
        compute: |inputs, _| {
            let width = inputs.truth.classes as usize;
            share_correct(inputs.scores.chunks_exact(width.max(1)).map(argmax), inputs.truth.labels)
        },
        degenerate: |_, _| None,
    }];

    fn check_truth(truth: &ClassificationTruth<'_>) -> Result<(), InputError> {
        let classes = truth.classes;
        match truth.labels.iter().position(|label| !(0..i64::from(classes)).contains(label)) {
            Some(row) => {
                let (label, last) = (truth.labels[row], classes.saturating_sub(1));
                Err(InputError::Truth { row, reason: format!("the label is {label}, classes are 0 to {last}") })
            }
            None => Ok(()),
        }
    }

    fn check(inputs: &ClassificationInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        let width = inputs.truth.classes as usize;
        let (expected, found) = (inputs.truth.labels.len().saturating_mul(width), inputs.scores.len());
        if found != expected {
            return Err(InputError::Length { what: "scores", expected, found });
        }
        match inputs.scores.iter().position(|score| !score.is_finite()) {
            Some(position) => {
                let (row, class, score) = (position / width.max(1), position % width.max(1), inputs.scores[position]);
                Err(InputError::Prediction { row, reason: format!("the score of class {class} is {score}") })
            }
            None => Ok(()),
        }
    }
}

/// The index of the largest score, the first of equals; 0 for no scores. A NaN is never the largest.
pub fn argmax(scores: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, &score) in scores.iter().enumerate() {
        if score > best.1 {
            best = (index, score);
        }
    }
    best.0
}

/// Counts in integers and divides once, so that the value is the double nearest to the true quotient.
fn share_correct(predictions: impl Iterator<Item = usize>, labels: &[i64]) -> MetricValue {
    if labels.is_empty() {
        return MetricValue::Undefined("there is no row".into());
    }
    let correct = predictions.zip(labels).filter(|&(class, &label)| usize::try_from(label) == Ok(class)).count();
    MetricValue::Value(correct as f64 / labels.len() as f64)
}
