//! Write a submission for Thimble.
//!
//! A submission is a [`Solution`], which trains, and the [`Model`] it returns, which predicts. The two meet in
//! [`Parameters`] only: the runner keeps the numbers that training returned, throws the instance away, and predicts in a
//! fresh one that is given those numbers and nothing else. [`export!`] makes a WASI component of a crate of type
//! `["cdylib", "rlib"]` built for `wasm32-wasip2`.
//!
//! Everything here also compiles natively, so `cargo test` in a guest crate can drive `solve` and `predict`: on a
//! challenge's public data with `testing`, or on any rows with a [`Loader`] in memory. [`nn`] has kernels that are fast
//! under the meter and give the same bits in both worlds.
//!
//! # A whole solution
//!
//! The mean of each class, as a linear classifier:
//!
//! ```
//! use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, Tensor, journal};
//!
//! struct NearestMean;
//!
//! struct Means {
//!     width: usize,
//!     means: Vec<f32>, // classes × width
//! }
//!
//! impl Solution for NearestMean {
//!     type Model = Means;
//!
//!     fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Means> {
//!         let (classes, width) = (metadata.num_classes, metadata.input_dim);
//!         let mut means = vec![0.0; classes * width];
//!         let mut counts = vec![0.0; classes];
//!         for batch in train.by_ref() {
//!             for (row, &label) in batch.features()?.iter().zip(batch.labels()?) {
//!                 let class = label as usize;
//!                 counts[class] += 1.0;
//!                 for (mean, x) in means[class * width..][..width].iter_mut().zip(row) {
//!                     *mean += (x - *mean) / counts[class];
//!                 }
//!             }
//!         }
//!         journal::log("one pass is enough");
//!         Ok(Means { width, means })
//!     }
//! }
//!
//! impl Model for Means {
//!     fn parameters(&self) -> Parameters {
//!         let classes = self.means.len() / self.width;
//!         let mut parameters = Parameters::new();
//!         parameters.push("means", &[classes, self.width], self.means.clone());
//!         parameters
//!     }
//!
//!     fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
//!         let width = metadata.input_dim;
//!         let means = parameters.take_f32("means", &[metadata.num_classes, width])?;
//!         Ok(Means { width, means })
//!     }
//!
//!     fn predict(&self, inputs: &Batch) -> Result<Predictions> {
//!         let mut scores = Vec::new();
//!         for row in inputs.features()?.iter() {
//!             for mean in self.means.chunks_exact(self.width) {
//!                 scores.push(-row.iter().zip(mean).map(|(x, m)| (x - m) * (x - m)).sum::<f32>());
//!             }
//!         }
//!         Ok(Predictions::scores(inputs.rows(), scores))
//!     }
//! }
//!
//! thimble_sdk::export!(NearestMean);
//!
//! // What a native test does: train, carry the parameters over, predict.
//! # fn main() -> Result<()> {
//! let features = Tensor::new("features", &[4, 1], vec![0.0_f32, 1.0, 10.0, 11.0]);
//! let labels = Tensor::new("label", &[4], vec![0_i64, 0, 1, 1]);
//! let metadata = Metadata::classification(1, 2);
//! let mut train = Loader::from_rows(vec![features.clone()], vec![labels], 2)?;
//! let mut val = Loader::empty();
//!
//! let parameters = NearestMean::solve(&mut train, &mut val, &metadata)?.parameters();
//! assert_eq!(parameters.count(), 2);
//! let model = Means::from_parameters(parameters, &metadata)?;
//! let scores = model.predict(&Batch::from_inputs(vec![features])?)?;
//! assert_eq!(scores.shape(), [4, 2]);
//! assert!(scores.get::<f32>()?.chunks(2).map(|s| s[1] > s[0]).eq([false, false, true, true]));
//! # Ok(())
//! # }
//! ```
//!
//! # When something goes wrong
//!
//! An [`Error`] from `solve`, `from_parameters` or `predict` ends the run with the verdict `solution_error`; a panic ends
//! it with `trap` and its text on standard error. Recursion without end shows as a memory access out of bounds, because a
//! Rust guest runs out of its own stack first.

mod batch;
#[doc(hidden)]
pub mod bindings;
mod error;
mod export;
pub mod journal;
mod loader;
mod metadata;
pub mod nn;
mod parameters;
mod predictions;
mod rng;
mod solution;
mod tensor;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod views;

pub use batch::{Batch, Fields, Rows};
pub use error::{Error, Result};
#[doc(hidden)]
pub use export::Component;
pub use loader::Loader;
pub use metadata::{Column, Dtype, Field, Kind, Metadata};
pub use parameters::Parameters;
pub use predictions::{Instance, Object, Predictions};
pub use rng::Rng;
pub use solution::{Model, Solution};
pub use tensor::{Element, Tensor, Values};
pub use views::{Images, Keypoints, Table, Windows};
