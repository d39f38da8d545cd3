//! Each step of a forecast as a linear function of its window.
//!
//! Values are counts, whose spread grows with their size: their square roots are forecast, and squared.
#![forbid(unsafe_code)]

use least_squares::LinearMap;
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// Penalties on the squared weights of scaled inputs that are tried.
const PENALTIES: [f64; 5] = [1.0, 3.0, 10.0, 30.0, 100.0];

/// Fits with the penalty that is best on the validation split.
#[derive(Debug)]
pub struct Autoregressive;

/// The fitted forecast: of square roots.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast(LinearMap);

fn root(value: f64) -> f64 {
    libm::sqrt(value.max(0.0))
}

/// The square roots of each window.
fn windows(batch: &Batch) -> Result<Vec<Vec<f64>>> {
    Ok(batch.windows()?.iter().map(|window| window.iter().map(|&value| root(f64::from(value))).collect()).collect())
}

/// Values of one row each.
type Rows = Vec<Vec<f64>>;

/// The square roots of every window of a split and of what follows it.
fn rows(split: &mut Loader) -> Result<(Rows, Rows)> {
    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for batch in split.by_ref() {
        rows.extend(windows(&batch)?);
        targets.extend(batch.horizons()?.iter().map(|horizon| horizon.iter().map(|&value| root(value)).collect()));
    }
    Ok((rows, targets))
}

impl Solution for Autoregressive {
    type Model = Forecast;

    fn solve(train: &mut Loader, val: &mut Loader, _metadata: &Metadata) -> Result<Forecast> {
        let (rows_of_train, targets) = rows(train)?;
        let (checked, truths) = rows(val)?;
        let mut best = (f64::INFINITY, LinearMap::ridge(&rows_of_train, &targets, PENALTIES[0])?);
        for (step, penalty) in (0..).zip(PENALTIES) {
            let map = LinearMap::ridge(&rows_of_train, &targets, penalty)?;
            let square = |(a, b): (&f64, &f64)| (a * a - b * b) * (a * a - b * b);
            let error =
                |(row, truth): (&Vec<f64>, &Vec<f64>)| map.apply(row).iter().zip(truth).map(square).sum::<f64>();
            let squares: f64 = checked.iter().zip(&truths).map(error).sum();
            journal::record("val squares", step, squares);
            if squares < best.0 {
                best = (squares, map);
            }
        }
        Ok(Forecast(best.1))
    }
}

impl Model for Forecast {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let steps =
            metadata.outputs.first().and_then(|field| field.shape.first()).ok_or("the forecast has no steps")?;
        Ok(Self(LinearMap::from_parameters(parameters, metadata.input_dim, *steps)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let steps =
            |window: &Vec<f64>| self.0.apply(window).into_iter().map(|value| value.max(0.0) * value.max(0.0)).collect();
        let forecasts: Vec<Vec<f64>> = windows(inputs)?.iter().map(steps).collect();
        Ok(Predictions::forecasts(forecasts.len(), forecasts.concat()))
    }
}

thimble_sdk::export!(Autoregressive);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Dtype, Field, Kind, Tensor};

    use super::*;

    /// Windows of 12 steps and what follows, of a wave with a period of 8.
    fn split(first: usize, rows: usize) -> Result<(Loader, Vec<f64>)> {
        let wave = |step: usize| [9.0, 25.0, 64.0, 81.0, 64.0, 25.0, 9.0, 1.0][step % 8];
        let window: Vec<f32> =
            (0..rows).flat_map(|row| (0..12).map(move |step| wave(first + row + step) as f32)).collect();
        let horizon: Vec<f64> = (0..rows).flat_map(|row| (12..14).map(move |step| wave(first + row + step))).collect();
        let targets = vec![Tensor::new("horizon", &[rows, 2], horizon.clone())];
        Ok((Loader::from_rows(vec![Tensor::new("window", &[rows, 12, 1], window)], targets, 16)?, horizon))
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let outputs = vec![Field::new("horizon", Dtype::F64, &[2])];
        let metadata = Metadata { outputs, input_dim: 12, ..Metadata::of(Kind::TimeSeriesForecasting) };
        let model = Autoregressive::solve(&mut split(0, 64)?.0, &mut split(100, 16)?.0, &metadata)?;
        let model = Forecast::from_parameters(model.parameters(), &metadata)?;
        let (mut test, horizon) = split(200, 8)?;
        let predictions = model.predict(&test.next().ok_or("no batch")?)?;
        assert!(predictions.get::<f64>()?.iter().zip(&horizon).all(|(a, b)| (a - b).abs() < 8.0));
        Ok(())
    }
}
