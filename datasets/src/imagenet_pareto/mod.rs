//! Synthetic ImageNet-like features: one prototype per class on a sphere, samples around it in Gaussian noise.
//!
//! [`canonical`] is the public data of the Frontier-CS problem. [`private`] draws a dataset of the same family from a
//! secret seed, for official runs.

mod canonical;
mod mt19937;
mod private;

pub use canonical::canonical;
pub use private::{Options, OptionsError, private};

use crate::digest::Digest;
use crate::metadataset::{DType, Field};

/// The name of the canonical dataset.
pub const CANONICAL_NAME: &str = "imagenet-pareto-canonical";
/// The name of a dataset drawn from a seed.
pub const PRIVATE_NAME: &str = "imagenet-pareto-private";
/// The input field: f32, one vector per row.
pub const INPUT: &str = "features";
/// The target field: s64, the class.
pub const TARGET: &str = "label";

/// The digest of [`canonical`]: `sha256:038dbaa84b0e0d0d42eacdedf2b7c1979571709ba7f85f7e5f16667b936f172f`.
pub const CANONICAL_DIGEST: Digest = Digest::from_bytes([
    0x03, 0x8d, 0xba, 0xa8, 0x4b, 0x0e, 0x0d, 0x0d, 0x42, 0xea, 0xcd, 0xed, 0xf2, 0xb7, 0xc1, 0x97, 0x95, 0x71, 0x70,
    0x9b, 0xa7, 0xf8, 0x5f, 0x7e, 0x5f, 0x16, 0x66, 0x7b, 0x93, 0x6f, 0x17, 0x2f,
]);

fn schema(dim: u32) -> Vec<Field> {
    vec![Field::input(INPUT, DType::F32, &[dim]), Field::target(TARGET, DType::S64, &[])]
}
