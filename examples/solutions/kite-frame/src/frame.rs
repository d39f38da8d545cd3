//! A shape's own axes, and what it looks like in them.

use shape_components::{Foreground, foreground, largest};
use thimble_sdk::Result;

/// Stretches of the long axis, half the shape's size each, in which pixels are counted.
const STRETCHES: usize = 12;
/// Numbers that [`Frame::measures`] gives.
pub(crate) const MEASURES: usize = 10 + STRETCHES;

/// The place, direction and size of a shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    x: f64,
    y: f64,
    /// Along the long axis, towards the end that reaches farther from the middle.
    cos: f64,
    sin: f64,
    /// The square root of its area.
    size: f64,
    /// Its pixels in these axes, in units of its size.
    places: Vec<[f64; 2]>,
}

impl Frame {
    /// Of the largest shape in an image of one channel; the middle of the image where nothing stands out.
    pub(crate) fn of(image: &[u8], width: usize) -> Result<Self> {
        let foreground: Foreground = foreground(image, width)?;
        let pixels = largest(&foreground).map_or_else(Vec::new, |shape| shape.pixels().to_vec());
        let centre = |pixel: &usize| [(pixel % width) as f64 + 0.5, (pixel / width) as f64 + 0.5];
        let places: Vec<[f64; 2]> = pixels.iter().map(centre).collect();
        let middle = width as f64 / 2.0;
        let none = Self { x: middle, y: middle, cos: 1.0, sin: 0.0, size: middle, places: vec![[0.0; 2]] };
        if places.is_empty() {
            return Ok(none);
        }
        let mean = |value: &dyn Fn(&[f64; 2]) -> f64| places.iter().map(value).sum::<f64>() / places.len() as f64;
        let (x, y) = (mean(&|place| place[0]), mean(&|place| place[1]));
        let xx = mean(&|place| (place[0] - x) * (place[0] - x));
        let yy = mean(&|place| (place[1] - y) * (place[1] - y));
        let xy = mean(&|place| (place[0] - x) * (place[1] - y));
        let turn = 0.5 * libm::atan2(2.0 * xy, xx - yy);
        let (mut cos, mut sin) = (libm::cos(turn), libm::sin(turn));
        let along = |place: &[f64; 2]| (place[0] - x) * cos + (place[1] - y) * sin;
        if mean(&|place| along(place) * along(place) * along(place)) < 0.0 {
            (cos, sin) = (-cos, -sin);
        }
        let frame = Self { x, y, cos, sin, size: libm::sqrt(places.len() as f64), places: Vec::new() };
        let places = places.iter().map(|&place| frame.inwards(place)).collect();
        Ok(Self { places, ..frame })
    }

    /// A place of the image, in pixels, in these axes.
    pub(crate) fn inwards(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let (x, y) = ((x - self.x) / self.size, (y - self.y) / self.size);
        [x * self.cos + y * self.sin, y * self.cos - x * self.sin]
    }

    /// A place in these axes, in pixels of the image.
    pub(crate) fn outwards(&self, [u, v]: [f64; 2]) -> [f64; 2] {
        let (u, v) = (u * self.size, v * self.size);
        [self.x + u * self.cos - v * self.sin, self.y + u * self.sin + v * self.cos]
    }

    /// How far the shape reaches, where it is widest, its moments, and how many of its pixels lie in each stretch of
    /// its long axis.
    pub(crate) fn measures(&self) -> Vec<f64> {
        let extreme =
            |axis: usize, sign: f64| self.places.iter().map(|place| sign * place[axis]).fold(f64::MIN, f64::max);
        let (right, left) = (extreme(1, 1.0), extreme(1, -1.0));
        let pixels = self.places.len() as f64;
        let mean = |value: &dyn Fn(&[f64; 2]) -> f64| self.places.iter().map(value).sum::<f64>() / pixels;
        // The mean place along the axis of what reaches nearly as far to a side as anything.
        let widest = |sign: f64, reach: f64| {
            let near = self.places.iter().filter(|place| sign * place[1] > reach - 0.12);
            let (sum, count) = near.fold((0.0, 0.0), |(sum, count), place| (sum + place[0], count + 1.0));
            sum / count
        };
        let mut measures = vec![
            extreme(0, 1.0),
            extreme(0, -1.0),
            right,
            left,
            widest(1.0, right),
            widest(-1.0, left),
            mean(&|place| place[0] * place[0]),
            mean(&|place| place[1] * place[1]),
            mean(&|place| place[0] * place[0] * place[0]),
            mean(&|place| place[0] * place[1] * place[1]),
        ];
        let stretch =
            |place: &[f64; 2]| (place[0] * 4.0 + STRETCHES as f64 / 3.0).clamp(0.0, STRETCHES as f64 - 1.0) as usize;
        let mut counts = vec![0.0; STRETCHES];
        self.places.iter().for_each(|place| counts[stretch(place)] += 1.0 / pixels);
        measures.extend(counts);
        measures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_the_way_into_the_frame_and_back() -> Result<()> {
        // A wedge that is wide on the left.
        let inside = |x: usize, y: usize| (4..16).contains(&x) && y.abs_diff(10) * 3 <= 16 - x;
        let image: Vec<u8> = (0..400).map(|pixel| if inside(pixel % 20, pixel / 20) { 180 } else { 60 }).collect();
        let frame = Frame::of(&image, 20)?;
        let back = frame.outwards(frame.inwards([3.0, 17.0]));
        assert!((back[0] - 3.0).abs() < 1e-9 && (back[1] - 17.0).abs() < 1e-9);
        // The thin end is ahead.
        assert!(frame.inwards([16.0, 10.0])[0] > 0.5, "{frame:?}");
        assert_eq!(frame.measures().len(), MEASURES);
        Ok(())
    }

    #[test]
    fn an_image_without_a_shape_has_its_middle() -> Result<()> {
        let frame = Frame::of(&[60; 64], 8)?;
        assert_eq!(frame.outwards([0.0, 0.0]), [4.0, 4.0]);
        assert!(frame.measures().iter().all(|value| value.is_finite()));
        Ok(())
    }
}
