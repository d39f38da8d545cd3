//! The innermost loop: one tile of C, of a size that fills the processor's registers.
#![expect(unsafe_code, reason = "calls into code built for CPU features that were looked up before")]

/// A tile of C, `tile[row][column]`.
pub(crate) type Tile<const ROWS: usize, const COLUMNS: usize> = [[f32; COLUMNS]; ROWS];

/// Adds Σₖ `a[k][row]` · `b[k][column]` to each element of a tile: one chain of fused multiply-adds over ascending k. NaNs
/// become the canonical one; in the middle of a longer chain that changes nothing, as they stay NaNs to its end.
pub(crate) trait Multiply<const ROWS: usize, const COLUMNS: usize> {
    fn add_product(&self, a: &[[f32; ROWS]], b: &[[f32; COLUMNS]], tile: &mut Tile<ROWS, COLUMNS>);
}

/// Compiled once for each set of instructions. The tile sizes are those for which the compiler keeps the whole tile in
/// registers: 24 of 32 with 512 bits, 12 of 16 with 256, 24 of 32 with 128.
#[inline(always)]
fn chains<const ROWS: usize, const COLUMNS: usize>(
    a: &[[f32; ROWS]],
    b: &[[f32; COLUMNS]],
    tile: &mut Tile<ROWS, COLUMNS>,
) {
    let mut sums = *tile;
    for (a, b) in a.iter().zip(b) {
        for (sums, &a) in sums.iter_mut().zip(a) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = a.mul_add(b, *sum);
            }
        }
    }
    for (row, sums) in tile.iter_mut().zip(&sums) {
        for (to, &sum) in row.iter_mut().zip(sums) {
            *to = if sum.is_nan() { CANONICAL_NAN } else { sum };
        }
    }
}

/// What WebAssembly calls canonical, and what the engine makes of every NaN in an official run.
const CANONICAL_NAN: f32 = f32::from_bits(0x7fc0_0000);

/// What the build targets.
pub(crate) struct Portable;

impl Multiply<8, 12> for Portable {
    fn add_product(&self, a: &[[f32; 8]], b: &[[f32; 12]], tile: &mut Tile<8, 12>) {
        chains(a, b, tile);
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    use super::{Multiply, Tile, chains};
    use crate::Processor;

    /// Proof that the processor has AVX-512F, AVX2 and FMA.
    pub(crate) struct Avx512(());

    /// Proof that the processor has AVX2 and FMA.
    pub(crate) struct Avx2(());

    impl Avx512 {
        pub(crate) fn detect() -> Option<Self> {
            Processor::available().contains(&Processor::Avx512).then_some(Self(()))
        }
    }

    impl Avx2 {
        pub(crate) fn detect() -> Option<Self> {
            Processor::available().contains(&Processor::Avx2).then_some(Self(()))
        }
    }

    impl Multiply<12, 32> for Avx512 {
        fn add_product(&self, a: &[[f32; 12]], b: &[[f32; 32]], tile: &mut Tile<12, 32>) {
            // SAFETY: `avx512` is safe code compiled for features that `detect` has seen, and nothing else makes a `Self`.
            unsafe { avx512(a, b, tile) }
        }
    }

    impl Multiply<6, 16> for Avx2 {
        fn add_product(&self, a: &[[f32; 6]], b: &[[f32; 16]], tile: &mut Tile<6, 16>) {
            // SAFETY: as for `Avx512`.
            unsafe { avx2(a, b, tile) }
        }
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    fn avx512(a: &[[f32; 12]], b: &[[f32; 32]], tile: &mut Tile<12, 32>) {
        chains(a, b, tile);
    }

    #[target_feature(enable = "avx2,fma")]
    fn avx2(a: &[[f32; 6]], b: &[[f32; 16]], tile: &mut Tile<6, 16>) {
        chains(a, b, tile);
    }
}
