//! Nearest shrunken centroids (Tibshirani, Hastie, Narasimhan, Chu 2002, "Diagnosis of multiple cancer types by shrunken
//! centroids of gene expression").
//!
//! How far class k's mean lies from the overall mean in feature j is measured in standard errors,
//! d = (x̄ₖⱼ − x̄ⱼ) ÷ (mₖ (sⱼ + s₀)), and moved towards 0 by a threshold. A feature that reaches 0 in every class says nothing
//! about the class any more and is not even read.
#![forbid(unsafe_code)]

mod statistics;

use thimble_sdk::nn::{Gemm, Linear, count_correct};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

use crate::statistics::Statistics;

/// Thresholds that are tried, evenly from 0 to the largest |d|.
const THRESHOLDS: u16 = 40;

/// What fewer features may cost: a threshold is taken if it loses at most this many standard errors of the validation
/// accuracy against the best.
const STANDARD_ERRORS: f64 = 2.0;

/// Shrinks the means of the training split by the threshold that the validation split asks for.
#[derive(Debug)]
pub struct ShrunkenCentroid;

/// A linear classifier of some features.
#[derive(Debug, Clone, PartialEq)]
pub struct Sparse {
    /// Of the inputs, ascending; if they are as many as the inputs, they are the inputs.
    features: Vec<usize>,
    linear: Linear,
}

impl Solution for ShrunkenCentroid {
    type Model = Sparse;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Sparse> {
        let statistics = Statistics::collect(train, metadata.num_classes, metadata.input_dim)?;
        let trial = |step: u16| -> Result<(f64, Sparse)> {
            let threshold = statistics.largest_distance() * f64::from(step) / f64::from(THRESHOLDS);
            let (features, linear) = statistics.shrunken(threshold)?;
            Ok((threshold, Sparse { features, linear }))
        };
        let rows: Vec<Batch> = val.by_ref().collect();
        let mut accuracies = Vec::new();
        for step in 0..THRESHOLDS {
            let (threshold, model) = trial(step)?;
            let accuracy = model.accuracy(&rows)?;
            journal::record("val accuracy", u64::from(step), accuracy);
            journal::record("features", u64::from(step), model.features.len() as f64);
            journal::record("threshold", u64::from(step), threshold);
            accuracies.push(accuracy);
        }
        let step = frugal(&accuracies, val.samples());
        let (threshold, model) = trial(step)?;
        journal::log(format!(
            "{} of {} features at threshold {threshold:.3}",
            model.features.len(),
            metadata.input_dim
        ));
        Ok(model)
    }
}

/// The last of the `accuracies`, measured on `rows` rows, that is within the allowance of the best.
fn frugal(accuracies: &[f64], rows: u64) -> u16 {
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    let error = (best * (1.0 - best) / rows.max(1) as f64).sqrt();
    let enough = |&accuracy: &f64| accuracy >= best - STANDARD_ERRORS * error;
    accuracies.iter().rposition(enough).map_or(0, |step| step as u16)
}

impl Sparse {
    fn accuracy(&self, batches: &[Batch]) -> Result<f64> {
        let (mut correct, mut rows) = (0, 0);
        for batch in batches {
            let scores = self.scores(batch)?;
            correct += count_correct(&scores, batch.labels()?, self.linear.outputs())?;
            rows += batch.rows();
        }
        Ok(correct as f64 / rows.max(1) as f64)
    }

    /// Scores of rows × classes: the features are gathered, so that the product is as small as the model.
    fn scores(&self, batch: &Batch) -> Result<Vec<f32>> {
        let rows = batch.features()?;
        if self.features.last().is_some_and(|&last| last >= rows.width) {
            return Err(format!("rows of {} values, the model reads further", rows.width).into());
        }
        let mut scores = vec![0.0; batch.rows() * self.linear.outputs()];
        if self.features.len() == rows.width {
            self.linear.forward(&mut Gemm::new(), rows.values, &mut scores)?;
            return Ok(scores);
        }
        let mut gathered = Vec::with_capacity(batch.rows() * self.features.len());
        for row in rows.iter() {
            gathered.extend(self.features.iter().map(|&feature| row[feature]));
        }
        self.linear.forward(&mut Gemm::new(), &gathered, &mut scores)?;
        Ok(scores)
    }
}

impl Model for Sparse {
    fn parameters(&self) -> Parameters {
        let (classes, width) = (self.linear.outputs(), self.features.len());
        let features: Vec<i32> = self.features.iter().map(|&feature| feature as i32).collect();
        let mut parameters = Parameters::new();
        parameters.push("features", &[width], features);
        parameters.push("weight", &[classes, width], self.linear.weight().to_vec());
        parameters.push("bias", &[classes], self.linear.bias().to_vec());
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let width = parameters.as_slice().first().map_or(0, |features| features.values.len());
        let indices = parameters.take::<i32>("features", &[width])?;
        if !indices.is_sorted_by(|a, b| a < b) || indices.first().is_some_and(|&first| first < 0) {
            return Err("features are not ascending".into());
        }
        let features = indices.iter().map(|&feature| feature as usize).collect();
        let weight = parameters.take_f32("weight", &[metadata.num_classes, width])?;
        let bias = parameters.take_f32("bias", &[metadata.num_classes])?;
        Ok(Self { features, linear: Linear::from_parts(width, weight, bias)? })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        Ok(Predictions::scores(inputs.rows(), self.scores(inputs)?))
    }
}

thimble_sdk::export!(ShrunkenCentroid);

#[cfg(test)]
mod tests {
    use thimble_sdk::Rng;

    use thimble_sdk::Tensor;

    use super::*;

    const WIDTH: usize = 20;

    /// Three classes that differ in the first two features; the others are noise.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let labels: Vec<i64> = (0..rows).map(|row| (row % 3) as i64).collect();
        let mut features: Vec<f32> = (0..rows * WIDTH).map(|_| rng.normal()).collect();
        for (row, &label) in features.chunks_exact_mut(WIDTH).zip(&labels) {
            match label {
                0 => row[0] += 6.0,
                1 => row[1] += 6.0,
                _ => (),
            }
        }
        let features = Tensor::new("features", &[rows, WIDTH], features);
        Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 32)
    }

    fn solve() -> Result<Sparse> {
        ShrunkenCentroid::solve(&mut split(1, 300)?, &mut split(2, 90)?, &Metadata::classification(WIDTH, 3))
    }

    #[test]
    fn only_the_features_that_tell_classes_apart_survive() -> Result<()> {
        assert_eq!(solve()?.features, [0, 1]);
        Ok(())
    }

    #[test]
    fn predicts_from_its_parameters_alone_and_every_row_by_itself() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, 3);
        let model = Sparse::from_parameters(solve()?.parameters(), &metadata)?;
        let batch = split(3, 30)?.next().ok_or("no batch")?;
        let scores = model.predict(&batch)?;
        assert!(count_correct(scores.get()?, batch.labels()?, 3)? >= 29);
        let row = Tensor::new("features", &[1, WIDTH], batch.features()?.values[..WIDTH].to_vec());
        let alone = model.predict(&Batch::from_inputs(vec![row])?)?;
        assert_eq!(alone.get::<f32>()?, &scores.get::<f32>()?[..3]);
        Ok(())
    }

    #[test]
    fn the_last_accuracy_within_the_allowance_is_taken() {
        // The standard error of 0.9 over 900 rows is 0.01.
        assert_eq!(frugal(&[0.85, 0.9, 0.881, 0.879], 900), 2);
        assert_eq!(frugal(&[0.0, 0.0], 900), 1);
    }

    #[test]
    fn rows_that_are_too_short_are_an_error() -> Result<()> {
        let rows = Tensor::new("features", &[1, 1], vec![0.0_f32]);
        assert!(solve()?.predict(&Batch::from_inputs(vec![rows])?).is_err());
        Ok(())
    }
}
