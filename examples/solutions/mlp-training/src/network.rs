//! The network.

use thimble_sdk::nn::{Gemm, Linear, relu};
use thimble_sdk::{Batch, Parameters, Predictions, Result};

/// Fully connected layers, with a ReLU after each but the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layers: Vec<Linear>,
}

/// What every layer gave for a batch; grown by the first batch, then kept.
#[derive(Debug, Clone, Default)]
pub struct Activations {
    pub(crate) gemm: Gemm,
    pub(crate) outputs: Vec<Vec<f32>>,
}

impl Activations {
    /// What layer `index` gave, after its ReLU if it has one; nothing if there is no such layer.
    pub fn output(&self, index: usize) -> &[f32] {
        self.outputs.get(index).map_or(&[], Vec::as_slice)
    }

    /// The output of the last layer.
    pub fn scores(&self) -> &[f32] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }
}

impl Network {
    /// A network of `widths[0]` inputs and `widths[1..]` neurons, with the default initialisation of [`Linear::new`].
    pub fn new(widths: &[usize], rng: &mut thimble_sdk::Rng) -> Self {
        Self { layers: widths.windows(2).map(|pair| Linear::new(pair[0], pair[1], rng)).collect() }
    }

    /// A network of given layers.
    ///
    /// # Errors
    /// There is no layer, or one does not take what the one before gives.
    pub fn from_layers(layers: Vec<Linear>) -> Result<Self> {
        if layers.is_empty() {
            return Err("network of 0 layers, expected at least 1".into());
        }
        for pair in layers.windows(2) {
            if pair[0].outputs() != pair[1].inputs() {
                let (outputs, inputs) = (pair[0].outputs(), pair[1].inputs());
                return Err(format!("layer of {inputs} inputs after one of {outputs} outputs").into());
            }
        }
        Ok(Self { layers })
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    pub(crate) fn layers_mut(&mut self) -> &mut [Linear] {
        &mut self.layers
    }

    /// Numbers in a network of these widths: weights and biases.
    pub fn count(widths: &[usize]) -> usize {
        widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
    }

    /// The most hidden neurons that a network `inputs` → hidden → `outputs` of at most `parameters` numbers can have; 0 if
    /// not one fits.
    pub fn widest_hidden(inputs: usize, outputs: usize, parameters: u64) -> usize {
        let left = parameters.saturating_sub(outputs as u64);
        usize::try_from(left / (inputs + 1 + outputs) as u64).unwrap_or(usize::MAX)
    }

    /// Tensors `0.weight`, `0.bias`, `1.weight` and so on.
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        for (index, layer) in self.layers.iter().enumerate() {
            parameters.push(format!("{index}.weight"), &[layer.outputs(), layer.inputs()], layer.weight().to_vec());
            parameters.push(format!("{index}.bias"), &[layer.outputs()], layer.bias().to_vec());
        }
        parameters
    }

    /// Takes the tensors of [`Network::parameters`] of a network of these widths out of `parameters`.
    ///
    /// # Errors
    /// A tensor is not there or has another shape or type.
    pub fn from_parameters(parameters: &mut Parameters, widths: &[usize]) -> Result<Self> {
        let layer = |(index, pair): (usize, &[usize])| {
            let weight = parameters.take_f32(&format!("{index}.weight"), &[pair[1], pair[0]])?;
            Linear::from_parts(pair[0], weight, parameters.take_f32(&format!("{index}.bias"), &[pair[1]])?)
        };
        Self::from_layers(widths.windows(2).enumerate().map(layer).collect::<Result<_>>()?)
    }

    /// Writes the outputs of all layers for `rows` rows `x` to `activations`.
    ///
    /// # Errors
    /// `x` is not `rows` rows of the network's inputs.
    pub fn forward(&self, x: &[f32], rows: usize, activations: &mut Activations) -> Result<()> {
        let Activations { gemm, outputs } = activations;
        outputs.resize(self.layers.len(), Vec::new());
        let mut input = x;
        for (index, (layer, output)) in self.layers.iter().zip(outputs).enumerate() {
            output.resize(rows * layer.outputs(), 0.0);
            layer.forward(gemm, input, output)?;
            if index + 1 < self.layers.len() {
                relu(output);
            }
            input = output;
        }
        Ok(())
    }

    /// The scores of a batch, as [`Model::predict`](thimble_sdk::Model::predict) returns them.
    ///
    /// # Errors
    /// The rows have another width than the network's inputs.
    pub fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut activations = Activations::default();
        self.forward(inputs.features()?.values, inputs.rows(), &mut activations)?;
        let scores = activations.outputs.pop().unwrap_or_default();
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Tensor;

    use super::*;

    #[test]
    fn scores_are_those_of_the_formula() -> Result<()> {
        let network = Network::from_layers(vec![
            Linear::from_parts(1, vec![1.0, -1.0], vec![0.0, 0.5])?,
            Linear::from_parts(2, vec![2.0, 3.0], vec![1.0])?,
        ])?;
        let rows = Tensor::new("features", &[2, 1], vec![2.0_f32, -1.0]);
        let scores = network.predict(&Batch::from_inputs(vec![rows])?)?;
        assert_eq!((scores.shape(), scores.get::<f32>()?), (&[2, 1][..], &[5.0, 5.5][..]));
        Ok(())
    }

    #[test]
    fn parameters_make_the_same_network() -> Result<()> {
        let widths = [4, 3, 2];
        let network = Network::new(&widths, &mut thimble_sdk::Rng::seeded(1));
        let mut parameters = network.parameters();
        assert_eq!(parameters.count(), Network::count(&widths) as u64);
        assert_eq!(Network::from_parameters(&mut parameters, &widths)?, network);
        assert!(Network::from_parameters(&mut network.parameters(), &[4, 2, 2]).is_err());
        Ok(())
    }

    #[test]
    fn the_widest_hidden_layer_fits_and_one_more_neuron_does_not() {
        let hidden = Network::widest_hidden(384, 128, 200_000);
        assert!(Network::count(&[384, hidden, 128]) <= 200_000);
        assert!(Network::count(&[384, hidden + 1, 128]) > 200_000);
        assert_eq!(Network::widest_hidden(10, 10, 5), 0);
    }

    #[test]
    fn layers_must_follow_from_one_another() -> Result<()> {
        let layer = |inputs, outputs| Linear::from_parts(inputs, vec![0.0; inputs * outputs], vec![0.0; outputs]);
        assert!(Network::from_layers(vec![layer(2, 3)?, layer(3, 1)?]).is_ok());
        assert!(Network::from_layers(vec![layer(2, 3)?, layer(2, 1)?]).is_err());
        assert!(Network::from_layers(Vec::new()).is_err());
        Ok(())
    }
}
