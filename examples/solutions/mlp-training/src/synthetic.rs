//! Data for the tests of solutions.

use thimble_sdk::{Loader, Result, Rng, Tensor};

/// `rows` rows of `width` features, at least as many as classes: class c is normal around 3 in feature c and 0 in all others,
/// with standard deviation ½. In batches of 32, the same for the same seed.
///
/// # Errors
/// There are more classes than features.
pub fn synthetic(width: usize, classes: usize, rows: usize, seed: u64) -> Result<Loader> {
    if classes > width {
        return Err(format!("{classes} classes of {width} features, expected at most as many").into());
    }
    let mut rng = Rng::seeded(seed);
    let mut features: Vec<f32> = (0..rows * width).map(|_| 0.5 * rng.normal()).collect();
    let labels: Vec<i64> = (0..rows).map(|row| (row % classes) as i64).collect();
    for (row, &label) in features.chunks_exact_mut(width).zip(&labels) {
        row[label as usize] += 3.0;
    }
    let features = Tensor::new("features", &[rows, width], features);
    Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 32)
}
