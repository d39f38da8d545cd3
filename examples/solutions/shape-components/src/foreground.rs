//! What is brighter than the background of an image, whose light may fall off to one side.

use least_squares::solve;
use thimble_sdk::Result;

/// Share of the weight of a pixel above the fitted plane: shapes are bright, and should not lift it.
const ABOVE: f64 = 0.1;
/// Rounds of the fit, after which no weight changes any more.
const ROUNDS: usize = 8;
/// Least distance of a shape from the background, as a share of the background's level.
const LEAST: f64 = 0.25;
/// And in standard deviations of the background after smoothing.
const DEVIATIONS: f64 = 3.5;

/// The pixels of an image that are brighter than its background.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreground {
    /// Pixels from left to right.
    pub width: usize,
    /// How much brighter each pixel is than the background, as a share of the background's level, smoothed.
    pub level: Vec<f64>,
    /// Whether it belongs to a shape.
    pub inside: Vec<bool>,
}

/// Separates an image of one channel.
///
/// # Errors
/// The image has no pixels.
pub fn foreground(image: &[u8], width: usize) -> Result<Foreground> {
    let plane = background(image, width)?;
    let ratios: Vec<f64> = image.iter().zip(&plane).map(|(&pixel, plane)| f64::from(pixel) / plane.max(8.0)).collect();
    let smooth = smoothed(&smoothed(&ratios, 1, |pixel| (pixel % width, width)), width, |pixel| {
        (pixel / width, image.len() / width)
    });
    let mut sorted = smooth.clone();
    sorted.sort_by(f64::total_cmp);
    // Less than half of an image is covered by shapes.
    let middle = sorted[sorted.len() / 2];
    // Half of what is below the median is less than 0.6745 standard deviations below it.
    let spread = (middle - sorted[sorted.len() / 4]) / 0.6745;
    let threshold = LEAST.max(DEVIATIONS * spread);
    let level: Vec<f64> = smooth.iter().map(|ratio| ratio - middle).collect();
    let inside = level.iter().map(|level| *level > threshold).collect();
    Ok(Foreground { width, level, inside })
}

/// A plane of grey levels that lies in the background: least squares in which pixels above it count little (an
/// expectile, W. Newey and J. Powell 1987).
fn background(image: &[u8], width: usize) -> Result<Vec<f64>> {
    let place = |pixel: usize| [1.0, (pixel % width) as f64 / width as f64, (pixel / width) as f64 / width as f64];
    let height = |plane: &[f64], pixel: usize| place(pixel).iter().zip(plane).map(|(x, w)| x * w).sum::<f64>();
    let mut plane = vec![255.0, 0.0, 0.0];
    for _ in 0..ROUNDS {
        let (mut matrix, mut right) = (vec![0.0; 9], vec![0.0; 3]);
        for (pixel, &level) in image.iter().enumerate() {
            let level = f64::from(level);
            let weight = if level > height(&plane, pixel) { ABOVE } else { 1.0 - ABOVE };
            let place = place(pixel);
            for i in 0..3 {
                right[i] += weight * place[i] * level;
                (0..3).for_each(|j| matrix[i * 3 + j] += weight * place[i] * place[j]);
            }
        }
        solve(&mut matrix, &mut right, 1)?;
        plane = right;
    }
    Ok((0..image.len()).map(|pixel| height(&plane, pixel)).collect())
}

/// Each value mixed with its neighbours in one direction by the weights 1 2 1; `place` gives a pixel's place in that
/// direction, and how many there are.
fn smoothed(values: &[f64], step: usize, place: impl Fn(usize) -> (usize, usize)) -> Vec<f64> {
    let mix = |pixel: usize| {
        let (at, places) = place(pixel);
        let before = if at > 0 { values[pixel - step] } else { values[pixel] };
        let after = if at + 1 < places { values[pixel + step] } else { values[pixel] };
        (before + 2.0 * values[pixel] + after) / 4.0
    };
    (0..values.len()).map(mix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bright_square_is_found_in_light_that_falls_off() -> Result<()> {
        let is_square = |x: usize, y: usize| (5..11).contains(&x) && (4..10).contains(&y);
        let pixel = |pixel: usize| {
            let (x, y) = (pixel % 16, pixel / 16);
            let light = 1.0 - x as f64 / 32.0;
            (if is_square(x, y) { 160.0 } else { 80.0 } * light) as u8
        };
        let image: Vec<u8> = (0..256).map(pixel).collect();
        let found = foreground(&image, 16)?;
        let wrong = (0..256).filter(|&pixel| found.inside[pixel] != is_square(pixel % 16, pixel / 16)).count();
        // Smoothing may add or take the corners.
        assert!(wrong <= 28, "{wrong}");
        assert!(foreground(&[], 16).is_err());
        Ok(())
    }
}
