//! From an image to a picture: moved, turned, scaled and faded on a larger canvas, then seen under a condition.

use crate::stream::Stream;

use super::images::{EDGE, Image};

/// Pixels along an edge of the canvas.
pub(super) const CANVAS: usize = 16;

/// The largest move in either direction, in pixels of the canvas.
const SHIFT: f64 = 1.3;
/// The largest turn in either direction, in radians.
const TURN: f64 = 0.2;
/// Pixels of the canvas to a pixel of the image.
const SCALE: (f64, f64) = (1.6, 1.9);
/// What full ink becomes.
const CONTRAST: (f64, f64) = (0.5, 1.0);
/// Standard deviation of the noise on every pixel of a noisy picture.
const NOISE: f64 = 0.15;
/// Edges of the patch on an occluded picture.
const PATCH: (u64, u64) = (3, 5);
/// The darkest patch.
const PATCH_INK: f64 = 0.6;

/// What the world did to a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Condition {
    /// Nothing more.
    Clear,
    /// Every pixel mixed with its neighbours, twice.
    Blurred,
    /// Gaussian noise.
    Noisy,
    /// A grey patch somewhere.
    Occluded,
}

impl Condition {
    pub(super) const ALL: [Self; 4] = [Self::Clear, Self::Blurred, Self::Noisy, Self::Occluded];
}

/// Pictures of each condition in 100 of a class: some digits are seen worse than others.
pub(super) const FREQUENCIES: [[u64; 4]; super::CLASSES as usize] = [
    [50, 20, 18, 12],
    [46, 10, 24, 20],
    [38, 28, 12, 22],
    [32, 30, 22, 16],
    [44, 16, 30, 10],
    [28, 26, 26, 20],
    [40, 32, 10, 18],
    [36, 18, 34, 12],
    [30, 24, 20, 26],
    [34, 14, 28, 24],
];

/// Draws the condition of a picture of `class`.
pub(super) fn condition(stream: &mut Stream, class: usize) -> Condition {
    let mut draw = stream.below(100);
    for (condition, frequency) in Condition::ALL.into_iter().zip(FREQUENCIES[class]) {
        if draw < frequency {
            return condition;
        }
        draw -= frequency;
    }
    // The frequencies sum to 100.
    Condition::Clear
}

/// A picture of `image`: the canvas row after row, 0 where there is no ink.
pub(super) fn picture(stream: &mut Stream, image: Image, condition: Condition) -> Vec<f64> {
    let mut canvas = placed(stream, image);
    match condition {
        Condition::Clear => {}
        Condition::Blurred => {
            for _ in 0..2 {
                canvas = blurred(&canvas);
            }
        }
        Condition::Noisy => canvas.iter_mut().for_each(|pixel| *pixel += NOISE * stream.normal()),
        Condition::Occluded => occlude(stream, &mut canvas),
    }
    canvas
}

/// The image on the canvas, each pixel interpolated between the four of the image around its place there.
fn placed(stream: &mut Stream, image: Image) -> Vec<f64> {
    let (right, down) = (stream.between(-SHIFT, SHIFT), stream.between(-SHIFT, SHIFT));
    let turn = stream.between(-TURN, TURN);
    let scale = stream.between(SCALE.0, SCALE.1);
    let contrast = stream.between(CONTRAST.0, CONTRAST.1);
    let (sin, cos) = (libm::sin(turn), libm::cos(turn));
    let middle = |edge: usize| (edge as f64 - 1.0) / 2.0;
    let place = |pixel: usize| {
        let x = (pixel % CANVAS) as f64 - middle(CANVAS) - right;
        let y = (pixel / CANVAS) as f64 - middle(CANVAS) - down;
        let ink =
            interpolated(image, (cos * x + sin * y) / scale + middle(EDGE), (cos * y - sin * x) / scale + middle(EDGE));
        contrast * ink
    };
    (0..CANVAS * CANVAS).map(place).collect()
}

/// The ink at a point of the image, 0 to 1.
fn interpolated(image: Image, x: f64, y: f64) -> f64 {
    let (left, top) = (libm::floor(x), libm::floor(y));
    let (right, bottom) = (x - left, y - top);
    let ink = |column: f64, row: f64| {
        let inside = 0.0..EDGE as f64;
        if !inside.contains(&column) || !inside.contains(&row) {
            return 0.0;
        }
        f64::from(image[row as usize * EDGE + column as usize]) / 16.0
    };
    let upper = ink(left, top) * (1.0 - right) + ink(left + 1.0, top) * right;
    let lower = ink(left, top + 1.0) * (1.0 - right) + ink(left + 1.0, top + 1.0) * right;
    upper * (1.0 - bottom) + lower * bottom
}

/// Each pixel mixed with its neighbours by the weights 1 2 1 in both directions.
fn blurred(canvas: &[f64]) -> Vec<f64> {
    mixed(&mixed(canvas, 1, |pixel| pixel % CANVAS), CANVAS, |pixel| pixel / CANVAS)
}

fn mixed(canvas: &[f64], step: usize, position: impl Fn(usize) -> usize) -> Vec<f64> {
    let mix = |pixel: usize| {
        let before = if position(pixel) > 0 { canvas[pixel - step] } else { 0.0 };
        let after = if position(pixel) + 1 < CANVAS { canvas[pixel + step] } else { 0.0 };
        (before + 2.0 * canvas[pixel] + after) / 4.0
    };
    (0..canvas.len()).map(mix).collect()
}

fn occlude(stream: &mut Stream, canvas: &mut [f64]) {
    let mut edge = || (PATCH.0 + stream.below(PATCH.1 - PATCH.0 + 1)) as usize;
    let (width, height) = (edge(), edge());
    let mut start = |size: usize| stream.below((CANVAS - size) as u64 + 1) as usize;
    let (left, top) = (start(width), start(height));
    let ink = stream.between(0.0, PATCH_INK);
    for row in canvas.chunks_exact_mut(CANVAS).skip(top).take(height) {
        row[left..left + width].fill(ink);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Image = &[16; EDGE * EDGE];

    #[test]
    fn frequencies_are_percentages() {
        assert!(FREQUENCIES.iter().all(|frequencies| frequencies.iter().sum::<u64>() == 100));
    }

    #[test]
    fn conditions_are_drawn_as_often_as_they_say() {
        let mut stream = Stream::new([5; 32]);
        for (class, frequencies) in FREQUENCIES.iter().enumerate() {
            let mut counts = [0.0; 4];
            (0..10_000).for_each(|_| counts[condition(&mut stream, class) as usize] += 0.01);
            for (count, &frequency) in counts.iter().zip(frequencies) {
                // Four standard errors of 10,000 draws at 50 %.
                assert!((count - frequency as f64).abs() < 2.0, "{class}: {counts:?}");
            }
        }
    }

    #[test]
    fn ink_stays_on_the_canvas_and_a_blur_keeps_it() {
        let mut stream = Stream::new([6; 32]);
        for _ in 0..100 {
            let canvas = picture(&mut stream, IMAGE, Condition::Clear);
            assert_eq!(canvas.len(), CANVAS * CANVAS);
            assert!(canvas.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        }
        let mut canvas = vec![0.0; CANVAS * CANVAS];
        canvas[5 * CANVAS + 7] = 1.0;
        let mixed = blurred(&canvas);
        assert_eq!(mixed.iter().sum::<f64>(), 1.0);
        assert_eq!((mixed[5 * CANVAS + 7], mixed[4 * CANVAS + 7], mixed[4 * CANVAS + 6]), (0.25, 0.125, 0.0625));
    }

    #[test]
    fn every_condition_leaves_its_mark() {
        let draw = |condition| picture(&mut Stream::new([7; 32]), IMAGE, condition);
        let clear = draw(Condition::Clear);
        let changed = |condition| draw(condition).iter().zip(&clear).filter(|(a, b)| a != b).count();
        assert_eq!(changed(Condition::Noisy), CANVAS * CANVAS);
        assert!((9..=25).contains(&changed(Condition::Occluded)));
        assert!(changed(Condition::Blurred) > 50);
    }
}
