//! Kernels and layers for small networks, with backward passes written by hand.
//!
//! All arrays are f32, row-major, with one sample per row. Every result has the same bits natively and in the runner as
//! long as no NaN occurs (only the runner makes NaNs canonical): sums have a fixed order, products are fused where
//! [`Gemm`] says so and nowhere else, and `exp` and `ln` come from `libm`.
//!
//! Buffers grow on first use; a training step after the first allocates nothing.

mod activation;
mod adam;
mod dot;
mod gemm;
mod linear;
mod lookup;
mod loss;
mod prune;
mod quantised;
mod table;
mod tile;

pub use activation::{relu, relu_backward};
pub use adam::Adam;
pub use gemm::{Gemm, Shape};
pub use linear::{Linear, LinearGradients};
pub use lookup::{LookupLinear, Thresholds, settle_near_ties};
pub use loss::{argmax, count_correct, cross_entropy};
pub use prune::{NeuronStatistics, keep_neurons, most_important, norm_importance};
pub use quantised::{QuantisedLinear, QuantisedRows};

use crate::{Error, Result};

/// Fails unless `slice`, called `name` in the text, has `expected` values.
fn check_len<T>(name: &str, slice: &[T], expected: usize) -> Result<()> {
    if slice.len() == expected { Ok(()) } else { Err(wrong_len(name, slice.len(), expected)) }
}

// Out of line: the text is long, the check is in every kernel.
#[cold]
fn wrong_len(name: &str, actual: usize, expected: usize) -> Error {
    format!("{name} has {actual} values, expected {expected}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_length_is_named_with_both_sides() {
        assert!(check_len("bias", &[0.0; 3], 3).is_ok());
        let error = check_len("bias", &[0.0; 3], 4).map_err(|error| error.to_string());
        assert_eq!(error, Err("bias has 3 values, expected 4".to_owned()));
    }
}
