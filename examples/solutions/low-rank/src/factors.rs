//! Two factors, and how they are trained together.

use thimble_sdk::nn::{Adam, Gemm, Linear, LinearGradients, cross_entropy};
use thimble_sdk::{Batch, Result};

use crate::principal::Principal;

/// x → `first` → rank → `second` → classes, with nothing between.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// Its bias is 0.
    pub(crate) first: Linear,
    pub(crate) second: Linear,
}

/// What a batch needs; grown by the first one.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    gemm: Gemm,
    inner: Vec<f32>,
    pub(crate) scores: Vec<f32>,
}

impl Factors {
    /// The projection of `head`'s scores s = W x + b on their first `rank` principal axes U around their mean s̄:
    /// U Uᵀ (s − s̄) + s̄.
    pub(crate) fn of(head: &Linear, principal: &Principal, rank: usize) -> Result<Self> {
        let (classes, width) = (head.outputs(), head.inputs());
        let (mean, axes) = (principal.mean(), principal.axes());
        let mut first = Vec::with_capacity(rank * width);
        let mut second = vec![0.0; classes * rank];
        let mut bias = mean.clone();
        for (index, axis) in axes.iter().take(rank).enumerate() {
            let mut row = vec![0.0; width];
            for (&u, w) in axis.iter().zip(head.weight().chunks_exact(width)) {
                for (sum, &w) in row.iter_mut().zip(w) {
                    *sum += u * f64::from(w);
                }
            }
            first.extend(row.iter().map(|&w| w as f32));
            let shift: f64 = axis.iter().zip(head.bias()).zip(&mean).map(|((u, &b), m)| u * (f64::from(b) - m)).sum();
            for (class, u) in axis.iter().enumerate() {
                second[class * rank + index] = *u as f32;
                bias[class] += shift * u;
            }
        }
        Ok(Self {
            first: Linear::from_parts(width, first, vec![0.0; rank])?,
            second: Linear::from_parts(rank, second, bias.iter().map(|&b| b as f32).collect())?,
        })
    }

    /// Leaves the scores of `rows` rows `x` in the buffers.
    pub(crate) fn forward(&self, x: &[f32], rows: usize, buffers: &mut Buffers) -> Result<()> {
        buffers.inner.resize(rows * self.first.outputs(), 0.0);
        buffers.scores.resize(rows * self.second.outputs(), 0.0);
        self.first.forward(&mut buffers.gemm, x, &mut buffers.inner)?;
        self.second.forward(&mut buffers.gemm, &buffers.inner, &mut buffers.scores)
    }
}

/// Factors in training, with Adam on the cross-entropy.
pub(crate) struct Tuner {
    factors: Factors,
    first: LinearGradients,
    second: LinearGradients,
    adam: Adam,
    buffers: Buffers,
    scores_gradient: Vec<f32>,
    inner_gradient: Vec<f32>,
}

impl Tuner {
    pub(crate) fn new(factors: Factors) -> Self {
        let (first, second) = (factors.first.gradients(), factors.second.gradients());
        let (buffers, adam) = (Buffers::default(), Adam::new(0.0));
        Self { factors, first, second, adam, buffers, scores_gradient: Vec::new(), inner_gradient: Vec::new() }
    }

    pub(crate) fn into_factors(self) -> Factors {
        self.factors
    }

    /// One step of size `rate`.
    pub(crate) fn step(&mut self, batch: &Batch, rate: f32) -> Result<()> {
        let Self { factors, first, second, adam, buffers, scores_gradient, inner_gradient } = self;
        let x = batch.features()?.values;
        factors.forward(x, batch.rows(), buffers)?;
        scores_gradient.resize(buffers.scores.len(), 0.0);
        inner_gradient.resize(buffers.inner.len(), 0.0);
        cross_entropy(&buffers.scores, batch.labels()?, factors.second.outputs(), scores_gradient)?;
        second.clear();
        factors.second.backward(&mut buffers.gemm, &buffers.inner, scores_gradient, second)?;
        factors.second.backward_input(&mut buffers.gemm, scores_gradient, inner_gradient)?;
        first.clear();
        factors.first.backward(&mut buffers.gemm, x, inner_gradient, first)?;

        adam.learning_rate = rate;
        // Not the first bias: it stays 0, so that it need not be a parameter.
        let [first_weight, _] = factors.first.updates(first);
        let [second_weight, second_bias] = factors.second.updates(second);
        adam.step([first_weight, second_weight, second_bias])
    }
}

#[cfg(test)]
mod tests {
    use thimble_sdk::Rng;

    use super::*;

    #[test]
    fn factors_of_full_rank_are_the_classifier() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let head = Linear::new(5, 3, &mut rng);
        let x: Vec<f32> = (0..50).map(|_| rng.normal()).collect();
        let mut scores = vec![0.0; 30];
        head.forward(&mut Gemm::new(), &x, &mut scores)?;
        let mut principal = Principal::new(3);
        principal.add(&scores);
        let mut buffers = Buffers::default();
        Factors::of(&head, &principal, 3)?.forward(&x, 10, &mut buffers)?;
        assert!(buffers.scores.iter().zip(&scores).all(|(a, b)| (a - b).abs() < 1e-5));
        Ok(())
    }
}
