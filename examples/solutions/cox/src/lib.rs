//! Proportional hazards: who has the event earlier, from a linear function of the columns.
//!
//! The partial likelihood of D. Cox, "Regression models and life-tables" (1972), with N. Breslow's treatment of equal
//! times, a penalty on the weights, and Newton's method.
#![forbid(unsafe_code)]

use least_squares::{LinearMap, Scaling, solve, widened};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// The penalty ½ λ ‖w‖² for each event: few events do not say much about a weight.
const PENALTY: f64 = 0.3;

/// Newton's steps.
const STEPS: usize = 8;

/// Fits on the training split.
#[derive(Debug)]
pub struct Cox;

/// The fitted log-risk.
#[derive(Debug, Clone, PartialEq)]
pub struct Hazard(LinearMap);

/// One person.
struct Life {
    row: Vec<f64>,
    time: f64,
    had_event: bool,
}

impl Solution for Cox {
    type Model = Hazard;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Hazard> {
        let mut lives = Vec::new();
        for batch in train.by_ref() {
            let (times, events) = batch.survival()?;
            let rows = batch.features()?.iter().zip(times).zip(events);
            lives.extend(rows.map(|((row, &time), &event)| Life { row: widened(row), time, had_event: event == 1 }));
        }
        // Those who were seen longest first: whoever comes before is still at risk.
        lives.sort_by(|a, b| b.time.total_cmp(&a.time));
        let rows: Vec<Vec<f64>> = lives.iter().map(|life| life.row.clone()).collect();
        let scaling = Scaling::fit(&rows);
        lives.iter_mut().for_each(|life| life.row = scaling.apply(&life.row));
        let mut weight = vec![0.0; metadata.input_dim];
        for step in 0..STEPS {
            let length = newton(&lives, &mut weight)?;
            journal::record("length of the step", step as u64, length);
        }
        weight.push(0.0);
        Ok(Hazard(LinearMap::of_scaled(&scaling, &weight)))
    }
}

/// Sums over those at risk, of exp(w x) and its products with x and with x xᵀ.
struct AtRisk {
    weight: f64,
    rows: Vec<f64>,
    products: Vec<f64>,
}

/// One step; gives the sum of its squares.
fn newton(lives: &[Life], weight: &mut [f64]) -> Result<f64> {
    let n = weight.len();
    let mut at_risk = AtRisk { weight: 0.0, rows: vec![0.0; n], products: vec![0.0; n * n] };
    let (mut hessian, mut gradient) = (vec![0.0; n * n], vec![0.0; n]);
    let mut events = 0.0;
    for same_time in lives.chunk_by(|a, b| a.time == b.time) {
        for life in same_time {
            let hazard = libm::exp(life.row.iter().zip(&*weight).map(|(x, w)| x * w).sum());
            at_risk.weight += hazard;
            for (i, x) in life.row.iter().enumerate() {
                at_risk.rows[i] += hazard * x;
                let sums = &mut at_risk.products[i * n..][..n];
                sums.iter_mut().zip(&life.row).for_each(|(sum, other)| *sum += hazard * x * other);
            }
        }
        for life in same_time.iter().filter(|life| life.had_event) {
            events += 1.0;
            for i in 0..n {
                let mean = at_risk.rows[i] / at_risk.weight;
                gradient[i] += mean - life.row[i];
                for j in 0..n {
                    let product = at_risk.products[i * n + j] / at_risk.weight;
                    hessian[i * n + j] += product - mean * at_risk.rows[j] / at_risk.weight;
                }
            }
        }
    }
    for i in 0..n {
        gradient[i] += PENALTY * events * weight[i];
        // Without any event there is nothing to learn, and no step to take.
        hessian[i * n + i] += (PENALTY * events).max(1.0);
    }
    solve(&mut hessian, &mut gradient, 1)?;
    weight.iter_mut().zip(&gradient).for_each(|(weight, step)| *weight -= step);
    Ok(gradient.iter().map(|step| step * step).sum())
}

impl Model for Hazard {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(LinearMap::from_parameters(parameters, metadata.input_dim, 1)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        Ok(Predictions::risks(inputs.features()?.iter().flat_map(|row| self.0.apply(&widened(row))).collect()))
    }
}

thimble_sdk::export!(Cox);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Kind, Rng, Tensor};

    use super::*;

    #[test]
    fn finds_what_hastens_the_event() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let features: Vec<f32> = (0..800).map(|_| rng.normal()).collect();
        // Exponential times whose rate is exp(x0), seen for 2 at most.
        let time = |row: &[f32], uniform: f64| -libm::log(uniform) / libm::exp(f64::from(row[0]));
        let times: Vec<f64> = features.chunks(2).map(|row| time(row, f64::from(rng.uniform(1e-6, 1.0)))).collect();
        let events: Vec<i64> = times.iter().map(|&time| i64::from(time < 2.0)).collect();
        let times: Vec<f64> = times.into_iter().map(|time| time.min(2.0)).collect();
        let targets = vec![Tensor::new("time", &[400], times), Tensor::new("event", &[400], events)];
        let mut train = Loader::from_rows(vec![Tensor::new("features", &[400, 2], features)], targets, 100)?;
        let metadata = Metadata { input_dim: 2, ..Metadata::of(Kind::TimeToEvent) };
        let model = Cox::solve(&mut train, &mut Loader::empty(), &metadata)?;
        let model = Hazard::from_parameters(model.parameters(), &metadata)?;
        let rows = Tensor::new("features", &[3, 2], vec![0.0_f32, 0.0, 1.0, 0.0, 0.0, 1.0]);
        let predictions = model.predict(&Batch::from_inputs(vec![rows])?)?;
        let [none, first, second] = predictions.get::<f64>()? else { return Err("three risks".into()) };
        // The true weights are 1 and 0, which the penalty shrinks.
        assert!((0.4..1.1).contains(&(first - none)) && (second - none).abs() < 0.15, "{first} {second} {none}");
        Ok(())
    }
}
