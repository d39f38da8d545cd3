//! The innermost loops of [`QuantisedLinear`](super::QuantisedLinear): rows to 16-bit integers, and a tile of dot products.
//!
//! The vectors run along the sum, so that nothing is spread over lanes and no output is padding. Twelve accumulators fill
//! the sixteen registers of x86_64 with room for the operands of one step; per step of eight multiply-adds the tariff asks
//! 48 for the products, 16 for the addition and 8 × 7 ÷ 12 for loads.

pub(super) use imp::{Block, block, largest_bits, positive, quantise, tile, values};

/// Values of a [`Block`].
pub(super) const LANES: usize = 8;
/// Rows of a full tile.
pub(super) const ROWS: usize = 4;
/// Outputs of a full tile.
pub(super) const OUTPUTS: usize = 3;

/// The bits of an f32 but for its sign. Magnitudes order as these bits do, and integers are a quarter of the price.
pub(super) const MAGNITUDE: u32 = 0x7fff_ffff;

/// What the values of a row are rounded to: multiples of a power of two.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    /// The distance of neighbours.
    pub(super) step: f32,
    /// 1.5 · 2²³ steps: adding it rounds to the grid, ties to even, and leaves the number of steps in the low 16 bits.
    magic: f32,
}

/// Exponents outside do not occur in a [`Grid`]: its numbers stay finite and normal.
const EXPONENT: i32 = 100;

impl Grid {
    /// The largest magnitude that any grid takes.
    pub(super) const LARGEST: f32 = power_of_two(EXPONENT);

    /// The finest grid on which a value of magnitude `largest`, at most [`Grid::LARGEST`], is at most 2^`bits` steps.
    /// `bits` is at most 14.
    pub(super) fn new(largest: f32, bits: u32) -> Self {
        let exponent = ((largest.to_bits() >> 23) as i32 - 127).clamp(-EXPONENT, EXPONENT);
        let exponent = exponent + 1 - bits as i32;
        Self { step: power_of_two(exponent), magic: 1.5 * power_of_two(exponent + 23) }
    }
}

/// 2^`exponent`, for exponents of normal numbers.
const fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}

#[cfg(target_family = "wasm")]
mod imp {
    use std::arch::wasm32::{
        f32x4, f32x4_add, f32x4_splat, i16x8, i16x8_extract_lane, i16x8_max, i16x8_shuffle, i16x8_splat, i32x4_add,
        i32x4_dot_i16x8, i32x4_extract_lane, i32x4_splat, u32x4_extract_lane, u32x4_max, u32x4_shuffle, u32x4_splat,
        v128, v128_and,
    };

    use super::{Grid, LANES, MAGNITUDE};

    /// Eight 16-bit integers.
    pub(in crate::nn) type Block = v128;

    /// Steps of eight per turn of a loop: the runner checks fuel at every turn.
    const UNROLL: usize = 4;

    #[target_feature(enable = "simd128")]
    fn make([a, b, c, d, e, f, g, h]: [i16; LANES]) -> Block {
        i16x8(a, b, c, d, e, f, g, h)
    }

    pub(in crate::nn) fn block(values: [i16; LANES]) -> Block {
        make(values)
    }

    pub(in crate::nn) fn values(block: Block) -> [i16; LANES] {
        lanes(block)
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn lanes(block: Block) -> [i16; LANES] {
        [
            i16x8_extract_lane::<0>(block),
            i16x8_extract_lane::<1>(block),
            i16x8_extract_lane::<2>(block),
            i16x8_extract_lane::<3>(block),
            i16x8_extract_lane::<4>(block),
            i16x8_extract_lane::<5>(block),
            i16x8_extract_lane::<6>(block),
            i16x8_extract_lane::<7>(block),
        ]
    }

    pub(in crate::nn) fn positive(block: Block) -> Block {
        at_least_0(block)
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn at_least_0(block: Block) -> Block {
        i16x8_max(block, i16x8_splat(0))
    }

    pub(in crate::nn) fn tile<const R: usize, const O: usize>(a: &[Block], b: &[Block]) -> [[i32; O]; R] {
        kernel(a.as_chunks().0, b.as_chunks().0)
    }

    #[target_feature(enable = "simd128")]
    fn kernel<const R: usize, const O: usize>(a: &[[Block; R]], b: &[[Block; O]]) -> [[i32; O]; R] {
        let mut sums = [[i32x4_splat(0); O]; R];
        // Two iterators, not one of pairs: that would multiply an index by two sizes at every step.
        let (mut a, mut b) = (a.iter(), b.iter());
        // A turn may end at any step. That also keeps the compiler from moving the work of four steps together by
        // accumulator, which would spill most operands.
        'sum: loop {
            for _ in 0..UNROLL {
                let (Some(a), Some(b)) = (a.next(), b.next()) else { break 'sum };
                for (sums, a) in sums.iter_mut().zip(a) {
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = i32x4_add(*sum, i32x4_dot_i16x8(*a, *b));
                    }
                }
            }
        }
        sums.map(|sums| {
            sums.map(|sum| {
                let low = i32x4_extract_lane::<0>(sum).wrapping_add(i32x4_extract_lane::<1>(sum));
                let high = i32x4_extract_lane::<2>(sum).wrapping_add(i32x4_extract_lane::<3>(sum));
                low.wrapping_add(high)
            })
        })
    }

    pub(in crate::nn) fn largest_bits(x: &[[f32; LANES]]) -> u32 {
        largest(x)
    }

    // By hand, because the compiler would shuffle the values of four steps together first.
    #[target_feature(enable = "simd128")]
    fn largest(x: &[[f32; LANES]]) -> u32 {
        let magnitude = u32x4_splat(MAGNITUDE);
        let mut largest = [u32x4_splat(0); 2];
        let (turns, rest) = x.as_chunks::<UNROLL>();
        let mut take = |x: &[f32; LANES]| {
            let [low, high] = &mut largest;
            let (l, h) = halves(x);
            *low = u32x4_max(*low, v128_and(l, magnitude));
            *high = u32x4_max(*high, v128_and(h, magnitude));
        };
        for turn in turns {
            turn.iter().for_each(&mut take);
        }
        rest.iter().for_each(take);
        let four = u32x4_max(largest[0], largest[1]);
        let two = u32x4_max(four, u32x4_shuffle::<2, 3, 2, 3>(four, four));
        u32x4_extract_lane::<0>(two).max(u32x4_extract_lane::<1>(two))
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn halves([a, b, c, d, e, f, g, h]: &[f32; LANES]) -> (v128, v128) {
        (f32x4(*a, *b, *c, *d), f32x4(*e, *f, *g, *h))
    }

    pub(in crate::nn) fn quantise<'a>(x: &[f32], grid: Grid, mut to: impl Iterator<Item = &'a mut Block>) {
        let (blocks, rest) = x.as_chunks::<LANES>();
        for (x, to) in blocks.iter().zip(to.by_ref()) {
            *to = round(x, grid);
        }
        if let Some(to) = to.next().filter(|_| !rest.is_empty()) {
            let mut padded = [0.0; LANES];
            padded[..rest.len()].copy_from_slice(rest);
            *to = round(&padded, grid);
        }
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn round(x: &[f32; LANES], grid: Grid) -> Block {
        let (low, high) = halves(x);
        let magic = f32x4_splat(grid.magic);
        i16x8_shuffle::<0, 2, 4, 6, 8, 10, 12, 14>(f32x4_add(low, magic), f32x4_add(high, magic))
    }
}

#[cfg(not(target_family = "wasm"))]
mod imp {
    use super::{Grid, LANES, MAGNITUDE};

    /// Eight 16-bit integers.
    pub(in crate::nn) type Block = [i16; LANES];

    pub(in crate::nn) fn block(values: [i16; LANES]) -> Block {
        values
    }

    pub(in crate::nn) fn values(block: Block) -> [i16; LANES] {
        block
    }

    pub(in crate::nn) fn positive(block: Block) -> Block {
        block.map(|value| value.max(0))
    }

    /// Integers: any order of summation gives the same.
    pub(in crate::nn) fn tile<const R: usize, const O: usize>(a: &[Block], b: &[Block]) -> [[i32; O]; R] {
        let mut sums = [[0_i32; O]; R];
        for (a, b) in a.as_chunks::<R>().0.iter().zip(b.as_chunks::<O>().0) {
            for (sums, a) in sums.iter_mut().zip(a) {
                for (sum, b) in sums.iter_mut().zip(b) {
                    for (&a, &b) in a.iter().zip(b) {
                        *sum = sum.wrapping_add(i32::from(a) * i32::from(b));
                    }
                }
            }
        }
        sums
    }

    pub(in crate::nn) fn largest_bits(x: &[[f32; LANES]]) -> u32 {
        x.as_flattened().iter().map(|x| x.to_bits() & MAGNITUDE).max().unwrap_or(0)
    }

    pub(in crate::nn) fn quantise<'a>(x: &[f32], grid: Grid, to: impl Iterator<Item = &'a mut Block>) {
        for (x, to) in x.chunks(LANES).zip(to) {
            *to = [0; LANES];
            for (to, &x) in to.iter_mut().zip(x) {
                *to = (x + grid.magic).to_bits() as i16;
            }
        }
    }
}
