//! The fully connected layer as a table lookup.

use super::dot::{Block, LANES, block, positive, values};
use super::quantised::{INPUT_BITS, QuantisedRows};
use super::table::{BITS, Lines, ROWS, SIGNS, fill, pack, sum};
use super::{Gemm, Linear, Shape, argmax, check_len};
use crate::Result;

/// The widest groups of vectors first: how many sums stand in registers together.
const WIDTHS: [usize; 4] = [8, 4, 2, 1];
/// The largest magnitude of a sum.
const LARGEST: f32 = (1 << INPUT_BITS) as f32;
/// Signs of a layer at most: with more, a weight of average size would be less than 3 units.
const MOST: usize = 4096;

/// Thresholds for the values of a row: on which side of them each value is, is all that a [`LookupLinear`] sees.
///
/// A value x is beyond a threshold t when t stands between zero and x: x ≥ t if t is positive or 0, x ≤ t if it is negative.
/// There are one or more levels of thresholds, each with one threshold per value.
#[derive(Debug, Clone)]
pub struct Thresholds {
    inputs: usize,
    values: Vec<f32>,
    /// For each level, for 16 inputs at a time.
    lines: Vec<Lines>,
}

impl Thresholds {
    /// `values` is levels × inputs.
    ///
    /// # Errors
    /// There is no input, not one whole level, or a threshold is not finite.
    pub fn new(inputs: usize, values: Vec<f32>) -> Result<Self> {
        if inputs == 0 || values.is_empty() {
            return Err("no thresholds, expected at least 1".into());
        }
        check_len("thresholds", &values, values.len().div_ceil(inputs) * inputs)?;
        if let Some(t) = values.iter().find(|t| !t.is_finite()) {
            return Err(format!("threshold {t}, expected a finite number").into());
        }
        let lines = values.chunks_exact(inputs).flat_map(|level| level.chunks(SIGNS).map(Lines::new)).collect();
        Ok(Self { inputs, values, lines })
    }

    /// Values in a row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Signs of a row: levels × inputs.
    pub fn signs(&self) -> usize {
        self.values.len()
    }

    /// The thresholds, levels × inputs.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Sets `signs` to 1 where a value of the rows `x` is beyond its threshold and −1 where not, rows × levels × inputs: what
    /// a layer is trained on to become a [`LookupLinear`].
    ///
    /// # Errors
    /// `x` is not whole rows.
    pub fn apply(&self, x: &[f32], signs: &mut Vec<f32>) -> Result<()> {
        check_len("x", x, x.len() / self.inputs * self.inputs)?;
        signs.clear();
        for x in x.chunks_exact(self.inputs) {
            for lines in self.lines.chunks_exact(self.inputs.div_ceil(SIGNS)) {
                for (lines, x) in lines.iter().zip(x.chunks(SIGNS)) {
                    let sign = |(index, x)| if lines.are_passed(index, x) { 1.0 } else { -1.0 };
                    signs.extend(x.iter().copied().enumerate().map(sign));
                }
            }
        }
        Ok(())
    }

    /// Bytes that hold the signs of one level.
    fn bytes(&self) -> usize {
        self.inputs.div_ceil(BITS)
    }

    /// The signs of one row as bits, each level in [`Thresholds::bytes`] of its own.
    fn pack(&self, x: &[f32], bytes: &mut [u8]) {
        let (blocks, rest) = x.as_chunks();
        let levels = self.lines.chunks_exact(self.inputs.div_ceil(SIGNS));
        for (bytes, lines) in bytes.chunks_exact_mut(self.bytes()).zip(levels) {
            let (pairs, _) = bytes.as_chunks_mut();
            for ((x, lines), pair) in blocks.iter().zip(lines).zip(pairs) {
                *pair = pack(x, lines).to_le_bytes();
            }
            if let Some(lines) = lines.last().filter(|_| !rest.is_empty()) {
                let mut padded = [0.0; SIGNS];
                padded[..rest.len()].copy_from_slice(rest);
                let last = &mut bytes[blocks.len() * SIGNS / BITS..];
                last.copy_from_slice(&pack(&padded, lines).to_le_bytes()[..last.len()]);
            }
        }
    }
}

/// y = s · Wᵀ + b of rows s of signs, without a product: eight signs are a byte that selects, of 256, the sum of their part
/// of every output.
///
/// s is what [`Thresholds::apply`] makes of a row, so a [`Linear`] trained on that becomes the layer. What travels in the
/// parameters are its numbers and the thresholds; the tables, 64 bytes per weight, are made of them anew. Weights and bias
/// are rounded to multiples of one scale, so that no sum leaves 14 bits and a sign. Integers are exact: rows do not depend
/// on one another and every machine has the same bits.
///
/// In the runner a sign costs 24 fuel and 4 more for its share of the lookup, and 3 ÷ 8 fuel for each output, where a product
/// costs 32. Making the tables costs some 350 fuel per weight, once.
///
/// ```
/// use thimble_sdk::nn::{Linear, LookupLinear, Thresholds};
/// # fn main() -> thimble_sdk::Result<()> {
/// let thresholds = Thresholds::new(2, vec![0.5, -1.0])?;
/// let layer = LookupLinear::new(thresholds, &Linear::from_parts(2, vec![3.0, 1.0], vec![0.0])?)?;
/// let mut y = [0.0; 2];
/// layer.forward(&[0.7, 9.0, 0.2, -2.0], &mut y)?;
/// assert!((y[0] - (3.0 - 1.0)).abs() < 1e-3 && (y[1] - (-3.0 + 1.0)).abs() < 1e-3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LookupLinear {
    thresholds: Thresholds,
    outputs: usize,
    /// b in units of `scale`.
    bias: Vec<Block>,
    /// For each group of vectors of outputs and each byte of signs, 256 rows of the group's vectors.
    tables: Vec<Block>,
    scale: f32,
}

impl LookupLinear {
    /// The tables of `layer`, whose inputs are the signs that `thresholds` make.
    ///
    /// # Errors
    /// The layer has another number of inputs, more than 4096 of them, or a number that is not finite.
    pub fn new(thresholds: Thresholds, layer: &Linear) -> Result<Self> {
        let signs = thresholds.signs();
        if layer.inputs() != signs || signs > MOST {
            return Err(format!("layer of {} inputs for {signs} signs, at most {MOST}", layer.inputs()).into());
        }
        let sums = layer.weight().chunks_exact(signs).zip(layer.bias());
        let largest = sums
            .map(|(w, b)| w.iter().fold(b.abs(), |sum, w| sum + w.abs()))
            .fold(0.0, |largest: f32, sum| if largest >= sum || largest.is_nan() { largest } else { sum });
        if !largest.is_finite() {
            return Err("the weights of an output are not finite, or their sum is not".into());
        }
        // Rounding may add half a unit for every weight and the bias.
        let scale = largest.max(LARGEST * f32::MIN_POSITIVE) / (LARGEST - (signs + 1) as f32 / 2.0);
        let blocks = layer.outputs().div_ceil(LANES);
        let columns = columns(layer, scale, blocks);
        let bytes = thresholds.bytes() * (signs / thresholds.inputs());
        let mut tables = vec![block([0; LANES]); bytes * ROWS * blocks];
        let mut rest = tables.as_mut_slice();
        for group in groups(blocks) {
            let these = rest.split_off_mut(..bytes * ROWS * group.len()).unwrap_or_default();
            match group.len() {
                8 => fill_tables::<8>(&columns, &thresholds, group.start, these),
                4 => fill_tables::<4>(&columns, &thresholds, group.start, these),
                2 => fill_tables::<2>(&columns, &thresholds, group.start, these),
                _ => fill_tables::<1>(&columns, &thresholds, group.start, these),
            }
        }
        let bias = columns[signs].clone();
        Ok(Self { thresholds, outputs: layer.outputs(), bias, tables, scale })
    }

    /// What decides the signs.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    /// Values in a row of y.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Writes y for the rows `x`; they are as many as `y` holds.
    ///
    /// # Errors
    /// `x` and `y` are not whole rows, or not the same number of them.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) -> Result<()> {
        let rows = y.len() / self.outputs.max(1);
        check_len("y", y, rows * self.outputs)?;
        self.rows(x, rows, |row, sums| {
            let y = &mut y[row * self.outputs..][..self.outputs];
            for (y, sums) in y.chunks_mut(LANES).zip(sums) {
                for (y, sum) in y.iter_mut().zip(values(*sums)) {
                    *y = f32::from(sum) * self.scale;
                }
            }
        })
    }

    /// Writes max(y, 0) for `rows` rows `x` to `y`, as integers for a [`QuantisedLinear`](super::QuantisedLinear).
    ///
    /// # Errors
    /// `x` is not `rows` rows.
    pub fn forward_relu(&self, x: &[f32], rows: usize, y: &mut QuantisedRows) -> Result<()> {
        y.resize(rows, self.outputs, INPUT_BITS);
        self.rows(x, rows, |row, sums| {
            let (unit, blocks) = y.row_mut(row);
            *unit = self.scale;
            for (to, sum) in blocks.zip(sums) {
                *to = positive(*sum);
            }
        })
    }

    /// Calls `finish` with every row's index and sums.
    fn rows(&self, x: &[f32], rows: usize, mut finish: impl FnMut(usize, &[Block])) -> Result<()> {
        check_len("x", x, rows.saturating_mul(self.thresholds.inputs()))?;
        let mut bytes = vec![0; self.tables.len() / (ROWS * self.bias.len().max(1))];
        let mut sums = self.bias.clone();
        for (row, x) in x.chunks_exact(self.thresholds.inputs()).enumerate() {
            self.thresholds.pack(x, &mut bytes);
            sums.copy_from_slice(&self.bias);
            let mut tables = self.tables.as_slice();
            for group in groups(sums.len()) {
                let (these, rest) = tables.split_at(bytes.len() * ROWS * group.len());
                match group.len() {
                    8 => look_up::<8>(these, &bytes, &mut sums[group]),
                    4 => look_up::<4>(these, &bytes, &mut sums[group]),
                    2 => look_up::<2>(these, &bytes, &mut sums[group]),
                    _ => look_up::<1>(these, &bytes, &mut sums[group]),
                }
                tables = rest;
            }
            finish(row, &sums);
        }
        Ok(())
    }
}

fn look_up<const V: usize>(tables: &[Block], bytes: &[u8], sums: &mut [Block]) {
    for sums in sums.as_chunks_mut().0 {
        sum::<V>(tables.as_chunks().0.as_chunks().0, bytes, sums);
    }
}

/// Cuts `0..vectors` into groups of [`WIDTHS`].
fn groups(vectors: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let width = WIDTHS.into_iter().find(|width| first + width <= vectors)?;
        first += width;
        Some(first - width..first)
    })
}

/// The weights of each sign, then the bias, in units of `scale`: blocks of outputs.
fn columns(layer: &Linear, scale: f32, blocks: usize) -> Vec<Vec<Block>> {
    // Adding 1.5 · 2²³ rounds to integers, ties to even, and leaves them in the low bits.
    let round = |value: f32| (value / scale + 12_582_912.0).to_bits() as i16;
    let (signs, width) = (layer.inputs(), blocks * LANES);
    let mut values = vec![0; (signs + 1) * width];
    for (output, weight) in layer.weight().chunks_exact(signs).enumerate() {
        for (to, weight) in values[output..].iter_mut().step_by(width).zip(weight) {
            *to = round(*weight);
        }
    }
    for (to, bias) in values[signs * width..].iter_mut().zip(layer.bias()) {
        *to = round(*bias);
    }
    values.chunks_exact(width).map(|column| column.as_chunks().0.iter().copied().map(block).collect()).collect()
}

/// Fills the tables of all bytes for `V` vectors of outputs from `first` on.
fn fill_tables<const V: usize>(columns: &[Vec<Block>], thresholds: &Thresholds, first: usize, tables: &mut [Block]) {
    let levels = columns[..thresholds.signs()].chunks_exact(thresholds.inputs());
    let bytes = levels.flat_map(|level| level.chunks(BITS));
    for (columns, table) in bytes.zip(tables.as_chunks_mut::<V>().0.as_chunks_mut().0) {
        // A byte that is not full has zeros for the signs it lacks.
        let mut of_byte = [[block([0; LANES]); V]; BITS];
        for (to, column) in of_byte.iter_mut().zip(columns) {
            to.copy_from_slice(&column[first..][..V]);
        }
        fill(&of_byte, table);
    }
}

/// Settles near ties: of the classes of a row whose scores are at most `margin` below its largest, the one for which `layer`
/// has the largest score, the first of equals, is raised to just above the largest. `x` is rows × the layer's inputs, `scores`
/// rows × its outputs. Returns the number of rows that had a near tie.
///
/// # Errors
/// `x` and `scores` are not whole rows, or not the same number of them.
pub fn settle_near_ties(layer: &Linear, margin: f32, x: &[f32], scores: &mut [f32]) -> Result<usize> {
    let (classes, width) = (layer.outputs().max(1), layer.inputs());
    let rows = scores.len() / classes;
    check_len("scores", scores, rows * layer.outputs())?;
    check_len("x", x, rows.saturating_mul(width))?;
    let (mut gemm, mut near, mut weight, mut exact) = (Gemm::new(), Vec::new(), Vec::new(), Vec::new());
    let mut ties = 0;
    for (row, scores) in scores.chunks_exact_mut(classes).enumerate() {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        near.clear();
        near.extend((0..classes).filter(|&class| scores[class] >= largest - margin));
        if near.len() < 2 {
            continue;
        }
        ties += 1;
        weight.clear();
        near.iter().for_each(|&class| weight.extend_from_slice(&layer.weight()[class * width..][..width]));
        exact.clear();
        exact.extend(near.iter().map(|&class| layer.bias()[class]));
        let shape = Shape { m: 1, n: near.len(), k: width };
        gemm.abt(shape, &x[row * width..][..width], &weight, &mut exact)?;
        if let Some(at) = argmax(&exact) {
            scores[near[at]] = largest.next_up();
        }
    }
    Ok(ties)
}

#[cfg(test)]
mod tests {
    use super::super::QuantisedLinear;
    use super::*;
    use crate::Rng;

    fn random(rng: &mut Rng, n: usize) -> Vec<f32> {
        (0..n).map(|_| rng.normal()).collect()
    }

    fn random_layer(rng: &mut Rng, inputs: usize, levels: usize, outputs: usize) -> (LookupLinear, Linear) {
        let thresholds = Thresholds::new(inputs, random(rng, levels * inputs)).expect("whole levels");
        let linear = Linear::new(levels * inputs, outputs, rng);
        (LookupLinear::new(thresholds, &linear).expect("the sizes fit"), linear)
    }

    /// The definition: weights rounded to the layer's scale, summed in 64-bit integers.
    fn naive(layer: &LookupLinear, linear: &Linear, x: &[f32]) -> Vec<f32> {
        let thresholds = layer.thresholds();
        let beyond = |(x, t): (&f32, &f32)| if *t >= 0.0 { x >= t } else { x <= t };
        let signs: Vec<bool> = x.iter().cycle().zip(thresholds.values()).map(beyond).collect();
        let round = |w: f32| (w / layer.scale).round_ties_even() as i64;
        let output = |(w, &b): (&[f32], &f32)| {
            let sum: i64 = w.iter().zip(&signs).map(|(&w, &sign)| if sign { round(w) } else { -round(w) }).sum();
            assert!((sum + round(b)).abs() <= 1 << 14, "{sum} leaves 14 bits");
            (sum + round(b)) as f32 * layer.scale
        };
        linear.weight().chunks(signs.len()).zip(linear.bias()).map(output).collect()
    }

    #[test]
    fn forward_is_the_definition_bit_for_bit() -> Result<()> {
        let mut rng = Rng::seeded(1);
        for (rows, inputs, levels, outputs) in
            [(3, 256, 1, 10), (1, 1, 1, 1), (2, 8, 1, 8), (4, 20, 3, 9), (5, 16, 2, 127), (1, 33, 2, 17)]
        {
            let (layer, linear) = random_layer(&mut rng, inputs, levels, outputs);
            let x = random(&mut rng, rows * inputs);
            let mut y = vec![0.0; rows * outputs];
            layer.forward(&x, &mut y)?;
            let expected: Vec<f32> = x.chunks(inputs).flat_map(|x| naive(&layer, &linear, x)).collect();
            assert_eq!(y, expected, "{rows} rows, {inputs} × {levels} → {outputs}");
            for (x, expected) in x.chunks(inputs).zip(y.chunks(outputs)) {
                let mut alone = vec![0.0; outputs];
                layer.forward(x, &mut alone)?;
                assert_eq!(alone, expected);
            }
        }
        Ok(())
    }

    #[test]
    fn it_is_the_layer_of_the_signs_but_for_rounding() -> Result<()> {
        let mut rng = Rng::seeded(2);
        let (layer, linear) = random_layer(&mut rng, 100, 2, 12);
        let x = random(&mut rng, 4 * 100);
        let (mut signs, mut exact, mut y) = (Vec::new(), vec![0.0; 48], vec![0.0; 48]);
        layer.thresholds().apply(&x, &mut signs)?;
        linear.forward(&mut Gemm::new(), &signs, &mut exact)?;
        layer.forward(&x, &mut y)?;
        for (y, exact) in y.iter().zip(&exact) {
            assert!((y - exact).abs() < 100.5 * layer.scale, "{y} against {exact}");
        }
        // 201 roundings of a unit ÷ √12.
        let square = y.iter().zip(&exact).map(|(y, e)| (y - e) * (y - e)).sum::<f32>() / 48.0;
        assert!(square.sqrt() < 6.0 * layer.scale, "{}", square.sqrt() / layer.scale);
        Ok(())
    }

    #[test]
    fn beyond_is_between_zero_and_the_value() -> Result<()> {
        let thresholds = Thresholds::new(1, vec![0.0, 1.5, -1.5])?;
        for (x, expected) in [
            (1.5, [1.0, 1.0, -1.0]),
            (1.0, [1.0, -1.0, -1.0]),
            (0.0, [1.0, -1.0, -1.0]),
            (-1.0, [-1.0, -1.0, -1.0]),
            (-1.5, [-1.0, -1.0, 1.0]),
            (f32::INFINITY, [1.0, 1.0, -1.0]),
            (f32::MIN, [-1.0, -1.0, 1.0]),
        ] {
            let mut signs = Vec::new();
            thresholds.apply(&[x], &mut signs)?;
            assert_eq!(signs, expected, "{x}");
        }
        Ok(())
    }

    #[test]
    fn integers_go_into_a_quantised_layer_as_they_are() -> Result<()> {
        let mut rng = Rng::seeded(3);
        let (layer, _) = random_layer(&mut rng, 40, 1, 21);
        let output = QuantisedLinear::from_linear(&Linear::new(21, 5, &mut rng))?;
        let x = random(&mut rng, 7 * 40);
        let (mut hidden, mut rows, mut y) = (vec![0.0; 7 * 21], QuantisedRows::new(), vec![0.0; 7 * 5]);
        layer.forward(&x, &mut hidden)?;
        layer.forward_relu(&x, 7, &mut rows)?;
        output.forward_quantised(&rows, &mut y)?;
        for (hidden, y) in hidden.chunks(21).zip(y.chunks(5)) {
            for ((w, y), (scale, b)) in output.weight().chunks(21).zip(y).zip(output.scale().iter().zip(output.bias()))
            {
                let term = |(h, w): (&f32, &i8)| (h.max(0.0) / layer.scale).round() as i64 * i64::from(*w);
                let sum: i64 = hidden.iter().zip(w).map(term).sum();
                assert_eq!(*y, sum as f32 * layer.scale * scale + b);
            }
        }
        assert!(QuantisedLinear::from_linear(&Linear::new(22, 5, &mut rng))?.forward_quantised(&rows, &mut y).is_err());
        Ok(())
    }

    #[test]
    fn no_sum_leaves_14_bits() -> Result<()> {
        for signs in [1, 100, 4096] {
            let thresholds = Thresholds::new(signs, vec![0.0; signs])?;
            let linear = Linear::from_parts(signs, vec![1.0; signs], vec![1.0])?;
            let layer = LookupLinear::new(thresholds, &linear)?;
            let mut y = [0.0];
            layer.forward(&vec![1.0; signs], &mut y)?;
            assert_eq!(y.to_vec(), naive(&layer, &linear, &vec![1.0; signs]));
            assert!((y[0] / (signs + 1) as f32 - 1.0).abs() < 0.15, "{signs}: {}", y[0]);
        }
        let thresholds = Thresholds::new(4097, vec![0.0; 4097])?;
        assert!(LookupLinear::new(thresholds, &Linear::from_parts(4097, vec![1.0; 4097], vec![1.0])?).is_err());
        Ok(())
    }

    #[test]
    fn near_ties_go_to_the_exact_winner_and_others_stay() -> Result<()> {
        let layer = Linear::from_parts(1, vec![1.0, 2.0, 3.0], vec![0.0; 3])?;
        // Near tie of 0 and 1; a clear 0; near tie of all, where 2 wins.
        let mut scores = [1.0, 0.95, -1.0, 1.0, 0.5, 0.0, 1.0, 1.0, 0.91];
        assert_eq!(settle_near_ties(&layer, 0.1, &[1.0; 3], &mut scores)?, 2);
        let winners: Vec<_> = scores.chunks(3).map(argmax).collect();
        assert_eq!(winners, [Some(1), Some(0), Some(2)]);
        assert_eq!(scores[..3], [1.0, 1.0_f32.next_up(), -1.0]);
        assert!(settle_near_ties(&layer, 0.1, &[1.0; 2], &mut scores).is_err());
        Ok(())
    }

    #[test]
    fn sizes_and_numbers_that_make_no_layer_are_errors() -> Result<()> {
        let layer = |inputs, weight: f32| {
            let linear = Linear::from_parts(inputs, vec![weight; inputs], vec![0.0])?;
            LookupLinear::new(Thresholds::new(2, vec![0.0; 4])?, &linear)
        };
        assert!(layer(4, 1.0).is_ok() && layer(4, 0.0).is_ok());
        assert!(layer(2, 1.0).is_err() && layer(4, f32::NAN).is_err() && layer(4, f32::MAX).is_err());
        for (inputs, values) in [(0, vec![]), (2, vec![]), (2, vec![0.0; 3]), (1, vec![f32::NAN])] {
            assert!(Thresholds::new(inputs, values).is_err());
        }
        assert!(layer(4, 1.0)?.forward(&[0.0; 3], &mut [0.0]).is_err());
        Ok(())
    }
}
