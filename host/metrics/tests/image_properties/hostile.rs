//! Inputs of any lengths and values: an error or a finite value, never a panic.

use proptest::prelude::*;
use thimble_metrics::{
    DetectionInputs, DetectionTruth, Inputs, InstanceInputs, InstanceTruth, KeypointInputs, KeypointTruth, Options,
    SegmentationInputs, SegmentationTruth, Task, Truth, average_precision_per_class, degenerate, evaluate, metrics,
};

/// What a list of objects, pixels or points may hold. Half of the values are such as are right.
#[derive(Debug, Clone)]
struct Lists {
    counts: Vec<i32>,
    labels: Vec<i64>,
    singles: Vec<f32>,
    scores: Vec<f32>,
    bytes: Vec<u8>,
}

fn any_lists() -> impl Strategy<Value = Lists> {
    let counts = prop::collection::vec(prop_oneof![4 => 0_i32..3, 1 => any::<i32>()], 0..3);
    let labels = prop::collection::vec(prop_oneof![4 => 0_i64..2, 1 => any::<i64>()], 0..4);
    let single = prop_oneof![20 => (-4_i8..8).prop_map(f32::from), 1 => any::<f32>(), 1 => Just(f32::NAN)];
    let score = prop_oneof![20 => 0.0_f32..=1.0, 1 => any::<f32>(), 1 => Just(-0.0_f32)];
    let bytes = prop::collection::vec(prop_oneof![20 => 0_u8..2, 1 => any::<u8>()], 0..9);
    let singles = prop::collection::vec(single, 0..13);
    (counts, labels, singles, prop::collection::vec(score, 0..4), bytes)
        .prop_map(|(counts, labels, singles, scores, bytes)| Lists { counts, labels, singles, scores, bytes })
}

impl Lists {
    /// As many labels, scores, boxes and masks as there are objects, where that is few: else nothing else is reached.
    fn fit(mut self, pixels: usize) -> Self {
        let objects: i64 = self.counts.iter().map(|&count| i64::from(count)).sum();
        if let Ok(objects @ 0..=8) = usize::try_from(objects) {
            self.labels = cycle(&self.labels, objects);
            self.scores = cycle(&self.scores, objects);
            self.singles = cycle(&self.singles, 4 * objects);
            for corners in self.singles.chunks_exact_mut(4) {
                // Numbers become corners of a box; what is no number stays none.
                corners[2] = corners[0] + corners[2].abs();
                corners[3] = corners[1] + corners[3].abs();
            }
            self.bytes = cycle(&self.bytes, pixels.min(16) * objects);
        }
        self
    }
}

/// A list of some length, of the values of another over and over.
fn cycle<T: Copy + Default>(values: &[T], length: usize) -> Vec<T> {
    let mut cycled: Vec<_> = values.iter().copied().cycle().take(length).collect();
    cycled.resize(length, T::default());
    cycled
}

fn any_size() -> impl Strategy<Value = [u32; 2]> {
    let side = || prop_oneof![8 => 1_u32..4, 1 => any::<u32>(), 1 => Just(0)];
    [side(), side()]
}

fn any_number() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1_u32..4, 1 => any::<u32>()]
}

fn score(task: Task, inputs: &Inputs<'_>, truth: &Truth<'_>, options: &Options) -> Result<(), TestCaseError> {
    for metric in metrics(task) {
        let value = evaluate(task, metric.name, inputs, options);
        if let Some(value) = value.iter().find_map(|value| value.value()) {
            prop_assert!(value.is_finite(), "{} {value}", metric.name);
        }
        let refused = degenerate(task, metric.name, truth, options);
        prop_assert!(refused.is_ok() || value.is_err(), "{}: {refused:?}, but {value:?}", metric.name);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_objects_end_in_an_error_or_in_a_number(
        own in any_lists(),
        given in any_lists(),
        size in any_size(),
        classes in any_number(),
        fit in prop::bool::weighted(0.8),
        score_threshold in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let options = Options { score_threshold, ..Options::default() };
        let pixels = size.iter().fold(1_usize, |pixels, &side| pixels.saturating_mul(side as usize));
        let (own, given) = if fit {
            let given = Lists { counts: cycle(&given.counts, own.counts.len()), ..given };
            (own.fit(pixels), given.fit(pixels))
        } else {
            (own, given)
        };
        let counts = &given.counts;
        let (boxes, labels) = (&own.singles, &own.labels);
        let truth = DetectionTruth { counts: &own.counts, boxes, labels, classes };
        let inputs = DetectionInputs { truth, counts, boxes: &given.singles, labels: &given.labels, scores: &given.scores };
        score(Task::ObjectDetection, &Inputs::Detection(inputs), &Truth::Detection(truth), &options)?;
        if let Ok(found) = average_precision_per_class(&inputs) {
            prop_assert_eq!(found.len(), classes as usize);
        }
        let truth = InstanceTruth { size, counts: &own.counts, masks: &own.bytes, labels, classes };
        let inputs = InstanceInputs { truth, counts, masks: &given.bytes, labels: &given.labels, scores: &given.scores };
        score(Task::InstanceSegmentation, &Inputs::Instances(inputs), &Truth::Instances(truth), &options)?;
    }

    #[test]
    fn any_pixels_end_in_an_error_or_in_a_number(
        own in any_lists(),
        given in any_lists(),
        size in any_size(),
        classes in any_number(),
        fit in prop::bool::weighted(0.8),
        ignore in any::<Option<u8>>(),
    ) {
        let pixels = size.iter().fold(1_usize, |pixels, &side| pixels.saturating_mul(side as usize));
        let (own, masks) = match pixels {
            1..=16 if fit => (cycle(&own.bytes, 2 * pixels), cycle(&given.bytes, 2 * pixels)),
            _ => (own.bytes, given.bytes),
        };
        let truth = SegmentationTruth { size, masks: &own, classes, ignore };
        let inputs = SegmentationInputs { truth, masks: &masks };
        score(Task::SemanticSegmentation, &Inputs::Segmentation(inputs), &Truth::Segmentation(truth), &Options::default())?;
    }

    #[test]
    fn any_points_end_in_an_error_or_in_a_number(
        own in any_lists(),
        given in any_lists(),
        size in any_size(),
        points in prop_oneof![8 => 1_usize..3, 1 => any::<usize>()],
        fit in prop::bool::weighted(0.8),
        sigmas in prop::collection::vec(prop_oneof![4 => 0.01_f64..1.0, 1 => any::<f64>()], 0..3),
        areas in prop::option::of(prop::collection::vec(prop_oneof![4 => 0.1_f64..9.0, 1 => any::<f64>()], 0..3)),
        boxes in prop::option::of(prop::collection::vec(prop_oneof![4 => (0_u8..9).prop_map(f32::from), 1 => any::<f32>()], 0..9)),
    ) {
        let length = |length: usize, rows: usize| if fit { points.saturating_mul(rows).min(8) } else { length };
        let (visible, claimed) = (cycle(&own.bytes, length(own.bytes.len(), 2)), cycle(&given.scores, length(given.scores.len(), 2)));
        let places = [&own.singles, &given.singles].map(|places| cycle(places, length(places.len(), 4)));
        let (sigmas, areas) = (cycle(&sigmas, length(sigmas.len(), 1)), areas.map(|areas| cycle(&areas, 2)));
        let boxes = boxes.map(|boxes| cycle(&boxes, 8));
        let truth = KeypointTruth {
            size,
            points,
            places: &places[0],
            visibility: &visible,
            boxes: boxes.as_deref(),
            areas: areas.as_deref(),
            sigmas: &sigmas,
        };
        let inputs = KeypointInputs { truth, places: &places[1], visibility: &claimed };
        score(Task::KeypointDetection, &Inputs::Keypoints(inputs), &Truth::Keypoints(truth), &Options::default())?;
    }
}
