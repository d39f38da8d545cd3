//! A cascade: a small network answers the rows it is sure of, a large one the rest.
//!
//! Sure is a margin between the two largest scores. The rows that are left are gathered and go through the large network
//! alone, so it costs only what they cost; no row's answer depends on another row.
#![forbid(unsafe_code)]

mod margin;

use mlp_training::{Network, QuantisedNetwork, Recipe, Trainer};
use thimble_sdk::nn::argmax;
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, Tensor, journal};

use crate::margin::{Outcome, margin, threshold};

/// Hidden neurons of the two networks, if the parameter limit lets them; for many classes more, as many as classes and twice
/// as many.
const SMALL: usize = 32;
const LARGE: usize = 320;
const SMALL_RECIPE: Recipe = Recipe { epochs: 60, learning_rate: 4e-3, noise: 0.4, validate_every: 10 };
const LARGE_RECIPE: Recipe = Recipe { epochs: 50, learning_rate: 2e-3, noise: 0.8, validate_every: 10 };

/// Trains both networks, then takes the margin that the validation split asks for.
#[derive(Debug)]
pub struct EarlyExit;

/// Two networks of 8-bit weights, and when the first is enough.
#[derive(Debug, Clone)]
pub struct Cascade {
    small: QuantisedNetwork,
    large: QuantisedNetwork,
    /// Rows whose margin is smaller go on.
    threshold: f32,
}

impl Solution for EarlyExit {
    type Model = Cascade;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Cascade> {
        let (width, classes) = (metadata.input_dim, metadata.num_classes);
        let [small, large] = hidden_neurons(metadata)?;
        let mut rng = Rng::seeded(metadata.seed);
        let mut trained = |hidden, recipe: &Recipe| {
            let mut trainer = Trainer::new(Network::new(&[width, hidden, classes], &mut rng));
            trainer.fit(train, val, recipe, &mut rng)?;
            QuantisedNetwork::from_network(trainer.network())
        };
        let (small, large) = (trained(small, &SMALL_RECIPE)?, trained(large, &LARGE_RECIPE)?);
        let outcomes = outcomes(&small, &large, val)?;
        let threshold = threshold(&outcomes);
        let late = outcomes.iter().filter(|outcome| outcome.margin < threshold).count();
        journal::log(format!("{late} of {} validation rows are below a margin of {threshold:.2}", outcomes.len()));
        Ok(Cascade { small, large, threshold })
    }
}

/// As planned, or in the same proportion and within the limit.
fn hidden_neurons(metadata: &Metadata) -> Result<[usize; 2]> {
    let (width, classes) = (metadata.input_dim, metadata.num_classes);
    let count = |hidden| QuantisedNetwork::count(&[width, hidden, classes]);
    let (small, large) = (SMALL.max(classes), LARGE.max(2 * classes));
    (1..=large)
        .rev()
        .map(|hidden| [(hidden * small / large).max(1), hidden])
        .find(|&[small, large]| count(small) + count(large) < metadata.param_limit)
        .ok_or_else(|| format!("{} parameters are not enough for two networks", metadata.param_limit).into())
}

/// What both networks say of every row of a split.
fn outcomes(small: &QuantisedNetwork, large: &QuantisedNetwork, split: &mut Loader) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for batch in split.by_ref() {
        let (first, second) = (small.predict(&batch)?, large.predict(&batch)?);
        let classes = first.get::<f32>()?.len() / batch.rows().max(1);
        let scores = first.get::<f32>()?.chunks_exact(classes).zip(second.get::<f32>()?.chunks_exact(classes));
        for ((first, second), &label) in scores.zip(batch.labels()?) {
            let right = |scores| argmax(scores).map(|class| class as i64) == Some(label);
            outcomes.push(Outcome { margin: margin(first), small: right(first), large: right(second) });
        }
    }
    split.rewind();
    Ok(outcomes)
}

/// The rows `rows` of a batch's features.
fn gather(inputs: &Batch, rows: &[usize]) -> Result<Batch> {
    let features = inputs.features()?;
    let mut gathered = Vec::with_capacity(rows.len() * features.width);
    for &row in rows {
        gathered.extend_from_slice(&features.values[row * features.width..][..features.width]);
    }
    Batch::from_inputs(vec![Tensor::new("features", &[rows.len(), features.width], gathered)])
}

impl Model for Cascade {
    fn parameters(&self) -> Parameters {
        let mut tensors = Vec::new();
        for (name, network) in [("small", &self.small), ("large", &self.large)] {
            for mut tensor in network.parameters().into_vec() {
                tensor.name = format!("{name}.{}", tensor.name);
                tensors.push(tensor);
            }
        }
        tensors.push(Tensor::new("threshold", &[1], vec![self.threshold]));
        tensors.into()
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let [threshold] = parameters.take_f32("threshold", &[1])?[..] else { return Err("no threshold".into()) };
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for mut tensor in parameters.into_vec() {
            let Some((network, name)) = tensor.name.split_once('.') else {
                return Err(format!("parameter `{}` is of neither network", tensor.name).into());
            };
            let tensors = if network == "small" { &mut small } else { &mut large };
            tensor.name = name.to_owned();
            tensors.push(tensor);
        }
        let network = |tensors: Vec<Tensor>| QuantisedNetwork::from_parameters(tensors.into(), metadata);
        Ok(Self { small: network(small)?, large: network(large)?, threshold })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut scores = self.small.predict(inputs)?.get::<f32>()?.to_vec();
        let classes = scores.len() / inputs.rows().max(1);
        let unsure = |&(_, scores): &(usize, &[f32])| margin(scores) < self.threshold;
        let late: Vec<usize> = scores.chunks_exact(classes).enumerate().filter(unsure).map(|(row, _)| row).collect();
        if !late.is_empty() {
            let better = self.large.predict(&gather(inputs, &late)?)?;
            for (&row, better) in late.iter().zip(better.get::<f32>()?.chunks_exact(classes)) {
                scores[row * classes..][..classes].copy_from_slice(better);
            }
        }
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

thimble_sdk::export!(EarlyExit);

#[cfg(test)]
mod tests {
    use mlp_training::trial::synthetic;
    use thimble_sdk::nn::{Linear, count_correct};

    use super::*;

    const WIDTH: usize = 8;
    const CLASSES: usize = 3;

    fn split(seed: u64, rows: usize) -> Result<Loader> {
        synthetic(WIDTH, CLASSES, rows, seed)
    }

    fn solve(metadata: &Metadata) -> Result<Cascade> {
        EarlyExit::solve(&mut split(1, 90)?.shuffled(1), &mut split(2, 30)?, metadata)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, CLASSES);
        let cascade = solve(&metadata)?;
        let again = Cascade::from_parameters(cascade.parameters(), &metadata)?;
        assert_eq!(again.parameters(), cascade.parameters());
        let batch = split(3, 30)?.next().ok_or("no batch")?;
        let correct = count_correct(again.predict(&batch)?.get()?, batch.labels()?, CLASSES)?;
        assert!(correct >= 28, "{correct} of 30");
        Ok(())
    }

    #[test]
    fn a_row_gets_what_its_margin_says_alone_and_in_a_batch() -> Result<()> {
        // The small network's scores are the inputs, which 8 bits hold exactly, and the large one's their negatives.
        let identity = |sign: f32| {
            let diagonal = |scale: f32| (0..9).map(|at| if at % 4 == 0 { scale } else { 0.0 }).collect::<Vec<_>>();
            let hidden = Linear::from_parts(3, diagonal(127.0), vec![0.0; 3])?;
            let output = Linear::from_parts(3, diagonal(sign), vec![0.0; 3])?;
            QuantisedNetwork::from_network(&Network::from_layers(vec![hidden, output])?)
        };
        let cascade = Cascade { small: identity(1.0)?, large: identity(-1.0)?, threshold: 2.0 * 127.0 };
        let rows = vec![5.0, 1.0, 0.0, 3.0, 2.5, 0.0, 0.0, 1.0, 3.0_f32];
        let expected: Vec<f32> = [5.0, 1.0, 0.0, -3.0, -2.5, -0.0, 0.0, 1.0, 3.0].map(|x: f32| 127.0 * x).to_vec();
        let scores = cascade.predict(&Batch::from_inputs(vec![Tensor::new("x", &[3, 3], rows.clone())])?)?;
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        assert!(near(scores.get()?, &expected), "{scores:?}");
        for (row, expected) in rows.chunks(3).zip(expected.chunks(3)) {
            let alone = cascade.predict(&Batch::from_inputs(vec![Tensor::new("x", &[1, 3], row.to_vec())])?)?;
            assert!(near(alone.get()?, expected), "{alone:?}");
        }
        Ok(())
    }

    #[test]
    fn both_networks_stay_within_the_limit() -> Result<()> {
        for param_limit in [30, 36, 1_000] {
            let metadata = Metadata { param_limit, ..Metadata::classification(WIDTH, CLASSES) };
            match solve(&metadata) {
                Ok(cascade) => assert!(cascade.parameters().count() <= param_limit),
                Err(_) => assert_eq!(param_limit, 30),
            }
        }
        Ok(())
    }
}
