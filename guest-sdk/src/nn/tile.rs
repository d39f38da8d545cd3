//! The innermost loop of [`Gemm`](super::Gemm): one tile of the result, at most 4 rows × 12 columns.
//!
//! Twelve accumulators of four lanes fill the sixteen registers of x86_64 with room for the operands of one step. The loop
//! over k does four steps per turn, because the runner checks fuel at every turn and a check makes a loop spill registers.

/// Rows of a tile.
pub(super) const ROWS: usize = 4;
/// Columns of a tile.
pub(super) const COLUMNS: usize = 12;

/// Longest sum that one call adds.
pub(super) const DEPTH: usize = 384;

/// Rows of A, `lines[row][k]`. The distance between rows is a constant far above a vector, so that the compiler loads and
/// spreads each value by itself: from neighbours it would make one load and four shuffles, dearer in fuel and time.
pub(super) type Lines = [[f32; DEPTH]; ROWS];

/// A tile of the result: `tile[row][column]`.
pub(super) type Tile = [[f32; COLUMNS]; ROWS];

/// Adds Σₖ `a[row][k]` · `b[k][column]`, over the k of `b` (at most [`DEPTH`]), to the first `rows` rows and `columns`
/// columns of `tile`: each element is one chain of fused multiply-adds over ascending k. What this leaves in the other
/// elements means nothing.
pub(super) fn add_product(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile, rows: usize, columns: usize) {
    imp::add_product(a, b, tile, rows, columns);
}

#[cfg(target_family = "wasm")]
mod imp {
    use std::arch::wasm32::{f32x4, f32x4_extract_lane, f32x4_relaxed_madd, f32x4_splat, v128};

    use std::array::{from_mut, from_ref};

    use super::{COLUMNS, DEPTH, Lines, ROWS, Tile};

    /// Lanes of a vector.
    const LANES: usize = 4;
    /// Steps over k per turn of the loop.
    const UNROLL: usize = 4;

    /// Picks the kernel that has no row and no vector too many: under the meter, work on padding costs as much as any.
    /// Two or three rows go one by one; a kernel for each would double what the runner has to compile.
    pub(super) fn add_product(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile, rows: usize, columns: usize) {
        let vectors = columns.div_ceil(LANES);
        if rows == ROWS {
            return add_rows(a, b, tile, vectors);
        }
        for (a, tile) in a.iter().zip(tile).take(rows) {
            add_rows(from_ref(a), b, from_mut(tile), vectors);
        }
    }

    fn add_rows<const R: usize>(
        a: &[[f32; DEPTH]; R],
        b: &[[f32; COLUMNS]],
        tile: &mut [[f32; COLUMNS]; R],
        vectors: usize,
    ) {
        match vectors {
            1 => kernel::<R, 1>(a, b, tile),
            2 => kernel::<R, 2>(a, b, tile),
            _ => kernel::<R, 3>(a, b, tile),
        }
    }

    // The attribute, not the build's flags, turns the instructions on: a build that forgets the flags has the same kernel.
    // The runner's relaxed multiply-add is the deterministic one: fused, rounded once.
    #[target_feature(enable = "simd128,relaxed-simd")]
    fn kernel<const R: usize, const V: usize>(
        a: &[[f32; DEPTH]; R],
        b: &[[f32; COLUMNS]],
        tile: &mut [[f32; COLUMNS]; R],
    ) {
        let mut sums = [[f32x4_splat(0.0); V]; R];
        for (sums, row) in sums.iter_mut().zip(&*tile) {
            *sums = vectors(row);
        }
        // A turn may end at any step. That also keeps the compiler from moving the work of four steps together by
        // accumulator: short code for a stack machine, but on a real one most operands would spill.
        let mut steps = b[..b.len().min(DEPTH)].iter().enumerate();
        'sum: loop {
            for _ in 0..UNROLL {
                let Some((k, b)) = steps.next() else { break 'sum };
                let b: [v128; V] = vectors(b);
                for (sums, a) in sums.iter_mut().zip(a) {
                    let a = f32x4_splat(a[k]);
                    for (sum, b) in sums.iter_mut().zip(b) {
                        *sum = f32x4_relaxed_madd(a, b, *sum);
                    }
                }
            }
        }
        for (sums, row) in sums.iter().zip(tile) {
            for (sum, four) in sums.iter().zip(row.as_chunks_mut::<LANES>().0) {
                *four = [
                    f32x4_extract_lane::<0>(*sum),
                    f32x4_extract_lane::<1>(*sum),
                    f32x4_extract_lane::<2>(*sum),
                    f32x4_extract_lane::<3>(*sum),
                ];
            }
        }
    }

    #[target_feature(enable = "simd128,relaxed-simd")]
    #[inline]
    fn vectors<const V: usize>(row: &[f32; COLUMNS]) -> [v128; V] {
        let mut vectors = [f32x4_splat(0.0); V];
        for (vector, four) in vectors.iter_mut().zip(row.as_chunks::<LANES>().0) {
            *vector = f32x4(four[0], four[1], four[2], four[3]);
        }
        vectors
    }
}

#[cfg(not(target_family = "wasm"))]
mod imp {
    use super::{COLUMNS, DEPTH, Lines, Tile};

    /// Always the whole tile: natively nothing is metered.
    pub(super) fn add_product(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile, _rows: usize, _columns: usize) {
        #[cfg(target_arch = "x86_64")]
        if x86::add_product(a, b, tile) {
            return;
        }
        portable(a, b, tile);
    }

    /// `mul_add` is fused by definition: one instruction where there is one, a slow call with the same bits elsewhere.
    #[inline(always)]
    fn portable(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile) {
        let mut sums = *tile;
        for (k, b) in b[..b.len().min(DEPTH)].iter().enumerate() {
            for (sums, a) in sums.iter_mut().zip(a) {
                for (sum, &b) in sums.iter_mut().zip(b) {
                    *sum = a[k].mul_add(b, *sum);
                }
            }
        }
        *tile = sums;
    }

    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a call into code built for CPU features that were just looked up")]
    mod x86 {
        use super::{COLUMNS, Lines, Tile, portable};

        /// Does the work if the CPU has AVX2 and FMA, and says whether it did.
        pub(super) fn add_product(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile) -> bool {
            let able = std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
            if able {
                // SAFETY: `fused` is safe code compiled for AVX2 and FMA, and the CPU has both.
                unsafe { fused(a, b, tile) }
            }
            able
        }

        #[target_feature(enable = "avx2,fma")]
        fn fused(a: &Lines, b: &[[f32; COLUMNS]], tile: &mut Tile) {
            portable(a, b, tile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_one_chain_of_fused_multiply_adds() {
        let value = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5;
        let a: Lines = std::array::from_fn(|r| std::array::from_fn(|k| value(k * 11 + r)));
        for k in [0, 1, 3, 4, 5, 33, DEPTH] {
            let b: Vec<_> = (0..k).map(|k| std::array::from_fn(|c| value(k * 31 + c * 3))).collect();
            let start: Tile = std::array::from_fn(|r| std::array::from_fn(|c| value(r * 12 + c)));
            let mut tile = start;
            add_product(&a, &b, &mut tile, ROWS, COLUMNS);
            for (r, row) in tile.iter().enumerate() {
                for (c, sum) in row.iter().enumerate() {
                    let expected = (0..k).fold(start[r][c], |sum, k: usize| a[r][k].mul_add(b[k][c], sum));
                    assert_eq!(sum.to_bits(), expected.to_bits(), "k {k}, row {r}, column {c}");
                }
            }
        }
    }
}
