//! Post-training quantisation: a network trained in f32 predicts with 8-bit weights.
#![forbid(unsafe_code)]

use mlp_training::{Network, QuantisedNetwork, Recipe, Trainer};
use thimble_sdk::{Loader, Metadata, Result, Rng, Solution, journal};

/// Hidden neurons, if the parameter limit lets them.
const HIDDEN: usize = 256;
const RECIPE: Recipe = Recipe { epochs: 60, learning_rate: 2e-3, noise: 0.6, validate_every: 10 };

/// Trains a network and quantises it.
#[derive(Debug)]
pub struct PostTraining;

impl Solution for PostTraining {
    type Model = QuantisedNetwork;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<QuantisedNetwork> {
        let widths = |hidden| [metadata.input_dim, hidden, metadata.num_classes];
        let fits = |hidden: &usize| QuantisedNetwork::count(&widths(*hidden)) <= metadata.param_limit;
        let hidden = (1..=HIDDEN)
            .rev()
            .find(fits)
            .ok_or_else(|| format!("{} parameters do not allow one hidden neuron", metadata.param_limit))?;
        let mut rng = Rng::seeded(metadata.seed);
        let mut trainer = Trainer::new(Network::new(&widths(hidden), &mut rng));
        trainer.fit(train, val, &RECIPE, &mut rng)?;
        journal::log(format!("{hidden} neurons, {:.4} on the validation split", trainer.validate(val)?.accuracy()));
        QuantisedNetwork::from_network(trainer.network())
    }
}

thimble_sdk::export!(PostTraining);

#[cfg(test)]
mod tests {
    use mlp_training::trial;
    use thimble_sdk::Model as _;

    use super::*;

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let correct = trial::correct_of_100::<PostTraining>()?;
        assert!(correct >= 97, "{correct} of 100");
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        assert_eq!(trial::differ_alone::<PostTraining>()?, 0);
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds() -> Result<()> {
        let solve = |param_limit| trial::solve::<PostTraining>(&Metadata { param_limit, ..trial::metadata() });
        assert!((95..=100).contains(&solve(100)?.parameters().count()));
        assert!(solve(5).is_err());
        Ok(())
    }
}
