//! Metrics of keypoint detection.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeypointTruth<'a> {
    /// Pixels of an image, height and width.
    pub size: [u32; 2],
    /// Points of an instance; there is one instance a row.
    pub points: usize,
    /// x and y of each point in pixels, `points` pairs a row.
    pub places: &'a [f32],
    /// For each point 0 (not annotated: its place means nothing) or a larger number (visible).
    pub visibility: &'a [u8],
    /// x0, y0, x1, y1 of each instance; without, boxes are made of the visible points.
    pub boxes: Option<&'a [f32]>,
    /// The annotated area of each instance in square pixels; without, that of its box.
    pub areas: Option<&'a [f64]>,
    /// The constant of each point in OKS, `points` of them, above 0.
    pub sigmas: &'a [f64],
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeypointInputs<'a> {
    /// The truth.
    pub truth: KeypointTruth<'a>,
    /// As the places of the truth.
    pub places: &'a [f32],
    /// How sure it is that each point is visible, 0 to 1; visible from 0.5 on.
    pub visibility: &'a [f32],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Keypoints;

impl Family for Keypoints {
    type Truth<'a> = KeypointTruth<'a>;
    type Inputs<'a> = KeypointInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &KeypointTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &KeypointInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
