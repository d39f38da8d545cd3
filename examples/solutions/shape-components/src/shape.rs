//! Pieces of the foreground.

use std::collections::VecDeque;

use thimble_sdk::Result;

use crate::foreground::{Foreground, foreground};

/// Pixels of the smallest piece that is a shape.
const SMALLEST: usize = 12;
/// A pixel belongs to a piece where it is brighter than this share of the piece's own middle.
const EDGE: f64 = 0.5;
/// Layers of pixels that are taken off to find out what holds together.
const LAYERS: usize = 2;

/// A piece of the foreground of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    width: usize,
    /// Its pixels, in ascending order.
    pixels: Vec<usize>,
}

/// The shapes in an image of one channel.
///
/// # Errors
/// The image has no pixels.
pub fn shapes(image: &[u8], width: usize) -> Result<Vec<Shape>> {
    let foreground = foreground(image, width)?;
    let mut core = foreground.inside.clone();
    for _ in 0..LAYERS {
        core = eroded(&core, width);
    }
    let mut owners = vec![None; image.len()];
    let mut pieces = 0;
    // The cores first, then what has none.
    grow(&core, width, &mut owners, &mut pieces);
    spread(&foreground.inside, width, &mut owners);
    grow(&foreground.inside, width, &mut owners, &mut pieces);
    let piece = |piece: usize| {
        let pixels = (0..owners.len()).filter(|&pixel| owners[pixel] == Some(piece)).collect();
        trimmed(&foreground, Shape { width, pixels })
    };
    Ok((0..pieces).map(piece).filter(|shape| shape.pixels.len() >= SMALLEST).collect())
}

/// The largest connected piece of a foreground, uncut; none where nothing stands out.
pub fn largest(foreground: &Foreground) -> Option<Shape> {
    let (mut owners, mut pieces) = (vec![None; foreground.inside.len()], 0);
    grow(&foreground.inside, foreground.width, &mut owners, &mut pieces);
    let of = |piece: usize| (0..owners.len()).filter(|&pixel| owners[pixel] == Some(piece)).collect::<Vec<_>>();
    // The first of equals.
    let pixels = (0..pieces).rev().map(of).max_by_key(Vec::len)?;
    Some(Shape { width: foreground.width, pixels })
}

/// The up to four neighbours of a pixel.
fn neighbours(pixel: usize, width: usize, pixels: usize) -> impl Iterator<Item = usize> {
    let column = pixel % width;
    let left = (column > 0).then(|| pixel - 1);
    let right = (column + 1 < width).then(|| pixel + 1);
    let above = pixel.checked_sub(width);
    let below = Some(pixel + width).filter(|&below| below < pixels);
    [left, right, above, below].into_iter().flatten()
}

/// Without its outermost layer; what lies beyond the image counts as inside.
fn eroded(inside: &[bool], width: usize) -> Vec<bool> {
    let stays = |pixel: usize| inside[pixel] && neighbours(pixel, width, inside.len()).all(|other| inside[other]);
    (0..inside.len()).map(stays).collect()
}

/// Gives every connected piece of `inside` without an owner a number of its own.
fn grow(inside: &[bool], width: usize, owners: &mut [Option<usize>], pieces: &mut usize) {
    for first in 0..inside.len() {
        if !inside[first] || owners[first].is_some() {
            continue;
        }
        owners[first] = Some(*pieces);
        let mut open = vec![first];
        while let Some(pixel) = open.pop() {
            for other in neighbours(pixel, width, inside.len()) {
                if inside[other] && owners[other].is_none() {
                    owners[other] = Some(*pieces);
                    open.push(other);
                }
            }
        }
        *pieces += 1;
    }
}

/// Gives every pixel of `inside` that can be reached the owner it is nearest to.
fn spread(inside: &[bool], width: usize, owners: &mut [Option<usize>]) {
    let mut open: VecDeque<usize> = (0..owners.len()).filter(|&pixel| owners[pixel].is_some()).collect();
    while let Some(pixel) = open.pop_front() {
        for other in neighbours(pixel, width, inside.len()) {
            if inside[other] && owners[other].is_none() {
                owners[other] = owners[pixel];
                open.push_back(other);
            }
        }
    }
}

/// Without the pixels of its edge that are more of the background than of it.
fn trimmed(foreground: &Foreground, shape: Shape) -> Shape {
    let mut levels: Vec<f64> = shape.pixels.iter().map(|&pixel| foreground.level[pixel]).collect();
    levels.sort_by(f64::total_cmp);
    let Some(&middle) = levels.get(levels.len() * 2 / 3) else { return shape };
    let pixels = shape.pixels.into_iter().filter(|&pixel| foreground.level[pixel] > EDGE * middle).collect();
    Shape { pixels, ..shape }
}

impl Shape {
    /// Its pixels by their place in the image, in ascending order.
    pub fn pixels(&self) -> &[usize] {
        &self.pixels
    }

    /// The smallest box around it: x0, y0, x1, y1.
    pub fn bounds(&self) -> [f32; 4] {
        let places = self.pixels.iter().map(|pixel| ((pixel % self.width) as f32, (pixel / self.width) as f32));
        places.fold([f32::MAX, f32::MAX, 0.0, 0.0], |[x0, y0, x1, y1], (x, y)| {
            [x0.min(x), y0.min(y), x1.max(x + 1.0), y1.max(y + 1.0)]
        })
    }

    /// 1 for each of its pixels in an image of `pixels`, 0 elsewhere.
    pub fn mask(&self, pixels: usize) -> Vec<u8> {
        let mut mask = vec![0; pixels];
        self.pixels.iter().for_each(|&pixel| mask[pixel] = 1);
        mask
    }

    /// Measures that do not depend on its place or turn, and but for the first not on its size: area, moments of
    /// inertia of the second and fourth order, the farthest pixel, how far it is from having two, three and four axes,
    /// and how much of its box it fills.
    pub fn measures(&self) -> Vec<f64> {
        let area = self.pixels.len() as f64;
        let place = |pixel: &usize| ((pixel % self.width) as f64, (pixel / self.width) as f64);
        let mean =
            |value: &dyn Fn((f64, f64)) -> f64| self.pixels.iter().map(|pixel| value(place(pixel))).sum::<f64>() / area;
        let (x, y, size) = (mean(&|(x, _)| x), mean(&|(_, y)| y), libm::sqrt(area));
        let centred = |(px, py): (f64, f64)| ((px - x) / size, (py - y) / size);
        let square = |place: (f64, f64)| {
            let (u, v) = centred(place);
            u * u + v * v
        };
        let farthest = self.pixels.iter().map(|pixel| square(place(pixel))).fold(0.0, f64::max);
        // |mean of (u + i v)^order|
        let axes = |order: usize| {
            let power = |place| {
                let (u, v) = centred(place);
                (1..order).fold((u, v), |(a, b), _| (a * u - b * v, a * v + b * u))
            };
            libm::hypot(mean(&|place| power(place).0), mean(&|place| power(place).1))
        };
        let [x0, y0, x1, y1] = self.bounds().map(f64::from);
        vec![
            size,
            mean(&square),
            mean(&|place| square(place) * square(place)),
            libm::sqrt(farthest),
            axes(2),
            axes(3),
            axes(4),
            area / ((x1 - x0) * (y1 - y0)).max(1.0),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two squares of 7 × 7 pixels that touch at a corner.
    fn image() -> Vec<u8> {
        let is_bright = |x: usize, y: usize| {
            ((2..9).contains(&x) && (2..9).contains(&y)) || ((9..16).contains(&x) && (9..16).contains(&y))
        };
        (0..400).map(|pixel| if is_bright(pixel % 20, pixel / 20) { 200 } else { 50 }).collect()
    }

    #[test]
    fn shapes_that_touch_at_a_corner_are_told_apart() -> Result<()> {
        let shapes = shapes(&image(), 20)?;
        assert_eq!(shapes.len(), 2);
        let near = |found: [f32; 4], expected: [f32; 4]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1.0);
        assert!(near(shapes[0].bounds(), [2.0, 2.0, 9.0, 9.0]), "{:?}", shapes[0].bounds());
        assert!(near(shapes[1].bounds(), [9.0, 9.0, 16.0, 16.0]), "{:?}", shapes[1].bounds());
        assert_eq!(shapes[0].mask(400).iter().filter(|&&pixel| pixel == 1).count(), shapes[0].pixels().len());
        Ok(())
    }

    #[test]
    fn measures_of_a_square_are_those_of_the_books() {
        let pixels = (0..100).filter(|pixel| pixel % 10 < 8 && pixel / 10 < 8).collect();
        let measures = Shape { width: 10, pixels }.measures();
        assert_eq!(measures[0], 8.0);
        // The polar moment of a square of area 1 is 1/6; pixels make it a little less.
        assert!((measures[1] - 1.0 / 6.0).abs() < 0.005, "{}", measures[1]);
        // Four axes, not two or three.
        assert!(measures[4] < 1e-9 && measures[5] < 1e-9 && measures[6] > 0.01, "{measures:?}");
        assert_eq!(measures[7], 1.0);
    }
}
