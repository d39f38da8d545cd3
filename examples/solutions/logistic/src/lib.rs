//! Multinomial logistic regression, fitted by smartcore's L-BFGS.
//!
//! smartcore's own `LogisticRegression` computes its loss one scalar at a time and stops at nothing but a gradient of 1e-8 or
//! a thousand iterations. So its optimiser is kept, which can be told when to stop, and the loss is computed by the SDK's kernels.
#![forbid(unsafe_code)]

mod objective;

use smartcore::optimization::FunctionOrder;
use smartcore::optimization::first_order::FirstOrderOptimizer as _;
use smartcore::optimization::first_order::lbfgs::LBFGS;
use smartcore::optimization::line_search::Backtracking;
use thimble_sdk::nn::{Gemm, Linear};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

use crate::objective::{Objective, Rows};

/// Strengths of the penalty ½ α ‖w‖² beside the mean cross-entropy that are tried, the strongest first: each fit starts from
/// the one before.
const PENALTIES: [f32; 4] = [3e-2, 1e-2, 3e-3, 1e-3];

/// Iterations of one fit.
const ITERATIONS: usize = 30;

/// Fits with the penalty that the validation split asks for.
#[derive(Debug)]
pub struct LogisticRegression;

/// The fitted classifier.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic(Linear);

impl Solution for LogisticRegression {
    type Model = Logistic;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Logistic> {
        let (classes, width) = (metadata.num_classes, metadata.input_dim);
        let (rows, validation) = (Rows::read(train, width)?, Rows::read(val, width)?);
        let mut weights = vec![0.0; (width + 1) * classes];
        let mut best = (0, weights.clone());
        for (step, penalty) in (0..).zip(PENALTIES) {
            weights = fit(Objective::new(&rows, classes, penalty)?, weights);
            let correct = Objective::new(&validation, classes, penalty)?.correct(&weights)?;
            journal::record("val accuracy", step, correct as f64 / validation.len().max(1) as f64);
            if correct > best.0 {
                best = (correct, weights.clone());
            }
        }
        let (_, mut weight) = best;
        let bias = weight.split_off(width * classes);
        Ok(Logistic(Linear::from_parts(width, weight, bias)?))
    }
}

/// Minimises from `start`: the weight, classes × width, and then the bias.
fn fit(objective: Objective<'_>, start: Vec<f32>) -> Vec<f32> {
    // Three losses and two gradients an iteration; f32 sums say nothing below one part in a million.
    let optimiser = LBFGS { max_iter: ITERATIONS, f_reltol: 1e-6, ..LBFGS::default() };
    let search = Backtracking { order: FunctionOrder::THIRD, ..Backtracking::default() };
    let value = |weights: &Vec<f32>| objective.value(weights);
    let gradient = |gradient: &mut Vec<f32>, weights: &Vec<f32>| objective.gradient(weights, gradient);
    optimiser.optimize(&value, &gradient, &start, &search).x
}

impl Model for Logistic {
    fn parameters(&self) -> Parameters {
        let Self(linear) = self;
        let mut parameters = Parameters::new();
        parameters.push("weight", &[linear.outputs(), linear.inputs()], linear.weight().to_vec());
        parameters.push("bias", &[linear.outputs()], linear.bias().to_vec());
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (classes, width) = (metadata.num_classes, metadata.input_dim);
        let weight = parameters.take_f32("weight", &[classes, width])?;
        Ok(Self(Linear::from_parts(width, weight, parameters.take_f32("bias", &[classes])?)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let Self(linear) = self;
        let mut scores = vec![0.0; inputs.rows() * linear.outputs()];
        linear.forward(&mut Gemm::new(), inputs.features()?.values, &mut scores)?;
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

thimble_sdk::export!(LogisticRegression);

#[cfg(test)]
mod tests {
    use thimble_sdk::nn::count_correct;
    use thimble_sdk::{Rng, Tensor};

    use super::*;

    const WIDTH: usize = 8;

    /// Three classes whose means differ much less than their spread in the first feature.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let labels: Vec<i64> = (0..rows).map(|row| (row % 3) as i64).collect();
        let mut features: Vec<f32> = (0..rows * WIDTH).map(|_| rng.normal()).collect();
        for (row, &label) in features.chunks_exact_mut(WIDTH).zip(&labels) {
            row[0] *= 10.0;
            row[1 + label as usize] += 4.0;
        }
        let features = Tensor::new("features", &[rows, WIDTH], features);
        Loader::from_rows(vec![features], vec![Tensor::new("label", &[rows], labels)], 32)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(WIDTH, 3);
        let model = LogisticRegression::solve(&mut split(1, 300)?, &mut split(2, 90)?, &metadata)?;
        let model = Logistic::from_parameters(model.parameters(), &metadata)?;
        let batch = split(3, 32)?.next().ok_or("no batch")?;
        let scores = model.predict(&batch)?;
        let correct = count_correct(scores.get()?, batch.labels()?, 3)?;
        assert!(correct >= 30, "{correct} of 32");
        Ok(())
    }

    #[test]
    fn the_optimiser_ends_where_the_gradient_is_nothing() -> Result<()> {
        let rows = Rows::read(&mut split(1, 300)?, WIDTH)?;
        let weights = fit(Objective::new(&rows, 3, 0.1)?, vec![0.0; (WIDTH + 1) * 3]);
        let mut gradient = vec![0.0; weights.len()];
        Objective::new(&rows, 3, 0.1)?.gradient(&weights, &mut gradient);
        assert!(gradient.iter().all(|g| g.abs() < 1e-2), "{gradient:?}");
        Ok(())
    }
}
