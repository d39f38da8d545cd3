//! Metrics of instance segmentation.

use crate::family::{Entry, Family};
use crate::inputs::InputError;
use crate::registry::Reads;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceTruth<'a> {
    /// Pixels of an image, height and width.
    pub size: [u32; 2],
    /// Objects of each image; the sum is the number of objects.
    pub counts: &'a [i32],
    /// A mask of height × width pixels for each object, row after row: 1 inside, 0 outside; not all 0.
    pub masks: &'a [u8],
    /// The class of each object, 0 to `classes` − 1.
    pub labels: &'a [i64],
    /// Number of classes.
    pub classes: u32,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceInputs<'a> {
    /// The truth.
    pub truth: InstanceTruth<'a>,
    /// Objects predicted in each image.
    pub counts: &'a [i32],
    /// As the masks of the truth.
    pub masks: &'a [u8],
    /// The class of each predicted object.
    pub labels: &'a [i64],
    /// The score of each predicted object, 0 to 1.
    pub scores: &'a [f32],
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Instances;

impl Family for Instances {
    type Truth<'a> = InstanceTruth<'a>;
    type Inputs<'a> = InstanceInputs<'a>;

    const METRICS: &'static [Entry<Self>] = &[];

    fn check_truth(_truth: &InstanceTruth<'_>) -> Result<(), InputError> {
        Ok(())
    }

    fn check(inputs: &InstanceInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)
    }
}
