//! Which predicted object is which of the truth, and what is counted from that.

use crate::objects::NO_OBJECT;
use crate::sum::Sum;
use crate::value::MetricValue;

/// The overlap (IoU) from which a prediction can be an object of the truth, where a metric has one such threshold.
pub(crate) const OVERLAP: f64 = 0.5;

/// Matches predictions, which come the highest score first, to the truth one to one: each takes the free object with which
/// it overlaps most, the last of equals, if that overlap is `threshold` or more. The rule of COCOeval.
pub(crate) fn by_score(
    predicted: usize,
    threshold: f64,
    free: &mut [bool],
    overlap: impl Fn(usize, usize) -> f64,
    mut matched: impl FnMut(usize, usize, f64),
) {
    free.fill(true);
    for prediction in 0..predicted {
        let mut best = (None, threshold);
        for (object, _) in free.iter().enumerate().filter(|&(_, &free)| free) {
            let overlap = overlap(prediction, object);
            if overlap >= best.1 {
                best = (Some(object), overlap);
            }
        }
        if let (Some(object), overlap) = best {
            free[object] = false;
            matched(prediction, object, overlap);
        }
    }
}

/// What is counted of a matching, over all images and classes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Objects of the truth.
    pub(crate) objects: u64,
    /// Predictions.
    pub(crate) predicted: u64,
    /// Predictions that are an object.
    pub(crate) matched: u64,
    /// Over these, 1 − IoU.
    pub(crate) missing_overlap: Sum,
}

impl Tally {
    /// TP / (TP + FP + FN).
    pub(crate) fn accuracy(&self) -> MetricValue {
        self.of_all(self.matched as f64)
    }

    /// TP / (TP + FP); 0 where objects exist and nothing is predicted.
    pub(crate) fn precision(&self) -> MetricValue {
        match (self.predicted, self.objects) {
            (0, 0) => nothing(),
            (0, _) => MetricValue::Value(0.0),
            _ => MetricValue::Value(self.matched as f64 / self.predicted as f64),
        }
    }

    /// TP / (TP + FN).
    pub(crate) fn recall(&self) -> MetricValue {
        match self.objects {
            0 => MetricValue::Undefined(NO_OBJECT.into()),
            objects => MetricValue::Value(self.matched as f64 / objects as f64),
        }
    }

    /// 2 TP / (2 TP + FP + FN).
    pub(crate) fn f1(&self) -> MetricValue {
        match self.predicted + self.objects {
            0 => nothing(),
            both => MetricValue::Value(2.0 * self.matched as f64 / both as f64),
        }
    }

    /// The LRP error (Oksuz and others 2018) at an IoU of 0.5: (Σ (1 − IoU) / 0.5 + FP + FN) / (TP + FP + FN).
    pub(crate) fn localisation_recall_precision(&self) -> MetricValue {
        let wrong = (self.predicted - self.matched) + (self.objects - self.matched);
        self.of_all(self.missing_overlap.value() / (1.0 - OVERLAP) + wrong as f64)
    }

    /// Divided by TP + FP + FN.
    fn of_all(&self, numerator: f64) -> MetricValue {
        match self.predicted + self.objects - self.matched {
            0 => nothing(),
            all => MetricValue::Value(numerator / all as f64),
        }
    }
}

/// The value of what divides by zero objects and zero predictions.
pub(crate) fn nothing() -> MetricValue {
    MetricValue::Undefined("there is neither an object in the truth nor a predicted one that counts".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_matched_once_and_by_the_highest_score() {
        let overlaps = [[0.6, 0.9], [0.7, 0.95], [0.8, 0.5]];
        let mut free = [false; 2];
        let mut found = Vec::new();
        by_score(3, 0.55, &mut free, |one, other| overlaps[one][other], |one, other, _| found.push((one, other)));
        assert_eq!(found, [(0, 1), (1, 0)]);
    }

    #[test]
    fn of_equal_overlaps_the_last_object_is_taken_and_the_threshold_itself_is_enough() {
        let mut free = [false; 3];
        let mut found = Vec::new();
        by_score(1, 0.5, &mut free, |_, _| 0.5, |_, object, overlap| found.push((object, overlap)));
        assert_eq!(found, [(2, 0.5)]);
    }

    #[test]
    fn nothing_predicted_is_0_where_there_are_objects_and_undefined_where_there_are_none() {
        let missed = Tally { objects: 2, ..Tally::default() };
        let values = [missed.accuracy(), missed.precision(), missed.recall(), missed.f1()];
        assert!(values.iter().all(|value| *value == MetricValue::Value(0.0)));
        assert_eq!(missed.localisation_recall_precision(), MetricValue::Value(1.0));
        let empty = Tally::default();
        let values = [empty.accuracy(), empty.precision(), empty.recall(), empty.f1()];
        assert!(values.iter().all(|value| value.value().is_none()));
        assert_eq!(empty.localisation_recall_precision().value(), None);
    }
}
