//! The Adam optimiser.

use super::check_len;
use crate::Result;

/// Adam (Kingma, Ba 2015) as PyTorch computes it: β₁ 0.9, β₂ 0.999, ε 1e-8, bias correction, no weight decay.
///
/// The moments of the tensors are allocated by the first [`Adam::step`]; later steps must name the same tensors in the same
/// order.
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
pub struct Adam {
    /// The step size α. May be changed between steps.
    pub learning_rate: f32,
    steps: u32,
    moments: Vec<Moments>,
}

#[derive(Debug, Clone)]
struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

impl Adam {
    /// Before the first step.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, steps: 0, moments: Vec::new() }
    }

    /// One step: moves every tensor against its gradient. Pairs of (tensor, gradient).
    ///
    /// # Errors
    /// A tensor and its gradient differ in length, or the tensors are not those of the first step. Some tensors may have
    /// moved then.
    pub fn step<const N: usize>(&mut self, tensors: [(&mut [f32], &[f32]); N]) -> Result<()> {
        if self.steps == 0 {
            let zeros = |tensor: &[f32]| vec![0.0; tensor.len()];
            self.moments = tensors.iter().map(|(t, _)| Moments { first: zeros(t), second: zeros(t) }).collect();
        }
        if self.moments.len() != N {
            return Err(format!("step of {N} tensors, expected {}", self.moments.len()).into());
        }
        self.steps = self.steps.saturating_add(1);
        // In f64 as in PyTorch, where they are Python numbers.
        let correction = |beta: f64| 1.0 - libm::pow(beta, f64::from(self.steps));
        let step_size = (f64::from(self.learning_rate) / correction(BETA1)) as f32;
        let root = correction(BETA2).sqrt() as f32;
        for ((tensor, gradient), moments) in tensors.into_iter().zip(&mut self.moments) {
            check_len("tensor", tensor, moments.first.len())?;
            check_len("gradient", gradient, tensor.len())?;
            moments.update(tensor, gradient, step_size, root);
        }
        Ok(())
    }
}

impl Moments {
    fn update(&mut self, tensor: &mut [f32], gradient: &[f32], step_size: f32, root: f32) {
        const KEEP1: f32 = BETA1 as f32;
        const TAKE1: f32 = (1.0 - BETA1) as f32;
        const KEEP2: f32 = BETA2 as f32;
        const TAKE2: f32 = (1.0 - BETA2) as f32;
        for (((x, &g), m), v) in tensor.iter_mut().zip(gradient).zip(&mut self.first).zip(&mut self.second) {
            *m = KEEP1 * *m + TAKE1 * g;
            *v = KEEP2 * *v + TAKE2 * (g * g);
            *x -= step_size * (*m / (v.sqrt() / root + EPSILON));
        }
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

    #[test]
    fn other_tensors_than_at_first_are_an_error() -> Result<()> {
        let (mut x, mut adam) = ([0.0_f32; 2], Adam::new(0.1));
        adam.step([(&mut x[..], &[1.0; 2][..])])?;
        assert!(adam.step([(&mut x[..1], &[1.0; 1][..])]).is_err());
        assert!(adam.step([(&mut x[..], &[1.0; 1][..])]).is_err());
        assert!(adam.step([]).is_err());
        Ok(())
    }
}
