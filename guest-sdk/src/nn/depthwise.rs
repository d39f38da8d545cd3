//! Depthwise convolution.

use super::layer::{Parameter, check_rows, grown};
use super::vector::Vector;
use super::window::{Grid, check_image};
use super::{Activation, Affine, Image, Init, Layer, Slot, Visitor, Window, Workspace, check_len};
use crate::{Result, Rng};

/// A convolution of every channel with a filter of its own, and an activation: `torch.nn.Conv2d` with as many groups as channels.
/// With a [`Conv2d`](super::Conv2d) of 1 × 1 behind it, it mixes space and channels for a fraction of a full convolution.
///
/// The weight is kernel × kernel × channels, channels running fastest as in an [`Image`]: vectors go across channels, so their
/// number should be a multiple of 4. Sums start from the bias and go over the kernel in order, multiplied and added separately.
#[derive(Debug, Clone)]
pub struct DepthwiseConv2d {
    grid: Grid,
    weight: Parameter,
    bias: Parameter,
    activation: Activation,
    /// Before the activation, of the batch in training, where its derivative looks at that.
    before: Vec<f32>,
}

impl DepthwiseConv2d {
    /// A layer of zeros, to be initialised or loaded.
    ///
    /// # Errors
    /// The window has no place on the image.
    pub fn new(image: Image, window: Window, activation: Activation) -> Result<Self> {
        let grid = Grid::new(image, window)?;
        let weight = Parameter::new(vec![0.0; window.kernel * window.kernel * image.channels]);
        let bias = Parameter::new(vec![0.0; image.channels]);
        Ok(Self { grid, weight, bias, activation, before: Vec::new() })
    }

    /// The images that come out.
    pub fn output(&self) -> Image {
        self.grid.output(self.grid.image.channels)
    }

    /// Sums, before the activation.
    fn sums(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let (inputs, outputs, channels) = (self.grid.image.values(), self.output().values(), self.grid.image.channels);
        check_rows(x, inputs, y, outputs)?;
        let [plane, weights, _] = workspace.scratch.each_mut();
        let rows = self.grid.image.height + 2 * self.grid.window.padding;
        let (plane, _) = grown(plane, rows * self.pitch() * PIXELS * LANES).as_chunks_mut::<LANES>();
        let (plane, _) = plane.as_chunks_mut::<PIXELS>();
        let (weights, _) = grown(weights, self.weight.values.len() / channels * LANES).as_chunks_mut::<LANES>();
        // The padding: images and channels only ever overwrite what is inside.
        plane.fill([[0.0; LANES]; PIXELS]);
        for channel in (0..channels).step_by(LANES) {
            take_channels(&self.weight.values, channels, channel, weights);
            let mut bias = [[0.0; LANES]];
            take_channels(&self.bias.values, channels, channel, &mut bias);
            let filter = Filter { weights, bias: bias[0], channels, channel };
            for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
                self.fill_plane(x, channel, plane);
                self.convolve(plane, &filter, y);
            }
        }
        Ok(())
    }

    /// Pixels from one row of a plane to the next, in groups.
    fn pitch(&self) -> usize {
        (self.grid.image.width + 2 * self.grid.window.padding).div_ceil(PIXELS)
    }

    /// Writes the channels of one vector of an image inside the padding of `plane`.
    fn fill_plane(&self, image: &[f32], channel: usize, plane: &mut [Pixels]) {
        let Image { width, channels, .. } = self.grid.image;
        let padding = self.grid.window.padding;
        let rows = plane.chunks_exact_mut(self.pitch()).skip(padding);
        for (row, pixels) in rows.zip(image.chunks_exact(width * channels)) {
            take_channels(pixels, channels, channel, &mut row.as_flattened_mut()[padding..]);
        }
    }

    /// Writes the channels of one vector.
    fn convolve(&self, plane: &[Pixels], filter: &Filter<'_>, y: &mut [f32]) {
        match self.grid.window.kernel {
            3 => self.convolve_by::<3>(plane, filter, y),
            5 => self.convolve_by::<5>(plane, filter, y),
            _ => self.convolve_by_any(plane, filter, y),
        }
    }

    /// For a kernel of 3 or 5, whose windows at four places end within the next group of pixels. Places go by eight where they
    /// can, two rows of four: together they load a third of what they would one by one. The weights are loaded once for all.
    #[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
    fn convolve_by<const K: usize>(&self, mut plane: &[Pixels], filter: &Filter<'_>, y: &mut [f32]) {
        let Grid { window: Window { stride, .. }, width, .. } = self.grid;
        let (pitch, channels) = (self.pitch(), filter.channels);
        let mut weights = [[Vector::new([0.0; LANES]); K]; K];
        for (to, &from) in weights.as_flattened_mut().iter_mut().zip(filter.weights) {
            *to = Vector::new(from);
        }
        let bias = Vector::new(filter.bias);
        let fours = if stride == 1 { width / PIXELS } else { 0 };
        for y in y.chunks_mut(2 * width * channels) {
            // The row below is missing where their number is odd.
            let (y, below) = y.split_at_mut(width * channels);
            let fours = if below.is_empty() { 0 } else { fours };
            if fours > 0 {
                // One group more than is written, for what the last places see on their right.
                let rows: [_; K] = std::array::from_fn(|r| &plane[r * pitch..][..fours + 1]);
                let rows_below: [_; K] = std::array::from_fn(|r| &plane[(r + 1) * pitch..][..fours + 1]);
                let y = y.chunks_exact_mut(PIXELS * channels).zip(below.chunks_exact_mut(PIXELS * channels));
                for (at, (y, y_below)) in (0..fours).zip(y) {
                    // All before any is written: then the compiler loads once what several see.
                    let [sums, sums_below] = eight_places([&rows, &rows_below], at, &weights, bias);
                    filter.write_four(sums, y);
                    filter.write_four(sums_below, y_below);
                }
            }
            let done = fours * PIXELS;
            if done < width {
                for (row, y) in [y, below].into_iter().enumerate() {
                    let places = y.chunks_exact_mut(channels).zip((0..).step_by(stride)).skip(done);
                    for (y, left) in places {
                        filter.write(&place(&plane[row * stride * pitch..], pitch, left, &weights, bias).values(), y);
                    }
                }
            }
            plane = plane.get(2 * stride * pitch..).unwrap_or_default();
        }
    }

    /// For a kernel that is known only now.
    fn convolve_by_any(&self, plane: &[Pixels], filter: &Filter<'_>, y: &mut [f32]) {
        let Grid { window: Window { kernel, stride, .. }, width, .. } = self.grid;
        let row = self.pitch() * PIXELS;
        for (y, top) in y.chunks_exact_mut(width * filter.channels).zip((0..).step_by(stride)) {
            let rows = &plane.as_flattened()[top * row..][..kernel * row];
            for (y, left) in y.chunks_exact_mut(filter.channels).zip((0..).step_by(stride)) {
                let mut sums = filter.bias;
                for (pixels, weights) in rows.chunks_exact(row).zip(filter.weights.chunks_exact(kernel)) {
                    add_products(&mut sums, &pixels[left..], weights);
                }
                filter.write(&sums, y);
            }
        }
    }
}

/// Channels of a vector. Where an image has no multiple of these, the last vector works on zeros besides.
const LANES: usize = 4;

type Lanes = [f32; LANES];

/// Pixels that lie together in a plane: what is known to be there needs no check.
const PIXELS: usize = 4;

type Pixels = [Lanes; PIXELS];

/// Writes `LANES` channels of every pixel, from `channel` on, zeros where there are fewer.
fn take_channels(pixels: &[f32], channels: usize, channel: usize, lanes: &mut [Lanes]) {
    for (lanes, pixel) in lanes.iter_mut().zip(pixels.chunks_exact(channels)) {
        let pixel = &pixel[channel..];
        match pixel.first_chunk::<LANES>() {
            Some(four) => *lanes = *four,
            None => *lanes = std::array::from_fn(|lane| pixel.get(lane).copied().unwrap_or(0.0)),
        }
    }
}

/// What is applied to one vector of channels.
struct Filter<'a> {
    /// Kernel × kernel.
    weights: &'a [Lanes],
    bias: Lanes,
    /// Channels of the image, and the first of this vector.
    channels: usize,
    channel: usize,
}

impl Filter<'_> {
    /// Writes as many lanes as the pixel `y` has channels left.
    #[inline(always)]
    fn write(&self, sums: &Lanes, y: &mut [f32]) {
        let y = &mut y[self.channel..];
        match y.first_chunk_mut::<LANES>() {
            Some(y) => *y = *sums,
            None => {
                let [first, second, third, _] = *sums;
                write_some([first, second, third], y);
            }
        }
    }

    /// Writes to four pixels. One by one: of a loop over them the compiler may make one over sums in memory.
    #[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
    #[inline]
    fn write_four(&self, [first, second, third, fourth]: [Vector; PIXELS], y: &mut [f32]) {
        let (y1, y) = y.split_at_mut(self.channels);
        let (y2, y) = y.split_at_mut(self.channels);
        let (y3, y4) = y.split_at_mut(self.channels);
        self.write(&first.values(), y1);
        self.write(&second.values(), y2);
        self.write(&third.values(), y3);
        self.write(&fourth.values(), y4);
    }
}

// Out of line: the sums, whose address this takes, would be in memory wherever they are written.
#[cold]
#[inline(never)]
fn write_some(sums: [f32; LANES - 1], y: &mut [f32]) {
    y.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum);
}

/// The sums of four places side by side, the first at the left of group `at`, and of the four below them. Kernel row by kernel
/// row and in no loop over them: the compiler might leave a loop as one, with the sums in memory.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
#[inline]
fn eight_places<const K: usize>(
    [rows, below]: [&[&[Pixels]; K]; 2],
    at: usize,
    weights: &[[Vector; K]; K],
    bias: Vector,
) -> [[Vector; PIXELS]; 2] {
    let mut sums = [[bias; PIXELS]; 2];
    for (sums, rows) in sums.iter_mut().zip([rows, below]) {
        add_row(sums, rows[0], at, &weights[0]);
        add_row(sums, rows[1], at, &weights[1]);
        add_row(sums, rows[2], at, &weights[2]);
        if K == 5 {
            add_row(sums, rows[3], at, &weights[3]);
            add_row(sums, rows[4], at, &weights[4]);
        }
    }
    sums
}

#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
#[inline]
fn add_row<const K: usize>(sums: &mut [Vector; PIXELS], row: &[Pixels], at: usize, weights: &[Vector; K]) {
    let pixels = [row[at], row[at + 1]];
    for (place, sum) in sums.iter_mut().enumerate() {
        for (x, &w) in pixels.as_flattened()[place..].iter().zip(weights) {
            *sum = sum.plus_product(Vector::new(*x), w);
        }
    }
}

/// The sums of the place whose window begins at pixel `left` of the first row of `plane`.
#[cfg_attr(target_family = "wasm", target_feature(enable = "simd128"))]
#[inline]
fn place<const K: usize>(
    plane: &[Pixels],
    pitch: usize,
    left: usize,
    weights: &[[Vector; K]; K],
    mut sum: Vector,
) -> Vector {
    for (row, weights) in plane.chunks_exact(pitch).zip(weights) {
        let Some(pixels) = row.as_flattened()[left..].first_chunk::<K>() else { break };
        for (x, &w) in pixels.iter().zip(weights) {
            sum = sum.plus_product(Vector::new(*x), w);
        }
    }
    sum
}

/// Σ pixel · weight of one row of a window.
#[inline(always)]
fn add_products(sums: &mut Lanes, pixels: &[Lanes], weights: &[Lanes]) {
    for (x, w) in pixels.iter().zip(weights) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * w[lane];
        }
    }
}

impl Layer for DepthwiseConv2d {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        check_image(inputs, self.grid.image, self.output())
    }

    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.sums(workspace, x, y)?;
        self.activation.apply(y);
        Ok(())
    }

    fn train(&mut self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.sums(workspace, x, y)?;
        if self.activation.needs_input() {
            self.before.clear();
            self.before.extend_from_slice(y);
        }
        self.activation.apply(y);
        Ok(())
    }

    fn backward(
        &mut self,
        workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        mut dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let (inputs, outputs, channels) = (self.grid.image.values(), self.output().values(), self.grid.image.channels);
        check_rows(x, inputs, dy, outputs)?;
        if let Some(dx) = &dx {
            check_len("dx", dx, x.len())?;
        }
        self.activation.backward(&self.before, y, dy)?;
        let Self { grid, weight, bias, .. } = self;
        let ((weight, by_weight), (_, by_bias)) = (weight.cleared(), bias.cleared());
        let [padded, by_padded, _] = workspace.scratch.each_mut();
        let (padded, by_padded) = (grown(padded, grid.padded_values()), grown(by_padded, grid.padded_values()));
        for (index, (x, dy)) in x.chunks_exact(inputs).zip(dy.chunks_exact(outputs)).enumerate() {
            grid.pad(x, padded);
            by_padded.fill(0.0);
            for (dy, pixels) in dy.chunks_exact(channels).zip(grid.pixels()) {
                super::lanes::add(by_bias, dy);
                let filters = weight.chunks_exact(channels).zip(by_weight.chunks_exact_mut(channels));
                for (at, (weight, by_weight)) in pixels.zip(filters) {
                    multiply_add(by_weight, dy, &padded[at..][..channels]);
                    multiply_add(&mut by_padded[at..][..channels], dy, weight);
                }
            }
            if let Some(dx) = &mut dx {
                grid.crop(by_padded, &mut dx[index * inputs..][..inputs]);
            }
        }
        Ok(())
    }

    fn initialise(&mut self, init: Init, rng: &mut Rng) {
        let area = self.grid.window.kernel * self.grid.window.kernel;
        init.fill(&mut self.weight.values, &mut self.bias.values, area, area * self.grid.image.channels, rng);
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        let Grid { image: Image { channels, .. }, window: Window { kernel, .. }, .. } = self.grid;
        visit("weight", &[kernel, kernel, channels], &self.weight.values);
        visit("bias", &[channels], &self.bias.values);
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        visit(self.weight.slot());
        visit(self.bias.slot());
    }

    fn absorb(&mut self, affine: &Affine) -> bool {
        let channels = self.bias.values.len();
        if self.activation != Activation::Identity || affine.scale.len() != channels || affine.shift.len() != channels {
            return false;
        }
        for tap in self.weight.values.chunks_exact_mut(channels) {
            tap.iter_mut().zip(&affine.scale).for_each(|(w, scale)| *w *= scale);
        }
        for ((b, scale), shift) in self.bias.values.iter_mut().zip(&affine.scale).zip(&affine.shift) {
            *b = scale * *b + shift;
        }
        true
    }
}

/// z += x · y in place, of slices of the same length.
fn multiply_add(z: &mut [f32], x: &[f32], y: &[f32]) {
    for ((z, &x), &y) in z.iter_mut().zip(x).zip(y) {
        *z += x * y;
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const SHAPES: [(Image, Window); 6] = [
        (Image { height: 4, width: 9, channels: 1 }, Window { kernel: 3, stride: 1, padding: 1 }),
        (Image { height: 5, width: 4, channels: 6 }, Window { kernel: 3, stride: 2, padding: 1 }),
        (Image { height: 5, width: 5, channels: 4 }, Window { kernel: 5, stride: 1, padding: 2 }),
        (Image { height: 4, width: 4, channels: 5 }, Window { kernel: 2, stride: 2, padding: 0 }),
        (Image { height: 7, width: 11, channels: 8 }, Window { kernel: 3, stride: 1, padding: 0 }),
        (Image { height: 6, width: 8, channels: 7 }, Window { kernel: 5, stride: 1, padding: 1 }),
    ];

    /// The definition: each channel by itself, bias first, then the kernel in order.
    fn naive(layer: &DepthwiseConv2d, x: &[f32]) -> Vec<f32> {
        let Grid { image: Image { height, width, channels }, window: Window { kernel, stride, padding }, .. } =
            layer.grid;
        let mut y = Vec::new();
        for image in x.chunks(height * width * channels) {
            for at in 0..layer.output().values() {
                let (place, channel) = (at / channels, at % channels);
                let (row, column) = (place / layer.grid.width * stride, place % layer.grid.width * stride);
                let sum = (0..kernel * kernel).fold(layer.bias.values[channel], |sum, i| {
                    let (r, c) = (row + i / kernel, column + i % kernel);
                    let inside = (padding..padding + height).contains(&r) && (padding..padding + width).contains(&c);
                    let x =
                        if inside { image[((r - padding) * width + c - padding) * channels + channel] } else { 0.0 };
                    sum + x * layer.weight.values[i * channels + channel]
                });
                y.push(sum);
            }
        }
        y
    }

    #[test]
    fn is_the_definition_bit_for_bit() -> Result<()> {
        for (image, window) in SHAPES {
            let mut rng = Rng::seeded(1);
            let mut layer = DepthwiseConv2d::new(image, window, Activation::Identity)?;
            layer.initialise(Init::Default, &mut rng);
            let x = check::draw(&mut rng, 2 * image.values());
            let mut y = vec![f32::NAN; 2 * layer.output().values()];
            layer.forward(&mut Workspace::default(), &x, &mut y)?;
            assert_eq!(y, naive(&layer, &x), "{image:?} {window:?}");
        }
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        for (index, (image, window)) in SHAPES.into_iter().enumerate() {
            let activation = [Activation::Identity, Activation::Silu][index % 2];
            check::layer(&mut DepthwiseConv2d::new(image, window, activation)?, image.values(), 2)?;
        }
        Ok(())
    }

    #[test]
    fn absorbs_an_affine_map() -> Result<()> {
        let (image, window) = SHAPES[1];
        let mut rng = Rng::seeded(1);
        let mut layer = DepthwiseConv2d::new(image, window, Activation::Identity)?;
        layer.initialise(Init::Default, &mut rng);
        let affine = Affine { scale: check::draw(&mut rng, 6), shift: check::draw(&mut rng, 6) };
        let x = check::draw(&mut rng, image.values());
        let (mut workspace, n) = (Workspace::default(), layer.output().values());
        let (mut before, mut after) = (vec![0.0; n], vec![0.0; n]);
        layer.forward(&mut workspace, &x, &mut before)?;
        assert!(layer.absorb(&affine));
        layer.forward(&mut workspace, &x, &mut after)?;
        for (i, (before, after)) in before.iter().zip(after).enumerate() {
            let expected = before * affine.scale[i % 6] + affine.shift[i % 6];
            assert!((after - expected).abs() < 1e-5, "{after}, expected {expected}");
        }
        assert!(!layer.absorb(&Affine { scale: vec![1.0; 5], shift: vec![0.0; 5] }));
        Ok(())
    }
}
