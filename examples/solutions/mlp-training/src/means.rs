//! The mean of every feature.

use thimble_sdk::{Loader, Result};

/// The mean of each of `width` features over a split, summed in f64, so that the order of the rows hardly shows. Rewinds the
/// loader.
///
/// # Errors
/// There is no row, or one of another width.
pub fn feature_means(split: &mut Loader, width: usize) -> Result<Vec<f32>> {
    let (mut sums, mut rows) = (vec![0.0; width], 0);
    for batch in split.by_ref() {
        let features = batch.features()?;
        if features.width != width {
            return Err(format!("rows of {} values, expected {width}", features.width).into());
        }
        rows += batch.rows();
        for row in features.iter() {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += f64::from(x);
            }
        }
    }
    split.rewind();
    if rows == 0 {
        return Err("no rows, expected at least 1".into());
    }
    Ok(sums.into_iter().map(|sum| (sum / rows as f64) as f32).collect())
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Tensor;

    use super::*;

    #[test]
    fn means_are_over_all_batches() -> Result<()> {
        let x = Tensor::new("features", &[3, 2], vec![1.0_f32, 0.0, 2.0, 0.0, 6.0, -3.0]);
        let mut split = Loader::from_rows(vec![x], vec![Tensor::new("label", &[3], vec![0_i64; 3])], 2)?;
        assert_eq!(feature_means(&mut split, 2)?, [3.0, -1.0]);
        assert_eq!(feature_means(&mut split, 2)?, [3.0, -1.0]);
        assert!(feature_means(&mut split, 3).is_err() && feature_means(&mut Loader::empty(), 2).is_err());
        Ok(())
    }
}
