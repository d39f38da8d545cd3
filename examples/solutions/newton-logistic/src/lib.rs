//! Logistic regression of two classes by Newton's method, with the penalty that the validation split asks for.
#![forbid(unsafe_code)]

use least_squares::{LinearMap, Scaling, solve, widened};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// Penalties ½ λ ‖w‖² beside the summed log-loss that are tried, the strongest first: each fit starts from the one
/// before.
const PENALTIES: [f64; 5] = [100.0, 30.0, 10.0, 3.0, 1.0];

/// Steps of one fit. Newton's method doubles its digits with each.
const STEPS: usize = 8;

/// Fits with the penalty that is best on the validation split.
#[derive(Debug)]
pub struct NewtonLogistic;

/// The fitted classifier: the log-odds of class 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic(LinearMap);

/// Features and label of every row of a split.
fn rows(split: &mut Loader) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let (mut rows, mut labels) = (Vec::new(), Vec::new());
    for batch in split.by_ref() {
        rows.extend(batch.features()?.iter().map(widened));
        labels.extend(batch.labels()?.iter().map(|&label| label as f64));
    }
    Ok((rows, labels))
}

impl Solution for NewtonLogistic {
    type Model = Logistic;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Logistic> {
        if metadata.num_classes != 2 {
            return Err(format!("{} classes, this is for two", metadata.num_classes).into());
        }
        let (rows_of_train, labels) = rows(train)?;
        let (checked, truths) = rows(val)?;
        let scaling = Scaling::fit(&rows_of_train);
        // A constant beside the features.
        let scaled: Vec<Vec<f64>> = rows_of_train.iter().map(|row| [scaling.apply(row), vec![1.0]].concat()).collect();
        let mut weight = vec![0.0; metadata.input_dim + 1];
        let mut best = (f64::INFINITY, LinearMap::of_scaled(&scaling, &weight));
        for (step, penalty) in (0..).zip(PENALTIES) {
            for _ in 0..STEPS {
                newton(&scaled, &labels, penalty, &mut weight)?;
            }
            let map = LinearMap::of_scaled(&scaling, &weight);
            let loss: f64 = checked.iter().zip(&truths).map(|(row, &label)| log_loss(map.apply(row)[0], label)).sum();
            journal::record("val log-loss", step, loss / checked.len().max(1) as f64);
            if loss < best.0 {
                best = (loss, map);
            }
        }
        Ok(Logistic(best.1))
    }
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

fn log_loss(log_odds: f64, label: f64) -> f64 {
    libm::log1p(libm::exp(if label > 0.5 { -log_odds } else { log_odds }))
}

/// One step. The last weight is the constant's, which is not penalised.
fn newton(rows: &[Vec<f64>], labels: &[f64], penalty: f64, weight: &mut [f64]) -> Result<()> {
    let n = weight.len();
    let (mut hessian, mut gradient) = (vec![0.0; n * n], vec![0.0; n]);
    for (row, label) in rows.iter().zip(labels) {
        let p = probability(row.iter().zip(&*weight).map(|(x, w)| x * w).sum());
        let curvature = p * (1.0 - p);
        for (i, x) in row.iter().enumerate() {
            gradient[i] += (p - label) * x;
            for (sum, other) in hessian[i * n..][..n].iter_mut().zip(row) {
                *sum += curvature * x * other;
            }
        }
    }
    for i in 0..n {
        // Certain rows have no curvature; a trace of it keeps the constant determined.
        let strength = if i + 1 < n { penalty } else { 1e-6 };
        gradient[i] += strength * weight[i];
        hessian[i * n + i] += strength;
    }
    solve(&mut hessian, &mut gradient, 1)?;
    weight.iter_mut().zip(&gradient).for_each(|(weight, step)| *weight -= step);
    Ok(())
}

impl Model for Logistic {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(LinearMap::from_parameters(parameters, metadata.input_dim, 1)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let probabilities = |row: &[f32]| {
            let p = probability(self.0.apply(&widened(row))[0]);
            [(1.0 - p) as f32, p as f32]
        };
        Ok(Predictions::scores(inputs.rows(), inputs.features()?.iter().flat_map(probabilities).collect()))
    }
}

thimble_sdk::export!(NewtonLogistic);

#[cfg(test)]
mod tests {
    use thimble_sdk::nn::count_correct;
    use thimble_sdk::{Rng, Tensor};

    use super::*;

    /// Two classes two standard deviations apart in the first feature.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let labels: Vec<i64> = (0..rows).map(|row| (row % 2) as i64).collect();
        let mut features: Vec<f32> = (0..rows * 3).map(|_| rng.normal()).collect();
        features.chunks_mut(3).zip(&labels).for_each(|(row, &label)| row[0] += 4.0 * label as f32);
        let label = Tensor::new("label", &[rows], labels);
        Loader::from_rows(vec![Tensor::new("features", &[rows, 3], features)], vec![label], 64)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata::classification(3, 2);
        let model = NewtonLogistic::solve(&mut split(1, 300)?, &mut split(2, 60)?, &metadata)?;
        let model = Logistic::from_parameters(model.parameters(), &metadata)?;
        let batch = split(3, 64)?.next().ok_or("no batch")?;
        let scores = model.predict(&batch)?;
        assert!(count_correct(scores.get()?, batch.labels()?, 2)? >= 58);
        assert!(scores.get::<f32>()?.chunks(2).all(|row| (row[0] + row[1] - 1.0).abs() < 1e-6));
        Ok(())
    }
}
