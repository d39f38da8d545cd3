//! Post-training quantisation: a network trained in f32 predicts with 8-bit weights.
#![forbid(unsafe_code)]

use mlp_training::{Network, QuantisedNetwork, Recipe, Trainer};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Result, Rng, Solution, Tensor, journal};

/// Hidden neurons, if the parameter limit lets them.
const HIDDEN: usize = 256;
const RECIPE: Recipe = Recipe { epochs: 60, learning_rate: 2e-3, noise: 0.6, validate_every: 10 };

/// Trains a network and quantises it.
#[derive(Debug)]
pub struct PostTraining;

/// The quantised network.
#[derive(Debug, Clone)]
pub struct Int8(QuantisedNetwork);

impl Solution for PostTraining {
    type Model = Int8;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Int8> {
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
        Ok(Int8(QuantisedNetwork::from_network(trainer.network())?))
    }
}

impl Model for Int8 {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(QuantisedNetwork::from_parameters(parameters, metadata)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Tensor> {
        self.0.predict(inputs)
    }
}

thimble_sdk::export!(PostTraining);

#[cfg(test)]
mod tests {
    use mlp_training::synthetic;
    use thimble_sdk::nn::count_correct;

    use super::*;

    const WIDTH: usize = 12;
    const CLASSES: usize = 4;

    fn solve(metadata: &Metadata) -> Result<Int8> {
        let mut train = synthetic(WIDTH, CLASSES, 200, 1)?.shuffled(1);
        PostTraining::solve(&mut train, &mut synthetic(WIDTH, CLASSES, 40, 2)?, metadata)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, CLASSES);
        let model = Int8::from_parameters(solve(&metadata)?.parameters(), &metadata)?;
        let mut correct = 0;
        for batch in synthetic(WIDTH, CLASSES, 100, 3)? {
            correct += count_correct(model.predict(&batch)?.get()?, batch.labels()?, CLASSES)?;
        }
        assert!(correct >= 97, "{correct} of 100");
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        let model = solve(&Metadata::classification(WIDTH, CLASSES))?;
        let batch = synthetic(WIDTH, CLASSES, 30, 4)?.next().ok_or("no batch")?;
        let scores = model.predict(&batch)?;
        for (x, scores) in batch.features()?.iter().zip(scores.get::<f32>()?.chunks(CLASSES)) {
            let row = Tensor::new("features", &[1, WIDTH], x.to_vec());
            assert_eq!(model.predict(&Batch::from_inputs(vec![row])?)?.get::<f32>()?, scores);
        }
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds() -> Result<()> {
        let solve = |param_limit| solve(&Metadata { param_limit, ..Metadata::classification(WIDTH, CLASSES) });
        assert!((95..=100).contains(&solve(100)?.parameters().count()));
        assert!(solve(5).is_err());
        Ok(())
    }
}
