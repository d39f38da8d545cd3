//! Stochastic gradient descent.

use super::Optimiser;
use super::optimiser::Memory;
use crate::Result;

/// Gradient descent as `torch.optim.SGD` computes it: g ← g + λ·x; with momentum b ← μ·b + g (at first b = g), then
/// x ← x − α·b, or with Nesterov's x ← x − α·(g + μ·b).
///
/// ```
/// use thimble_sdk::nn::{Optimiser, Sgd};
/// # fn main() -> thimble_sdk::Result<()> {
/// let (mut x, mut sgd) = ([5.0_f32], Sgd::new(0.02).momentum(0.9));
/// for _ in 0..300 {
///     let gradient = [2.0 * (x[0] - 3.0)]; // of (x − 3)²
///     sgd.step([(&mut x[..], &gradient[..])])?;
/// }
/// assert!((x[0] - 3.0).abs() < 1e-3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Sgd {
    /// The step size α. May be changed between steps.
    pub learning_rate: f32,
    momentum: f32,
    nesterov: bool,
    weight_decay: f32,
    memory: Memory<1>,
}

impl Sgd {
    /// Without momentum or weight decay.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, momentum: 0.0, nesterov: false, weight_decay: 0.0, memory: Memory::new() }
    }

    /// With momentum μ.
    #[must_use]
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, nesterov: false, ..self }
    }

    /// With Nesterov's momentum μ.
    #[must_use]
    pub fn nesterov(self, momentum: f32) -> Self {
        Self { momentum, nesterov: true, ..self }
    }

    /// With λ, the weight of an L2 penalty ½·λ·x².
    #[must_use]
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay, ..self }
    }
}

impl Optimiser for Sgd {
    fn begin(&mut self) {
        self.memory.begin();
    }

    fn update(&mut self, tensor: &mut [f32], gradient: &[f32]) -> Result<()> {
        let Self { learning_rate: rate, momentum, nesterov, weight_decay: decay, .. } = *self;
        let [velocity] = self.memory.next(tensor, gradient)?;
        if momentum == 0.0 {
            for (x, &g) in tensor.iter_mut().zip(gradient) {
                *x -= rate * (g + decay * *x);
            }
        } else if nesterov {
            each(tensor, gradient, velocity, |x, g, b| {
                let g = g + decay * x;
                let b = momentum * b + g;
                (x - rate * (g + momentum * b), b)
            });
        } else {
            each(tensor, gradient, velocity, |x, g, b| {
                let b = momentum * b + (g + decay * x);
                (x - rate * b, b)
            });
        }
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.memory.end()
    }

    fn set_learning_rate(&mut self, learning_rate: f32) {
        self.learning_rate = learning_rate;
    }
}

#[inline(always)]
fn each(tensor: &mut [f32], gradient: &[f32], velocity: &mut [f32], f: impl Fn(f32, f32, f32) -> (f32, f32)) {
    for ((x, &g), b) in tensor.iter_mut().zip(gradient).zip(velocity) {
        (*x, *b) = f(*x, g, *b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRADIENTS: [f32; 4] = [0.5, -2.0, 0.0, 3.0];

    fn run(mut sgd: Sgd) -> Result<f32> {
        let mut x = [1.0];
        for gradient in GRADIENTS {
            sgd.step([(&mut x[..], &[gradient][..])])?;
        }
        Ok(x[0])
    }

    /// The pseudocode of <https://pytorch.org/docs/stable/generated/torch.optim.SGD.html> in f64, dampening 0.
    fn pytorch(momentum: f64, nesterov: bool, decay: f64) -> f64 {
        let (mut x, mut buffer) = (1.0, None);
        for gradient in GRADIENTS {
            let mut g = f64::from(gradient) + decay * x;
            if momentum != 0.0 {
                let b = buffer.map_or(g, |b: f64| momentum * b + g);
                buffer = Some(b);
                g = if nesterov { g + momentum * b } else { b };
            }
            x -= 0.1 * g;
        }
        x
    }

    #[test]
    fn every_variant_is_pytorchs() -> Result<()> {
        let plain = Sgd::new(0.1);
        for (sgd, expected) in [
            (plain.clone(), pytorch(0.0, false, 0.0)),
            (plain.clone().weight_decay(0.2), pytorch(0.0, false, 0.2)),
            (plain.clone().momentum(0.9), pytorch(0.9, false, 0.0)),
            (plain.clone().momentum(0.9).weight_decay(0.2), pytorch(0.9, false, 0.2)),
            (plain.nesterov(0.9).weight_decay(0.2), pytorch(0.9, true, 0.2)),
        ] {
            let x = run(sgd.clone())?;
            assert!((f64::from(x) - expected).abs() < 1e-5, "{sgd:?}: {x}, expected {expected}");
        }
        Ok(())
    }
}
