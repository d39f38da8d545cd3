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
    let single = prop_oneof![8 => (-4_i8..8).prop_map(f32::from), 1 => any::<f32>(), 1 => Just(f32::NAN)];
    let score = prop_oneof![8 => 0.0_f32..=1.0, 1 => any::<f32>(), 1 => Just(-0.0_f32)];
    let bytes = prop::collection::vec(prop_oneof![8 => 0_u8..2, 1 => any::<u8>()], 0..9);
    let singles = prop::collection::vec(single, 0..13);
    (counts, labels, singles, prop::collection::vec(score, 0..4), bytes)
        .prop_map(|(counts, labels, singles, scores, bytes)| Lists { counts, labels, singles, scores, bytes })
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
        same in any::<bool>(),
        score_threshold in prop_oneof![0.0..1.0, any::<f64>()],
    ) {
        let options = Options { score_threshold, ..Options::default() };
        // Otherwise hardly any case has one number of images.
        let counts = if same { &own.counts } else { &given.counts };
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
        ignore in any::<Option<u8>>(),
    ) {
        let truth = SegmentationTruth { size, masks: &own.bytes, classes, ignore };
        // As long as the truth, where there are so many.
        let masks = given.bytes.get(..own.bytes.len()).unwrap_or(&given.bytes);
        let inputs = SegmentationInputs { truth, masks };
        score(Task::SemanticSegmentation, &Inputs::Segmentation(inputs), &Truth::Segmentation(truth), &Options::default())?;
    }

    #[test]
    fn any_points_end_in_an_error_or_in_a_number(
        own in any_lists(),
        given in any_lists(),
        size in any_size(),
        points in prop_oneof![8 => 1_usize..3, 1 => any::<usize>()],
        sigmas in prop::collection::vec(prop_oneof![4 => 0.01_f64..1.0, 1 => any::<f64>()], 0..3),
        areas in prop::option::of(prop::collection::vec(prop_oneof![4 => 0.1_f64..9.0, 1 => any::<f64>()], 0..3)),
        boxes in prop::option::of(prop::collection::vec(prop_oneof![4 => (0_u8..9).prop_map(f32::from), 1 => any::<f32>()], 0..9)),
    ) {
        let (pairs, visibility) = (own.singles.len() / 2, &own.bytes);
        let visibility = visibility.get(..pairs).unwrap_or(visibility);
        let truth = KeypointTruth {
            size,
            points,
            places: own.singles.get(..2 * visibility.len()).unwrap_or(&own.singles),
            visibility,
            boxes: boxes.as_deref(),
            areas: areas.as_deref(),
            sigmas: &sigmas,
        };
        let places = given.singles.get(..truth.places.len()).unwrap_or(&given.singles);
        let inputs = KeypointInputs { truth, places, visibility: given.scores.get(..visibility.len()).unwrap_or(&given.scores) };
        score(Task::KeypointDetection, &Inputs::Keypoints(inputs), &Truth::Keypoints(truth), &Options::default())?;
    }
}
