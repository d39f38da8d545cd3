//! From drawn figures to a grey image: coverage of pixels, light and noise.

use crate::stream::Stream;

/// Pixels along an edge.
pub(super) const EDGE: usize = 32;
/// Places along a pixel's edge at which a figure is looked up.
const SAMPLES: usize = 4;

/// What an image was taken under: u8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Condition {
    /// Even light, little noise.
    Clear,
    /// Much noise.
    Noisy,
    /// Light that falls off from one side to the other.
    Uneven,
}

impl Condition {
    /// Half of all images are clear, a quarter each noisy and unevenly lit.
    pub(super) fn draw(stream: &mut Stream) -> Self {
        match stream.below(4) {
            0 | 1 => Self::Clear,
            2 => Self::Noisy,
            _ => Self::Uneven,
        }
    }

    /// Standard deviation of the noise, in grey levels.
    const fn noise(self) -> f64 {
        match self {
            Self::Noisy => 14.0,
            Self::Clear | Self::Uneven => 4.0,
        }
    }
}

/// The share of each pixel that a figure covers, row after row. `inside` says whether a point belongs to it; pixel (0,
/// 0) reaches from 0 to 1 in both directions.
pub(super) fn coverage(inside: impl Fn(f64, f64) -> bool) -> Vec<f64> {
    let step = |sample: usize| (sample as f64 + 0.5) / SAMPLES as f64;
    let covered = |pixel: usize| {
        let (x, y) = ((pixel % EDGE) as f64, (pixel / EDGE) as f64);
        let samples =
            (0..SAMPLES * SAMPLES).filter(|sample| inside(x + step(sample % SAMPLES), y + step(sample / SAMPLES)));
        samples.count() as f64 / (SAMPLES * SAMPLES) as f64
    };
    (0..EDGE * EDGE).map(covered).collect()
}

/// Paints a figure of one grey level over what is there.
pub(super) fn paint(canvas: &mut [f64], coverage: &[f64], level: f64) {
    for (pixel, share) in canvas.iter_mut().zip(coverage) {
        *pixel += (level - *pixel) * share;
    }
}

/// The image of a canvas of grey levels under a condition.
pub(super) fn expose(stream: &mut Stream, canvas: &[f64], condition: Condition) -> Vec<u8> {
    // Falls off by up to half along a direction of any angle.
    let angle = stream.between(0.0, std::f64::consts::TAU);
    let depth = if condition == Condition::Uneven { 0.5 } else { 0.0 };
    let (sin, cos) = (libm::sin(angle), libm::cos(angle));
    let middle = EDGE as f64 / 2.0;
    let exposed = canvas.iter().enumerate().map(|(pixel, level)| {
        let (x, y) = ((pixel % EDGE) as f64 - middle, (pixel / EDGE) as f64 - middle);
        let light = 1.0 - depth * (0.5 + (x * cos + y * sin) / (2.0 * EDGE as f64));
        libm::round(level * light + condition.noise() * stream.normal()).clamp(0.0, 255.0) as u8
    });
    exposed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pixel_is_covered_by_what_lies_in_it() {
        let half = coverage(|x, y| x < 2.5 && y < 1.0);
        assert_eq!(half[..4], [1.0, 1.0, 0.5, 0.0]);
        assert_eq!(half[EDGE], 0.0);
    }

    #[test]
    fn every_condition_leaves_its_mark() {
        let canvas = vec![100.0; EDGE * EDGE];
        let spread = |condition| {
            let image = expose(&mut Stream::new([9; 32]), &canvas, condition);
            let mean = image.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / image.len() as f64;
            libm::sqrt(image.iter().map(|&pixel| (f64::from(pixel) - mean).powi(2)).sum::<f64>() / image.len() as f64)
        };
        let [clear, noisy, uneven] = [Condition::Clear, Condition::Noisy, Condition::Uneven].map(spread);
        assert!(
            (3.5..4.5).contains(&clear) && (12.5..15.5).contains(&noisy) && uneven > 8.0,
            "{clear} {noisy} {uneven}"
        );
    }
}
