//! Metrics of single-label classification.

use crate::registry::{Direction, Metric, Range, Task, Unit};
use crate::value::MetricValue;

/// What the metrics of classification are computed from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassificationInputs<'a> {
    /// One row of `classes` scores for each label, row after row. The predicted class is the index of the largest score, the
    /// first of equals.
    pub scores: &'a [f32],
    /// Number of classes.
    pub classes: u32,
    /// The true classes, 0 to `classes` − 1.
    pub labels: &'a [i64],
}

/// Why inputs cannot be scored. None of these is a bad prediction: each is a fault of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// There is no metric of this name.
    #[error("no metric `{0}` for classification")]
    UnknownMetric(String),
    /// Scores and labels do not fit.
    #[error("{scores} scores for {rows} rows of {classes} classes")]
    Scores {
        /// Number of scores.
        scores: usize,
        /// Number of labels.
        rows: usize,
        /// Number of classes.
        classes: u32,
    },
    /// Predictions and labels do not fit.
    #[error("{predictions} predictions for {rows} rows")]
    Predictions {
        /// Number of predictions.
        predictions: usize,
        /// Number of labels.
        rows: usize,
    },
    /// A score is NaN or infinite.
    #[error("row {row} has a score that is not finite")]
    NotFinite {
        /// The first such row.
        row: usize,
    },
    /// A label is no class.
    #[error("the label of row {row} is {label}, classes are 0 to {}", classes.saturating_sub(1))]
    Label {
        /// The first such row.
        row: usize,
        /// Its label.
        label: i64,
        /// Number of classes.
        classes: u32,
    },
}

/// Computes one metric.
pub fn evaluate(metric: &str, inputs: &ClassificationInputs<'_>) -> Result<MetricValue, InputError> {
    let entry = METRICS.iter().find(|entry| entry.metric.name == metric);
    let entry = entry.ok_or_else(|| InputError::UnknownMetric(metric.chars().take(80).collect()))?;
    let width = inputs.check()?;
    Ok((entry.compute)(&Checked { scores: inputs.scores, width, labels: inputs.labels }))
}

impl ClassificationInputs<'_> {
    /// Checks what every metric relies on; gives the number of classes.
    fn check(&self) -> Result<usize, InputError> {
        let Self { scores, classes, labels } = *self;
        // Where usize has 32 bits, so many classes cannot have scores either.
        let width = usize::try_from(classes).unwrap_or(usize::MAX);
        if labels.len().checked_mul(width) != Some(scores.len()) {
            return Err(InputError::Scores { scores: scores.len(), rows: labels.len(), classes });
        }
        if let Some(row) = labels.iter().position(|&label| !(0..i64::from(classes)).contains(&label)) {
            return Err(InputError::Label { row, label: labels[row], classes });
        }
        match scores.iter().position(|score| !score.is_finite()) {
            Some(position) => Err(InputError::NotFinite { row: position / width.max(1) }),
            None => Ok(width),
        }
    }
}

/// Inputs whose lengths fit, whose labels are classes and whose scores are finite.
struct Checked<'a> {
    scores: &'a [f32],
    /// Scores of one row; 0 only where there is no row.
    width: usize,
    labels: &'a [i64],
}

/// A registry entry with its function.
pub(crate) struct Entry {
    pub(crate) metric: Metric,
    compute: fn(&Checked<'_>) -> MetricValue,
}

pub(crate) const METRICS: &[Entry] = &[Entry {
    metric: Metric {
        name: "accuracy",
        label: "Accuracy",
        description: "The share of rows whose predicted class is the true one.",
        task: Task::Classification,
        direction: Direction::HigherIsBetter,
        range: Range { min: Some(0.0), max: Some(1.0) },
        unit: Unit::Share,
        formula: "|{i : ŷᵢ = yᵢ}| / n",
        undefined_when: "there is no row",
        reference: "scikit-learn 1.9, sklearn.metrics.accuracy_score; of equal scores the lowest class, as numpy.argmax",
    },
    compute: |inputs| {
        let rows = inputs.scores.chunks_exact(inputs.width.max(1));
        share_correct(rows.map(argmax), inputs.labels)
    },
}];

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

/// The share of rows whose predicted class is the true one, from class indices.
///
/// Both sides are compared as they are: a prediction that is no class is wrong.
pub fn accuracy(predictions: &[usize], labels: &[i64]) -> Result<MetricValue, InputError> {
    if predictions.len() != labels.len() {
        return Err(InputError::Predictions { predictions: predictions.len(), rows: labels.len() });
    }
    Ok(share_correct(predictions.iter().copied(), labels))
}

/// Counts in integers and divides once, so that the value is the double nearest to the true quotient.
fn share_correct(predictions: impl Iterator<Item = usize>, labels: &[i64]) -> MetricValue {
    if labels.is_empty() {
        return MetricValue::Undefined("there is no row".into());
    }
    let correct = predictions.zip(labels).filter(|&(class, &label)| usize::try_from(label) == Ok(class)).count();
    MetricValue::Value(correct as f64 / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accuracy_of(scores: &[f32], classes: u32, labels: &[i64]) -> Result<MetricValue, InputError> {
        evaluate("accuracy", &ClassificationInputs { scores, classes, labels })
    }

    #[test]
    fn accuracy_counts_rows_whose_largest_score_is_the_label() {
        let scores = [0.1, 0.9, 0.0, 2.0, -1.0, 0.5, -3.0, -2.0, -4.0];
        assert_eq!(accuracy_of(&scores, 3, &[1, 0, 1]), Ok(MetricValue::Value(1.0)));
        assert_eq!(accuracy_of(&scores, 3, &[1, 2, 2]), Ok(MetricValue::Value(1.0 / 3.0)));
        assert_eq!(accuracy_of(&scores, 3, &[0, 2, 2]), Ok(MetricValue::Value(0.0)));
    }

    #[test]
    fn the_first_of_equal_scores_wins() {
        assert_eq!(argmax(&[1.0, 2.0, 2.0]), 1);
        assert_eq!(argmax(&[0.0, -0.0]), 0);
        assert_eq!(argmax(&[f32::MIN, f32::MIN]), 0);
        assert_eq!(accuracy_of(&[5.0; 6], 3, &[0, 1]), Ok(MetricValue::Value(0.5)));
    }

    #[test]
    fn no_rows_have_no_accuracy() {
        let undefined = Ok(MetricValue::Undefined("there is no row".into()));
        assert_eq!(accuracy_of(&[], 3, &[]), undefined);
        assert_eq!(accuracy_of(&[], 0, &[]), undefined);
        assert_eq!(accuracy(&[], &[]), undefined);
    }

    #[test]
    fn inputs_that_do_not_fit_are_typed_errors() {
        let scores = |scores, rows, classes| Err(InputError::Scores { scores, rows, classes });
        assert_eq!(accuracy_of(&[0.0; 5], 3, &[0, 0]), scores(5, 2, 3));
        assert_eq!(accuracy_of(&[0.0; 7], 3, &[0, 0]), scores(7, 2, 3));
        assert_eq!(accuracy_of(&[0.0], 0, &[]), scores(1, 0, 0));
        assert_eq!(accuracy_of(&[], 0, &[0]), Err(InputError::Label { row: 0, label: 0, classes: 0 }));
        assert_eq!(accuracy_of(&[0.0; 6], 3, &[0, 3]), Err(InputError::Label { row: 1, label: 3, classes: 3 }));
        assert_eq!(accuracy_of(&[0.0; 6], 3, &[-1, 0]), Err(InputError::Label { row: 0, label: -1, classes: 3 }));
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut row = [0.0; 6];
            row[3] = wrong;
            assert_eq!(accuracy_of(&row, 3, &[0, 0]), Err(InputError::NotFinite { row: 1 }));
        }
        assert_eq!(accuracy(&[1], &[]), Err(InputError::Predictions { predictions: 1, rows: 0 }));
        let none = ClassificationInputs { scores: &[], classes: 2, labels: &[] };
        assert_eq!(evaluate("f0", &none), Err(InputError::UnknownMetric("f0".into())));
    }

    #[test]
    fn known_counts_give_the_nearest_doubles() {
        // The centroid solution on the canonical data: 1004 and 1014 of 1024 rows.
        for (correct, expected) in [(1004, 0.980_468_75), (1014, 0.990_234_375)] {
            let labels: Vec<i64> = (0..1024).map(|row| i64::from(row >= correct)).collect();
            assert_eq!(accuracy(&[0; 1024], &labels), Ok(MetricValue::Value(expected)));
        }
    }

    proptest! {
        #[test]
        fn scores_and_their_classes_give_the_same_accuracy(
            rows in prop::collection::vec((prop::array::uniform4(-2_i8..3), 0_i64..4), 1..50),
        ) {
            let scores: Vec<f32> = rows.iter().flat_map(|(scores, _)| scores.map(f32::from)).collect();
            let labels: Vec<i64> = rows.iter().map(|&(_, label)| label).collect();
            let classes: Vec<usize> = scores.chunks(4).map(argmax).collect();
            let value = accuracy_of(&scores, 4, &labels);
            prop_assert_eq!(&value, &accuracy(&classes, &labels));
            let share = value.ok().and_then(|value| value.value());
            prop_assert!(share.is_some_and(|share| (0.0..=1.0).contains(&share)));
        }

        #[test]
        fn the_order_of_rows_does_not_matter(
            rows in prop::collection::vec((0_usize..4, 0_i64..4), 1..50),
        ) {
            let (classes, labels): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let (reversed_classes, reversed_labels): (Vec<_>, Vec<_>) = rows.iter().rev().copied().unzip();
            prop_assert_eq!(accuracy(&classes, &labels), accuracy(&reversed_classes, &reversed_labels));
        }

        #[test]
        fn no_input_panics(scores in prop::collection::vec(any::<f32>(), 0..20), classes: u32, labels: Vec<i64>) {
            let _ = accuracy_of(&scores, classes, &labels);
            let _ = accuracy_of(&scores, classes % 4, &labels);
        }
    }
}
