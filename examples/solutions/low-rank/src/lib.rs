//! A linear classifier factored through a low rank: x → rank → classes.
//!
//! Ten scores of a linear classifier are ten inner products with x. If the scores lie near a space of rank r, r inner products
//! and a small matrix give them too. Which space: the principal axes of the trained classifier's scores on the training
//! split. Both factors are then trained on, since the best classifier of rank r is not the best approximation of the full one.
#![forbid(unsafe_code)]

mod factors;
mod principal;

use mlp_training::{Activations, Network, Recipe, Tally, Trainer};
use thimble_sdk::nn::Linear;
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

use crate::factors::{Buffers, Factors, Tuner};
use crate::principal::Principal;

/// Of the full classifier.
const RECIPE: Recipe = Recipe { epochs: 30, learning_rate: 3e-3, noise: 0.0, validate_every: 5 };
/// Of the two factors of each rank.
const TUNING_EPOCHS: u64 = 10;
const TUNING_RATE: f32 = 2e-3;

/// Ranks that are tried, as far as they are cheaper than the full classifier.
const RANKS: [usize; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/// A rank is enough if it loses at most this many standard errors of the validation accuracy against the full classifier.
const STANDARD_ERRORS: f64 = 1.0;

/// Takes the smallest rank that is enough.
#[derive(Debug)]
pub struct LowRank;

impl Solution for LowRank {
    type Model = Factors;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Factors> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let mut trainer = Trainer::new(Network::new(&[width, classes], &mut Rng::seeded(metadata.seed)));
        trainer.fit(train, val, &RECIPE, &mut Rng::seeded(metadata.seed))?;
        let full = trainer.validate(val)?.accuracy();
        let network = trainer.into_network();
        let head = network.layers().first().ok_or("a network without layers")?;
        let principal = scores_of(&network, train, classes)?;

        let enough = full - STANDARD_ERRORS * (full * (1.0 - full) / val.samples().max(1) as f64).sqrt();
        let fits = |rank: &usize| {
            let numbers = rank * (width + classes) + classes;
            numbers < (width + 1) * classes && numbers as u64 <= metadata.param_limit
        };
        let mut best = None;
        for rank in RANKS.into_iter().filter(fits) {
            let (factors, accuracy) = tuned(Factors::of(head, &principal, rank)?, train, val)?;
            journal::record("val accuracy of a rank", rank as u64, accuracy);
            best = Some((rank, factors));
            if accuracy >= enough {
                break;
            }
        }
        let (rank, factors) = best.ok_or("the parameter limit does not allow rank 1")?;
        journal::log(format!("rank {rank}; the full classifier has {full:.4} on the validation split"));
        Ok(factors)
    }
}

/// The principal axes of what `network` says of `train`.
fn scores_of(network: &Network, train: &mut Loader, classes: usize) -> Result<Principal> {
    let mut principal = Principal::new(classes);
    let mut activations = Activations::default();
    for batch in train.by_ref() {
        network.forward(batch.features()?.values, batch.rows(), &mut activations)?;
        principal.add(activations.scores());
    }
    train.rewind();
    Ok(principal)
}

/// Trains on and says how good that is on `val`.
fn tuned(factors: Factors, train: &mut Loader, val: &mut Loader) -> Result<(Factors, f64)> {
    let mut tuner = Tuner::new(factors);
    for epoch in 0..TUNING_EPOCHS {
        let rate = TUNING_RATE * (1.0 - epoch as f32 / TUNING_EPOCHS as f32);
        for batch in train.by_ref() {
            tuner.step(&batch, rate)?;
        }
        train.rewind();
    }
    let factors = tuner.into_factors();
    let (mut buffers, mut tally) = (Buffers::default(), Tally::default());
    for batch in val.by_ref() {
        factors.forward(batch.features()?.values, batch.rows(), &mut buffers)?;
        tally.add(&buffers.scores, batch.labels()?, 0.0)?;
    }
    val.rewind();
    Ok((factors, tally.accuracy()))
}

impl Model for Factors {
    /// The first factor has no bias: the second's does for both.
    fn parameters(&self) -> Parameters {
        let (first, second) = (&self.first, &self.second);
        let mut parameters = Parameters::new();
        parameters.push("first.weight", &[first.outputs(), first.inputs()], first.weight().to_vec());
        parameters.push("second.weight", &[second.outputs(), second.inputs()], second.weight().to_vec());
        parameters.push("second.bias", &[second.outputs()], second.bias().to_vec());
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let rank = parameters.as_slice().first().map_or(0, |weight| weight.values.len() / width.max(1));
        let first = parameters.take_f32("first.weight", &[rank, width])?;
        let second = parameters.take_f32("second.weight", &[classes, rank])?;
        let bias = parameters.take_f32("second.bias", &[classes])?;
        Ok(Self {
            first: Linear::from_parts(width, first, vec![0.0; rank])?,
            second: Linear::from_parts(rank, second, bias)?,
        })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut buffers = Buffers::default();
        self.forward(inputs.features()?.values, inputs.rows(), &mut buffers)?;
        Ok(Predictions::scores(inputs.rows(), buffers.scores))
    }
}

thimble_sdk::export!(LowRank);

#[cfg(test)]
mod tests {
    use thimble_sdk::Tensor;
    use thimble_sdk::nn::count_correct;

    use super::*;

    const WIDTH: usize = 12;
    const CLASSES: usize = 6;

    /// Six classes around a circle in a plane of the inputs: two directions tell them all apart.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let labels: Vec<i64> = (0..rows).map(|row| (row % CLASSES) as i64).collect();
        let mut features: Vec<f32> = (0..rows * WIDTH).map(|_| 0.5 * rng.normal()).collect();
        for (row, &label) in features.chunks_exact_mut(WIDTH).zip(&labels) {
            let (sine, cosine) = (label as f32 * std::f32::consts::TAU / CLASSES as f32).sin_cos();
            row[3] += 4.0 * sine;
            row[7] += 4.0 * cosine;
        }
        let features = Tensor::new("features", &[rows, WIDTH], features);
        Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 32)
    }

    #[test]
    fn finds_the_rank_that_the_data_has() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, CLASSES);
        let factors = LowRank::solve(&mut split(1, 600)?, &mut split(2, 120)?, &metadata)?;
        assert_eq!(factors.first.outputs(), 2);
        let factors = Factors::from_parameters(factors.parameters(), &metadata)?;
        let batch = split(3, 30)?.next().ok_or("no batch")?;
        let correct = count_correct(factors.predict(&batch)?.get()?, batch.labels()?, CLASSES)?;
        assert!(correct >= 28, "{correct} of 30");
        Ok(())
    }

    #[test]
    fn the_parameter_limit_bounds_the_rank() -> Result<()> {
        let solve = |param_limit| {
            let metadata = Metadata { param_limit, ..Metadata::classification(WIDTH, CLASSES) };
            LowRank::solve(&mut split(1, 60)?, &mut split(2, 60)?, &metadata)
        };
        let limit = (WIDTH + CLASSES + CLASSES) as u64;
        assert_eq!(solve(limit)?.parameters().count(), limit);
        assert!(solve(limit - 1).is_err());
        Ok(())
    }
}
