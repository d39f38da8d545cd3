//! Metrics of semantic segmentation.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentationTruth<'a> {
    /// Pixels of an image, height and width.
    pub size: [u32; 2],
    /// The class of each pixel, image after image, row after row: 0 (background) to `classes` − 1, or `ignore`.
    pub masks: &'a [u8],
    /// Number of classes.
    pub classes: u32,
    /// The label of pixels that do not count.
    pub ignore: Option<u8>,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentationInputs<'a> {
    /// The truth.
    pub truth: SegmentationTruth<'a>,
    /// The predicted class of each pixel, 0 to `classes` − 1.
    pub masks: &'a [u8],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Segmentation;

impl Family for Segmentation {
    type Truth<'a> = SegmentationTruth<'a>;
    type Inputs<'a> = SegmentationInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &SegmentationTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &SegmentationInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
