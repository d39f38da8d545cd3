//! The Adam optimiser.

use super::Optimiser;
use super::optimiser::Memory;
use crate::Result;

/// Adam (Kingma, Ba 2015) as PyTorch computes it: β₁ 0.9, β₂ 0.999, ε 1e-8, bias correction; with
/// [`Adam::weight_decay`] it is AdamW.
///
/// The moments of the tensors are allocated by the first [`Optimiser::step`]; later steps must name the same tensors in the
/// same order.
///
/// ```
/// use thimble_sdk::nn::Adam;
/// # fn main() -> thimble_sdk::Result<()> {
/// let (mut x, mut adam) = ([5.0_f32], Adam::new(0.1));
/// for _ in 0..500 {
///     let gradient = [2.0 * (x[0] - 3.0)]; // of (x − 3)²
///     adam.step([(&mut x[..], &gradient[..])])?;
/// }
/// assert!((x[0] - 3.0).abs() < 1e-3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[doc(alias = "AdamW")]
pub struct Adam {
    /// The step size α. May be changed between steps.
    pub learning_rate: f32,
    weight_decay: f32,
    rate: Rate,
    memory: Memory<2>,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Values that one turn of the loop moves.
const STEP: usize = 16;

/// The numbers of one step.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    /// What is left of a value after weight decay, 1 − α·λ.
    keep: f32,
    /// α·√(1 − β₂ᵗ) ÷ (1 − β₁ᵗ).
    step: f32,
    /// ε·√(1 − β₂ᵗ).
    epsilon: f32,
}

impl Adam {
    /// Before the first step, without weight decay.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, weight_decay: 0.0, rate: Rate::default(), memory: Memory::new() }
    }

    /// With decoupled weight decay λ, that is AdamW (Loshchilov, Hutter 2019) as in `torch.optim.AdamW`: each step takes
    /// α·λ·x off every value, biases included. PyTorch's default is 0.01.
    #[must_use]
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay, ..self }
    }

    /// One step: moves every tensor against its gradient. Pairs of (tensor, gradient).
    ///
    /// # Errors
    /// A tensor and its gradient differ in length, or the tensors are not those of the first step. Some tensors may have
    /// moved then.
    pub fn step<'a>(&mut self, tensors: impl IntoIterator<Item = (&'a mut [f32], &'a [f32])>) -> Result<()> {
        Optimiser::step(self, tensors)
    }
}

impl Optimiser for Adam {
    fn begin(&mut self) {
        self.memory.begin();
        // In f64 as in PyTorch, where they are Python numbers.
        let correction = |beta: f64| 1.0 - libm::pow(beta, f64::from(self.memory.steps()));
        let (rate, root) = (f64::from(self.learning_rate), correction(BETA2).sqrt());
        self.rate = Rate {
            keep: (1.0 - rate * f64::from(self.weight_decay)) as f32,
            step: (rate * root / correction(BETA1)) as f32,
            epsilon: (EPSILON * root) as f32,
        };
    }

    fn update(&mut self, tensor: &mut [f32], gradient: &[f32]) -> Result<()> {
        let rate = self.rate;
        let [first, second] = self.memory.next(tensor, gradient)?;
        if rate.keep == 1.0 {
            update(tensor, gradient, first, second, |x, m, v| x - rate.step * (m / (v.sqrt() + rate.epsilon)));
        } else {
            update(tensor, gradient, first, second, |x, m, v| {
                rate.keep * x - rate.step * (m / (v.sqrt() + rate.epsilon))
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

/// Averages gradients and their squares, then moves. Both bias corrections are in the step: x − α·m̂ ÷ (√v̂ + ε) with one
/// division less.
#[inline(always)]
fn update(
    tensor: &mut [f32],
    gradient: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    moved: impl Fn(f32, f32, f32) -> f32,
) {
    const KEEP1: f32 = BETA1 as f32;
    const TAKE1: f32 = (1.0 - BETA1) as f32;
    const KEEP2: f32 = BETA2 as f32;
    const TAKE2: f32 = (1.0 - BETA2) as f32;
    let one = |x: &mut f32, g: f32, m: &mut f32, v: &mut f32| {
        *m = KEEP1 * *m + TAKE1 * g;
        *v = KEEP2 * *v + TAKE2 * (g * g);
        *x = moved(*x, *m, *v);
    };
    // Four vectors a turn, since the runner checks fuel at every turn.
    let ((xs, x_rest), (gs, g_rest)) = (tensor.as_chunks_mut::<STEP>(), gradient.as_chunks::<STEP>());
    let ((ms, m_rest), (vs, v_rest)) = (first.as_chunks_mut::<STEP>(), second.as_chunks_mut::<STEP>());
    for (((x, g), m), v) in xs.iter_mut().zip(gs).zip(ms).zip(vs) {
        for i in 0..STEP {
            one(&mut x[i], g[i], &mut m[i], &mut v[i]);
        }
    }
    for (((x, &g), m), v) in x_rest.iter_mut().zip(g_rest).zip(m_rest).zip(v_rest) {
        one(x, g, m, v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm of the paper (Kingma, Ba 2015, algorithm 1) in f64.
    #[test]
    fn follows_the_paper() -> Result<()> {
        let gradients = [0.5_f32, -2.0, 1e-4, 0.0, 3.0];
        let (mut x, mut adam) = ([1.0_f32], Adam::new(0.01));
        let (mut expected, mut m, mut v) = (1.0_f64, 0.0, 0.0);
        for (t, &gradient) in gradients.iter().enumerate() {
            adam.step([(&mut x[..], &[gradient][..])])?;
            let g = f64::from(gradient);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            let (mean, square) = (m / (1.0 - 0.9_f64.powi(t as i32 + 1)), v / (1.0 - 0.999_f64.powi(t as i32 + 1)));
            expected -= 0.01 * mean / (square.sqrt() + 1e-8);
            assert!((f64::from(x[0]) - expected).abs() < 1e-6, "step {t}: {} against {expected}", x[0]);
        }
        Ok(())
    }

    #[test]
    fn the_first_step_is_the_learning_rate_whatever_the_gradient() -> Result<()> {
        for gradient in [1e-3_f32, 1.0, 1e3] {
            let mut x = [0.0_f32];
            Adam::new(0.1).step([(&mut x[..], &[gradient][..])])?;
            assert!((x[0] + 0.1).abs() < 1e-5, "{}", x[0]);
        }
        Ok(())
    }

    /// Algorithm 2 of Loshchilov, Hutter 2019 with the schedule multiplier in the decay, as PyTorch has it, in f64.
    #[test]
    fn weight_decay_is_decoupled() -> Result<()> {
        let (mut x, mut adam) = ([1.0_f32], Adam::new(0.01).weight_decay(0.5));
        let (mut expected, mut m, mut v) = (1.0_f64, 0.0, 0.0);
        for (t, g) in [0.5, -2.0, 0.0, 3.0].into_iter().enumerate() {
            adam.step([(&mut x[..], &[g as f32][..])])?;
            expected -= 0.01 * 0.5 * expected;
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            let (mean, square) = (m / (1.0 - 0.9_f64.powi(t as i32 + 1)), v / (1.0 - 0.999_f64.powi(t as i32 + 1)));
            expected -= 0.01 * mean / (square.sqrt() + 1e-8);
            assert!((f64::from(x[0]) - expected).abs() < 1e-6, "step {t}: {} against {expected}", x[0]);
        }
        Ok(())
    }

    #[test]
    fn without_a_gradient_only_weight_decay_moves() -> Result<()> {
        let (mut x, mut decayed) = ([2.0_f32], [2.0_f32]);
        Adam::new(0.1).step([(&mut x[..], &[0.0][..])])?;
        Adam::new(0.1).weight_decay(0.5).step([(&mut decayed[..], &[0.0][..])])?;
        assert_eq!((x, decayed), ([2.0], [1.9]));
        Ok(())
    }
}
