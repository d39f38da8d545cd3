//! The Mersenne Twister and what PyTorch draws with it on a CPU.

use crate::stream::radius;

const N: usize = 624;
const M: usize = 397;

/// MT19937 with 32-bit outputs.
///
/// Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed uniform pseudo-random number
/// generator", ACM TOMACS 8 (1998); seeding of the authors' 2002 version.
pub(super) struct Mt19937 {
    state: [u32; N],
    next: usize,
}

impl Mt19937 {
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [seed; N];
        let mut last = seed;
        for (i, word) in (0_u32..).zip(&mut state).skip(1) {
            last = 1_812_433_253_u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i);
            *word = last;
        }
        Self { state, next: N }
    }

    fn refill(&mut self) {
        for k in 0..N {
            let y = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % N] & 0x7fff_ffff);
            let twist = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            self.state[k] = self.state[(k + M) % N] ^ (y >> 1) ^ twist;
        }
        self.next = 0;
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        if self.next == N {
            self.refill();
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// As `torch.rand` of one f32: a multiple of 2⁻²⁴ in [0, 1), exact in f64.
    fn uniform(&mut self) -> f64 {
        f64::from(self.next_u32() & 0x00ff_ffff) / f64::from(1_u32 << 24)
    }

    /// As `torch.randn`, for a multiple of 16 values: Box-Muller over blocks of 16 uniforms, of which the first eight give
    /// radii and the last eight angles. In f64 with `libm`, then rounded once: the same bits on every machine, within
    /// 1e-6 of PyTorch, whose own last bits depend on the vector unit.
    pub(super) fn randn(&mut self, values: usize) -> Vec<f32> {
        debug_assert!(values.is_multiple_of(16), "PyTorch treats a last partial block differently");
        let mut normals = Vec::with_capacity(values);
        for _ in 0..values / 16 {
            let uniforms: [f64; 16] = std::array::from_fn(|_| self.uniform());
            let (radii, angles) = uniforms.split_at(8);
            let polar = || radii.iter().zip(angles).map(|(&u, &v)| (radius(1.0 - u), std::f64::consts::TAU * v));
            normals.extend(polar().map(|(radius, angle)| (radius * libm::cos(angle)) as f32));
            normals.extend(polar().map(|(radius, angle)| (radius * libm::sin(angle)) as f32));
        }
        normals
    }

    /// As `torch.randperm`.
    pub(super) fn randperm(&mut self, n: u32) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n as usize).collect();
        for i in 0..n.saturating_sub(1) {
            let z = self.next_u32() % (n - i);
            order.swap(i as usize, (i + z) as usize);
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_those_of_the_published_generator() {
        let mut generator = Mt19937::new(2025);
        let first: Vec<u32> = (0..4).map(|_| generator.next_u32()).collect();
        // PyTorch 1.13.1, `torch.Generator().manual_seed(2025)`.
        assert_eq!(first, [581_917_246, 2_146_402_014, 3_813_294_034, 1_466_313_566]);

        let mut generator = Mt19937::new(5489);
        // The C++ standard, [rand.predef]: the 10,000th output of mt19937 with the default seed.
        assert_eq!((0..10_000).map(|_| generator.next_u32()).last(), Some(4_123_659_995));
    }

    #[test]
    fn normals_are_within_1e_6_of_pytorch() {
        let normals = Mt19937::new(2025).randn(128 * 384);
        // PyTorch 1.13.1, `torch.randn(128, 384, generator=...)`.
        let expected = [
            (0, -1.160_701_4),
            (1, -1.559_065_3),
            (2, 0.778_213_8),
            (3, -0.999_001_4),
            (8, 0.981_301_1),
            (9, -1.747_115_7),
            (128 * 384 - 1, -0.314_262_1),
        ];
        for (index, value) in expected {
            let error = (normals[index] - value).abs();
            assert!(error < 1e-6, "value {index}: {} against {value}", normals[index]);
        }
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        for n in [0, 1, 2, 17, 1000] {
            let mut order = Mt19937::new(n).randperm(n);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..n as usize));
        }
    }
}
