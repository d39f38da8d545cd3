//! What is minimised.

use std::cell::RefCell;

use thimble_sdk::nn::{Gemm, Shape, count_correct, cross_entropy};
use thimble_sdk::{Loader, Result};

/// A whole split.
#[derive(Debug)]
pub(crate) struct Rows {
    width: usize,
    x: Vec<f32>,
    labels: Vec<i64>,
}

impl Rows {
    pub(crate) fn read(split: &mut Loader, width: usize) -> Result<Self> {
        let (mut x, mut labels) = (Vec::new(), Vec::new());
        for batch in split {
            let features = batch.features()?;
            if features.width != width {
                return Err(format!("rows of {} values, expected {width}", features.width).into());
            }
            x.extend_from_slice(features.values);
            labels.extend_from_slice(batch.labels()?);
        }
        Ok(Self { width, x, labels })
    }

    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }
}

/// The mean cross-entropy of a linear classifier plus ½ `penalty` ‖w‖², not of the bias, over some rows. Its argument is the
/// weight, classes × width, and then the bias.
#[derive(Debug)]
pub(crate) struct Objective<'a> {
    rows: &'a Rows,
    classes: usize,
    penalty: f32,
    /// The optimiser calls through shared references.
    buffers: RefCell<Buffers>,
}

#[derive(Debug, Default)]
struct Buffers {
    gemm: Gemm,
    scores: Vec<f32>,
    scores_gradient: Vec<f32>,
}

impl<'a> Objective<'a> {
    /// # Errors
    /// A label is not below `classes`.
    pub(crate) fn new(rows: &'a Rows, classes: usize, penalty: f32) -> Result<Self> {
        if let Some(label) = rows.labels.iter().find(|&&label| !(0..classes as i64).contains(&label)) {
            return Err(format!("label {label}, expected below {classes}").into());
        }
        let buffers = Buffers {
            scores: vec![0.0; rows.len() * classes],
            scores_gradient: vec![0.0; rows.len() * classes],
            ..Buffers::default()
        };
        Ok(Self { rows, classes, penalty, buffers: RefCell::new(buffers) })
    }

    /// The loss; an infinity, which no line search accepts, where it cannot be computed.
    pub(crate) fn value(&self, weights: &[f32]) -> f32 {
        let Ok(loss) = self.loss(weights, &mut self.buffers.borrow_mut()) else { return f32::INFINITY };
        let weight = &weights[..self.classes * self.rows.width];
        let square: f64 = weight.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
        loss + 0.5 * self.penalty * square as f32
    }

    /// Writes the gradient by `weights`.
    pub(crate) fn gradient(&self, weights: &[f32], gradient: &mut [f32]) {
        let buffers = &mut *self.buffers.borrow_mut();
        let (weight, bias) = gradient.split_at_mut(self.classes * self.rows.width);
        for (g, w) in weight.iter_mut().zip(weights) {
            *g = self.penalty * w;
        }
        bias.fill(0.0);
        let shape = Shape { m: self.classes, n: self.rows.width, k: self.rows.len() };
        let computed = self
            .loss(weights, buffers)
            .and_then(|_| buffers.gemm.atb(shape, &buffers.scores_gradient, &self.rows.x, weight));
        if computed.is_err() {
            gradient.fill(f32::NAN);
            return;
        }
        for row in buffers.scores_gradient.chunks_exact(self.classes) {
            for (sum, g) in bias.iter_mut().zip(row) {
                *sum += g;
            }
        }
    }

    /// Rows whose largest score is at their label.
    pub(crate) fn correct(&self, weights: &[f32]) -> Result<usize> {
        let buffers = &mut *self.buffers.borrow_mut();
        self.loss(weights, buffers)?;
        count_correct(&buffers.scores, &self.rows.labels, self.classes)
    }

    /// The mean cross-entropy; leaves the scores and its gradient by them in the buffers.
    fn loss(&self, weights: &[f32], buffers: &mut Buffers) -> Result<f32> {
        let Buffers { gemm, scores, scores_gradient } = buffers;
        let (weight, bias) = weights.split_at(self.classes * self.rows.width);
        for row in scores.chunks_exact_mut(self.classes) {
            row.copy_from_slice(bias);
        }
        gemm.abt(Shape { m: self.rows.len(), n: self.classes, k: self.rows.width }, &self.rows.x, weight, scores)?;
        cross_entropy(scores, &self.rows.labels, self.classes, scores_gradient)
    }
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Rng;

    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let rows = Rows { width: 3, x: (0..15).map(|_| rng.normal()).collect(), labels: vec![0, 1, 1, 0, 1] };
        let objective = Objective::new(&rows, 2, 0.3)?;
        let weights: Vec<f32> = (0..8).map(|_| rng.normal()).collect();
        let mut gradient = vec![9.0; 8];
        objective.gradient(&weights, &mut gradient);
        for (at, g) in gradient.iter().enumerate() {
            let shifted = |step: f32| {
                let mut weights = weights.clone();
                weights[at] += step;
                objective.value(&weights)
            };
            let difference = (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
            assert!((g - difference).abs() < 1e-3, "{at}: {g} against {difference}");
        }
        Ok(())
    }

    #[test]
    fn labels_outside_the_classes_are_refused() {
        let rows = Rows { width: 1, x: vec![0.0], labels: vec![2] };
        assert!(Objective::new(&rows, 2, 0.0).is_err());
        assert!(Objective::new(&rows, 3, 0.0).is_ok());
    }
}
