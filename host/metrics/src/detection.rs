//! Metrics of object detection.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectionTruth<'a> {
    /// Objects of each image; the sum is the number of objects.
    pub counts: &'a [i32],
    /// x0, y0, x1, y1 of each object in pixels, image after image: x0 < x1, y0 < y1, finite.
    pub boxes: &'a [f32],
    /// The class of each object, 0 to `classes` − 1.
    pub labels: &'a [i64],
    /// Number of classes.
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

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Detection;

impl Family for Detection {
    type Truth<'a> = DetectionTruth<'a>;
    type Inputs<'a> = DetectionInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &DetectionTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &DetectionInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
