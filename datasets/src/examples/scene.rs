//! Drawn images of one to four shapes, with what each pixel shows.

use super::light::{Condition, EDGE, coverage, expose, paint};
use crate::stream::Stream;

/// What there is to see, in class order.
pub(super) const SHAPES: [&str; 3] = ["disc", "square", "triangle"];

/// The radius of a disc, in pixels; squares and triangles have as many pixels.
const RADIUS: (f64, f64) = (3.2, 6.0);
/// Half the edge of a square with the pixels of a disc of radius 1: √π / 2.
const SQUARE: f64 = 0.886;
/// The radius of the circle inside a triangle with the pixels of a disc of radius 1: √(π / (3 √3)).
const TRIANGLE: f64 = 0.778;
/// Grey levels of the background, and of a shape above it.
const BACKGROUND: (f64, f64) = (30.0, 100.0);
const CONTRAST: (f64, f64) = (55.0, 130.0);
/// Shapes are no nearer to each other than this share of their radii's sum: most stand apart, some hide a little of
/// another.
const DISTANCE: f64 = 0.95;
/// Places that are tried for a shape.
const TRIES: usize = 30;

/// An image and what it shows.
pub(super) struct Scene {
    /// Grey levels, row after row.
    pub(super) image: Vec<u8>,
    pub(super) condition: Condition,
    /// One to four, in the order they were painted.
    pub(super) objects: Vec<Object>,
}

/// A shape in an image.
pub(super) struct Object {
    /// In [`SHAPES`].
    pub(super) class: usize,
    /// 1 for every pixel that shows it, 0 elsewhere.
    pub(super) mask: Vec<u8>,
}

struct Shape {
    class: usize,
    x: f64,
    y: f64,
    radius: f64,
    sin: f64,
    cos: f64,
}

impl Shape {
    fn draw(stream: &mut Stream) -> Self {
        let class = stream.below(SHAPES.len() as u64) as usize;
        let radius = stream.between(RADIUS.0, RADIUS.1);
        let mut place = || stream.between(radius, EDGE as f64 - radius);
        let (x, y) = (place(), place());
        let turn = stream.between(0.0, std::f64::consts::TAU);
        Self { class, x, y, radius, sin: libm::sin(turn), cos: libm::cos(turn) }
    }

    fn contains(&self, x: f64, y: f64) -> bool {
        let (x, y) = ((x - self.x) / self.radius, (y - self.y) / self.radius);
        let (u, v) = (x * self.cos + y * self.sin, y * self.cos - x * self.sin);
        match self.class {
            0 => u * u + v * v <= 1.0,
            1 => u.abs().max(v.abs()) <= SQUARE,
            // Below one edge and inside of the two that meet opposite of it, 60° to either side: sin 60° = 0.866.
            _ => v <= TRIANGLE && 0.866 * u.abs() - 0.5 * v <= TRIANGLE,
        }
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        let (x, y) = (self.x - other.x, self.y - other.y);
        libm::sqrt(x * x + y * y) >= DISTANCE * (self.radius + other.radius)
    }
}

/// Draws an image. Every object shows pixels.
pub(super) fn scene(stream: &mut Stream) -> Scene {
    let condition = Condition::draw(stream);
    let background = stream.between(BACKGROUND.0, BACKGROUND.1);
    let mut canvas = vec![background; EDGE * EDGE];
    let mut owners = vec![None; EDGE * EDGE];
    let shapes = shapes(stream);
    for (index, shape) in shapes.iter().enumerate() {
        let covered = coverage(|x, y| shape.contains(x, y));
        paint(&mut canvas, &covered, background + stream.between(CONTRAST.0, CONTRAST.1));
        let shown = owners.iter_mut().zip(&covered).filter(|(_, share)| **share >= 0.5);
        shown.for_each(|(owner, _)| *owner = Some(index));
    }
    let mask = |index| owners.iter().map(|&owner| u8::from(owner == Some(index))).collect();
    let objects = shapes.iter().enumerate().map(|(index, shape)| Object { class: shape.class, mask: mask(index) });
    let objects = objects.filter(|object| object.mask.contains(&1)).collect();
    Scene { image: expose(stream, &canvas, condition), condition, objects }
}

fn shapes(stream: &mut Stream) -> Vec<Shape> {
    let wanted = 1 + stream.below(4) as usize;
    let mut shapes: Vec<Shape> = Vec::new();
    for _ in 0..TRIES {
        let shape = Shape::draw(stream);
        if shapes.len() < wanted && shapes.iter().all(|other| shape.is_apart_from(other)) {
            shapes.push(shape);
        }
    }
    shapes
}

impl Object {
    /// The smallest box around the pixels that show it: x0, y0, x1, y1.
    pub(super) fn bounds(&self) -> [f32; 4] {
        let mut bounds = [f32::MAX, f32::MAX, 0.0_f32, 0.0_f32];
        for (pixel, _) in self.mask.iter().enumerate().filter(|(_, shown)| **shown == 1) {
            let (x, y) = ((pixel % EDGE) as f32, (pixel / EDGE) as f32);
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x + 1.0), bounds[3].max(y + 1.0)];
        }
        bounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_of_a_radius_have_as_many_pixels() {
        for class in 0..3 {
            for turn in [0.0, 0.4, 1.0] {
                let (sin, cos) = (libm::sin(turn), libm::cos(turn));
                let shape = Shape { class, x: 16.0, y: 16.0, radius: 6.0, sin, cos };
                let pixels: f64 = coverage(|x, y| shape.contains(x, y)).iter().sum();
                assert!((pixels / (std::f64::consts::PI * 36.0) - 1.0).abs() < 0.03, "{class} {turn}: {pixels}");
            }
        }
    }

    #[test]
    fn scenes_have_one_to_four_objects_that_share_no_pixel() {
        let mut stream = Stream::new([10; 32]);
        let mut numbers = [0; 5];
        for _ in 0..200 {
            let scene = scene(&mut stream);
            numbers[scene.objects.len()] += 1;
            for pixel in 0..EDGE * EDGE {
                assert!(scene.objects.iter().map(|object| object.mask[pixel]).sum::<u8>() <= 1);
            }
            for object in &scene.objects {
                let [x0, y0, x1, y1] = object.bounds();
                assert!(x0 < x1 && y0 < y1 && x1 <= EDGE as f32 && y1 <= EDGE as f32);
                assert!(object.mask.iter().map(|&pixel| u32::from(pixel)).sum::<u32>() >= 20);
            }
        }
        assert!(numbers[0] == 0 && numbers[1..].iter().all(|&number| number > 25), "{numbers:?}");
    }

    #[test]
    fn a_shape_is_brighter_than_what_is_around_it() {
        let mut stream = Stream::new([11; 32]);
        for _ in 0..50 {
            let scene = scene(&mut stream);
            let shown = |pixel: usize| scene.objects.iter().any(|object| object.mask[pixel] == 1);
            let mean = |wanted: bool| {
                let levels = (0..EDGE * EDGE).filter(|&pixel| shown(pixel) == wanted);
                let levels: Vec<f64> = levels.map(|pixel| f64::from(scene.image[pixel])).collect();
                levels.iter().sum::<f64>() / levels.len() as f64
            };
            assert!(mean(true) > mean(false) + 15.0);
        }
    }
}
