//! The product, cut into blocks that the caches hold and tiles that the registers hold.

use std::ops::Range;

use crate::tile::{Multiply, Portable, Tile};
use crate::{Matrix, MatrixError, Processor};

/// Steps of k in a block: a panel of B with 32 columns is 48 KiB, which the first-level cache holds.
const DEPTH: usize = 384;
/// Rows of A in a block, 198 KiB: for the second-level cache. A multiple of every tile's rows but 8.
const BLOCK_ROWS: usize = 132;
/// Columns of B in a block, 768 KiB.
const BLOCK_COLUMNS: usize = 512;

/// Steps of k that are packed of one line before the next.
const STEPS_AT_ONCE: usize = 16;

/// The most that a [`Workspace`] holds: one block of A and one of B, padded to whole tiles.
pub const WORKSPACE_BYTES: usize = DEPTH * (BLOCK_ROWS + 8 + BLOCK_COLUMNS + 12) * 4;

/// How A and B stand in C = op(A) · op(B). C is m × n, the sum runs over k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Orientation {
    /// A · B, with A m × k and B k × n.
    Ab,
    /// A · Bᵀ, with A m × k and B n × k.
    Abt,
    /// Aᵀ · B, with A k × m and B k × n.
    Atb,
}

/// Why a product was not computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GemmError<E> {
    /// The caller's check between blocks said stop.
    #[error("stopped between two blocks")]
    Stopped(E),
    /// C could not be made.
    #[error(transparent)]
    Matrix(MatrixError),
}

/// Sizes that fit: the only way to a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    orientation: Orientation,
    m: usize,
    n: usize,
    k: usize,
}

impl Product {
    /// The sizes of C = op(A) · op(B), or `None` when A and B do not fit together.
    pub fn of(orientation: Orientation, a: &Matrix, b: &Matrix) -> Option<Self> {
        let (m, k) = match orientation {
            Orientation::Ab | Orientation::Abt => (a.rows(), a.columns()),
            Orientation::Atb => (a.columns(), a.rows()),
        };
        let (k_of_b, n) = match orientation {
            Orientation::Ab | Orientation::Atb => (b.rows(), b.columns()),
            Orientation::Abt => (b.columns(), b.rows()),
        };
        (k == k_of_b && m > 0 && n > 0 && k > 0).then_some(Self { orientation, m, n, k })
    }

    /// Rows of C.
    pub fn rows(&self) -> usize {
        self.m
    }

    /// Columns of C.
    pub fn columns(&self) -> usize {
        self.n
    }

    /// m · n · k. The largest matrices that fit in memory stay far below 2^64; anything else saturates.
    pub fn multiply_adds(&self) -> u64 {
        (self.m as u64).saturating_mul(self.n as u64).saturating_mul(self.k as u64)
    }
}

/// Buffers for the blocks of A and B in the order in which tiles read them. Kept from one product to the next.
#[derive(Debug, Default)]
pub struct Workspace {
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Workspace {
    /// What it holds of memory, at most [`WORKSPACE_BYTES`].
    pub fn bytes(&self) -> usize {
        (self.a.capacity() + self.b.capacity()) * 4
    }

    /// C = op(A) · op(B), or C += op(A) · op(B) when `accumulate`. `product` is [`Product::of`] the same `a` and `b`.
    /// Without `accumulate` C becomes m × n, whatever it was; with it, C must be m × n already.
    ///
    /// `between_blocks` is asked before every block of at most 26 million multiply-adds.
    ///
    /// # Errors
    /// `between_blocks` said stop: C holds sums that are not finished. Or C could not be made, or is not m × n.
    pub fn gemm<E>(
        &mut self,
        product: &Product,
        (a, b): (&Matrix, &Matrix),
        c: &mut Matrix,
        accumulate: bool,
        between_blocks: impl FnMut() -> Result<(), E>,
    ) -> Result<(), GemmError<E>> {
        self.gemm_on(Processor::best(), product, (a, b), c, accumulate, between_blocks)
    }

    /// As [`Workspace::gemm`], with the code of one processor; another than asked for when this one cannot run it.
    ///
    /// # Errors
    /// As [`Workspace::gemm`].
    pub fn gemm_on<E>(
        &mut self,
        processor: Processor,
        product: &Product,
        (a, b): (&Matrix, &Matrix),
        c: &mut Matrix,
        accumulate: bool,
        between_blocks: impl FnMut() -> Result<(), E>,
    ) -> Result<(), GemmError<E>> {
        let Product { orientation, m, n, k } = *product;
        let wrong = MatrixError::Shape { rows: m, columns: n };
        if Product::of(orientation, a, b) != Some(*product) {
            return Err(GemmError::Matrix(wrong));
        }
        if !accumulate {
            c.shape_as(m, n).map_err(GemmError::Matrix)?;
        } else if (c.rows(), c.columns()) != (m, n) {
            return Err(GemmError::Matrix(wrong));
        }
        let a = match orientation {
            Orientation::Ab | Orientation::Abt => Operand::rows(a.values(), m, k),
            Orientation::Atb => Operand::columns(a.values(), m),
        };
        let b = match orientation {
            Orientation::Ab | Orientation::Atb => Operand::columns(b.values(), n),
            Orientation::Abt => Operand::rows(b.values(), n, k),
        };
        let job = Job { k, a, b, accumulate };
        match processor {
            #[cfg(target_arch = "x86_64")]
            Processor::Avx512 => match crate::tile::x86::Avx512::detect() {
                Some(tile) => self.run(&tile, &job, c.values_mut(), between_blocks),
                None => self.run(&Portable, &job, c.values_mut(), between_blocks),
            },
            #[cfg(target_arch = "x86_64")]
            Processor::Avx2 => match crate::tile::x86::Avx2::detect() {
                Some(tile) => self.run(&tile, &job, c.values_mut(), between_blocks),
                None => self.run(&Portable, &job, c.values_mut(), between_blocks),
            },
            _ => self.run(&Portable, &job, c.values_mut(), between_blocks),
        }
        .map_err(GemmError::Stopped)
    }

    /// The blocks of k come one after the other, so that every chain ascends; C holds it between them.
    fn run<E, const R: usize, const S: usize>(
        &mut self,
        multiply: &impl Multiply<R, S>,
        job: &Job<'_>,
        c: &mut [f32],
        mut between_blocks: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let Job { k, a, b, accumulate } = job;
        for steps in blocks(*k, DEPTH) {
            // Sums that start from nothing are not read.
            let goes_on = *accumulate || steps.start > 0;
            for columns in blocks(b.lines, BLOCK_COLUMNS) {
                let packed_b = b.pack::<S>(&columns, &steps, &mut self.b);
                for rows in blocks(a.lines, BLOCK_ROWS) {
                    between_blocks()?;
                    let packed_a = a.pack::<R>(&rows, &steps, &mut self.a);
                    for (b, columns) in packed_b.chunks_exact(steps.len()).zip(blocks_of(&columns, S)) {
                        let groups = packed_a.chunks_exact(steps.len());
                        for (a, rows) in groups.zip(blocks_of(&rows, R)) {
                            update(multiply, (a, b), (c, job.b.lines), (rows, columns.clone()), goes_on);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// A product with its operands as lines.
struct Job<'a> {
    k: usize,
    a: Operand<'a>,
    b: Operand<'a>,
    /// The sums start from what C holds.
    accumulate: bool,
}

/// Cuts `0..length` into ranges of `size`; the last may be shorter.
fn blocks(length: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    blocks_of(&(0..length), size)
}

fn blocks_of(range: &Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let end = range.end;
    range.clone().step_by(size).map(move |start| start..end.min(start + size))
}

/// Adds a product to one tile of C, which has `n` columns; or puts it there, unless the sums go on from what is there.
fn update<const R: usize, const S: usize>(
    multiply: &impl Multiply<R, S>,
    (a, b): (&[[f32; R]], &[[f32; S]]),
    (c, n): (&mut [f32], usize),
    (rows, columns): (Range<usize>, Range<usize>),
    goes_on: bool,
) {
    let mut tile: Tile<R, S> = [[0.0; S]; R];
    let lines = |row: usize| row * n + columns.start..row * n + columns.end;
    if goes_on {
        for (tile, row) in tile.iter_mut().zip(rows.clone()) {
            copy::<S>(&c[lines(row)], &mut tile[..columns.len()]);
        }
    }
    multiply.add_product(a, b, &mut tile);
    for (tile, row) in tile.iter().zip(rows) {
        copy::<S>(&tile[..columns.len()], &mut c[lines(row)]);
    }
}

/// As `copy_from_slice`, without a call where the line is as long as a tile is wide.
#[inline(always)]
fn copy<const S: usize>(from: &[f32], to: &mut [f32]) {
    match (from.first_chunk::<S>(), to.first_chunk_mut::<S>()) {
        (Some(from), Some(to)) => *to = *from,
        _ => to.copy_from_slice(from),
    }
}

/// One side of a product: rows of op(A) or columns of op(B), each with one value per k. The value of line l at k is
/// `values[l * per_line + k * per_step]`.
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

    /// Copies the part `steps` of `lines` in groups of `GROUP`: for each group, for each k, one value of every line. Lines
    /// that a last group lacks keep old values: nobody reads what comes of them.
    fn pack<'p, const GROUP: usize>(
        &self,
        lines: &Range<usize>,
        steps: &Range<usize>,
        packed: &'p mut Vec<f32>,
    ) -> &'p [[f32; GROUP]] {
        let len = lines.len().div_ceil(GROUP) * GROUP * steps.len();
        if packed.len() < len {
            packed.resize(len, 0.0);
        }
        let packed = packed[..len].as_chunks_mut::<GROUP>().0;
        for (group, lines) in packed.chunks_exact_mut(steps.len()).zip(blocks_of(lines, GROUP)) {
            if self.per_line == 1 {
                for (to, k) in group.iter_mut().zip(steps.clone()) {
                    let from = &self.values[k * self.per_step + lines.start..][..lines.len()];
                    copy::<GROUP>(from, &mut to[..lines.len()]);
                }
            } else {
                // A few steps of every line at a time: what is written stays in the nearest cache.
                for (group, steps) in group.chunks_mut(STEPS_AT_ONCE).zip(blocks_of(steps, STEPS_AT_ONCE)) {
                    for (at, line) in lines.clone().enumerate() {
                        let from = &self.values[line * self.per_line + steps.start..][..steps.len()];
                        for (to, &from) in group.iter_mut().zip(from) {
                            to[at] = from;
                        }
                    }
                }
            }
        }
        packed
    }
}
