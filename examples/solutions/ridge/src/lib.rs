//! Linear regression with a penalty on its weights, the one of several that the validation split asks for.
#![forbid(unsafe_code)]

use least_squares::{LinearMap, widened};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// Penalties on the squared weights of scaled inputs that are tried.
const PENALTIES: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];

/// Fits with the penalty that is best on the validation split.
#[derive(Debug)]
pub struct Ridge;

/// The fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression(LinearMap);

/// Values of one row each.
type Rows = Vec<Vec<f64>>;

/// Features and target of every row of a split.
fn rows(split: &mut Loader) -> Result<(Rows, Rows)> {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for batch in split.by_ref() {
        rows.extend(batch.features()?.iter().map(widened));
        targets.extend(batch.values()?.iter().map(|&target| vec![target]));
    }
    Ok((rows, targets))
}

impl Solution for Ridge {
    type Model = Regression;

    fn solve(train: &mut Loader, val: &mut Loader, _metadata: &Metadata) -> Result<Regression> {
        let (rows_of_train, targets) = rows(train)?;
        let (checked, truths) = rows(val)?;
        let mut best = (f64::INFINITY, LinearMap::ridge(&rows_of_train, &targets, PENALTIES[0])?);
        for (step, penalty) in (0..).zip(PENALTIES) {
            let map = LinearMap::ridge(&rows_of_train, &targets, penalty)?;
            let error =
                |(row, truth): (&Vec<f64>, &Vec<f64>)| (map.apply(row)[0] - truth[0]) * (map.apply(row)[0] - truth[0]);
            let squares: f64 = checked.iter().zip(&truths).map(error).sum();
            journal::record("val mse", step, squares / checked.len().max(1) as f64);
            if squares < best.0 {
                best = (squares, map);
            }
        }
        Ok(Regression(best.1))
    }
}

impl Model for Regression {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(LinearMap::from_parameters(parameters, metadata.input_dim, 1)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        Ok(Predictions::values(inputs.features()?.iter().flat_map(|row| self.0.apply(&widened(row))).collect()))
    }
}

thimble_sdk::export!(Ridge);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Field, Kind, Rng, Tensor};

    use super::*;

    /// y = 2 a − b + 7 with a little noise.
    fn split(seed: u64, rows: usize) -> Result<(Loader, Vec<f64>)> {
        let mut rng = Rng::seeded(seed);
        let features: Vec<f32> = (0..rows * 2).map(|_| rng.normal()).collect();
        let noisy = |row: &[f32]| f64::from(2.0 * row[0] - row[1] + 7.0);
        let targets: Vec<f64> = features.chunks(2).map(|row| noisy(row) + 0.01 * f64::from(rng.normal())).collect();
        let target = Tensor::new("target", &[rows], targets.clone());
        Ok((Loader::from_rows(vec![Tensor::new("features", &[rows, 2], features)], vec![target], 16)?, targets))
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let inputs = vec![Field::new("features", thimble_sdk::Dtype::F32, &[2])];
        let metadata = Metadata { inputs, input_dim: 2, ..Metadata::of(Kind::TabularRegression) };
        let model = Ridge::solve(&mut split(1, 200)?.0, &mut split(2, 50)?.0, &metadata)?;
        let model = Regression::from_parameters(model.parameters(), &metadata)?;
        let (mut test, targets) = split(3, 16)?;
        let predictions = model.predict(&test.next().ok_or("no batch")?)?;
        assert!(predictions.get::<f64>()?.iter().zip(&targets).all(|(a, b)| (a - b).abs() < 0.1));
        Ok(())
    }
}
