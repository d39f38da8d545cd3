//! Metrics of instance segmentation.

mod entries;
mod masks;

use crate::family::{Entry, Family};
use crate::inputs::{InputError, Options};
use crate::matching::{OVERLAP, Tally, by_score};
use crate::objects::{NO_OBJECT, Objects, Side, check_each, check_length, check_objects, check_scores, for_each_group};
use crate::registry::Reads;
use masks::Packed;

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
    /// Number of classes, at most 65,536.
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

impl<'a> InstanceTruth<'a> {
    const fn objects(&self) -> Objects<'a> {
        Objects { counts: self.counts, labels: self.labels }
    }

    /// Pixels of a mask; a product that no memory holds is as large as can be.
    fn pixels(&self) -> usize {
        let [height, width] = self.size.map(|side| usize::try_from(side).unwrap_or(usize::MAX));
        height.saturating_mul(width)
    }
}

impl<'a> InstanceInputs<'a> {
    const fn objects(&self) -> Objects<'a> {
        Objects { counts: self.counts, labels: self.labels }
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Instances;

impl Family for Instances {
    type Truth<'a> = InstanceTruth<'a>;
    type Inputs<'a> = InstanceInputs<'a>;

    const METRICS: &'static [Entry<Self>] = entries::ENTRIES;

    fn check_truth(truth: &InstanceTruth<'_>) -> Result<(), InputError> {
        check_objects(Side::Truth, truth.objects(), truth.classes)?;
        check_masks(Side::Truth, truth.objects(), truth.masks, truth.pixels())
    }

    fn check(inputs: &InstanceInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        check_length("images of predictions", inputs.truth.counts.len(), inputs.counts.len())?;
        check_objects(Side::Predictions, inputs.objects(), inputs.truth.classes)?;
        check_masks(Side::Predictions, inputs.objects(), inputs.masks, inputs.truth.pixels())?;
        check_scores(inputs.counts, inputs.labels.len(), inputs.scores)
    }
}

fn check_masks(side: Side, objects: Objects<'_>, masks: &[u8], pixels: usize) -> Result<(), InputError> {
    let what = side.pick("pixels of masks in the truth", "pixels of predicted masks");
    check_length(what, objects.labels.len().saturating_mul(pixels), masks.len())?;
    check_each(side, objects.counts, |object| {
        let mask = &masks[object * pixels..(object + 1) * pixels];
        match mask.iter().position(|&pixel| pixel > 1) {
            Some(place) => Some(format!("pixel {place} of its mask is {}, pixels are 0 or 1", mask[place])),
            None => (!mask.contains(&1)).then(|| "its mask is empty".into()),
        }
    })
}

/// Matches the predicted objects that reach the score threshold at an IoU of 0.5, within their image and class.
fn tally(inputs: &InstanceInputs<'_>, options: &Options) -> Tally {
    let pixels = inputs.truth.pixels();
    let mut tally = Tally { objects: inputs.truth.labels.len() as u64, ..Tally::default() };
    let mut free = Vec::new();
    for_each_group(inputs.truth.objects(), inputs.objects(), inputs.scores, options.score_threshold, |_, group| {
        tally.predicted += group.predicted.len() as u64;
        if group.truth.is_empty() {
            return;
        }
        let pack = |masks: &[u8], object: usize| Packed::new(&masks[object * pixels..(object + 1) * pixels]);
        let objects: Vec<_> = group.truth.iter().map(|&object| pack(inputs.truth.masks, object)).collect();
        let predicted: Vec<_> = group.predicted.iter().map(|&object| pack(inputs.masks, object)).collect();
        free.resize(objects.len(), true);
        let overlap = |prediction: usize, object: usize| predicted[prediction].iou(&objects[object]);
        by_score(predicted.len(), OVERLAP, &mut free, overlap, |_, _, overlap| {
            tally.matched += 1;
            tally.missing_overlap.add(1.0 - overlap);
        });
    });
    tally
}

/// Why no submission can be told from another: there is nothing to find.
fn no_object(truth: &InstanceTruth<'_>, _: &Options) -> Option<String> {
    truth.labels.is_empty().then(|| NO_OBJECT.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(masks: &[u8]) -> InstanceTruth<'_> {
        InstanceTruth { size: [1, 3], counts: &[0, 2], masks, labels: &[0, 0], classes: 1 }
    }

    #[test]
    fn a_mask_is_named_by_its_image_and_its_object() {
        assert_eq!(Instances::check_truth(&truth(&[0, 1, 0, 1, 1, 1])), Ok(()));
        let error = Instances::check_truth(&truth(&[0, 1, 0, 0, 0, 0])).expect_err("the second is empty").to_string();
        assert_eq!(error, "row 1 of the truth: object 1: its mask is empty");
        let error = Instances::check_truth(&truth(&[0, 1, 0, 0, 0, 7])).expect_err("7 is no pixel").to_string();
        assert_eq!(error, "row 1 of the truth: object 1: pixel 2 of its mask is 7, pixels are 0 or 1");
        let error = Instances::check_truth(&truth(&[1; 5])).expect_err("a pixel is missing").to_string();
        assert_eq!(error, "5 pixels of masks in the truth, expected 6");
    }

    #[test]
    fn sizes_that_no_memory_holds_are_an_error() {
        let mut truth = truth(&[1; 6]);
        truth.size = [u32::MAX; 2];
        assert!(matches!(Instances::check_truth(&truth), Err(InputError::Length { .. })));
    }
}
