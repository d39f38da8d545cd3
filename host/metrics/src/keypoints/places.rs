//! How far predicted points are from the true ones, and what is counted of that.

use super::{KeypointInputs, KeypointTruth};
use crate::sum::{Sum, mean};
use crate::value::MetricValue;

/// Why metrics of places have no value.
pub(super) const NO_VISIBLE_POINT: &str = "no point of the truth is visible";

/// From which visibility a point is predicted to be visible.
const VISIBLE: f32 = 0.5;

/// The share of the box within which a point counts as found by precision, recall, F1 and plain PCK.
pub(super) const FOUND: f64 = 0.2;

/// A visible point of the truth, and where it is predicted.
#[derive(Debug, Clone, Copy)]
struct Point {
    row: usize,
    /// Among those of its instance.
    index: usize,
    /// Whether it is predicted to be visible.
    claimed: bool,
    /// Predicted less true, in pixels.
    x: f64,
    y: f64,
}

impl Point {
    fn squared(&self) -> f64 {
        self.x * self.x + self.y * self.y
    }

    fn distance(&self) -> f64 {
        libm::sqrt(self.squared())
    }
}

fn visible_points(inputs: &KeypointInputs<'_>) -> impl Iterator<Item = Point> {
    let KeypointInputs { truth, places, visibility } = *inputs;
    let difference = move |place: usize| f64::from(places[place]) - f64::from(truth.places[place]);
    (0..truth.visibility.len()).filter(move |&place| truth.visibility[place] > 0).map(move |place| Point {
        row: place / truth.points,
        index: place % truth.points,
        claimed: visibility[place] >= VISIBLE,
        x: difference(2 * place),
        y: difference(2 * place + 1),
    })
}

/// Width and height of an instance: of its box, else of the smallest around its visible points, else (fewer than two, or
/// all at one place) of the image.
fn extent(truth: &KeypointTruth<'_>, row: usize) -> [f64; 2] {
    if let Some(boxes) = truth.boxes {
        let corner = |index: usize| f64::from(boxes[4 * row + index]);
        return [corner(2) - corner(0), corner(3) - corner(1)];
    }
    let points = row * truth.points..(row + 1) * truth.points;
    let side = |axis: usize| {
        let seen = points.clone().filter(|&point| truth.visibility[point] > 0);
        let places = seen.map(|point| f64::from(truth.places[2 * point + axis]));
        let (least, most) =
            places.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), place| (least.min(place), most.max(place)));
        most - least
    };
    match [side(0), side(1)] {
        sides if sides[0].max(sides[1]) > 0.0 => sides,
        _ => [f64::from(truth.size[1]), f64::from(truth.size[0])],
    }
}

fn of_visible(value: Option<f64>) -> MetricValue {
    value.map_or_else(|| MetricValue::Undefined(NO_VISIBLE_POINT.into()), MetricValue::Value)
}

/// What is counted of points that are found within a share of the box.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Visible in the truth.
    visible: u64,
    /// Of these, predicted near enough.
    near: u64,
    /// Of these, predicted to be visible.
    right: u64,
    /// Predicted to be visible, whatever the truth.
    claimed: u64,
}

impl Found {
    pub(super) fn within(inputs: &KeypointInputs<'_>, share: f64) -> Self {
        let claimed = inputs.visibility.iter().filter(|&&visibility| visibility >= VISIBLE).count() as u64;
        let mut found = Self { claimed, ..Self::default() };
        let mut reach = (usize::MAX, 0.0);
        for point in visible_points(inputs) {
            if reach.0 != point.row {
                let [width, height] = extent(&inputs.truth, point.row);
                reach = (point.row, share * width.max(height));
            }
            let near = point.distance() <= reach.1;
            found.visible += 1;
            found.near += u64::from(near);
            found.right += u64::from(near && point.claimed);
        }
        found
    }

    /// The share of visible points that are predicted near enough.
    pub(super) fn correct(&self) -> MetricValue {
        of_visible((self.visible > 0).then(|| self.near as f64 / self.visible as f64))
    }

    /// The share of points predicted to be visible that are, and near enough; 0 where none is predicted and some are.
    pub(super) fn precision(&self) -> MetricValue {
        match (self.claimed, self.visible) {
            (0, 0) => nothing(),
            (0, _) => MetricValue::Value(0.0),
            (claimed, _) => MetricValue::Value(self.right as f64 / claimed as f64),
        }
    }

    /// The share of visible points that are predicted to be, and near enough.
    pub(super) fn recall(&self) -> MetricValue {
        of_visible((self.visible > 0).then(|| self.right as f64 / self.visible as f64))
    }

    /// The harmonic mean of precision and recall.
    pub(super) fn f1(&self) -> MetricValue {
        match self.claimed + self.visible {
            0 => nothing(),
            both => MetricValue::Value(2.0 * self.right as f64 / both as f64),
        }
    }
}

fn nothing() -> MetricValue {
    MetricValue::Undefined("no point is visible, in truth or prediction".into())
}

/// The mean squared error of coordinates, as shares of the image's width and height.
pub(super) fn loss(inputs: &KeypointInputs<'_>) -> MetricValue {
    let [height, width] = inputs.truth.size.map(f64::from);
    let shares = visible_points(inputs).flat_map(|point| [point.x / width, point.y / height]);
    of_visible(mean(shares.map(|share| share * share)))
}

/// The mean absolute error of coordinates.
pub(super) fn absolute_error(inputs: &KeypointInputs<'_>) -> MetricValue {
    of_visible(mean(visible_points(inputs).flat_map(|point| [point.x.abs(), point.y.abs()])))
}

/// The mean distance.
pub(super) fn position_error(inputs: &KeypointInputs<'_>) -> MetricValue {
    of_visible(mean(visible_points(inputs).map(|point| point.distance())))
}

/// The mean over instances with a visible point of the mean over these of exp(−d² / (2 s² (2σ)²)).
pub(super) fn similarity(inputs: &KeypointInputs<'_>) -> MetricValue {
    let truth = &inputs.truth;
    let mut points = visible_points(inputs).peekable();
    let instances = std::iter::from_fn(|| {
        let row = points.peek()?.row;
        let area = truth.areas.map_or_else(|| box_area(truth, row), |areas| areas[row]);
        let (mut total, mut number) = (Sum::default(), 0_u32);
        while let Some(point) = points.next_if(|point| point.row == row) {
            let spread = 4.0 * truth.sigmas[point.index] * truth.sigmas[point.index];
            total.add(libm::exp(-point.squared() / spread / area / 2.0));
            number += 1;
        }
        Some(total.value() / f64::from(number))
    });
    of_visible(mean(instances))
}

/// At least one square pixel.
fn box_area(truth: &KeypointTruth<'_>, row: usize) -> f64 {
    let [width, height] = extent(truth, row);
    (width * height).max(1.0)
}

/// The share of points that are predicted to be visible where they are, and not to be where they are not.
pub(super) fn visibility_accuracy(inputs: &KeypointInputs<'_>) -> MetricValue {
    let pairs = inputs.truth.visibility.iter().zip(inputs.visibility);
    let right = pairs.filter(|&(&visible, &claimed)| (visible > 0) == (claimed >= VISIBLE)).count();
    match inputs.visibility.len() {
        0 => MetricValue::Undefined("there is no point".into()),
        points => MetricValue::Value(right as f64 / points as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth<'a>(places: &'a [f32], visibility: &'a [u8]) -> KeypointTruth<'a> {
        KeypointTruth { size: [10, 20], points: 2, places, visibility, boxes: None, areas: None, sigmas: &[0.05, 0.05] }
    }

    #[test]
    fn an_instance_is_as_large_as_its_box_or_its_visible_points_or_the_image() {
        let places = [1.0, 2.0, 4.0, 2.5];
        assert_eq!(extent(&truth(&places, &[1, 1]), 0), [3.0, 0.5]);
        assert_eq!(extent(&truth(&places, &[0, 1]), 0), [20.0, 10.0]);
        assert_eq!(extent(&truth(&[1.0; 4], &[1, 1]), 0), [20.0, 10.0]);
        let boxed = KeypointTruth { boxes: Some(&[0.0, 0.0, 7.0, 8.0]), ..truth(&places, &[1, 1]) };
        assert_eq!(extent(&boxed, 0), [7.0, 8.0]);
        assert_eq!(box_area(&truth(&[1.0, 1.0, 1.0, 5.0], &[1, 1]), 0), 1.0);
    }

    #[test]
    fn a_point_at_the_very_reach_is_found() {
        let truth = truth(&[0.0, 0.0, 10.0, 0.0], &[1, 1]);
        let inputs = KeypointInputs { truth, places: &[0.0, 2.0, 10.0, 2.5], visibility: &[1.0, 0.4] };
        let found = Found::within(&inputs, 0.2);
        assert_eq!((found.visible, found.near, found.right, found.claimed), (2, 1, 1, 1));
        assert_eq!(found.f1(), MetricValue::Value(2.0 / 3.0));
    }

    #[test]
    fn an_instance_without_a_visible_point_does_not_count() {
        let truth = KeypointTruth { visibility: &[0, 0, 1, 0], ..truth(&[3.0; 8], &[]) };
        let inputs = KeypointInputs { truth, places: &[3.0; 8], visibility: &[0.9; 4] };
        assert_eq!(similarity(&inputs), MetricValue::Value(1.0));
        assert_eq!(visibility_accuracy(&inputs), MetricValue::Value(0.25));
        let none = KeypointInputs { truth: KeypointTruth { visibility: &[0; 4], ..truth }, ..inputs };
        assert!([similarity(&none), loss(&none), position_error(&none)].iter().all(|value| value.value().is_none()));
    }
}
