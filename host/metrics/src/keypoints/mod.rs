//! Metrics of keypoint detection.

mod entries;
mod places;

use crate::detection::{FARTHEST, box_fault};
use crate::family::{Entry, Family};
use crate::inputs::{InputError, Options};
use crate::objects::{Side, check_length};
use crate::registry::Reads;

/// The constants that OKS can have: their squares are neither 0 nor infinite.
const SIGMAS: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// What a challenge owns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeypointTruth<'a> {
    /// Pixels of an image, height and width, each 1 or more.
    pub size: [u32; 2],
    /// Points of an instance, 1 or more; there is one instance a row.
    pub points: usize,
    /// x and y of each point in pixels, `points` pairs a row; those of visible points are −1,000,000 to 1,000,000.
    pub places: &'a [f32],
    /// For each point 0 (not annotated: its place means nothing) or a larger number (visible).
    pub visibility: &'a [u8],
    /// x0, y0, x1, y1 of each instance; without, boxes are made of the visible points.
    pub boxes: Option<&'a [f32]>,
    /// The annotated area of each instance in square pixels, above 0; without, that of its box.
    pub areas: Option<&'a [f64]>,
    /// The constant of each point in OKS, `points` of them, 0.000001 to 1,000,000.
    pub sigmas: &'a [f64],
}

/// Truth and predictions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KeypointInputs<'a> {
    /// The truth.
    pub truth: KeypointTruth<'a>,
    /// As the places of the truth, but every one is a number.
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

    const METRICS: &'static [Entry<Self>] = entries::ENTRIES;

    fn check_truth(truth: &KeypointTruth<'_>) -> Result<(), InputError> {
        let rows = check_lengths(truth)?;
        if let Some(place) = truth.sigmas.iter().position(|sigma| !SIGMAS.contains(sigma)) {
            let reason = format!("has {} for point {place}, each is 0.000001 to 1000000", truth.sigmas[place]);
            return Err(InputError::Setting { name: "sigmas", reason });
        }
        check_places(Side::Truth, truth.points, truth.places, |point| truth.visibility[point] > 0)?;
        for row in 0..rows {
            let corners = truth.boxes.map(|boxes| &boxes[4 * row..4 * row + 4]);
            if let Some((corners, fault)) = corners.and_then(|corners| Some((corners, box_fault(corners)?))) {
                return Err(InputError::Truth { row, reason: format!("its box is {corners:?}, {fault}") });
            }
            if let Some(area) = truth.areas.map(|areas| areas[row]).filter(|area| !(*area > 0.0 && area.is_finite())) {
                return Err(InputError::Truth { row, reason: format!("its area is {area}, areas are above 0") });
            }
        }
        Ok(())
    }

    fn check(inputs: &KeypointInputs<'_>, _reads: Reads) -> Result<(), InputError> {
        Self::check_truth(&inputs.truth)?;
        check_length("coordinates of predicted points", inputs.truth.places.len(), inputs.places.len())?;
        check_length("visibilities of predicted points", inputs.truth.visibility.len(), inputs.visibility.len())?;
        let points = inputs.truth.points;
        check_places(Side::Predictions, points, inputs.places, |_| true)?;
        match inputs.visibility.iter().position(|visibility| !(0.0..=1.0).contains(visibility)) {
            None => Ok(()),
            Some(place) => {
                let (row, point, found) = (place / points, place % points, inputs.visibility[place]);
                let reason = format!("the visibility of point {point} is {found}, visibilities are 0 to 1");
                Err(InputError::Prediction { row, reason })
            }
        }
    }
}

/// Checks that all lengths fit, and returns the number of rows.
fn check_lengths(truth: &KeypointTruth<'_>) -> Result<usize, InputError> {
    for (name, found) in [("size", truth.size.contains(&0)), ("points", truth.points == 0)] {
        if found {
            return Err(InputError::Setting { name, reason: "is 0, it is at least 1".into() });
        }
    }
    let points = truth.visibility.len();
    let rows = points / truth.points;
    check_length("visibilities in the truth", rows.saturating_mul(truth.points), points)?;
    check_length("coordinates of points in the truth", points.saturating_mul(2), truth.places.len())?;
    if let Some(boxes) = truth.boxes {
        check_length("coordinates of boxes in the truth", rows.saturating_mul(4), boxes.len())?;
    }
    if let Some(areas) = truth.areas {
        check_length("areas in the truth", rows, areas.len())?;
    }
    check_length("constants of points in OKS", truth.points, truth.sigmas.len())?;
    Ok(rows)
}

fn check_places(side: Side, points: usize, places: &[f32], counts: impl Fn(usize) -> bool) -> Result<(), InputError> {
    let wrong = |pair: &[f32]| !pair.iter().all(|place| (-FARTHEST..=FARTHEST).contains(place));
    match places.chunks_exact(2).enumerate().find(|(point, pair)| counts(*point) && wrong(pair)) {
        None => Ok(()),
        Some((point, pair)) => {
            let (row, point) = (point / points, point % points);
            let reason = format!("point {point} is at {pair:?}, coordinates are numbers from -1000000 to 1000000");
            Err(side.row(row, reason))
        }
    }
}

/// Why no submission can be told from another: no place is known.
fn no_visible_point(truth: &KeypointTruth<'_>, _: &Options) -> Option<String> {
    truth.visibility.iter().all(|&visibility| visibility == 0).then(|| places::NO_VISIBLE_POINT.into())
}

/// Why saying the same of every point is the best prediction.
fn no_visibility(truth: &KeypointTruth<'_>, _: &Options) -> Option<String> {
    let visible = truth.visibility.iter().filter(|&&visibility| visibility > 0).count();
    match truth.visibility.len() {
        points if visible == points => Some("the data has no visibility: every point is visible".into()),
        _ if visible == 0 => Some("the data has no visibility: no point is visible".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: KeypointTruth<'_> = KeypointTruth {
        size: [10, 20],
        points: 2,
        places: &[1.0, 2.0, 3.0, 4.0, f32::NAN, 0.0, 5.0, 6.0],
        visibility: &[1, 2, 0, 1],
        boxes: None,
        areas: Some(&[3.0, 4.0]),
        sigmas: &[0.1, 0.2],
    };

    #[test]
    fn the_place_of_a_point_that_is_not_annotated_means_nothing() {
        assert_eq!(Keypoints::check_truth(&TRUTH), Ok(()));
        let error =
            Keypoints::check_truth(&KeypointTruth { visibility: &[1; 4], ..TRUTH }).expect_err("NaN").to_string();
        let expected = "row 1 of the truth: point 0 is at [NaN, 0.0], coordinates are numbers from -1000000 to 1000000";
        assert_eq!(error, expected);
    }

    #[test]
    fn every_length_and_value_is_checked() {
        let wrong = [
            KeypointTruth { size: [0, 20], ..TRUTH },
            KeypointTruth { points: 0, ..TRUTH },
            KeypointTruth { points: 3, ..TRUTH },
            KeypointTruth { points: usize::MAX, ..TRUTH },
            KeypointTruth { places: &[1.0; 7], ..TRUTH },
            KeypointTruth { visibility: &[1; 3], ..TRUTH },
            KeypointTruth { boxes: Some(&[0.0, 0.0, 1.0, 1.0]), ..TRUTH },
            KeypointTruth { boxes: Some(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]), ..TRUTH },
            KeypointTruth { areas: Some(&[1.0]), ..TRUTH },
            KeypointTruth { areas: Some(&[1.0, 0.0]), ..TRUTH },
            KeypointTruth { areas: Some(&[1.0, f64::INFINITY]), ..TRUTH },
            KeypointTruth { sigmas: &[0.1], ..TRUTH },
            KeypointTruth { sigmas: &[0.1, 0.0], ..TRUTH },
            KeypointTruth { sigmas: &[0.1, f64::NAN], ..TRUTH },
        ];
        for truth in wrong {
            assert!(Keypoints::check_truth(&truth).is_err(), "{truth:?}");
        }
    }

    #[test]
    fn a_point_of_a_prediction_is_named_by_its_row() {
        let inputs = KeypointInputs { truth: TRUTH, places: &[1.0; 8], visibility: &[0.0, 1.0, 0.5, 1.5] };
        let error = Keypoints::check(&inputs, Reads::Everything).expect_err("1.5").to_string();
        assert_eq!(error, "row 1 of the predictions: the visibility of point 1 is 1.5, visibilities are 0 to 1");
    }

    #[test]
    fn data_without_visibility_is_refused_where_visibility_is_scored() {
        let options = Options::default();
        assert_eq!(no_visibility(&TRUTH, &options), None);
        assert!(no_visibility(&KeypointTruth { visibility: &[1; 4], ..TRUTH }, &options).is_some());
        assert!(no_visibility(&KeypointTruth { visibility: &[0; 4], ..TRUTH }, &options).is_some());
        assert!(no_visible_point(&KeypointTruth { visibility: &[0; 4], ..TRUTH }, &options).is_some());
        assert_eq!(no_visible_point(&TRUTH, &options), None);
    }
}
