//! A linear classifier of signs, by table lookup; where its best classes nearly tie, an exact linear classifier decides.
#![forbid(unsafe_code)]

use mlp_training::{Network, Recipe, Trainer, feature_means};
use thimble_sdk::nn::{Linear, LookupLinear, Thresholds, count_correct, settle_near_ties};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

const RECIPE: Recipe = Recipe { epochs: 40, learning_rate: 3e-3, noise: 0.4, validate_every: 10 };
/// Margins that are tried on the validation split, in nats.
const MARGINS: [f32; 6] = [0.0, 0.5, 1.0, 2.0, 3.0, 4.0];
/// What a wider margin must gain on the validation split to be worth its work.
const WORTH: f64 = 0.03;

/// Trains one classifier of signs and one of the features themselves.
#[derive(Debug)]
pub struct TwoViews;

/// The classifiers as they are trained and stored, and the tables of the first.
#[derive(Debug, Clone)]
pub struct Lookup {
    of_signs: Linear,
    tables: LookupLinear,
    exact: Linear,
    /// Classes this near to the best are scored again; no class, if it is 0.
    margin: f32,
}

impl Solution for TwoViews {
    type Model = Lookup;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Lookup> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let count = 2 * (width + 1) * classes + width + 1;
        if count as u64 > metadata.param_limit {
            return Err(
                format!("{} parameters do not allow the {count} of two classifiers", metadata.param_limit).into()
            );
        }
        let mut rng = Rng::seeded(metadata.seed);
        let thresholds = Thresholds::new(width, feature_means(train, width)?)?;
        let signs = thresholds.clone();
        let network = Network::new(&[width, classes], &mut rng);
        let mut of_signs = Trainer::with_inputs(network, move |x, inputs| signs.apply(x, inputs));
        of_signs.fit(train, val, &RECIPE, &mut rng)?;
        let mut exact = Trainer::new(Network::new(&[width, classes], &mut rng));
        exact.fit(train, val, &RECIPE, &mut rng)?;
        let layer = |trainer: Trainer| trainer.into_network().layers()[0].clone();
        let mut model = Lookup::new(thresholds, layer(of_signs), layer(exact), 0.0)?;
        model.margin = best_margin(&mut model, val)?;
        Ok(model)
    }
}

/// The narrowest margin that no wider one beats by more than [`WORTH`].
fn best_margin(model: &mut Lookup, val: &mut Loader) -> Result<f32> {
    let mut accuracies = Vec::new();
    for margin in MARGINS {
        model.margin = margin;
        let (mut correct, mut rows) = (0, 0);
        for batch in val.by_ref() {
            correct += count_correct(model.predict(&batch)?.get()?, batch.labels()?, model.exact.outputs())?;
            rows += batch.rows();
        }
        val.rewind();
        let accuracy = correct as f64 / rows.max(1) as f64;
        journal::log(format!("margin {margin}: {accuracy:.4} on the validation split"));
        accuracies.push(accuracy);
    }
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    let at = accuracies.iter().position(|accuracy| accuracy + WORTH >= best);
    Ok(at.map_or(0.0, |at| MARGINS[at]))
}

impl Lookup {
    fn new(thresholds: Thresholds, of_signs: Linear, exact: Linear, margin: f32) -> Result<Self> {
        Ok(Self { tables: LookupLinear::new(thresholds, &of_signs)?, of_signs, exact, margin })
    }
}

impl Model for Lookup {
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        let width = self.exact.inputs();
        parameters.push("thresholds", &[width], self.tables.thresholds().values().to_vec());
        parameters.push("margin", &[1], vec![self.margin]);
        for (name, layer) in [("signs", &self.of_signs), ("exact", &self.exact)] {
            parameters.push(format!("{name}.weight"), &[layer.outputs(), width], layer.weight().to_vec());
            parameters.push(format!("{name}.bias"), &[layer.outputs()], layer.bias().to_vec());
        }
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let thresholds = Thresholds::new(width, parameters.take_f32("thresholds", &[width])?)?;
        let margin = parameters.take_f32("margin", &[1])?[0];
        let mut layer = |name: &str| {
            let weight = parameters.take_f32(&format!("{name}.weight"), &[classes, width])?;
            Linear::from_parts(width, weight, parameters.take_f32(&format!("{name}.bias"), &[classes])?)
        };
        Self::new(thresholds, layer("signs")?, layer("exact")?, margin)
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let x = inputs.features()?.values;
        let mut scores = vec![0.0; inputs.rows() * self.exact.outputs()];
        self.tables.forward(x, &mut scores)?;
        if self.margin > 0.0 {
            settle_near_ties(&self.exact, self.margin, x, &mut scores)?;
        }
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

thimble_sdk::export!(TwoViews);

#[cfg(test)]
mod tests {
    use mlp_training::trial::{self, CLASSES, WIDTH, synthetic};

    use super::*;

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let correct = trial::correct_of_100::<TwoViews>()?;
        assert!(correct >= 90, "{correct} of 100");
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        assert_eq!(trial::differ_alone::<TwoViews>()?, 0);
        Ok(())
    }

    #[test]
    fn the_parameter_limit_binds() -> Result<()> {
        let solve = |param_limit| trial::solve::<TwoViews>(&Metadata { param_limit, ..trial::metadata() });
        assert_eq!(solve(117)?.parameters().count(), 117);
        assert!(solve(116).is_err());
        Ok(())
    }

    /// With a margin as wide as all scores, every row is a near tie of all classes.
    #[test]
    fn near_ties_are_settled_by_the_exact_classifier() -> Result<()> {
        let mut model = trial::solve::<TwoViews>(&trial::metadata())?;
        let batch = synthetic(WIDTH, CLASSES, 32, 5)?.next().ok_or("no batch")?;
        let correct = |model: &Lookup| count_correct(model.predict(&batch)?.get()?, batch.labels()?, CLASSES);
        model.margin = 1e6;
        let settled = correct(&model)?;
        let mut scores = vec![0.0; 32 * CLASSES];
        model.exact.forward(&mut thimble_sdk::nn::Gemm::new(), batch.features()?.values, &mut scores)?;
        assert_eq!(settled, count_correct(&scores, batch.labels()?, CLASSES)?);
        model.exact = Linear::from_parts(WIDTH, vec![0.0; WIDTH * CLASSES], vec![1.0, 0.0, 0.0, 0.0])?;
        assert_eq!(correct(&model)?, 8);
        model.margin = 0.0;
        assert!(correct(&model)? > 24);
        Ok(())
    }
}
