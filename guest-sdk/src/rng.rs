//! Seeded randomness.

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng};

/// A stream of random numbers, the same for the same seed on every machine, natively and in the runner.
///
/// The generator is xoshiro128++ (Blackman, Vigna 2019), its state filled from the seed by SplitMix64. Not for secrets.
///
/// ```
/// # use thimble_sdk::Rng;
/// let mut rng = Rng::seeded(7);
/// let mut order: Vec<u32> = (0..5).collect();
/// rng.shuffle(&mut order);
/// assert!((-0.5..0.5).contains(&rng.uniform(-0.5, 0.5)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng(Xoshiro128PlusPlus);

impl Rng {
    /// The stream of `seed`; a solution starts from [`Metadata::seed`](crate::Metadata).
    pub fn seeded(seed: u64) -> Self {
        Self(Xoshiro128PlusPlus::seed_from_u64(seed))
    }

    /// 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform on `[low, high)`, from the upper 24 of 32 bits. (Rounding may give `high` when the range is not around 0.)
    pub fn uniform(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0);
        low + unit * (high - low)
    }

    /// Normal with mean 0 and standard deviation 1: the cosine half of Box and Muller's transform, computed in f64.
    pub fn normal(&mut self) -> f32 {
        // (0, 1], so that the logarithm is finite.
        let radius = (f64::from(self.next_u32()) + 1.0) / 4_294_967_296.0;
        let turn = f64::from(self.next_u32()) / 4_294_967_296.0;
        ((-2.0 * libm::log(radius)).sqrt() * libm::cos(std::f64::consts::TAU * turn)) as f32
    }

    /// Uniform on `0..n` without bias (Lemire 2019); 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next_u32()) * u64::from(n);
        if (product as u32) < n {
            // 2³² mod n products are too many for an even share: these draw again.
            let surplus = n.wrapping_neg() % n;
            while (product as u32) < surplus {
                product = u64::from(self.next_u32()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }

    /// Permutes `items`, every order equally likely (Fisher, Yates), of at most 2³² items.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference program, <https://prng.di.unimi.it/xoshiro128plusplus.c>, started from SplitMix64 of the seed 0
    /// (<https://prng.di.unimi.it/splitmix64.c>: e220a8397b1dcdaf, 6e789e6aa1b965f4; low half first).
    #[test]
    fn stream_is_the_published_one() {
        let mut state = [0x7b1d_cdaf_u32, 0xe220_a839, 0xa1b9_65f4, 0x6e78_9e6a];
        let mut rng = Rng::seeded(0);
        for _ in 0..100 {
            let expected = state[0].wrapping_add(state[3]).rotate_left(7).wrapping_add(state[0]);
            let shifted = state[1] << 9;
            state[2] ^= state[0];
            state[3] ^= state[1];
            state[1] ^= state[2];
            state[0] ^= state[3];
            state[2] ^= shifted;
            state[3] = state[3].rotate_left(11);
            assert_eq!(rng.next_u32(), expected);
        }
    }

    #[test]
    fn normal_has_mean_0_and_variance_1() {
        let mut rng = Rng::seeded(1);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| f64::from(rng.normal())).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
        // Four standard errors: 1/√n of the mean, √(2/n) of the variance.
        assert!(mean.abs() < 0.0127, "{mean}");
        assert!((variance - 1.0).abs() < 0.0179, "{variance}");
    }

    #[test]
    fn uniform_fills_its_range_and_stays_inside() {
        let mut rng = Rng::seeded(2);
        let draws: Vec<f32> = (0..10_000).map(|_| rng.uniform(-2.0, 2.0)).collect();
        assert!(draws.iter().all(|x| (-2.0..2.0).contains(x)));
        assert!(draws.iter().any(|&x| x < -1.99) && draws.iter().any(|&x| x > 1.99));
    }

    #[test]
    fn below_is_even() {
        let mut rng = Rng::seeded(3);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[rng.below(6) as usize] += 1;
        }
        // Four standard deviations of a count: √(60,000 · 1/6 · 5/6) = 91.
        assert!(seen.iter().all(|count| count.abs_diff(10_000) < 365), "{seen:?}");
        assert_eq!((rng.below(0), rng.below(1)), (0, 0));
    }

    #[test]
    fn shuffle_permutes() {
        let mut items: Vec<u32> = (0..100).collect();
        Rng::seeded(4).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
