//! Metrics of object detection.

mod average;
mod entries;
mod overlap;

pub use average::average_precision_per_class;

use crate::family::{Entry, Family};
use crate::inputs::{InputError, Options};
use crate::matching::{OVERLAP, Tally, by_score};
use crate::objects::{NO_OBJECT, Objects, Side, check_each, check_length, check_objects, check_scores, for_each_group};
use crate::registry::Reads;

/// The largest coordinate, and its negative the smallest: areas and their sums are exact enough far beyond any image.
pub(crate) const FARTHEST: f32 = 1e6;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectionTruth<'a> {
    /// Objects of each image; the sum is the number of objects.
    pub counts: &'a [i32],
    /// x0, y0, x1, y1 of each object in pixels, image after image: x0 < x1, y0 < y1, each −1,000,000 to 1,000,000.
    pub boxes: &'a [f32],
    /// The class of each object, 0 to `classes` − 1.
    pub labels: &'a [i64],
    /// Number of classes, at most 65,536.
    pub classes: u32,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectionInputs<'a> {
    /// The truth.
    pub truth: DetectionTruth<'a>,
    /// Detections of each image; the sum is the number of detections.
    pub counts: &'a [i32],
    /// As the boxes of the truth.
    pub boxes: &'a [f32],
    /// The class of each detection.
    pub labels: &'a [i64],
    /// The score of each detection, 0 to 1.
    pub scores: &'a [f32],
}

impl<'a> DetectionTruth<'a> {
    const fn objects(&self) -> Objects<'a> {
        Objects { counts: self.counts, labels: self.labels }
    }
}

impl<'a> DetectionInputs<'a> {
    const fn objects(&self) -> Objects<'a> {
        Objects { counts: self.counts, labels: self.labels }
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Detection;

impl Family for Detection {
    type Truth<'a> = DetectionTruth<'a>;
    type Inputs<'a> = DetectionInputs<'a>;

    const METRICS: &'static [Entry<Self>] = entries::ENTRIES;

    fn check_truth(truth: &DetectionTruth<'_>) -> Result<(), InputError> {
        check_objects(Side::Truth, truth.objects(), truth.classes)?;
        check_boxes(Side::Truth, truth.objects(), truth.boxes)
    }

    fn check(inputs: &DetectionInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        check_length("images of predictions", inputs.truth.counts.len(), inputs.counts.len())?;
        check_objects(Side::Predictions, inputs.objects(), inputs.truth.classes)?;
        check_boxes(Side::Predictions, inputs.objects(), inputs.boxes)?;
        check_scores(inputs.counts, inputs.labels.len(), inputs.scores)
    }
}

fn check_boxes(side: Side, objects: Objects<'_>, boxes: &[f32]) -> Result<(), InputError> {
    let what = side.pick("coordinates of boxes in the truth", "coordinates of predicted boxes");
    check_length(what, objects.labels.len().saturating_mul(4), boxes.len())?;
    check_each(side, objects.counts, |object| {
        let corners = &boxes[4 * object..4 * object + 4];
        box_fault(corners).map(|fault| format!("its box is {corners:?}, {fault}"))
    })
}

/// The rule that a box of x0, y0, x1, y1 breaks.
pub(crate) fn box_fault(corners: &[f32]) -> Option<&'static str> {
    match *corners {
        [x0, y0, x1, y1] if corners.iter().all(|place| (-FARTHEST..=FARTHEST).contains(place)) => {
            (x0 >= x1 || y0 >= y1).then_some("x0 must be less than x1 and y0 less than y1")
        }
        _ => Some("coordinates are numbers from -1000000 to 1000000"),
    }
}

/// A box of x0, y0, x1, y1.
#[derive(Debug, Clone, Copy)]
struct Corners([f64; 4]);

impl Corners {
    /// The box of an object, by its place in the list of all.
    fn of(boxes: &[f32], object: usize) -> Self {
        let mut corners = [0.0; 4];
        for (corner, &place) in corners.iter_mut().zip(&boxes[4 * object..]) {
            *corner = f64::from(place);
        }
        Self(corners)
    }

    fn area(&self) -> f64 {
        let [x0, y0, x1, y1] = self.0;
        (x1 - x0) * (y1 - y0)
    }

    fn shared(&self, other: &Self) -> f64 {
        let ([x0, y0, x1, y1], [other_x0, other_y0, other_x1, other_y1]) = (self.0, other.0);
        let width = x1.min(other_x1) - x0.max(other_x0);
        let height = y1.min(other_y1) - y0.max(other_y0);
        if width > 0.0 && height > 0.0 { width * height } else { 0.0 }
    }

    /// Intersection over union.
    fn iou(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        if shared > 0.0 { shared / (self.area() + other.area() - shared) } else { 0.0 }
    }

    /// IoU less the share of the smallest enclosing box that neither covers.
    fn giou(&self, other: &Self) -> f64 {
        let ([x0, y0, x1, y1], [other_x0, other_y0, other_x1, other_y1]) = (self.0, other.0);
        let enclosing = (x1.max(other_x1) - x0.min(other_x0)) * (y1.max(other_y1) - y0.min(other_y0));
        let union = self.area() + other.area() - self.shared(other);
        self.iou(other) - (enclosing - union) / enclosing
    }
}

/// Matches the detections that reach the score threshold at an IoU of 0.5, within their image and class.
fn tally(inputs: &DetectionInputs<'_>, options: &Options) -> Tally {
    let mut tally = Tally { objects: inputs.truth.labels.len() as u64, ..Tally::default() };
    let (mut boxes, mut free) = (Vec::new(), Vec::new());
    for_each_group(inputs.truth.objects(), inputs.objects(), inputs.scores, options.score_threshold, |_, group| {
        tally.predicted += group.predicted.len() as u64;
        boxes.clear();
        boxes.extend(group.truth.iter().map(|&object| Corners::of(inputs.truth.boxes, object)));
        free.resize(boxes.len(), true);
        let overlap = |prediction: usize, object: usize| {
            Corners::of(inputs.boxes, group.predicted[prediction]).iou(&boxes[object])
        };
        by_score(group.predicted.len(), OVERLAP, &mut free, overlap, |_, _, overlap| {
            tally.matched += 1;
            tally.missing_overlap.add(1.0 - overlap);
        });
    });
    tally
}

/// Why no submission can be told from another: there is nothing to detect.
fn no_object(truth: &DetectionTruth<'_>, _: &Options) -> Option<String> {
    truth.labels.is_empty().then(|| NO_OBJECT.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT: Corners = Corners([0.0, 0.0, 2.0, 2.0]);

    #[test]
    fn boxes_that_only_touch_do_not_overlap() {
        assert_eq!(LEFT.iou(&Corners([2.0, 0.0, 4.0, 2.0])), 0.0);
        assert_eq!(LEFT.iou(&Corners([1.0, 0.0, 3.0, 2.0])), 1.0 / 3.0);
        assert_eq!(LEFT.giou(&Corners([2.0, 0.0, 4.0, 2.0])), 0.0);
        assert_eq!(LEFT.giou(&Corners([6.0, 0.0, 8.0, 2.0])), -0.5);
        assert_eq!(LEFT.giou(&LEFT), 1.0);
    }

    #[test]
    fn a_box_without_an_area_or_beyond_the_bounds_is_refused() {
        assert_eq!(box_fault(&[0.0, 0.0, 1.0, 1.0]), None);
        assert_eq!(box_fault(&[-FARTHEST, 0.0, FARTHEST, 1.0]), None);
        for corners in [[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.5], [f32::NAN, 0.0, 1.0, 1.0], [0.0, 0.0, 1.1e6, 1.0]] {
            assert!(box_fault(&corners).is_some(), "{corners:?}");
        }
    }

    #[test]
    fn a_box_is_named_by_its_image_and_its_object() {
        let truth = DetectionTruth { counts: &[0, 1], boxes: &[3.0, 0.0, 2.0, 1.0], labels: &[0], classes: 1 };
        let error = Detection::check_truth(&truth).expect_err("x0 is above x1").to_string();
        let expected = "row 1 of the truth: object 0: its box is [3.0, 0.0, 2.0, 1.0], x0 must be less than x1 and y0 \
                        less than y1";
        assert_eq!(error, expected);
    }
}
