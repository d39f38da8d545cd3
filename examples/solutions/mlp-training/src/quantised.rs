//! The network with 8-bit weights.

use thimble_sdk::nn::{QuantisedLinear, QuantisedRows, relu};
use thimble_sdk::{Batch, Metadata, Model, Parameters, Predictions, Result};

use crate::Network;

/// A trained [`Network`] whose layers were quantised one by one.
#[derive(Debug, Clone)]
pub struct QuantisedNetwork {
    layers: Vec<QuantisedLinear>,
}

impl QuantisedNetwork {
    /// Quantises every layer.
    ///
    /// # Errors
    /// A weight is not finite.
    pub fn from_network(network: &Network) -> Result<Self> {
        Ok(Self { layers: network.layers().iter().map(QuantisedLinear::from_linear).collect::<Result<_>>()? })
    }

    /// The parameters of a network of these widths: a quarter of the weights, and a scale and a bias per neuron.
    pub fn count(widths: &[usize]) -> u64 {
        widths.windows(2).map(|pair| QuantisedLinear::count(pair[0], pair[1]) as u64).sum()
    }
}

impl Model for QuantisedNetwork {
    /// Tensors `0.weight`, `0.scale`, `0.bias`, `1.weight` and so on.
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        for (index, layer) in self.layers.iter().enumerate() {
            layer.push_to(&mut parameters, &index.to_string());
        }
        parameters
    }

    /// The network of its parameters; as many layers as there are biases, and as wide.
    ///
    /// # Errors
    /// The tensors are not those of a network with the challenge's inputs and classes.
    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let biases = parameters.as_slice().iter().filter(|tensor| tensor.name.ends_with(".bias"));
        let widths: Vec<usize> = std::iter::once(metadata.input_dim).chain(biases.map(|b| b.values.len())).collect();
        if widths.len() < 2 || widths.last() != Some(&metadata.num_classes) {
            return Err(format!("network of widths {widths:?}, expected {} classes", metadata.num_classes).into());
        }
        let mut layer = |(index, pair): (usize, &[usize])| {
            QuantisedLinear::take_from(&mut parameters, &index.to_string(), pair[0], pair[1])
        };
        Ok(Self { layers: widths.windows(2).enumerate().map(&mut layer).collect::<Result<_>>()? })
    }

    /// The scores of a batch.
    ///
    /// # Errors
    /// The rows have another width than the network's inputs.
    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut rows = QuantisedRows::new();
        let mut values = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut output = vec![0.0; inputs.rows() * layer.outputs()];
            layer.forward(&mut rows, if index == 0 { inputs.features()?.values } else { &values }, &mut output)?;
            if index + 1 < self.layers.len() {
                relu(&mut output);
            }
            values = output;
        }
        Ok(Predictions::scores(inputs.rows(), values))
    }
}

#[cfg(test)]
mod tests {
    use thimble_sdk::{Rng, Tensor};

    use super::*;

    #[test]
    fn scores_are_near_those_of_the_network_and_parameters_fewer() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let widths = [20, 30, 10, 4];
        let metadata = Metadata::classification(20, 4);
        let network = Network::new(&widths, &mut rng);
        let quantised = QuantisedNetwork::from_network(&network)?;
        assert_eq!(quantised.parameters().count(), QuantisedNetwork::count(&widths));
        let copy = QuantisedNetwork::from_parameters(quantised.parameters(), &metadata)?;

        let rows = Tensor::new("features", &[5, 20], (0..100).map(|_| rng.normal()).collect::<Vec<f32>>());
        let batch = Batch::from_inputs(vec![rows])?;
        let (exact, scores) = (network.predict(&batch)?, copy.predict(&batch)?);
        assert_eq!(scores, quantised.predict(&batch)?);
        for (exact, score) in exact.get::<f32>()?.iter().zip(scores.get::<f32>()?) {
            assert!((exact - score).abs() < 0.01, "{score}, not {exact}");
        }
        Ok(())
    }

    #[test]
    fn parameters_of_another_network_are_an_error() -> Result<()> {
        let network = Network::new(&[5, 6, 3], &mut Rng::seeded(1));
        let parameters = QuantisedNetwork::from_network(&network)?.parameters();
        let load = |parameters, width, classes| {
            QuantisedNetwork::from_parameters(parameters, &Metadata::classification(width, classes))
        };
        assert!(load(parameters.clone(), 5, 3).is_ok());
        assert!(load(parameters.clone(), 5, 6).is_err() && load(parameters, 9, 3).is_err());
        assert!(load(Parameters::new(), 5, 3).is_err());
        Ok(())
    }
}
