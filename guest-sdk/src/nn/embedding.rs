//! Embedding.

use super::lanes::add;
use super::layer::Parameter;
use super::{Init, check_len};
use crate::{Result, Rng};

/// A table of vectors, looked up by index (`torch.nn.Embedding`).
///
/// ```
/// use thimble_sdk::nn::{Embedding, Optimiser, Sgd};
/// # fn main() -> thimble_sdk::Result<()> {
/// let mut embedding = Embedding::from_weight(2, vec![1.0, 2.0, 3.0, 4.0])?;
/// let mut y = [0.0; 4];
/// embedding.forward(&[1, 1], &mut y)?;
/// assert_eq!(y, [3.0, 4.0, 3.0, 4.0]);
/// embedding.backward(&[1, 1], &[0.5, 0.0, 0.5, 1.0])?;
/// Sgd::new(1.0).step(embedding.updates())?;
/// assert_eq!(embedding.weight(), [1.0, 2.0, 2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Embedding {
    width: usize,
    weight: Parameter,
}

impl Embedding {
    /// `count` vectors of `width` values, normal with standard deviation 1 as PyTorch draws them.
    pub fn new(count: usize, width: usize, rng: &mut Rng) -> Self {
        let mut weight = vec![0.0; count.saturating_mul(width)];
        Init::Normal(1.0).fill(&mut weight, &mut [], 1, 1, rng);
        Self { width, weight: Parameter::new(weight) }
    }

    /// Given vectors: `weight` holds them one after the other.
    ///
    /// # Errors
    /// `weight` is not whole vectors of `width` values, or `width` is 0.
    pub fn from_weight(width: usize, weight: Vec<f32>) -> Result<Self> {
        if width == 0 {
            return Err("an embedding of width 0, expected at least 1".into());
        }
        check_len("weight", &weight, weight.len() / width * width)?;
        Ok(Self { width, weight: Parameter::new(weight) })
    }

    /// Values of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of vectors.
    pub fn count(&self) -> usize {
        self.weight.values.len() / self.width.max(1)
    }

    /// All vectors, count × width.
    pub fn weight(&self) -> &[f32] {
        &self.weight.values
    }

    /// Writes the vector of each index to `y`, indices × width.
    ///
    /// # Errors
    /// `y` has another length, or an index is outside `0..count`.
    pub fn forward(&self, indices: &[i64], y: &mut [f32]) -> Result<()> {
        check_len("y", y, indices.len().saturating_mul(self.width))?;
        for (y, &index) in y.chunks_exact_mut(self.width.max(1)).zip(indices) {
            let vectors = self.weight.values.chunks_exact(self.width.max(1));
            y.copy_from_slice(pick(vectors, index)?);
        }
        Ok(())
    }

    /// Sets the gradient of the table: each row of `dy` is added to that of its index, in order.
    ///
    /// # Errors
    /// As [`Embedding::forward`].
    pub fn backward(&mut self, indices: &[i64], dy: &[f32]) -> Result<()> {
        check_len("dy", dy, indices.len().saturating_mul(self.width))?;
        let width = self.width.max(1);
        let (_, gradient) = self.weight.cleared();
        for (dy, &index) in dy.chunks_exact(width).zip(indices) {
            add(pick(gradient.chunks_exact_mut(width), index)?, dy);
        }
        Ok(())
    }

    /// The table with its gradient, in the form an optimiser takes them. The gradient is empty before the first
    /// [`Embedding::backward`].
    pub fn updates(&mut self) -> [(&mut [f32], &[f32]); 1] {
        [self.weight.update()]
    }
}

/// The vector of an index.
fn pick<T>(mut vectors: impl ExactSizeIterator<Item = T>, index: i64) -> Result<T> {
    let count = vectors.len();
    let vector = usize::try_from(index).ok().and_then(|index| vectors.nth(index));
    vector.ok_or_else(|| format!("index {index}, expected 0 to {}", count as i64 - 1).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let (indices, c) = ([2, 0, 2], [0.5, -1.0, 2.0, 3.0, 4.0, 0.25]);
        let mut embedding = Embedding::new(4, 2, &mut Rng::seeded(1));
        embedding.backward(&indices, &c)?;
        let gradient = embedding.updates()[0].1.to_vec();
        // Σ c · y is linear in the table: a vector's gradient is the sum of c over the rows that looked it up.
        assert_eq!(gradient, [2.0, 3.0, 0.0, 0.0, 4.5, -0.75, 0.0, 0.0]);
        let loss = |table: &[f32]| -> Result<f32> {
            let mut y = [0.0; 6];
            Embedding::from_weight(2, table.to_vec())?.forward(&indices, &mut y)?;
            Ok(y.iter().zip(c).map(|(y, c)| y * c).sum())
        };
        let table = embedding.weight().to_vec();
        for (i, g) in gradient.into_iter().enumerate() {
            let at = |step| {
                let mut table = table.clone();
                table[i] += step;
                loss(&table)
            };
            let difference = at(0.5)? - at(-0.5)?;
            assert!((g - difference).abs() < 1e-5, "value {i}: {g} against {difference}");
        }
        Ok(())
    }

    #[test]
    fn indices_have_a_range() -> Result<()> {
        let mut embedding = Embedding::from_weight(1, vec![5.0, 6.0])?;
        assert!(embedding.forward(&[1], &mut [0.0]).is_ok());
        let error = embedding.forward(&[2], &mut [0.0]).map_err(|error| error.to_string());
        assert_eq!(error, Err("index 2, expected 0 to 1".to_owned()));
        assert!(embedding.forward(&[-1], &mut [0.0]).is_err());
        assert!(embedding.backward(&[2], &[0.0]).is_err());
        assert!(embedding.forward(&[0, 1], &mut [0.0]).is_err());
        assert!(Embedding::from_weight(2, vec![0.0; 3]).is_err());
        assert!(Embedding::from_weight(0, vec![]).is_err());
        Ok(())
    }
}
