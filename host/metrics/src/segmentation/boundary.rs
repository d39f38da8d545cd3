//! Boundaries of regions: how much of them agrees, and how far apart they are.

use super::distance::{Squared, depths};
use super::{MOST_CLASSES, SegmentationInputs};
use crate::sum::{Sum, mean};
use crate::value::MetricValue;

/// The width of Boundary IoU's band, as a share of the image's diagonal: the reference's default.
const BAND: f64 = 0.02;

/// How far apart boundary pixels of F1 may be, as a share of the image's diagonal: bfscore's default.
const TOLERANCE: f64 = 0.0075;

/// The mean over images and foreground classes of the IoU of the bands inside the two regions' boundaries.
pub(super) fn boundary_iou(inputs: &SegmentationInputs<'_>) -> MetricValue {
    // Python's round, and so the reference's, takes halves to the even number.
    let reach = (BAND * diagonal(inputs)).round_ties_even().max(1.0) as u32;
    let mut buffers = [Vec::new(), Vec::new()];
    over_regions(inputs, |region| {
        let [truth, predicted] = &mut buffers;
        let truth = depths(region.truth, region.width, truth);
        let predicted = depths(region.predicted, region.width, predicted);
        let (mut shared, mut all) = (0_u64, 0_u64);
        for (&one, &other) in truth.iter().zip(predicted) {
            let (one, other) = ((1..=reach).contains(&one), (1..=reach).contains(&other));
            shared += u64::from(one && other);
            all += u64::from(one || other);
        }
        shared as f64 / all as f64
    })
}

/// The mean over images and foreground classes of F1 of boundary pixels that have one of the other side near.
pub(super) fn boundary_f1(inputs: &SegmentationInputs<'_>) -> MetricValue {
    let reach = (TOLERANCE * diagonal(inputs)).ceil() as i64;
    let mut outlines = Outlines::default();
    over_regions(inputs, |region| {
        let mut near = [0_u64; 2];
        let numbers = outlines.visit(region, |side, distance| near[side] += u64::from(distance <= reach * reach));
        let share = |side: usize| near[side] as f64 / numbers[side] as f64;
        match (numbers, near) {
            ([0, _] | [_, 0], _) | (_, [0, 0]) => 0.0,
            _ => 2.0 * share(0) * share(1) / (share(0) + share(1)),
        }
    })
}

/// The mean over images and foreground classes of the largest distance of a boundary pixel to the other boundary.
pub(super) fn hausdorff(inputs: &SegmentationInputs<'_>) -> MetricValue {
    let diagonal = diagonal(inputs);
    let mut outlines = Outlines::default();
    over_regions(inputs, |region| {
        let mut largest = 0;
        match outlines.visit(region, |_, distance| largest = largest.max(distance)) {
            [0, _] | [_, 0] => diagonal,
            _ => libm::sqrt(largest as f64),
        }
    })
}

/// The mean over images and foreground classes of the mean distance of a boundary pixel to the other boundary.
pub(super) fn average_surface_distance(inputs: &SegmentationInputs<'_>) -> MetricValue {
    let diagonal = diagonal(inputs);
    let mut outlines = Outlines::default();
    over_regions(inputs, |region| {
        let mut total = Sum::default();
        match outlines.visit(region, |_, distance| total.add(libm::sqrt(distance as f64))) {
            [0, _] | [_, 0] => diagonal,
            [one, other] => total.value() / (one + other) as f64,
        }
    })
}

/// Of an image, in pixels.
fn diagonal(inputs: &SegmentationInputs<'_>) -> f64 {
    let [height, width] = inputs.truth.size.map(f64::from);
    libm::sqrt(height * height + width * width)
}

/// One class in one image, cut to the smallest window that holds it on both sides. One of them may be empty.
#[derive(Debug)]
struct Region<'a> {
    width: usize,
    truth: &'a [bool],
    predicted: &'a [bool],
}

/// The mean over images and the foreground classes that the truth or the prediction holds there.
fn over_regions(inputs: &SegmentationInputs<'_>, mut value: impl FnMut(&Region<'_>) -> f64) -> MetricValue {
    let pixels = inputs.truth.pixels();
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    let images = inputs.truth.masks.chunks_exact(pixels).zip(inputs.masks.chunks_exact(pixels));
    let regions = images.flat_map(|image| {
        let counts = |&(label, _): &(&u8, &u8)| Some(*label) != inputs.truth.ignore;
        windows(inputs, image).map(move |(class, window)| (image, class, window, counts))
    });
    let values = regions.map(|((owned, given), class, window, counts)| {
        truth.clear();
        predicted.clear();
        let [_, side] = inputs.truth.sides();
        for row in window.rows[0]..=window.rows[1] {
            let row = side * row + window.columns[0]..=side * row + window.columns[1];
            for pair in owned[row.clone()].iter().zip(&given[row]) {
                truth.push(counts(&pair) && *pair.0 == class);
                predicted.push(counts(&pair) && *pair.1 == class);
            }
        }
        let width = window.columns[1] - window.columns[0] + 1;
        value(&Region { width, truth: &truth, predicted: &predicted })
    });
    mean(values).map_or_else(
        || MetricValue::Undefined("no pixel that counts is of a foreground class, in truth or prediction".into()),
        MetricValue::Value,
    )
}

/// The first and last rows and columns of a region.
#[derive(Debug, Clone, Copy)]
struct Window {
    rows: [usize; 2],
    columns: [usize; 2],
}

/// The foreground classes of an image, ascending, each with the window that holds it on both sides.
fn windows(inputs: &SegmentationInputs<'_>, (truth, predicted): (&[u8], &[u8])) -> impl Iterator<Item = (u8, Window)> {
    let [_, width] = inputs.truth.sides();
    let mut windows: [Option<Window>; MOST_CLASSES as usize] = [None; MOST_CLASSES as usize];
    for (place, (&class, &other)) in truth.iter().zip(predicted).enumerate() {
        if (class == 0 && other == 0) || Some(class) == inputs.truth.ignore {
            continue;
        }
        let (row, column) = (place / width, place % width);
        for class in [class, other] {
            let window = windows[usize::from(class)].get_or_insert(Window { rows: [row; 2], columns: [column; 2] });
            window.rows[1] = row;
            window.columns = [window.columns[0].min(column), window.columns[1].max(column)];
        }
    }
    (1..=u8::MAX).filter_map(move |class| windows[usize::from(class)].map(|window| (class, window)))
}

/// Finds the boundaries of regions one after another, in the same buffers.
#[derive(Debug, Default)]
struct Outlines {
    edges: [Vec<bool>; 2],
    squared: Squared,
}

impl Outlines {
    /// Calls `seen` with each boundary pixel's side (0 truth, 1 prediction) and its squared distance to the nearest of the
    /// other side, unless one has none. Returns the boundary pixels of each side.
    fn visit(&mut self, region: &Region<'_>, mut seen: impl FnMut(usize, i64)) -> [u64; 2] {
        for (edges, set) in self.edges.iter_mut().zip([region.truth, region.predicted]) {
            outline(set, region.width, edges);
        }
        let numbers = [0, 1].map(|side: usize| self.edges[side].iter().filter(|&&edge| edge).count() as u64);
        if numbers.contains(&0) {
            return numbers;
        }
        for side in [0, 1] {
            let distances = self.squared.compute(&self.edges[1 - side], region.width);
            let of_side = self.edges[side].iter().zip(distances).filter(|&(&edge, _)| edge);
            of_side.for_each(|(_, &distance)| seen(side, distance));
        }
        numbers
    }
}

/// The pixels of a set with one of their four neighbours outside of it; beyond the window all is outside.
fn outline(set: &[bool], width: usize, edges: &mut Vec<bool>) {
    edges.clear();
    edges.extend(set.iter().enumerate().map(|(place, &inside)| {
        let column = place % width;
        let deep = || {
            let beside = column > 0 && set[place - 1] && column + 1 < width && set[place + 1];
            beside && place >= width && set[place - width] && set.get(place + width) == Some(&true)
        };
        inside && !deep()
    }));
}

#[cfg(test)]
mod tests {
    use super::super::SegmentationTruth;
    use super::*;

    fn inputs<'a>(truth: &'a [u8], masks: &'a [u8]) -> SegmentationInputs<'a> {
        let truth = SegmentationTruth { size: [4, 4], masks: truth, classes: 3, ignore: Some(9) };
        SegmentationInputs { truth, masks }
    }

    #[test]
    fn a_class_on_one_side_only_is_as_far_off_as_the_diagonal() {
        let mut truth = [0; 16];
        truth[5] = 1;
        let inputs = inputs(&truth, &[0; 16]);
        let diagonal = libm::sqrt(32.0);
        assert_eq!(hausdorff(&inputs), MetricValue::Value(diagonal));
        assert_eq!(average_surface_distance(&inputs), MetricValue::Value(diagonal));
        assert_eq!(boundary_f1(&inputs), MetricValue::Value(0.0));
        assert_eq!(boundary_iou(&inputs), MetricValue::Value(0.0));
    }

    #[test]
    fn a_pixel_that_does_not_count_is_of_no_class_on_either_side() {
        let (mut truth, mut masks) = ([0; 16], [0; 16]);
        truth[5] = 9;
        masks[5] = 1;
        assert_eq!(hausdorff(&inputs(&truth, &masks)).value(), None);
        truth[6] = 1;
        masks[6] = 1;
        assert_eq!(hausdorff(&inputs(&truth, &masks)), MetricValue::Value(0.0));
    }

    #[test]
    fn distances_are_between_pixels() {
        let (mut truth, mut masks) = ([0; 16], [0; 16]);
        truth[0] = 2;
        masks[15] = 2;
        assert_eq!(hausdorff(&inputs(&truth, &masks)), MetricValue::Value(libm::sqrt(18.0)));
        masks[0] = 2;
        assert_eq!(average_surface_distance(&inputs(&truth, &masks)), MetricValue::Value(libm::sqrt(18.0) / 3.0));
    }
}
