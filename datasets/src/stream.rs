//! Random draws for generators of datasets.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Uniforms, standard normals by Box-Muller in f64 with `libm`, and shuffles, from one ChaCha20 stream: the same bits on every
/// machine.
pub(crate) struct Stream {
    bits: ChaCha20Rng,
    spare: Option<f64>,
}

impl Stream {
    /// The stream of a key that [`Seed::derive`](crate::Seed) made.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { bits: ChaCha20Rng::from_seed(key), spare: None }
    }

    /// A standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // In (0, 1], so that the logarithm is finite.
        let radius = radius(1.0 - self.uniform());
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * libm::sin(angle));
        radius * libm::cos(angle)
    }

    /// A multiple of 2⁻⁵³ in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform between `low` and `high`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Fisher and Yates; every order is equally likely.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last as u64 + 1) as usize);
        }
        order
    }

    /// A uniform integer below `bound`. Draws from the incomplete last interval are thrown away.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let complete = u64::MAX - u64::MAX % bound;
        loop {
            let bits = self.bits.next_u64();
            if bits < complete {
                return bits % bound;
            }
        }
    }
}

/// The radius of a Box-Muller pair from a uniform in (0, 1].
pub(crate) fn radius(uniform: f64) -> f64 {
    libm::sqrt(-2.0 * libm::log(uniform))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permutation_holds_every_index_once() {
        for n in [0, 1, 2, 17, 1000] {
            let mut order = Stream::new([1; 32]).permutation(n);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..n));
        }
    }

    #[test]
    fn normals_have_mean_0_and_variance_1() {
        let mut stream = Stream::new([2; 32]);
        let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|draw| draw * draw).sum::<f64>() / 1e5;
        // Five standard errors.
        assert!(mean.abs() < 0.016 && (variance - 1.0).abs() < 0.023, "{mean} {variance}");
    }
}
