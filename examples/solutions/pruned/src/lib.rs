//! Structured pruning: a wide network is trained, loses most of its hidden neurons, and what is left is trained on and
//! quantised.
#![forbid(unsafe_code)]

use mlp_training::{Activations, Network, QuantisedNetwork, Recipe, Trainer};
use thimble_sdk::nn::{NeuronStatistics, keep_neurons, most_important};
use thimble_sdk::{Loader, Metadata, Result, Rng, Solution, journal};

/// Hidden neurons in training.
const WIDE: usize = 256;
/// Hidden neurons that stay, if the parameter limit lets them; as many as classes, if those are more.
const NARROW: usize = 32;
const RECIPE: Recipe = Recipe { epochs: 40, learning_rate: 2e-3, noise: 0.5, validate_every: 10 };

/// Trains wide and prunes.
#[derive(Debug)]
pub struct Pruning;

impl Solution for Pruning {
    type Model = QuantisedNetwork;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<QuantisedNetwork> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let fits = |left: &usize| QuantisedNetwork::count(&[width, *left, classes]) <= metadata.param_limit;
        let left = (1..=NARROW.max(classes).min(WIDE))
            .rev()
            .find(fits)
            .ok_or_else(|| format!("{} parameters do not allow one hidden neuron", metadata.param_limit))?;
        let mut rng = Rng::seeded(metadata.seed);
        let mut wide = Trainer::new(Network::new(&[width, WIDE, classes], &mut rng));
        wide.fit(train, val, &RECIPE, &mut rng)?;
        let before = wide.validate(val)?.accuracy();

        let mut narrow = Trainer::new(prune(wide.network(), left, train)?);
        let cut = narrow.validate(val)?.accuracy();
        narrow.fit(train, val, &RECIPE, &mut rng)?;
        let after = narrow.validate(val)?.accuracy();
        journal::log(format!("validation: {before:.4}, {cut:.4} with {left} of {WIDE} neurons, then {after:.4}"));
        QuantisedNetwork::from_network(narrow.network())
    }
}

/// The network with the `left` hidden neurons that matter most on the training split.
fn prune(network: &Network, left: usize, train: &mut Loader) -> Result<Network> {
    let [hidden, output] = network.layers() else { return Err("expected one hidden layer".into()) };
    let mut statistics = NeuronStatistics::new(hidden.outputs());
    let mut activations = Activations::default();
    for batch in train.by_ref() {
        network.forward(batch.features()?.values, batch.rows(), &mut activations)?;
        statistics.add(activations.output(0))?;
    }
    train.rewind();
    let keep = most_important(&statistics.importance(output)?, left);
    let (hidden, output) = keep_neurons(hidden, output, &keep, &statistics.means())?;
    Network::from_layers(vec![hidden, output])
}

thimble_sdk::export!(Pruning);

#[cfg(test)]
mod tests {
    use mlp_training::trial;
    use thimble_sdk::Model as _;

    use super::*;

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let correct = trial::correct_of_100::<Pruning>()?;
        assert!(correct >= 97, "{correct} of 100");
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        assert_eq!(trial::differ_alone::<Pruning>()?, 0);
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds() -> Result<()> {
        let solve = |param_limit| trial::solve::<Pruning>(&Metadata { param_limit, ..trial::metadata() });
        assert!((95..=100).contains(&solve(100)?.parameters().count()));
        assert!(solve(5).is_err());
        Ok(())
    }
}
