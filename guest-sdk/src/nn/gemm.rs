//! Matrix products.

use std::ops::Range;

use super::check_len;
use super::host::HostGemm;
use super::tile::{COLUMNS, DEPTH, Lines, ROWS, Tile, add_product};
use crate::Result;

/// Rows of A packed at a time: with [`DEPTH`] this is 192 KiB, which the second-level cache holds while the panels of B,
/// 18 KiB each, stand in the first level one after the other.
const BLOCK_ROWS: usize = 128;

/// The size of a product: C is m × n, the sum runs over k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Length of the sum.
    pub k: usize,
}

/// How A and B stand in a product C = op(A) · op(B), with C m × n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// A · B, with A m × k and B k × n.
    Ab,
    /// A · Bᵀ, with A m × k and B n × k: a layer forward, when weights are stored outputs × inputs.
    Abt,
    /// Aᵀ · B, with A k × m and B k × n: the gradient of weights.
    Atb,
}

/// Matrix products C += op(A) · op(B) of row-major f32 matrices, and the buffers they pack their operands in.
///
/// Every element of C is one chain of fused multiply-adds, from the value it had, over k ascending. So results do not
/// depend on the shape of the tiles, on other rows or on the machine, and a row predicted alone has the bits it has in a
/// batch. In the runner a product costs 32 fuel per multiply-add (2 FLOPs) and a few per cent for moving data. Large
/// products are computed by the host, which is faster and gives the same bits (feature `host-kernels`, on by default);
/// what is large is a matter of the shape alone, so that the figures are the same on every machine.
///
/// ```
/// use thimble_sdk::nn::{Gemm, Shape};
/// # fn main() -> thimble_sdk::Result<()> {
/// let (a, b) = ([1.0, 2.0, 3.0, 4.0], [10.0, 20.0]);
/// let mut c = [0.5, 0.5];
/// Gemm::new().ab(Shape { m: 2, n: 1, k: 2 }, &a, &b, &mut c)?;
/// assert_eq!(c, [50.5, 110.5]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Gemm {
    /// Rows of a block of A, in groups of 4.
    a: Vec<Lines>,
    /// Columns of a block of B, in groups of 12: for each group, the block's k times 12 values.
    b: Vec<[f32; COLUMNS]>,
    /// The way to the host, unless it is not wanted.
    host: Option<HostGemm>,
}

impl Default for Gemm {
    fn default() -> Self {
        Self::new()
    }
}

impl Gemm {
    /// Empty buffers; they grow to the largest product asked for.
    pub fn new() -> Self {
        Self { host: Some(HostGemm::new()), ..Self::in_guest() }
    }

    /// As [`Gemm::new`], but every product is computed by the guest's own kernel.
    pub fn in_guest() -> Self {
        Self { a: Vec::new(), b: Vec::new(), host: None }
    }

    /// C += A · B, with A m × k, B k × n, C m × n.
    ///
    /// # Errors
    /// A slice does not have the length its shape asks for.
    pub fn ab(&mut self, shape: Shape, a: &[f32], b: &[f32], c: &mut [f32]) -> Result<()> {
        self.add_product(Orientation::Ab, shape, a, b, c)
    }

    /// C += A · Bᵀ, with A m × k, B n × k, C m × n: a layer forward, when weights are stored outputs × inputs.
    ///
    /// # Errors
    /// A slice does not have the length its shape asks for.
    pub fn abt(&mut self, shape: Shape, a: &[f32], b: &[f32], c: &mut [f32]) -> Result<()> {
        self.add_product(Orientation::Abt, shape, a, b, c)
    }

    /// C += Aᵀ · B, with A k × m, B k × n, C m × n: the gradient of weights.
    ///
    /// # Errors
    /// A slice does not have the length its shape asks for.
    pub fn atb(&mut self, shape: Shape, a: &[f32], b: &[f32], c: &mut [f32]) -> Result<()> {
        self.add_product(Orientation::Atb, shape, a, b, c)
    }

    /// C += op(A) · op(B).
    ///
    /// # Errors
    /// A slice does not have the length its shape asks for.
    pub fn add_product(
        &mut self,
        orientation: Orientation,
        shape: Shape,
        a: &[f32],
        b: &[f32],
        c: &mut [f32],
    ) -> Result<()> {
        let Shape { m, n, k } = shape;
        check_len("A", a, m.saturating_mul(k))?;
        check_len("B", b, n.saturating_mul(k))?;
        check_len("C", c, m.saturating_mul(n))?;
        let done = self.host.as_mut().is_some_and(|host| host.add_product(orientation, shape, a, b, c));
        if !done {
            self.run(orientation, shape, a, b, c);
        }
        Ok(())
    }

    /// [`Gemm::add_product`] to `zeros`: the same bits, without a copy of the zeros to the host or of the sums in the guest.
    pub(super) fn add_product_to_zeros(
        &mut self,
        orientation: Orientation,
        shape: Shape,
        a: &[f32],
        b: &[f32],
        zeros: &mut Vec<f32>,
    ) -> Result<()> {
        let Shape { m, n, k } = shape;
        check_len("A", a, m.saturating_mul(k))?;
        check_len("B", b, n.saturating_mul(k))?;
        check_len("C", zeros, m.saturating_mul(n))?;
        match self.host.as_mut().and_then(|host| host.product(orientation, shape, a, b)) {
            Some(product) => *zeros = product,
            None => self.run(orientation, shape, a, b, zeros),
        }
        Ok(())
    }

    /// The guest's own kernel.
    fn run(&mut self, orientation: Orientation, Shape { m, n, k }: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
        let a = match orientation {
            Orientation::Ab | Orientation::Abt => Operand::rows(a, m, k),
            Orientation::Atb => Operand::columns(a, m),
        };
        let b = match orientation {
            Orientation::Ab | Orientation::Atb => Operand::columns(b, n),
            Orientation::Abt => Operand::rows(b, n, k),
        };
        for steps in blocks(k, DEPTH) {
            pack_columns(&b, steps.clone(), &mut self.b);
            for rows in blocks(m, BLOCK_ROWS) {
                pack_rows(&a, rows.clone(), steps.clone(), &mut self.a);
                for (b, column) in self.b.chunks_exact(steps.len()).zip((0..n).step_by(COLUMNS)) {
                    for (a, row) in self.a.iter().zip(rows.clone().step_by(ROWS)) {
                        update(a, b, c, n, row, column);
                    }
                }
            }
        }
    }
}

/// Cuts `0..length` into ranges of `size`; the last may be shorter.
fn blocks(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(size).map(move |start| start..length.min(start.saturating_add(size)))
}

/// One side of a product: `lines` rows of op(A) or columns of op(B), each with one value per k. The value of line l at k
/// is `values[l * per_line + k * per_step]`.
struct Operand<'a> {
    values: &'a [f32],
    lines: usize,
    per_line: usize,
    per_step: usize,
}

impl<'a> Operand<'a> {
    /// The lines are the rows of a matrix `lines` × k.
    fn rows(values: &'a [f32], lines: usize, k: usize) -> Self {
        Self { values, lines, per_line: k, per_step: 1 }
    }

    /// The lines are the columns of a matrix k × `lines`.
    fn columns(values: &'a [f32], lines: usize) -> Self {
        Self { values, lines, per_line: 1, per_step: lines }
    }
}

/// Copies the part `steps` of the rows `rows` of A, in groups of 4. A group that is not full keeps old values in the rows
/// it lacks, and all keep them beyond the steps: nobody reads what comes of them.
fn pack_rows(a: &Operand<'_>, rows: Range<usize>, steps: Range<usize>, groups: &mut Vec<Lines>) {
    groups.resize(rows.len().div_ceil(ROWS), [[0.0; DEPTH]; ROWS]);
    for (line, row) in groups.as_flattened_mut().iter_mut().zip(rows) {
        let line = &mut line[..steps.len()];
        let source = &a.values[row * a.per_line + steps.start * a.per_step..];
        if a.per_step == 1 {
            line.copy_from_slice(&source[..steps.len()]);
        } else {
            for (to, &from) in line.iter_mut().zip(source.iter().step_by(a.per_step)) {
                *to = from;
            }
        }
    }
}

/// Copies the part `steps` of all columns of B, in groups of 12. The last group keeps old values in the columns it lacks:
/// nobody reads what comes of them.
fn pack_columns(b: &Operand<'_>, steps: Range<usize>, groups: &mut Vec<[f32; COLUMNS]>) {
    groups.resize(b.lines.div_ceil(COLUMNS) * steps.len(), [0.0; COLUMNS]);
    for (group, columns) in groups.chunks_exact_mut(steps.len()).zip(blocks(b.lines, COLUMNS)) {
        if b.per_step == 1 {
            for (at, column) in columns.enumerate() {
                let source = &b.values[column * b.per_line + steps.start..][..steps.len()];
                for (to, &from) in group.iter_mut().zip(source) {
                    to[at] = from;
                }
            }
        } else {
            for (to, k) in group.iter_mut().zip(steps.clone()) {
                to[..columns.len()].copy_from_slice(&b.values[k * b.per_step..][columns.clone()]);
            }
        }
    }
}

/// Adds the product of a group of rows and a group of columns to C, of `n` columns, at (`row`, `column`).
fn update(a: &Lines, b: &[[f32; COLUMNS]], c: &mut [f32], n: usize, row: usize, column: usize) {
    let columns = column..n.min(column + COLUMNS);
    let mut tile: Tile = [[0.0; COLUMNS]; ROWS];
    let mut rows = 0;
    for (tile, c) in tile.iter_mut().zip(c.chunks_exact(n).skip(row)) {
        tile[..columns.len()].copy_from_slice(&c[columns.clone()]);
        rows += 1;
    }
    add_product(a, b, &mut tile, rows, columns.len());
    for (tile, c) in tile.iter().zip(c.chunks_exact_mut(n).skip(row)) {
        c[columns.clone()].copy_from_slice(&tile[..columns.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn random(rng: &mut Rng, n: usize) -> Vec<f32> {
        (0..n).map(|_| rng.uniform(-1.0, 1.0)).collect()
    }

    fn transpose(values: &[f32], columns: usize) -> Vec<f32> {
        (0..columns).flat_map(|c| values.iter().skip(c).step_by(columns).copied()).collect()
    }

    /// The definition.
    fn chain(Shape { m, n, k }: Shape, a: &[f32], b: &[f32], c: &mut [f32]) {
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            c[i * n + j] = (0..k).fold(c[i * n + j], |sum, p| a[i * k + p].mul_add(b[p * n + j], sum));
        }
    }

    #[test]
    fn the_three_orientations_are_the_chain_bit_for_bit() -> Result<()> {
        let mut rng = Rng::seeded(1);
        // One Gemm for all: what an earlier, larger product left in its buffers must not show.
        let mut gemm = Gemm::new();
        let sizes = [
            (5, 30, 400),
            (1, 1, 1),
            (4, 12, 384),
            (3, 11, 385),
            (2, 13, 769),
            (128, 24, 7),
            (7, 8, 4),
            (9, 2, 5),
            (130, 5, 390),
        ];
        for (m, n, k) in sizes {
            let shape = Shape { m, n, k };
            let (a, b, start) = (random(&mut rng, m * k), random(&mut rng, k * n), random(&mut rng, m * n));
            let mut expected = start.clone();
            chain(shape, &a, &b, &mut expected);
            let (at, bt) = (transpose(&a, k), transpose(&b, n));
            let mut c = start.clone();
            gemm.ab(shape, &a, &b, &mut c)?;
            assert_eq!(c, expected, "A·B of {shape:?}");
            c.clone_from(&start);
            gemm.abt(shape, &a, &bt, &mut c)?;
            assert_eq!(c, expected, "A·Bᵀ of {shape:?}");
            c.clone_from(&start);
            gemm.atb(shape, &at, &b, &mut c)?;
            assert_eq!(c, expected, "Aᵀ·B of {shape:?}");
        }
        Ok(())
    }

    #[test]
    fn a_row_alone_has_the_bits_it_has_in_a_batch() -> Result<()> {
        let mut rng = Rng::seeded(2);
        let (m, n, k) = (6, 17, 50);
        let (a, b) = (random(&mut rng, m * k), random(&mut rng, n * k));
        let mut gemm = Gemm::new();
        let mut batch = vec![0.0; m * n];
        gemm.abt(Shape { m, n, k }, &a, &b, &mut batch)?;
        for (a, expected) in a.chunks(k).zip(batch.chunks(n)) {
            let mut row = vec![0.0; n];
            gemm.abt(Shape { m: 1, n, k }, a, &b, &mut row)?;
            assert_eq!(row, expected);
        }
        Ok(())
    }

    #[test]
    fn special_values_follow_the_chain() -> Result<()> {
        // −0 survives only if nothing, not even 0 · 0, is added to it.
        let mut c = [-0.0_f32; 3];
        Gemm::new().ab(Shape { m: 1, n: 3, k: 1 }, &[-0.0], &[1.0, f32::MAX, 1e-45], &mut c)?;
        assert_eq!(c.map(f32::to_bits), [-0.0_f32; 3].map(f32::to_bits));
        let mut c = [1.0_f32, f32::NEG_INFINITY];
        Gemm::new().ab(Shape { m: 1, n: 2, k: 1 }, &[f32::INFINITY], &[1.0, 1.0], &mut c)?;
        assert!(c[0] == f32::INFINITY && c[1].is_nan());
        Ok(())
    }

    #[test]
    fn empty_products_and_wrong_lengths() {
        let mut gemm = Gemm::new();
        assert!(gemm.ab(Shape { m: 0, n: 2, k: 2 }, &[], &[0.0; 4], &mut []).is_ok());
        assert!(gemm.ab(Shape { m: 2, n: 0, k: 2 }, &[0.0; 4], &[], &mut []).is_ok());
        assert!(gemm.ab(Shape { m: 1, n: 1, k: 0 }, &[], &[], &mut [3.0]).is_ok());
        assert!(gemm.ab(Shape { m: 1, n: 1, k: 2 }, &[0.0], &[0.0; 2], &mut [0.0]).is_err());
        assert!(gemm.ab(Shape { m: 1, n: 1, k: 2 }, &[0.0; 2], &[0.0; 3], &mut [0.0]).is_err());
        assert!(gemm.ab(Shape { m: usize::MAX, n: 1, k: 2 }, &[0.0; 2], &[0.0; 2], &mut [0.0]).is_err());
    }
}
