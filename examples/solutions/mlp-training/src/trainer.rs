//! The loop.

use std::fmt;

use thimble_sdk::nn::{Adam, LinearGradients, cross_entropy, relu_backward};
use thimble_sdk::{Batch, Loader, Result, Rng, journal};

use crate::{Activations, Network, Tally};

/// How [`Trainer::fit`] trains.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Passes over the training split.
    pub epochs: u64,
    /// Step size of Adam in the first epoch; it falls in a straight line and would be 0 after the last.
    pub learning_rate: f32,
    /// Standard deviation of the uniform noise that is added to every input: makes the network indifferent to small changes.
    pub noise: f32,
    /// Epochs from one look at the validation split to the next.
    pub validate_every: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { epochs: 50, learning_rate: 1e-3, noise: 0.0, validate_every: 5 }
    }
}

/// Writes the network's inputs, one row per row of features, over what the buffer held.
type Inputs = dyn Fn(&[f32], &mut Vec<f32>) -> Result<()>;

/// A network in training: Adam with one set of moments per layer.
pub struct Trainer {
    network: Network,
    layers: Vec<LayerState>,
    activations: Activations,
    /// Of the loss by the output of the layer the step is at, and by its input.
    gradient: Vec<f32>,
    input_gradient: Vec<f32>,
    /// What the network sees of features; themselves if there is none.
    inputs: Option<Box<Inputs>>,
    noisy: Vec<f32>,
    mapped: Vec<f32>,
}

impl fmt::Debug for Trainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer").field("network", &self.network).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct LayerState {
    gradients: LinearGradients,
    adam: Adam,
}

impl Trainer {
    /// Before the first step.
    pub fn new(network: Network) -> Self {
        let state = |layer: &thimble_sdk::nn::Linear| LayerState { gradients: layer.gradients(), adam: Adam::new(0.0) };
        Self {
            layers: network.layers().iter().map(state).collect(),
            network,
            activations: Activations::default(),
            gradient: Vec::new(),
            input_gradient: Vec::new(),
            inputs: None,
            noisy: Vec::new(),
            mapped: Vec::new(),
        }
    }

    /// Before the first step of a network whose inputs `inputs` makes of rows of features, after noise was added to them.
    pub fn with_inputs(network: Network, inputs: impl Fn(&[f32], &mut Vec<f32>) -> Result<()> + 'static) -> Self {
        Self { inputs: Some(Box::new(inputs)), ..Self::new(network) }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The trained network.
    pub fn into_network(self) -> Network {
        self.network
    }

    /// All epochs of `recipe` with the cross-entropy of the labels. Records `train loss`, `train accuracy` and
    /// `val accuracy`.
    ///
    /// # Errors
    /// The data does not fit the network.
    pub fn fit(&mut self, train: &mut Loader, val: &mut Loader, recipe: &Recipe, rng: &mut Rng) -> Result<()> {
        self.fit_with(train, val, recipe, rng, |_, batch, scores, gradient| {
            let labels = batch.labels()?;
            cross_entropy(scores, labels, scores.len() / labels.len().max(1), gradient)
        })
    }

    /// As [`Trainer::fit`] with a loss of the caller's: given the inputs of the step, the batch and the
    /// network's scores, it writes the gradient by the scores and returns the mean loss of the batch.
    ///
    /// # Errors
    /// The data does not fit the network, or the loss fails.
    pub fn fit_with(
        &mut self,
        train: &mut Loader,
        val: &mut Loader,
        recipe: &Recipe,
        rng: &mut Rng,
        mut loss: impl FnMut(&[f32], &Batch, &[f32], &mut [f32]) -> Result<f32>,
    ) -> Result<()> {
        for epoch in 0..recipe.epochs {
            let rate = recipe.learning_rate * (1.0 - epoch as f32 / recipe.epochs as f32);
            let mut tally = Tally::default();
            for batch in train.by_ref() {
                let value = self.step(&batch, rate, recipe.noise, rng, &mut loss)?;
                tally.add(self.activations.scores(), batch.labels()?, value)?;
            }
            train.rewind();
            journal::record("train loss", epoch + 1, tally.mean_loss());
            journal::record("train accuracy", epoch + 1, tally.accuracy());
            if (epoch + 1) % recipe.validate_every.max(1) == 0 {
                journal::record("val accuracy", epoch + 1, self.validate(val)?.accuracy());
            }
        }
        Ok(())
    }

    /// Counts on all batches of a split; the loss stays 0.
    ///
    /// # Errors
    /// The data does not fit the network.
    pub fn validate(&mut self, split: &mut Loader) -> Result<Tally> {
        let mut tally = Tally::default();
        for batch in split.by_ref() {
            let mut x = batch.features()?.values;
            if let Some(inputs) = &self.inputs {
                inputs(x, &mut self.mapped)?;
                x = &self.mapped;
            }
            self.network.forward(x, batch.rows(), &mut self.activations)?;
            tally.add(self.activations.scores(), batch.labels()?, 0.0)?;
        }
        split.rewind();
        Ok(tally)
    }

    /// One step of Adam. Returns the loss before it; the activations are those before it.
    fn step(
        &mut self,
        batch: &Batch,
        rate: f32,
        noise: f32,
        rng: &mut Rng,
        loss: &mut impl FnMut(&[f32], &Batch, &[f32], &mut [f32]) -> Result<f32>,
    ) -> Result<f32> {
        let mut x = batch.features()?.values;
        if noise > 0.0 {
            // The standard deviation of U(−b, b) is b ÷ √3.
            let bound = noise * 3.0_f32.sqrt();
            self.noisy.clear();
            self.noisy.extend(x.iter().map(|x| x + rng.uniform(-bound, bound)));
            x = &self.noisy;
        }
        if let Some(inputs) = &self.inputs {
            inputs(x, &mut self.mapped)?;
            x = &self.mapped;
        }
        self.network.forward(x, batch.rows(), &mut self.activations)?;
        let scores = self.activations.scores();
        self.gradient.clear();
        self.gradient.resize(scores.len(), 0.0);
        let value = loss(x, batch, scores, &mut self.gradient)?;
        let Activations { gemm, outputs } = &mut self.activations;
        for (index, state) in self.layers.iter_mut().enumerate().rev() {
            let layer = &mut self.network.layers_mut()[index];
            let input = if index == 0 { x } else { &outputs[index - 1] };
            state.gradients.clear();
            layer.backward(gemm, input, &self.gradient, &mut state.gradients)?;
            if index > 0 {
                self.input_gradient.resize(input.len(), 0.0);
                layer.backward_input(gemm, &self.gradient, &mut self.input_gradient)?;
                relu_backward(input, &mut self.input_gradient)?;
                std::mem::swap(&mut self.gradient, &mut self.input_gradient);
            }
            state.adam.learning_rate = rate;
            state.adam.step(layer.updates(&state.gradients))?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Tensor;

    use super::*;
    use crate::trial::synthetic;

    const WIDTH: usize = 8;
    const CLASSES: usize = 3;

    fn trained(hidden: &[usize], recipe: &Recipe) -> Result<(Network, f64)> {
        let mut rng = Rng::seeded(0);
        let mut train = synthetic(WIDTH, CLASSES, 90, 1)?.shuffled(1);
        let mut val = synthetic(WIDTH, CLASSES, 60, 2)?;
        let widths: Vec<usize> = [&[WIDTH], hidden, &[CLASSES]].concat();
        let mut trainer = Trainer::new(Network::new(&widths, &mut rng));
        trainer.fit(&mut train, &mut val, recipe, &mut rng)?;
        let accuracy = trainer.validate(&mut val)?.accuracy();
        Ok((trainer.into_network(), accuracy))
    }

    #[test]
    fn networks_of_any_depth_learn() -> Result<()> {
        for hidden in [&[][..], &[12], &[12, 8]] {
            let recipe = Recipe { learning_rate: 1e-2, ..Recipe::default() };
            let (_, accuracy) = trained(hidden, &recipe)?;
            assert!(accuracy >= 0.9, "{hidden:?}: {accuracy}");
        }
        Ok(())
    }

    #[test]
    fn a_network_learns_from_inputs_made_of_features() -> Result<()> {
        let mut rng = Rng::seeded(1);
        // Which class it is, only the product of the two features tells.
        let x: Vec<f32> = (0..200).map(|_| rng.normal()).collect();
        let labels: Vec<i64> = x.chunks(2).map(|x| i64::from(x[0] * x[1] > 0.0)).collect();
        let split = || {
            let features = Tensor::new("features", &[100, 2], x.clone());
            Loader::from_rows(vec![features], vec![Tensor::new("label", &[100], labels.clone())], 10)
        };
        let mut trainer = Trainer::with_inputs(Network::new(&[1, 2], &mut rng), |x, inputs| {
            inputs.clear();
            inputs.extend(x.chunks(2).map(|x| x[0] * x[1]));
            Ok(())
        });
        let recipe = Recipe { learning_rate: 0.1, ..Recipe::default() };
        trainer.fit(&mut split()?, &mut split()?, &recipe, &mut rng)?;
        assert!(trainer.validate(&mut split()?)?.accuracy() > 0.95);
        Ok(())
    }

    #[test]
    fn the_recipe_and_the_seed_decide_every_bit() -> Result<()> {
        let recipe = Recipe { epochs: 3, noise: 0.1, ..Recipe::default() };
        let (first, _) = trained(&[4], &recipe)?;
        assert_eq!(first, trained(&[4], &recipe)?.0);
        assert_ne!(first, trained(&[4], &Recipe { noise: 0.2, ..recipe })?.0);
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let mut rng = Rng::seeded(3);
        let network = Network::new(&[2, 5, 4, 3], &mut rng);
        let x: Vec<f32> = (0..8).map(|_| rng.normal()).collect();
        let labels = vec![0_i64, 1, 2, 1];
        let features = Tensor::new("features", &[4, 2], x.clone());
        let batch = Batch::new(vec![features], vec![Tensor::new("label", &[4], labels.clone())])?;
        let loss = |scores: &[f32], gradient: &mut [f32]| cross_entropy(scores, &labels, 3, gradient);

        let mut trainer = Trainer::new(network.clone());
        trainer.step(&batch, 0.0, 0.0, &mut rng, &mut |_, _, scores: &[f32], gradient| loss(scores, gradient))?;
        for (index, layer) in network.layers().iter().enumerate() {
            for at in 0..layer.weight().len() {
                let shifted = |step: f32| -> Result<f32> {
                    let mut layers = network.layers().to_vec();
                    let mut weight = layer.weight().to_vec();
                    weight[at] += step;
                    layers[index] = thimble_sdk::nn::Linear::from_parts(layer.inputs(), weight, layer.bias().to_vec())?;
                    let mut activations = Activations::default();
                    Network::from_layers(layers)?.forward(&x, 4, &mut activations)?;
                    loss(activations.scores(), &mut [0.0; 12])
                };
                let difference = (shifted(1e-2)? - shifted(-1e-2)?) / 2e-2;
                let gradient = trainer.layers[index].gradients.weight()[at];
                assert!((gradient - difference).abs() < 2e-3, "layer {index}, {at}: {gradient} against {difference}");
            }
        }
        Ok(())
    }
}
