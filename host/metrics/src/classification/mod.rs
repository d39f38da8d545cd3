//! Metrics of single-label classification.

mod agreement;
mod averages;
mod counts;
mod probabilities;
mod ranking;

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;
use crate::sum::sum;
use crate::value::NO_ROW;

/// How far from 1 the scores of a row may sum where a metric reads probabilities.
const SUM_TOLERANCE: f64 = 1e-3;

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

impl ClassificationTruth<'_> {
    /// With two classes, the one that binary metrics are about.
    const fn binary(&self) -> Option<usize> {
        if self.classes == 2 { Some(self.positive as usize) } else { None }
    }

    /// The lowest class of no row. Looks at one class more than there are rows at most, so that it needs no more memory than
    /// the rows do.
    fn absent_class(&self) -> Option<usize> {
        let mut seen = vec![false; (self.classes as usize).min(self.labels.len().saturating_add(1))];
        for &label in self.labels {
            if let Some(seen) = usize::try_from(label).ok().and_then(|label| seen.get_mut(label)) {
                *seen = true;
            }
        }
        seen.iter().position(|seen| !seen)
    }

    /// The class of every row, if all are of one.
    fn only_class(&self) -> Option<i64> {
        let first = *self.labels.first()?;
        self.labels.iter().all(|&label| label == first).then_some(first)
    }
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

impl<'a> ClassificationInputs<'a> {
    /// The scores and the true class of each row.
    fn rows(&self) -> impl Iterator<Item = (&'a [f32], usize)> + use<'a> {
        let width = (self.truth.classes as usize).max(1);
        self.scores.chunks_exact(width).zip(self.truth.labels).map(|(scores, &label)| (scores, label as usize))
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Classification;

impl Family for Classification {
    type Truth<'a> = ClassificationTruth<'a>;
    type Inputs<'a> = ClassificationInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[
        averages::ACCURACY,
        averages::HAMMING,
        averages::PRECISION,
        averages::RECALL,
        averages::F1,
        averages::FBETA_HALF,
        averages::FBETA_2,
        averages::F1_WEIGHTED,
        averages::F1_MICRO,
        averages::JACCARD,
        averages::SPECIFICITY,
        averages::NPV,
        averages::BALANCED_ACCURACY,
        agreement::KAPPA,
        agreement::QWK,
        agreement::MCC,
        ranking::TOP3,
        ranking::TOP5,
        ranking::AUC_ROC,
        ranking::AUC,
        ranking::AUC_PR,
        ranking::GINI,
        ranking::NORMALIZED_GINI,
        probabilities::LOG_LOSS,
        probabilities::LOSS,
        probabilities::BRIER,
    ];

    fn check_truth(truth: &ClassificationTruth<'_>) -> Result<(), InputError> {
        let classes = truth.classes;
        if classes == 2 && truth.positive > 1 {
            let reason = format!("is {}, classes are 0 and 1", truth.positive);
            return Err(InputError::Setting { name: "positive", reason });
        }
        match truth.labels.iter().position(|label| !(0..i64::from(classes)).contains(label)) {
            Some(row) => {
                let (label, last) = (truth.labels[row], classes.saturating_sub(1));
                Err(InputError::Truth { row, reason: format!("the label is {label}, classes are 0 to {last}") })
            }
            None => Ok(()),
        }
    }

    fn check(inputs: &ClassificationInputs<'_>, reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        let width = inputs.truth.classes as usize;
        let (expected, found) = (inputs.truth.labels.len().saturating_mul(width), inputs.scores.len());
        if found != expected {
            return Err(InputError::Length { what: "scores", expected, found });
        }
        for (row, scores) in inputs.scores.chunks_exact(width.max(1)).enumerate() {
            check_row(scores, reads).map_err(|reason| InputError::Prediction { row, reason })?;
        }
        Ok(())
    }
}

fn check_row(scores: &[f32], reads: Reads) -> Result<(), String> {
    if let Some(class) = scores.iter().position(|score| !score.is_finite()) {
        return Err(format!("the score of class {class} is {}", scores[class]));
    }
    if reads != Reads::Probabilities {
        return Ok(());
    }
    if let Some(class) = scores.iter().position(|score| !(0.0..=1.0).contains(score)) {
        return Err(format!("the score of class {class} is {}, a probability is 0 to 1", scores[class]));
    }
    let sum = row_sum(scores);
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(format!("the scores sum to {sum}, probabilities sum to 1 within {SUM_TOLERANCE}"));
    }
    Ok(())
}

fn row_sum(scores: &[f32]) -> f64 {
    sum(scores.iter().map(|&score| f64::from(score)))
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

/// Why no metric of the family says anything: there is nothing to score.
fn no_row(truth: &ClassificationTruth<'_>) -> Option<String> {
    truth.labels.is_empty().then(|| NO_ROW.into())
}

/// Why a metric that tells classes apart says nothing.
fn one_class(truth: &ClassificationTruth<'_>) -> Option<String> {
    no_row(truth).or_else(|| truth.only_class().map(|class| format!("every row has class {class}")))
}

/// Why a metric about the positive class says nothing.
fn no_positive(truth: &ClassificationTruth<'_>) -> Option<String> {
    let missing = |&class: &usize| !truth.labels.contains(&(class as i64));
    no_row(truth)
        .or_else(|| truth.binary().filter(missing).map(|class| format!("no row has the positive class, {class}")))
}

/// Why a metric about the rows that are not of a class says nothing: with one class only there is none.
fn no_negative(truth: &ClassificationTruth<'_>) -> Option<String> {
    let only = truth.only_class().filter(|&class| truth.binary().is_none_or(|positive| class == positive as i64));
    no_row(truth).or_else(|| only.map(|class| format!("every row has class {class}, so none is negative")))
}

/// Why a metric that needs rows of every class says nothing.
fn absent_class(truth: &ClassificationTruth<'_>) -> Option<String> {
    no_row(truth)
        .or_else(|| truth.absent_class().map(|class| format!("no row has class {class}")))
        .or_else(|| one_class(truth))
}
