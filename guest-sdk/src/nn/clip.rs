//! Bounds on gradients.

use super::lanes::{scale, sum_of};

/// Scales `gradients` down together so that their global norm, √Σ g² over all of them, is at most `max_norm`, as PyTorch's
/// `clip_grad_norm_` does. Returns the norm before.
///
/// ```
/// # use thimble_sdk::nn::clip_gradients;
/// let (mut a, mut b) = ([3.0, 0.0], [4.0]);
/// assert_eq!(clip_gradients(&mut [&mut a, &mut b], 1.0), 5.0);
/// assert!((a[0] - 0.6).abs() < 1e-6 && (b[0] - 0.8).abs() < 1e-6);
/// ```
pub fn clip_gradients(gradients: &mut [&mut [f32]], max_norm: f32) -> f32 {
    let total = gradients.iter().fold(0.0, |total, gradient| total + squares(gradient));
    let norm = total.sqrt() as f32;
    if let Some(factor) = coefficient(norm, max_norm) {
        gradients.iter_mut().for_each(|gradient| scale(gradient, factor));
    }
    norm
}

/// Σ g², of one tensor.
pub(super) fn squares(gradient: &[f32]) -> f64 {
    f64::from(sum_of(gradient, |g| g * g))
}

/// What to scale with; `None` if the norm is small enough. 1e-6 is PyTorch's guard against a norm of 0.
pub(super) fn coefficient(norm: f32, max_norm: f32) -> Option<f32> {
    let coefficient = max_norm / (norm + 1e-6);
    (coefficient < 1.0).then_some(coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_gradients_stay_as_they_are() {
        let mut gradient = [0.3, -0.4];
        assert_eq!(clip_gradients(&mut [&mut gradient], 0.51), 0.5);
        assert_eq!(gradient, [0.3, -0.4]);
        assert_eq!(clip_gradients(&mut [&mut [0.0; 3]], 1.0), 0.0);
    }

    #[test]
    fn large_gradients_keep_their_direction() {
        let mut gradient: Vec<f32> = (0..100_u8).map(f32::from).collect();
        clip_gradients(&mut [&mut gradient], 2.0);
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!((norm - 2.0).abs() < 1e-5, "{norm}");
        assert!((gradient[80] / gradient[40] - 2.0).abs() < 1e-6);
    }
}
