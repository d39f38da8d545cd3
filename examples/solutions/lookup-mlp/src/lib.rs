//! A network whose hidden layer sees of every input only on which side of its mean it is, so that a table lookup does the
//! work of its products; the output layer takes the integers that come of it.
#![forbid(unsafe_code)]

use mlp_training::{Network, Recipe, Trainer, feature_means};
use thimble_sdk::nn::{Linear, LookupLinear, QuantisedLinear, QuantisedRows, Thresholds};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

/// Hidden neurons, if the parameter limit lets them; as many as classes, if those are more.
const HIDDEN: usize = 32;
/// The noise comes before the signs: it teaches that an input near its mean says little.
const RECIPE: Recipe = Recipe { epochs: 60, learning_rate: 3e-3, noise: 0.4, validate_every: 10 };

/// Trains on signs.
#[derive(Debug)]
pub struct OnSigns;

/// The network as it is trained and stored, and its tables.
#[derive(Debug, Clone)]
pub struct LookupMlp {
    hidden: Linear,
    tables: LookupLinear,
    output: QuantisedLinear,
}

impl Solution for OnSigns {
    type Model = LookupMlp;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<LookupMlp> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let fits = |hidden: &usize| count(width, *hidden, classes) <= metadata.param_limit;
        let hidden = (1..=HIDDEN.max(classes))
            .rev()
            .find(fits)
            .ok_or_else(|| format!("{} parameters do not allow one hidden neuron", metadata.param_limit))?;
        let thresholds = Thresholds::new(width, feature_means(train, width)?)?;
        let signs = thresholds.clone();
        let mut rng = Rng::seeded(metadata.seed);
        let network = Network::new(&[width, hidden, classes], &mut rng);
        let mut trainer = Trainer::with_inputs(network, move |x, inputs| signs.apply(x, inputs));
        trainer.fit(train, val, &RECIPE, &mut rng)?;
        journal::log(format!("{hidden} neurons, {:.4} on the validation split", trainer.validate(val)?.accuracy()));
        let network = trainer.into_network();
        let [hidden, output] = network.layers() else { return Err("expected one hidden layer".into()) };
        LookupMlp::new(thresholds, hidden.clone(), QuantisedLinear::from_linear(output)?)
    }
}

/// Parameters of a model: thresholds, hidden layer, output layer.
fn count(width: usize, hidden: usize, classes: usize) -> u64 {
    (width + (width + 1) * hidden + QuantisedLinear::count(hidden, classes)) as u64
}

impl LookupMlp {
    fn new(thresholds: Thresholds, hidden: Linear, output: QuantisedLinear) -> Result<Self> {
        Ok(Self { tables: LookupLinear::new(thresholds, &hidden)?, hidden, output })
    }
}

impl Model for LookupMlp {
    fn parameters(&self) -> Parameters {
        let Self { hidden, tables, output } = self;
        let mut parameters = Parameters::new();
        parameters.push("thresholds", &[hidden.inputs()], tables.thresholds().values().to_vec());
        parameters.push("hidden.weight", &[hidden.outputs(), hidden.inputs()], hidden.weight().to_vec());
        parameters.push("hidden.bias", &[hidden.outputs()], hidden.bias().to_vec());
        output.push_to(&mut parameters, "output");
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let width = metadata.input_dim;
        let neurons = parameters.as_slice().iter().find(|tensor| tensor.name == "hidden.bias");
        let neurons = neurons.map_or(0, |bias| bias.values.len());
        let thresholds = Thresholds::new(width, parameters.take_f32("thresholds", &[width])?)?;
        let weight = parameters.take_f32("hidden.weight", &[neurons, width])?;
        let hidden = Linear::from_parts(width, weight, parameters.take_f32("hidden.bias", &[neurons])?)?;
        let output = QuantisedLinear::take_from(&mut parameters, "output", neurons, metadata.num_classes)?;
        Self::new(thresholds, hidden, output)
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut hidden = QuantisedRows::new();
        let mut scores = vec![0.0; inputs.rows() * self.output.outputs()];
        self.tables.forward_relu(inputs.features()?.values, inputs.rows(), &mut hidden)?;
        self.output.forward_quantised(&hidden, &mut scores)?;
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

thimble_sdk::export!(OnSigns);

#[cfg(test)]
mod tests {
    use mlp_training::trial;

    use super::*;

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let correct = trial::correct_of_100::<OnSigns>()?;
        assert!(correct >= 90, "{correct} of 100");
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        assert_eq!(trial::differ_alone::<OnSigns>()?, 0);
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds() -> Result<()> {
        let solve = |param_limit| trial::solve::<OnSigns>(&Metadata { param_limit, ..trial::metadata() });
        assert!((280..=300).contains(&solve(300)?.parameters().count()));
        assert!(solve(5).is_err());
        Ok(())
    }
}
