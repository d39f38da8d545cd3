//! The mean overlap of detections with what they detect.

use super::{Corners, DetectionInputs};
use crate::inputs::Options;
use crate::matching::nothing;
use crate::objects::{Group, for_each_group};
use crate::sum::Sum;
use crate::value::MetricValue;

/// A detection and an object that overlap, by their places in their group.
#[derive(Debug, Clone, Copy)]
struct Pair {
    overlap: f64,
    prediction: usize,
    object: usize,
}

impl Pair {
    /// The larger overlap first; of equals the earlier detection, then the earlier object.
    fn key(&self) -> (std::cmp::Reverse<u64>, usize, usize) {
        // Overlaps are above 0, where the order of doubles is that of their bits.
        (std::cmp::Reverse(self.overlap.to_bits()), self.prediction, self.object)
    }
}

/// The sum of `measure` over matched pairs and `unmatched` for each detection and each object without a partner, over the
/// number of all of these. Detections below the score threshold are left out.
pub(super) fn mean_overlap(
    inputs: &DetectionInputs<'_>,
    options: &Options,
    unmatched: f64,
    measure: fn(&Corners, &Corners) -> f64,
) -> MetricValue {
    let (mut total, mut matched, mut alone) = (Sum::default(), 0_u64, 0_u64);
    for_each_group(inputs.truth.objects(), inputs.objects(), inputs.scores, options.score_threshold, |_, group| {
        let pairs = match_by_overlap(inputs, group);
        alone += (group.predicted.len() + group.truth.len() - 2 * pairs.len()) as u64;
        matched += pairs.len() as u64;
        for pair in pairs {
            let (prediction, object) = (group.predicted[pair.prediction], group.truth[pair.object]);
            total.add(measure(&Corners::of(inputs.boxes, prediction), &Corners::of(inputs.truth.boxes, object)));
        }
    });
    match matched + alone {
        0 => nothing(),
        all => MetricValue::Value((total.value() + alone as f64 * unmatched) / all as f64),
    }
}

/// Pairs each detection and each object at most once: always the two that overlap most.
fn match_by_overlap(inputs: &DetectionInputs<'_>, group: &Group<'_>) -> Vec<Pair> {
    let most = group.truth.len();
    let mut candidates = Vec::new();
    let mut of_one = Vec::new();
    for (object, &place) in group.truth.iter().enumerate() {
        let corners = Corners::of(inputs.truth.boxes, place);
        of_one.clear();
        of_one.extend(group.predicted.iter().enumerate().filter_map(|(prediction, &place)| {
            let overlap = Corners::of(inputs.boxes, place).iou(&corners);
            (overlap > 0.0).then_some(Pair { overlap, prediction, object })
        }));
        // The other objects can take no more than `most` − 1 of these, so that the rest is never reached.
        if of_one.len() > most {
            of_one.select_nth_unstable_by_key(most - 1, Pair::key);
            of_one.truncate(most);
        }
        candidates.extend_from_slice(&of_one);
    }
    candidates.sort_unstable_by_key(Pair::key);
    let (mut free_predictions, mut free_objects) = (vec![true; group.predicted.len()], vec![true; most]);
    candidates.retain(|pair| {
        let free = free_predictions[pair.prediction] && free_objects[pair.object];
        if free {
            free_predictions[pair.prediction] = false;
            free_objects[pair.object] = false;
        }
        free
    });
    candidates
}

#[cfg(test)]
mod tests {
    use super::super::DetectionTruth;
    use super::*;

    fn inputs<'a>(
        truth: &'a [f32],
        boxes: &'a [f32],
        zeros: &'a [i64],
        counts: &'a [[i32; 1]; 2],
    ) -> DetectionInputs<'a> {
        let labels = &zeros[..boxes.len() / 4];
        let truth = DetectionTruth { counts: &counts[0], boxes: truth, labels: &zeros[..truth.len() / 4], classes: 1 };
        DetectionInputs { truth, counts: &counts[1], boxes, labels, scores: &[0.9, 0.8, 0.7, 0.6, 0.6][..labels.len()] }
    }

    #[test]
    fn the_pair_that_overlaps_most_comes_before_the_highest_score() {
        let (truth, boxes) = ([0.0, 0.0, 4.0, 1.0], [0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 3.0, 1.0]);
        let value = mean_overlap(&inputs(&truth, &boxes, &[0; 2], &[[1], [2]]), &Options::default(), 0.0, Corners::iou);
        assert_eq!(value, MetricValue::Value(0.75 / 2.0));
    }

    #[test]
    fn an_object_whose_best_detections_are_taken_gets_the_next() {
        let truth = [0.0, 0.0, 4.0, 1.0, 0.0, 0.0, 4.0, 1.0];
        let boxes = [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 4.0, 1.0, 0.0, 0.0, 2.0, 1.0, 0.0, 0.0, 1.0, 1.0];
        let inputs = inputs(&truth, &boxes, &[0; 4], &[[2], [4]]);
        let value = mean_overlap(&inputs, &Options::default(), -1.0, Corners::iou);
        assert_eq!(value, MetricValue::Value((1.0 + 0.5 - 2.0) / 4.0));
    }
}
