//! The innermost loops of [`LookupLinear`](super::LookupLinear): signs to bytes, and sums of rows of tables.

use super::dot::Block;

pub(super) use imp::{fill, pack, sum};

/// Signs in a byte.
pub(super) const BITS: usize = 8;

/// Values whose signs are taken at a time.
pub(super) const SIGNS: usize = 16;
/// Rows of a table: one per byte.
pub(super) const ROWS: usize = 256;

/// The sign bit of an f32.
const SIGN: u32 = 1 << 31;

/// Thresholds in the form in which they are compared: as integers, which cost a quarter of floats. Floats of one sign order
/// as their bits do, and the sign of what stands below zero is turned first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    sign: [u32; SIGNS],
    magnitude: [u32; SIGNS],
}

impl Lines {
    /// Of at most [`SIGNS`] thresholds; nothing finite is beyond those that are missing.
    pub(super) fn new(thresholds: &[f32]) -> Self {
        let at = |index: usize| thresholds.get(index).copied().unwrap_or(f32::INFINITY);
        Self {
            sign: std::array::from_fn(|index| if at(index) < 0.0 { SIGN } else { 0 }),
            magnitude: std::array::from_fn(|index| at(index).abs().to_bits()),
        }
    }

    /// Whether `x` is beyond threshold `index`.
    pub(super) fn are_passed(&self, index: usize, x: f32) -> bool {
        (x.to_bits() ^ self.sign[index]) as i32 >= self.magnitude[index] as i32
    }
}

#[cfg(target_family = "wasm")]
mod imp {
    use std::arch::wasm32::{f32x4, i16x8_add, i16x8_splat, i16x8_sub, i32x4_bitmask, i32x4_ge, u32x4, v128, v128_xor};

    use super::{BITS, Block, Lines, ROWS, SIGNS};

    /// Lookups per turn of a loop: the runner checks fuel at every turn.
    const UNROLL: usize = 4;

    pub(in crate::nn) fn pack(x: &[f32; SIGNS], lines: &Lines) -> u16 {
        mask(x, lines)
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn mask(x: &[f32; SIGNS], lines: &Lines) -> u16 {
        let passed = |at: usize| {
            let x = f32x4(x[at], x[at + 1], x[at + 2], x[at + 3]);
            i32x4_ge(v128_xor(x, four(&lines.sign, at)), four(&lines.magnitude, at))
        };
        // Narrowing to one vector first would be a shuffle and two comparisons per step to the compiler.
        let mask = |at: usize| u16::from(i32x4_bitmask(passed(at))) << at;
        mask(0) | mask(4) | mask(8) | mask(12)
    }

    #[target_feature(enable = "simd128")]
    #[inline]
    fn four(values: &[u32; SIGNS], at: usize) -> v128 {
        u32x4(values[at], values[at + 1], values[at + 2], values[at + 3])
    }

    pub(in crate::nn) fn fill<const V: usize>(columns: &[[Block; V]; BITS], table: &mut [[Block; V]; ROWS]) {
        sums_of(columns, table);
    }

    #[target_feature(enable = "simd128")]
    fn sums_of<const V: usize>(columns: &[[Block; V]; BITS], table: &mut [[Block; V]; ROWS]) {
        let mut none = [i16x8_splat(0); V];
        for column in columns {
            for (none, column) in none.iter_mut().zip(column) {
                *none = i16x8_sub(*none, *column);
            }
        }
        table[0] = none;
        for (bit, column) in columns.iter().enumerate() {
            let twice = column.map(|column| i16x8_add(column, column));
            let (without, with) = table.split_at_mut(1 << bit);
            for (without, with) in without.iter().zip(with) {
                for ((without, with), twice) in without.iter().zip(with).zip(twice) {
                    *with = i16x8_add(*without, twice);
                }
            }
        }
    }

    pub(in crate::nn) fn sum<const V: usize>(tables: &[[[Block; V]; ROWS]], bytes: &[u8], sums: &mut [Block; V]) {
        kernel(tables, bytes, sums);
    }

    #[target_feature(enable = "simd128")]
    fn kernel<const V: usize>(tables: &[[[Block; V]; ROWS]], bytes: &[u8], sums: &mut [Block; V]) {
        let mut total = *sums;
        // A turn may end at any step: constant distances between the loads of a turn would be added, not folded into them.
        let (mut tables, mut bytes) = (tables.iter(), bytes.iter());
        'sum: loop {
            for _ in 0..UNROLL {
                let (Some(table), Some(byte)) = (tables.next(), bytes.next()) else { break 'sum };
                for (total, entry) in total.iter_mut().zip(&table[usize::from(*byte)]) {
                    *total = i16x8_add(*total, *entry);
                }
            }
        }
        *sums = total;
    }
}

#[cfg(not(target_family = "wasm"))]
mod imp {
    use crate::nn::dot::LANES;

    use super::{BITS, Block, Lines, ROWS, SIGNS};

    pub(in crate::nn) fn pack(x: &[f32; SIGNS], lines: &Lines) -> u16 {
        x.iter().enumerate().fold(0, |mask, (index, x)| mask | u16::from(lines.are_passed(index, *x)) << index)
    }

    pub(in crate::nn) fn fill<const V: usize>(columns: &[[Block; V]; BITS], table: &mut [[Block; V]; ROWS]) {
        for (byte, row) in table.iter_mut().enumerate() {
            *row = [[0; LANES]; V];
            for (bit, column) in columns.iter().enumerate() {
                let sign = if byte >> bit & 1 == 1 { 1 } else { -1_i16 };
                for (sum, column) in row.iter_mut().zip(column) {
                    *sum = add(*sum, column.map(|value| value.wrapping_mul(sign)));
                }
            }
        }
    }

    fn add(a: Block, b: Block) -> Block {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    pub(in crate::nn) fn sum<const V: usize>(tables: &[[[Block; V]; ROWS]], bytes: &[u8], sums: &mut [Block; V]) {
        for (table, byte) in tables.iter().zip(bytes) {
            for (sum, entry) in sums.iter_mut().zip(&table[usize::from(*byte)]) {
                *sum = add(*sum, *entry);
            }
        }
    }
}
