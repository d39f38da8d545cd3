//! Kernels and layers for small networks, with backward passes written by hand.
//!
//! All arrays are f32, row-major, with one sample per row. Every result has the same bits natively and in the runner as
//! long as no NaN occurs (only the runner makes NaNs canonical): sums have a fixed order, products are fused where
//! [`Gemm`] says so and nowhere else, [`exp`], [`tanh`] and [`sigmoid`] are made of exact steps, and other functions come
//! from `libm`.
//!
//! [`Sequential`] makes a network of [`Layer`]s and trains it; its page has a whole training loop. What it is made of can
//! also be used alone. Buffers grow on first use; a training step after the first allocates nothing.

mod activation;
mod adam;
mod batch_norm;
#[cfg(test)]
mod check;
mod clip;
mod convolution;
mod dense;
mod depthwise;
mod dot;
mod dropout;
mod embedding;
mod exp;
mod gemm;
mod host;
mod init;
mod lanes;
mod layer;
mod layer_norm;
mod linear;
mod lookup;
mod loss;
mod matrix;
mod optimiser;
mod pooling;
mod prune;
mod quantised;
mod schedule;
mod sequential;
mod sgd;
mod softmax;
mod table;
mod tile;
mod vector;
mod window;

pub use activation::{Activation, relu, relu_backward};
pub use adam::Adam;
pub use batch_norm::BatchNorm;
pub use clip::clip_gradients;
pub use convolution::Conv2d;
pub use dense::Dense;
pub use depthwise::DepthwiseConv2d;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use exp::{exp, sigmoid, tanh};
pub use gemm::{Gemm, Orientation, Shape};
pub use init::Init;
pub use layer::{Affine, Layer, Slot, Visitor, Workspace};
pub use layer_norm::LayerNorm;
pub use linear::{Linear, LinearGradients};
pub use lookup::{LookupLinear, Thresholds, settle_near_ties};
pub use loss::{argmax, count_correct, cross_entropy};
pub use matrix::Matrix;
pub use optimiser::Optimiser;
pub use pooling::{GlobalAveragePool, Pool2d};
pub use prune::{NeuronStatistics, keep_neurons, most_important, norm_importance};
pub use quantised::{QuantisedLinear, QuantisedRows};
pub use schedule::Schedule;
pub use sequential::Sequential;
pub use sgd::Sgd;
pub use softmax::{smooth_labels, soft_cross_entropy, softmax};
pub use window::{Image, Window};

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
