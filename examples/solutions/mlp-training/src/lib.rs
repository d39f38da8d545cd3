//! A multilayer perceptron and the loop that trains it.
//!
//! ```
//! use mlp_training::{Network, Recipe, Trainer};
//! use thimble_sdk::{Loader, Metadata, Result, Rng};
//!
//! # fn train(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<()> {
//! let mut rng = Rng::seeded(metadata.seed);
//! let network = Network::new(&[metadata.input_dim, 64, metadata.num_classes], &mut rng);
//! let mut trainer = Trainer::new(network);
//! trainer.fit(train, val, &Recipe::default(), &mut rng)?;
//! let network: Network = trainer.into_network();
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod means;
mod network;
mod quantised;
mod tally;
mod trainer;
#[cfg(not(target_family = "wasm"))]
pub mod trial;

pub use means::feature_means;
pub use network::{Activations, Network};
pub use quantised::QuantisedNetwork;
pub use tally::Tally;
pub use trainer::{Recipe, Trainer};
