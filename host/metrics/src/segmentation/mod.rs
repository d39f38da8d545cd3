//! Metrics of semantic segmentation.

mod boundary;
mod distance;
mod entries;
mod pixels;

use crate::family::{Entry, Family};
use crate::inputs::{InputError, Options};
use crate::objects::{Side, check_length};
use crate::registry::Reads;

/// The longest side of an image in pixels: squares of distances stay exact.
const LONGEST_SIDE: u32 = 65_536;

/// The most classes that a byte a pixel can name.
const MOST_CLASSES: u32 = 256;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentationTruth<'a> {
    /// Pixels of an image, height and width: each 1 to 65,536.
    pub size: [u32; 2],
    /// The class of each pixel, image after image, row after row: 0 (background) to `classes` − 1, or `ignore`.
    pub masks: &'a [u8],
    /// Number of classes, 1 to 256.
    pub classes: u32,
    /// The label of pixels that do not count.
    pub ignore: Option<u8>,
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentationInputs<'a> {
    /// The truth.
    pub truth: SegmentationTruth<'a>,
    /// The predicted class of each pixel, 0 to `classes` − 1, also where the truth is not to count.
    pub masks: &'a [u8],
}

impl SegmentationTruth<'_> {
    /// Height and width.
    fn sides(&self) -> [usize; 2] {
        self.size.map(|side| usize::try_from(side).unwrap_or(usize::MAX))
    }

    /// Pixels of an image; a product that no memory holds is as large as can be.
    fn pixels(&self) -> usize {
        let [height, width] = self.sides();
        height.saturating_mul(width)
    }
}

/// The family of these metrics.
#[derive(Debug)]
pub(crate) struct Segmentation;

impl Family for Segmentation {
    type Truth<'a> = SegmentationTruth<'a>;
    type Inputs<'a> = SegmentationInputs<'a>;

    const METRICS: &'static [Entry<Self>] = entries::ENTRIES;

    fn check_truth(truth: &SegmentationTruth<'_>) -> Result<(), InputError> {
        for side in truth.size {
            check_setting("size", LONGEST_SIDE, side)?;
        }
        check_setting("classes", MOST_CLASSES, truth.classes)?;
        let (pixels, found) = (truth.pixels(), truth.masks.len());
        check_length("pixels in the truth", (found / pixels).saturating_mul(pixels), found)?;
        check_pixels(Side::Truth, truth, truth.masks, truth.ignore)
    }

    fn check(inputs: &SegmentationInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        check_length("pixels of predictions", inputs.truth.masks.len(), inputs.masks.len())?;
        check_pixels(Side::Predictions, &inputs.truth, inputs.masks, None)
    }
}

fn check_setting(name: &'static str, most: u32, found: u32) -> Result<(), InputError> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    Err(InputError::Setting { name, reason: format!("is {found}, it is 1 to {most}") })
}

fn check_pixels(side: Side, truth: &SegmentationTruth<'_>, masks: &[u8], ignore: Option<u8>) -> Result<(), InputError> {
    let wrong = |&pixel: &u8| u32::from(pixel) >= truth.classes && Some(pixel) != ignore;
    match masks.iter().position(wrong) {
        None => Ok(()),
        Some(position) => {
            let (row, place) = (position / truth.pixels(), position % truth.pixels());
            let [_, width] = truth.sides();
            let (class, last) = (masks[position], truth.classes.saturating_sub(1));
            let reason = format!(
                "the pixel in row {} and column {} is of class {class}, classes are 0 to {last}",
                place / width,
                place % width
            );
            Err(side.row(row, reason))
        }
    }
}

/// The classes of the truth, in ascending order; pixels that do not count have none.
fn classes_present(truth: &SegmentationTruth<'_>) -> impl Iterator<Item = usize> {
    let mut present = [false; MOST_CLASSES as usize];
    for &pixel in truth.masks.iter().filter(|&&pixel| Some(pixel) != truth.ignore) {
        present[usize::from(pixel)] = true;
    }
    (0..present.len()).filter(move |&class| present[class])
}

/// Why a constant prediction is the best one: there are not two classes.
fn one_class(truth: &SegmentationTruth<'_>, _: &Options) -> Option<String> {
    let mut classes = classes_present(truth);
    match (classes.next(), classes.next()) {
        (None, _) => Some("no pixel of the truth counts".into()),
        (Some(class), None) => Some(format!("every pixel of the truth that counts is of class {class}")),
        _ => None,
    }
}

/// Why there is no boundary to find: nothing is in the foreground.
fn no_foreground(truth: &SegmentationTruth<'_>, _: &Options) -> Option<String> {
    let none = classes_present(truth).all(|class| class == 0);
    none.then(|| "no pixel of the truth that counts is of a foreground class".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: SegmentationTruth<'_> =
        SegmentationTruth { size: [1, 2], masks: &[0, 1, 1, 9], classes: 2, ignore: Some(9) };

    #[test]
    fn a_pixel_is_named_by_its_image_its_row_and_its_column() {
        assert_eq!(Segmentation::check_truth(&TRUTH), Ok(()));
        let inputs = SegmentationInputs { truth: TRUTH, masks: &[0, 1, 0, 9] };
        let error = Segmentation::check(&inputs, Reads::Everything).expect_err("9 is no class").to_string();
        let expected = "row 1 of the predictions: the pixel in row 0 and column 1 is of class 9, classes are 0 to 1";
        assert_eq!(error, expected);
    }

    #[test]
    fn sizes_that_fit_no_image_are_an_error() {
        for size in [[0, 2], [2, 0], [u32::MAX, u32::MAX], [1, 3], [65_537, 1]] {
            assert!(Segmentation::check_truth(&SegmentationTruth { size, ..TRUTH }).is_err(), "{size:?}");
        }
        assert!(Segmentation::check_truth(&SegmentationTruth { classes: 0, ..TRUTH }).is_err());
        assert!(Segmentation::check_truth(&SegmentationTruth { classes: 257, ..TRUTH }).is_err());
    }

    #[test]
    fn what_does_not_count_is_no_class() {
        let reason = one_class(&SegmentationTruth { masks: &[0, 9], ..TRUTH }, &Options::default());
        assert_eq!(reason.as_deref(), Some("every pixel of the truth that counts is of class 0"));
        assert!(no_foreground(&SegmentationTruth { masks: &[0, 9], ..TRUTH }, &Options::default()).is_some());
        assert_eq!(one_class(&TRUTH, &Options::default()), None);
        assert_eq!(no_foreground(&TRUTH, &Options::default()), None);
    }
}
