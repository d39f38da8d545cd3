//! The fully connected layer with 8-bit weights.

use super::dot::{Block, Grid, LANES, MAGNITUDE, OUTPUTS, ROWS, block, largest_bits, quantise, tile};
use super::{Linear, check_len};
use crate::{Parameters, Result};

/// Largest magnitude of a weight.
const LARGEST: f32 = 127.0;
/// Bits of a weight's magnitude.
const WEIGHT_BITS: u32 = 7;
/// Bits of an input's magnitude at most: a 16-bit lane holds them with a sign and room for rounding up.
pub(super) const INPUT_BITS: u32 = 14;
/// Weights in a word of the parameters.
const PACKED: usize = 4;

/// y = x · Wᵀ + b with each row of W as 8-bit integers times one scale: a [`Linear`] quantised after training.
///
/// W\[o\]\[k\] = scale\[o\] · q\[o\]\[k\] with q from −127 to 127 (symmetric, one scale per output channel: Krishnamoorthi 2018,
/// section 2.2). Each row of x is rounded to multiples of a power of two that suits its largest magnitude, ties to even: up
/// to 14 bits and a sign, since the products are 16-bit and the width is free. Integer sums are exact, so rows do not
/// depend on one another and every machine has the same bits.
///
/// In the runner a multiply-add costs about 9 fuel instead of 34, and an input some 40 once, to be rounded.
///
/// ```
/// use thimble_sdk::nn::{Linear, QuantisedLinear, QuantisedRows};
/// # fn main() -> thimble_sdk::Result<()> {
/// let layer = Linear::from_parts(2, vec![1.0, 0.5, -0.25, 2.0], vec![0.0, 10.0])?;
/// let layer = QuantisedLinear::from_linear(&layer)?;
/// let mut y = [0.0; 2];
/// layer.forward(&mut QuantisedRows::new(), &[1.0, 2.0], &mut y)?;
/// assert!((y[0] - 2.0).abs() < 0.01 && (y[1] - 13.75).abs() < 0.01);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct QuantisedLinear {
    inputs: usize,
    /// q, outputs × inputs.
    weight: Vec<i8>,
    scale: Vec<f32>,
    bias: Vec<f32>,
    /// q as 16-bit integers, for groups of [`OUTPUTS`] outputs, then for each output that is left alone: per step of
    /// [`LANES`] inputs a block per output. Widened once, because widening costs twice what a load does.
    panels: Vec<Block>,
    /// Bits of an input's magnitude, so that no sum leaves 32 bits.
    input_bits: u32,
}

/// The rows of a batch as 16-bit integers with one unit per row; grows to the largest batch.
#[derive(Debug, Clone, Default)]
pub struct QuantisedRows {
    width: usize,
    /// Bits of a value's magnitude.
    bits: u32,
    /// What the values of a row are multiples of.
    units: Vec<f32>,
    /// For groups of [`ROWS`] rows, then for each row that is left alone: per step of [`LANES`] values a block per row.
    blocks: Vec<Block>,
    /// A row with values that no grid takes, without them.
    limited: Vec<f32>,
}

impl QuantisedRows {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes place for `rows` rows of `width` values of at most `bits` bits. The last block of a row must be written whole.
    pub(super) fn resize(&mut self, rows: usize, width: usize, bits: u32) {
        (self.width, self.bits) = (width, bits);
        self.units.resize(rows, 0.0);
        self.blocks.resize(rows * self.steps(), block([0; LANES]));
    }

    /// The unit and the blocks of a row.
    pub(super) fn row_mut(&mut self, row: usize) -> (&mut f32, impl Iterator<Item = &mut Block>) {
        let grouped = self.units.len() / ROWS * ROWS;
        let (first, distance) =
            if row < grouped { (row / ROWS * ROWS * self.steps() + row % ROWS, ROWS) } else { (row * self.steps(), 1) };
        let steps = self.steps();
        (&mut self.units[row], self.blocks[first..].iter_mut().step_by(distance).take(steps))
    }

    /// Rounds the rows `x`, each to a grid of its own.
    fn round(&mut self, x: &[f32], width: usize, bits: u32) {
        self.resize(x.len() / width, width, bits);
        let mut limited = std::mem::take(&mut self.limited);
        for (row, x) in x.chunks_exact(width).enumerate() {
            let (x, grid) = limit(x, &mut limited, bits);
            let (unit, blocks) = self.row_mut(row);
            *unit = grid.step;
            quantise(x, grid, blocks);
        }
        self.limited = limited;
    }

    /// Blocks of a row.
    fn steps(&self) -> usize {
        self.width.div_ceil(LANES)
    }
}

impl QuantisedLinear {
    /// The layer with every row of weights rounded to the nearest of 255 values, ties to even, of which the largest is the
    /// row's largest magnitude.
    ///
    /// # Errors
    /// A weight is NaN or infinite, or as [`QuantisedLinear::from_parts`].
    pub fn from_linear(layer: &Linear) -> Result<Self> {
        let mut weight = Vec::with_capacity(layer.weight().len());
        let mut scale = Vec::with_capacity(layer.outputs());
        for row in layer.weight().chunks_exact(layer.inputs().max(1)) {
            if let Some(w) = row.iter().find(|w| !w.is_finite()) {
                return Err(format!("weight {w}, expected a finite number").into());
            }
            let largest = row.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
            // A row of zeros, or so small that its scale is not a normal number, is a row of zeros.
            let step = if largest >= LARGEST * f32::MIN_POSITIVE { largest / LARGEST } else { f32::INFINITY };
            weight.extend(row.iter().map(|w| (w / step).round_ties_even() as i8));
            scale.push(if step.is_finite() { step } else { 0.0 });
        }
        Self::from_parts(layer.inputs(), weight, scale, layer.bias().to_vec())
    }

    /// A layer of given numbers: `weight` is q, outputs × inputs; `scale` and `bias` have one value per output.
    ///
    /// # Errors
    /// The lengths do not fit one another, a weight is −128, or there are more than 2²³ inputs.
    pub fn from_parts(inputs: usize, weight: Vec<i8>, scale: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        check_len("weight", &weight, inputs.saturating_mul(bias.len()))?;
        check_len("scale", &scale, bias.len())?;
        if weight.contains(&i8::MIN) {
            return Err("weight -128, expected -127 to 127".into());
        }
        // A sum is at most 127 · 2^bits · inputs, and inputs at most 2^sum_bits.
        let sum_bits = inputs.max(1).next_power_of_two().ilog2();
        let input_bits = (31 - WEIGHT_BITS).saturating_sub(sum_bits).min(INPUT_BITS);
        if input_bits == 0 {
            return Err(format!("{inputs} inputs, expected at most 8388608").into());
        }
        let panels = panels(inputs, &weight);
        Ok(Self { inputs, weight, scale, bias, panels, input_bits })
    }

    /// Adds the layer as tensors `{name}.weight`, `{name}.scale` and `{name}.bias`. Four weights share a 32-bit word, the
    /// first in the lowest bits, because the runner counts words: the weights are a quarter of the parameters they were.
    pub fn push_to(&self, parameters: &mut Parameters, name: &str) {
        let word = |weights: &[i8]| {
            let mut bytes = [0; PACKED];
            for (byte, &weight) in bytes.iter_mut().zip(weights) {
                *byte = weight as u8;
            }
            i32::from_le_bytes(bytes)
        };
        let words: Vec<i32> = self.weight.chunks(PACKED).map(word).collect();
        parameters.push(format!("{name}.weight"), &[words.len()], words);
        parameters.push(format!("{name}.scale"), &[self.scale.len()], self.scale.clone());
        parameters.push(format!("{name}.bias"), &[self.bias.len()], self.bias.clone());
    }

    /// Takes the tensors of [`QuantisedLinear::push_to`] out.
    ///
    /// # Errors
    /// A tensor is not there or has another shape or type, or as [`QuantisedLinear::from_parts`].
    pub fn take_from(parameters: &mut Parameters, name: &str, inputs: usize, outputs: usize) -> Result<Self> {
        let n = inputs.saturating_mul(outputs);
        let words = parameters.take::<i32>(&format!("{name}.weight"), &[n.div_ceil(PACKED)])?;
        let weight = words.iter().flat_map(|word| word.to_le_bytes()).take(n).map(|byte| byte as i8).collect();
        let scale = parameters.take_f32(&format!("{name}.scale"), &[outputs])?;
        Self::from_parts(inputs, weight, scale, parameters.take_f32(&format!("{name}.bias"), &[outputs])?)
    }

    /// The parameters that [`QuantisedLinear::push_to`] adds for a layer of this size.
    pub fn count(inputs: usize, outputs: usize) -> usize {
        (inputs * outputs).div_ceil(PACKED) + 2 * outputs
    }

    /// Values in a row of x.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values in a row of y.
    pub fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// q, outputs × inputs.
    pub fn weight(&self) -> &[i8] {
        &self.weight
    }

    /// What q is multiplied with, one value per output.
    pub fn scale(&self) -> &[f32] {
        &self.scale
    }

    /// b.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Writes x · Wᵀ + b to `y`; the rows are as many as `y` holds. In x, a magnitude beyond 2¹⁰⁰ counts as 2¹⁰⁰ and NaN
    /// as 0.
    ///
    /// # Errors
    /// `x` and `y` are not whole rows, or not the same number of them.
    pub fn forward(&self, rows: &mut QuantisedRows, x: &[f32], y: &mut [f32]) -> Result<()> {
        let n = y.len() / self.outputs().max(1);
        check_len("y", y, n * self.outputs())?;
        check_len("x", x, n.saturating_mul(self.inputs))?;
        if self.inputs == 0 {
            y.chunks_exact_mut(self.outputs().max(1)).for_each(|y| y.copy_from_slice(&self.bias));
            return Ok(());
        }
        rows.round(x, self.inputs, self.input_bits);
        self.forward_quantised(rows, y)
    }

    /// As [`QuantisedLinear::forward`], of rows that are integers already.
    ///
    /// # Errors
    /// The rows have another width than the layer's inputs, larger values than its sums have room for, or `y` is not as
    /// many rows.
    pub fn forward_quantised(&self, rows: &QuantisedRows, y: &mut [f32]) -> Result<()> {
        check_len("y", y, rows.units.len() * self.outputs())?;
        if rows.width != self.inputs || rows.bits > self.input_bits {
            let (width, bits) = (rows.width, rows.bits);
            let expected = format!("expected {} of at most {}", self.inputs, self.input_bits);
            return Err(format!("rows of {width} values of {bits} bits, {expected}").into());
        }
        let (groups, singles) = rows.units.as_chunks::<ROWS>();
        let steps = rows.steps();
        let (mut blocks, mut y) = (rows.blocks.as_slice(), y.chunks_exact_mut(self.outputs().max(1)));
        let mut next = |count: usize| blocks.split_off(..count * steps).unwrap_or_default();
        for units in groups {
            self.group(next(ROWS), *units, &mut y);
        }
        for unit in singles {
            self.group(next(1), [*unit], &mut y);
        }
        Ok(())
    }

    /// The next `R` rows.
    fn group<'a, const R: usize>(
        &self,
        blocks: &[Block],
        units: [f32; R],
        y: &mut impl Iterator<Item = &'a mut [f32]>,
    ) {
        let steps = self.inputs.div_ceil(LANES);
        let mut y: [&mut [f32]; R] = std::array::from_fn(|_| y.next().unwrap_or_default());
        let (threes, ones) = self.panels.split_at(self.outputs() / OUTPUTS * OUTPUTS * steps);
        let mut first = 0;
        for panel in threes.chunks_exact(steps * OUTPUTS) {
            self.finish::<R, OUTPUTS>(tile(blocks, panel), first, units, &mut y);
            first += OUTPUTS;
        }
        for panel in ones.chunks_exact(steps) {
            self.finish::<R, 1>(tile(blocks, panel), first, units, &mut y);
            first += 1;
        }
    }

    /// Writes the outputs from `first` on of `R` rows whose inputs were multiples of `units`.
    fn finish<const R: usize, const O: usize>(
        &self,
        sums: [[i32; O]; R],
        first: usize,
        units: [f32; R],
        y: &mut [&mut [f32]; R],
    ) {
        let (scale, bias) = (&self.scale[first..][..O], &self.bias[first..][..O]);
        for ((sums, unit), y) in sums.iter().zip(units).zip(y) {
            for (((y, &sum), scale), bias) in y[first..][..O].iter_mut().zip(sums).zip(scale).zip(bias) {
                // The unit is a power of two: only the last two operations round.
                *y = sum as f32 * unit * scale + bias;
            }
        }
    }
}

/// The weights of [`QuantisedLinear::panels`].
fn panels(inputs: usize, weight: &[i8]) -> Vec<Block> {
    let steps = inputs.div_ceil(LANES);
    let at = |weights: &[i8], step: usize| {
        let mut values = [0; LANES];
        for (value, &weight) in values.iter_mut().zip(&weights[step * LANES..]) {
            *value = i16::from(weight);
        }
        block(values)
    };
    let rows: Vec<&[i8]> = weight.chunks_exact(inputs.max(1)).collect();
    let threes = rows.chunks_exact(OUTPUTS);
    let ones = threes.remainder().iter().flat_map(|row| (0..steps).map(move |step| at(row, step)));
    let mut panels = Vec::with_capacity(rows.len() * steps);
    for rows in threes.clone() {
        panels.extend((0..steps).flat_map(|step| rows.iter().map(move |row| at(row, step))));
    }
    panels.extend(ones);
    panels
}

/// The grid of a row, and the row as the grid takes it: `limited` if it has values that none takes.
fn limit<'a>(x: &'a [f32], limited: &'a mut Vec<f32>, bits: u32) -> (&'a [f32], Grid) {
    let largest = largest_magnitude(x);
    if largest <= Grid::LARGEST {
        return (x, Grid::new(largest, bits));
    }
    limited.clear();
    limited.extend(x.iter().map(|x| if x.is_nan() { 0.0 } else { x.clamp(-Grid::LARGEST, Grid::LARGEST) }));
    (limited, Grid::new(largest_magnitude(limited), bits))
}

/// The largest magnitude, NaN if there is one.
fn largest_magnitude(x: &[f32]) -> f32 {
    let (blocks, rest) = x.as_chunks();
    let rest = rest.iter().map(|x| x.to_bits() & MAGNITUDE);
    f32::from_bits(rest.fold(largest_bits(blocks), u32::max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    fn random(rng: &mut Rng, n: usize) -> Vec<f32> {
        (0..n).map(|_| rng.normal()).collect()
    }

    fn random_layer(rng: &mut Rng, inputs: usize, outputs: usize) -> QuantisedLinear {
        let weight = (0..inputs * outputs).map(|_| rng.below(255) as i16 as i8).map(|w| w.max(-127)).collect();
        let (scale, bias) = (random(rng, outputs), random(rng, outputs));
        QuantisedLinear::from_parts(inputs, weight, scale, bias).expect("the lengths fit")
    }

    /// The definition, in 64-bit integers and f64: the rounding of a row, then the sum.
    fn naive(layer: &QuantisedLinear, x: &[f32]) -> Vec<f32> {
        let limit = 2_f32.powi(100);
        let x: Vec<f32> = x.iter().map(|x| if x.is_nan() { 0.0 } else { x.clamp(-limit, limit) }).collect();
        let largest = x.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        let exponent = if largest < 2_f32.powi(-100) { -100 } else { f64::from(largest).log2().floor() as i32 };
        let unit = 2_f64.powi(exponent + 1 - layer.input_bits as i32);
        let x: Vec<i64> = x.iter().map(|&x| (f64::from(x) / unit).round_ties_even() as i64).collect();
        let mut y = Vec::new();
        for (o, weight) in layer.weight().chunks_exact(layer.inputs().max(1)).enumerate() {
            let sum: i64 = x.iter().zip(weight).map(|(&x, &w)| x * i64::from(w)).sum();
            assert!(i32::try_from(sum).is_ok(), "{sum} leaves 32 bits");
            y.push(sum as f32 * unit as f32 * layer.scale()[o] + layer.bias()[o]);
        }
        y
    }

    #[test]
    fn forward_is_the_definition_bit_for_bit() -> Result<()> {
        let mut rng = Rng::seeded(1);
        // One buffer for all: what an earlier, larger batch left in it must not show.
        let mut buffer = QuantisedRows::new();
        for (rows, inputs, outputs) in
            [(9, 400, 7), (1, 1, 1), (4, 8, 3), (5, 17, 4), (7, 64, 10), (2, 1033, 5), (3, 7, 2)]
        {
            let layer = random_layer(&mut rng, inputs, outputs);
            let x = random(&mut rng, rows * inputs);
            let mut y = vec![0.0; rows * outputs];
            layer.forward(&mut buffer, &x, &mut y)?;
            let expected: Vec<f32> = x.chunks(inputs).flat_map(|x| naive(&layer, x)).collect();
            assert_eq!(y, expected, "{rows} rows, {inputs} → {outputs}");
        }
        Ok(())
    }

    #[test]
    fn a_row_alone_has_the_bits_it_has_in_a_batch() -> Result<()> {
        let mut rng = Rng::seeded(2);
        let layer = random_layer(&mut rng, 50, 11);
        let x: Vec<f32> = (0..6 * 50).map(|i| rng.normal() * 10_f32.powi(i / 50)).collect();
        let (mut buffer, mut batch) = (QuantisedRows::new(), vec![0.0; 6 * 11]);
        layer.forward(&mut buffer, &x, &mut batch)?;
        for (x, expected) in x.chunks(50).zip(batch.chunks(11)) {
            let mut row = [0.0; 11];
            layer.forward(&mut buffer, x, &mut row)?;
            assert_eq!(row, expected);
        }
        Ok(())
    }

    #[test]
    fn extreme_rows_follow_the_definition() -> Result<()> {
        let mut rng = Rng::seeded(3);
        let layer = random_layer(&mut rng, 9, 4);
        let mut row = |value: f32| {
            let mut x = random(&mut rng, 9);
            x[3] = value;
            x
        };
        let mut rows =
            [f32::NAN, f32::INFINITY, f32::MIN, 1.999_999_9, 2_f32.powi(100), -2_f32.powi(101)].map(&mut row).to_vec();
        rows.extend([vec![0.0; 9], vec![-0.0; 9], vec![f32::from_bits(1); 9], vec![2_f32.powi(-100); 9]]);
        rows.push(vec![f32::MIN_POSITIVE, -1e-35, 3e-33, 0.0, 2_f32.powi(-99), 0.0, 0.0, 1e-31, -1e-31]);
        for x in rows {
            let mut y = [0.0; 4];
            layer.forward(&mut QuantisedRows::new(), &x, &mut y)?;
            assert_eq!(y.to_vec(), naive(&layer, &x), "{x:?}");
        }
        Ok(())
    }

    #[test]
    fn the_largest_sum_fits_32_bits() -> Result<()> {
        for inputs in [1, 512, 513, 1024, 1025, 4096] {
            // Rounds up to the full 2^bits.
            let x = vec![1.999_999_9_f32; inputs];
            let layer = QuantisedLinear::from_parts(inputs, vec![127; inputs], vec![1.0], vec![0.0])?;
            let mut y = [0.0];
            layer.forward(&mut QuantisedRows::new(), &x, &mut y)?;
            assert_eq!(y.to_vec(), naive(&layer, &x), "{inputs}");
            assert!((y[0] / (254.0 * inputs as f32) - 1.0).abs() < 1e-3, "{inputs}: {}", y[0]);
        }
        Ok(())
    }

    #[test]
    fn quantised_weights_are_within_half_a_step_and_the_largest_is_exact() -> Result<()> {
        let mut rng = Rng::seeded(4);
        let mut weight = random(&mut rng, 5 * 20);
        weight[20..40].fill(0.0);
        weight[40..60].fill(1e-44);
        let linear = Linear::from_parts(20, weight, vec![1.0; 5])?;
        let layer = QuantisedLinear::from_linear(&linear)?;
        for ((w, q), scale) in linear.weight().chunks(20).zip(layer.weight().chunks(20)).zip(layer.scale()) {
            for (w, &q) in w.iter().zip(q) {
                assert!((w - f32::from(q) * scale).abs() <= 0.5001 * scale.max(1e-37), "{w} as {q} · {scale}");
            }
            assert!(*scale == 0.0 || q.iter().any(|q| q.abs() == 127));
        }
        assert!(QuantisedLinear::from_linear(&Linear::from_parts(1, vec![f32::NAN], vec![0.0])?).is_err());
        Ok(())
    }

    #[test]
    fn outputs_are_near_those_of_the_layer_it_came_from() -> Result<()> {
        let mut rng = Rng::seeded(5);
        let linear = Linear::new(300, 20, &mut rng);
        let x = random(&mut rng, 300 * 8);
        let (mut exact, mut y) = (vec![0.0; 160], vec![0.0; 160]);
        linear.forward(&mut super::super::Gemm::new(), &x, &mut exact)?;
        QuantisedLinear::from_linear(&linear)?.forward(&mut QuantisedRows::new(), &x, &mut y)?;
        // A weight is off by a uniform error of scale ÷ √12, scale = 1 ÷ (√300 · 127): 300 of them give 0.0023.
        let square = y.iter().zip(&exact).map(|(y, e)| (y - e) * (y - e)).sum::<f32>() / 160.0;
        assert!(square.sqrt() < 0.003, "{}", square.sqrt());
        Ok(())
    }

    #[test]
    fn parameters_hold_four_weights_in_a_word() -> Result<()> {
        let mut rng = Rng::seeded(6);
        for (inputs, outputs) in [(5, 3), (8, 2)] {
            let layer = random_layer(&mut rng, inputs, outputs);
            let mut parameters = Parameters::new();
            layer.push_to(&mut parameters, "hidden");
            assert_eq!(parameters.count(), QuantisedLinear::count(inputs, outputs) as u64);
            let copy = QuantisedLinear::take_from(&mut parameters, "hidden", inputs, outputs)?;
            assert_eq!((copy.weight(), copy.scale(), copy.bias()), (layer.weight(), layer.scale(), layer.bias()));
        }
        Ok(())
    }

    #[test]
    fn wrong_lengths_and_minus_128_are_errors() {
        let parts = |weight: Vec<i8>| QuantisedLinear::from_parts(2, weight, vec![1.0], vec![0.0]);
        let layer = parts(vec![-127, 127]).expect("two weights");
        assert!(parts(vec![0]).is_err() && parts(vec![-128, 0]).is_err());
        assert!(QuantisedLinear::from_parts(2, vec![0; 2], vec![], vec![0.0]).is_err());
        let mut rows = QuantisedRows::new();
        assert!(layer.forward(&mut rows, &[0.0; 4], &mut [0.0; 2]).is_ok());
        assert!(layer.forward(&mut rows, &[0.0; 3], &mut [0.0; 2]).is_err());
    }
}
