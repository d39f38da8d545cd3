//! Random images with what is in them, and submissions about them.

use proptest::prelude::*;
use thimble_metrics::{
    DetectionInputs, DetectionTruth, Inputs, InstanceInputs, InstanceTruth, KeypointInputs, KeypointTruth,
    SegmentationInputs, SegmentationTruth, Task, Truth,
};

/// Height and width of the images of masks and points.
pub(crate) const SIZE: [u32; 2] = [6, 8];
const PIXELS: usize = 48;
const POINTS: usize = 3;
/// What does not count in segmentation.
const IGNORE: u8 = 9;

/// A box of whole pixels within the size: as x0, y0, x1, y1, or as a mask.
pub(crate) type Box4 = [u8; 4];

/// Objects of an image: box and class; predicted ones have a score.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) truth: Vec<(Box4, u8)>,
    pub(crate) found: Vec<(Box4, u8, f32)>,
}

/// An instance with its points: place and visibility.
#[derive(Debug, Clone)]
pub(crate) struct Pose {
    pub(crate) truth: [([f32; 2], u8); POINTS],
    pub(crate) found: [([f32; 2], f32); POINTS],
}

/// One truth and one submission.
#[derive(Debug, Clone)]
pub(crate) enum Case {
    /// Of detection, where boxes are boxes.
    Detection(Vec<Scene>),
    /// Of instance segmentation, where boxes are masks.
    Instances(Vec<Scene>),
    /// True and predicted masks of each image.
    Segmentation(Vec<(Vec<u8>, Vec<u8>)>),
    /// One a row; some cases own boxes and areas.
    Keypoints(Vec<Pose>, bool),
}

impl Case {
    /// Lends the inputs.
    pub(crate) fn with<T>(&self, then: impl FnOnce(Task, &Inputs<'_>, &Truth<'_>) -> T) -> T {
        match self {
            Self::Detection(scenes) => with_detection(scenes, then),
            Self::Instances(scenes) => with_instances(scenes, then),
            Self::Segmentation(images) => with_segmentation(images, then),
            Self::Keypoints(poses, boxed) => with_keypoints(poses, *boxed, then),
        }
    }

    /// The same truth with the submission that is right everywhere.
    pub(crate) fn perfect(&self) -> Self {
        let scenes = |scenes: &[Scene]| {
            let perfect = |scene: &Scene| Scene {
                found: scene.truth.iter().map(|&(place, class)| (place, class, 1.0)).collect(),
                ..scene.clone()
            };
            scenes.iter().map(perfect).collect()
        };
        match self {
            Self::Detection(given) => Self::Detection(scenes(given)),
            Self::Instances(given) => Self::Instances(scenes(given)),
            Self::Segmentation(images) => Self::Segmentation(
                images
                    .iter()
                    .map(|(truth, _)| (truth.clone(), truth.iter().map(|&pixel| pixel % IGNORE).collect()))
                    .collect(),
            ),
            Self::Keypoints(poses, boxed) => {
                let exact = |([x, y], visible): ([f32; 2], u8)| ([x, y], if visible > 0 { 1.0 } else { 0.0 });
                let perfect = |pose: &Pose| Pose { found: pose.truth.map(exact), ..pose.clone() };
                Self::Keypoints(poses.iter().map(perfect).collect(), *boxed)
            }
        }
    }
}

fn with_detection<T>(scenes: &[Scene], then: impl FnOnce(Task, &Inputs<'_>, &Truth<'_>) -> T) -> T {
    let corners = |place: &Box4| place.map(f32::from);
    let boxes: Vec<_> = scenes.iter().flat_map(|scene| &scene.truth).flat_map(|(place, _)| corners(place)).collect();
    let found: Vec<_> = scenes.iter().flat_map(|scene| &scene.found).flat_map(|(place, ..)| corners(place)).collect();
    let lists = Lists::of(scenes);
    let truth = DetectionTruth { counts: &lists.counts, boxes: &boxes, labels: &lists.labels, classes: 3 };
    let Lists { found_counts: counts, found_labels: labels, scores, .. } = &lists;
    let inputs = DetectionInputs { truth, counts, boxes: &found, labels, scores };
    then(Task::ObjectDetection, &Inputs::Detection(inputs), &Truth::Detection(truth))
}

fn with_instances<T>(scenes: &[Scene], then: impl FnOnce(Task, &Inputs<'_>, &Truth<'_>) -> T) -> T {
    let masks: Vec<_> = scenes.iter().flat_map(|scene| &scene.truth).flat_map(|(place, _)| mask(place)).collect();
    let found: Vec<_> = scenes.iter().flat_map(|scene| &scene.found).flat_map(|(place, ..)| mask(place)).collect();
    let lists = Lists::of(scenes);
    let truth = InstanceTruth { size: SIZE, counts: &lists.counts, masks: &masks, labels: &lists.labels, classes: 3 };
    let Lists { found_counts: counts, found_labels: labels, scores, .. } = &lists;
    let inputs = InstanceInputs { truth, counts, masks: &found, labels, scores };
    then(Task::InstanceSegmentation, &Inputs::Instances(inputs), &Truth::Instances(truth))
}

fn with_segmentation<T>(images: &[(Vec<u8>, Vec<u8>)], then: impl FnOnce(Task, &Inputs<'_>, &Truth<'_>) -> T) -> T {
    let masks: Vec<_> = images.iter().flat_map(|(truth, _)| truth).copied().collect();
    let found: Vec<_> = images.iter().flat_map(|(_, found)| found).copied().collect();
    let truth = SegmentationTruth { size: SIZE, masks: &masks, classes: 3, ignore: Some(IGNORE) };
    let inputs = SegmentationInputs { truth, masks: &found };
    then(Task::SemanticSegmentation, &Inputs::Segmentation(inputs), &Truth::Segmentation(truth))
}

fn with_keypoints<T>(poses: &[Pose], boxed: bool, then: impl FnOnce(Task, &Inputs<'_>, &Truth<'_>) -> T) -> T {
    let places: Vec<_> = poses.iter().flat_map(|pose| pose.truth).flat_map(|(place, _)| place).collect();
    let visibility: Vec<_> = poses.iter().flat_map(|pose| pose.truth).map(|(_, visible)| visible).collect();
    let found: Vec<_> = poses.iter().flat_map(|pose| pose.found).flat_map(|(place, _)| place).collect();
    let claimed: Vec<_> = poses.iter().flat_map(|pose| pose.found).map(|(_, visible)| visible).collect();
    let boxes: Vec<_> = poses.iter().flat_map(|pose| [0.0, 0.0, 2.0 + pose.truth[0].0[0], 3.0]).collect();
    let areas: Vec<_> = poses.iter().map(|pose| 1.0 + f64::from(pose.truth[0].0[1])).collect();
    let truth = KeypointTruth {
        size: SIZE,
        points: POINTS,
        places: &places,
        visibility: &visibility,
        boxes: boxed.then_some(&boxes),
        areas: boxed.then_some(&areas),
        sigmas: &[0.05, 0.1, 0.2],
    };
    let inputs = KeypointInputs { truth, places: &found, visibility: &claimed };
    then(Task::KeypointDetection, &Inputs::Keypoints(inputs), &Truth::Keypoints(truth))
}

/// What detection and instances have in common.
struct Lists {
    counts: Vec<i32>,
    labels: Vec<i64>,
    found_counts: Vec<i32>,
    found_labels: Vec<i64>,
    scores: Vec<f32>,
}

impl Lists {
    fn of(scenes: &[Scene]) -> Self {
        let found = || scenes.iter().flat_map(|scene| &scene.found);
        Self {
            counts: scenes.iter().map(|scene| scene.truth.len() as i32).collect(),
            labels: scenes.iter().flat_map(|scene| &scene.truth).map(|(_, class)| i64::from(*class)).collect(),
            found_counts: scenes.iter().map(|scene| scene.found.len() as i32).collect(),
            found_labels: found().map(|(_, class, _)| i64::from(*class)).collect(),
            scores: found().map(|(.., score)| *score).collect(),
        }
    }
}

fn mask(&[x0, y0, x1, y1]: &Box4) -> impl Iterator<Item = u8> {
    (0..PIXELS as u8).map(move |pixel| {
        let (x, y) = (pixel % SIZE[1] as u8, pixel / SIZE[1] as u8);
        u8::from((x0..x1).contains(&x) && (y0..y1).contains(&y))
    })
}

fn any_box() -> impl Strategy<Value = Box4> {
    (0_u8..7, 0_u8..5, 1_u8..5, 1_u8..5)
        .prop_map(|(x, y, width, height)| [x, y, (x + width).min(SIZE[1] as u8), (y + height).min(SIZE[0] as u8)])
}

/// Scenes in which no two scores are equal: no order decides.
fn any_scenes() -> impl Strategy<Value = Vec<Scene>> {
    let truth = prop::collection::vec((any_box(), 0_u8..3), 0..5);
    let found = prop::collection::vec((any_box(), 0_u8..3, 0_u16..256), 0..6);
    prop::collection::vec((truth, found), 1..5).prop_map(|scenes| {
        let mut number = 0.0;
        let mut distinct = |score: u16| {
            number += 1.0;
            (f32::from(score) * 64.0 + number) / 16_448.0
        };
        let mut scene = |(truth, found): (_, Vec<(Box4, u8, u16)>)| Scene {
            truth,
            found: found.into_iter().map(|(place, class, score)| (place, class, distinct(score))).collect(),
        };
        scenes.into_iter().map(&mut scene).collect()
    })
}

fn any_pose() -> impl Strategy<Value = Pose> {
    let place = || [0.0_f32..8.0, 0.0..6.0];
    let truth = (place(), 0_u8..3);
    let found = (place(), prop_oneof![Just(0.5_f32), 0.0_f32..=1.0]);
    (prop::array::uniform3(truth), prop::array::uniform3(found)).prop_map(|(truth, found)| Pose { truth, found })
}

pub(crate) fn any_case() -> impl Strategy<Value = Case> {
    let truth = prop::collection::vec(prop_oneof![4 => 0_u8..3, 1 => Just(IGNORE)], PIXELS);
    let image = (truth, prop::collection::vec(0_u8..3, PIXELS));
    prop_oneof![
        any_scenes().prop_map(Case::Detection),
        any_scenes().prop_map(Case::Instances),
        prop::collection::vec(image, 1..4).prop_map(Case::Segmentation),
        (prop::collection::vec(any_pose(), 1..6), any::<bool>())
            .prop_map(|(poses, boxed)| Case::Keypoints(poses, boxed)),
    ]
}

/// A case, and the same with its images (rows) and the predictions within each in another order.
pub(crate) fn with_permuted(case: Case) -> BoxedStrategy<(Case, Case)> {
    fn shuffled(scenes: Vec<Scene>) -> impl Strategy<Value = Vec<Scene>> {
        Just(scenes).prop_shuffle().prop_flat_map(|scenes| {
            let inside = |scene: Scene| (Just(scene.truth), Just(scene.found).prop_shuffle());
            let scenes: Vec<_> = scenes.into_iter().map(inside).collect();
            scenes.prop_map(|scenes| scenes.into_iter().map(|(truth, found)| Scene { truth, found }).collect())
        })
    }
    let original = Just(case.clone());
    match case {
        Case::Detection(scenes) => (original, shuffled(scenes).prop_map(Case::Detection)).boxed(),
        Case::Instances(scenes) => (original, shuffled(scenes).prop_map(Case::Instances)).boxed(),
        Case::Segmentation(images) => (original, Just(images).prop_shuffle().prop_map(Case::Segmentation)).boxed(),
        Case::Keypoints(poses, boxed) => {
            (original, Just(poses).prop_shuffle().prop_map(move |poses| Case::Keypoints(poses, boxed))).boxed()
        }
    }
}

/// For each task a submission that is right and one that is off, on one truth in which every metric means something.
pub(crate) fn good_and_bad() -> Vec<(Case, Case)> {
    let scene = |first: Box4, second: Box4| Scene {
        truth: vec![([0, 0, 4, 4], 0), ([4, 2, 8, 6], 1)],
        found: vec![(first, 0, 0.9), (second, 1, 0.8)],
    };
    let objects = [scene([0, 0, 4, 4], [4, 2, 8, 6]), scene([0, 0, 3, 4], [0, 2, 2, 6])].map(|scene| vec![scene]);
    let region = |place: Box4| mask(&place).collect::<Vec<_>>();
    let images = [region([1, 1, 5, 5]), region([2, 0, 8, 4])].map(|found| vec![(region([1, 1, 5, 5]), found)]);
    let truth = [([1.0, 1.0], 1), ([5.0, 3.0], 2), ([2.0, 2.0], 0)];
    let exact = [([1.0, 1.0], 1.0), ([5.0, 3.0], 0.9), ([2.0, 2.0], 0.1)];
    let off = [([1.0, 1.1], 0.9), ([0.0, 6.0], 0.9), ([2.0, 2.0], 0.8)];
    let poses = [exact, off].map(|found| vec![Pose { truth, found }]);
    let pair = |[good, bad]: [Case; 2]| (good, bad);
    vec![
        pair(objects.clone().map(Case::Detection)),
        pair(objects.map(Case::Instances)),
        pair(images.map(Case::Segmentation)),
        pair(poses.map(|poses| Case::Keypoints(poses, false))),
    ]
}
