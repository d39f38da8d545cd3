//! Depthwise convolution.

use super::layer::{Parameter, check_rows, grown};
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
        let (plane, _) = grown(plane, self.grid.padded_values() / channels * LANES).as_chunks_mut::<LANES>();
        let (weights, _) = grown(weights, self.weight.values.len() / channels * LANES).as_chunks_mut::<LANES>();
        // The padding: images and channels only ever overwrite what is inside.
        plane.fill([0.0; LANES]);
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

    /// Writes the channels of one vector of an image inside the padding of `plane`.
    fn fill_plane(&self, image: &[f32], channel: usize, plane: &mut [Lanes]) {
        let Image { width, channels, .. } = self.grid.image;
        let padding = self.grid.window.padding;
        let rows = plane.chunks_exact_mut(width + 2 * padding).skip(padding);
        for (row, pixels) in rows.zip(image.chunks_exact(width * channels)) {
            take_channels(pixels, channels, channel, &mut row[padding..]);
        }
    }

    /// Writes the channels of one vector.
    fn convolve(&self, plane: &[Lanes], filter: &Filter<'_>, y: &mut [f32]) {
        let Grid { window: Window { kernel, stride, padding }, width, .. } = self.grid;
        let row = self.grid.image.width + 2 * padding;
        for (y, top) in y.chunks_exact_mut(width * filter.channels).zip((0..).step_by(stride)) {
            let rows = &plane[top * row..][..kernel * row];
            let fours = if stride == 1 { width / 4 * 4 } else { 0 };
            let (y4, y1) = y.split_at_mut(fours * filter.channels);
            match kernel {
                3 => {
                    places::<3, 6, 4>(rows, row, 4, filter, y4);
                    places::<3, 3, 1>(&rows[fours..], row, stride, filter, y1);
                }
                5 => {
                    places::<5, 8, 4>(rows, row, 4, filter, y4);
                    places::<5, 5, 1>(&rows[fours..], row, stride, filter, y1);
                }
                _ => places_of_any_kernel(rows, row, stride, filter, y),
            }
        }
    }
}

/// Channels of a vector. Where an image has no multiple of these, the last vector works on zeros besides.
const LANES: usize = 4;

type Lanes = [f32; LANES];

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
    fn write(&self, sums: &Lanes, y: &mut [f32]) {
        let y = &mut y[self.channel..];
        match y.first_chunk_mut::<LANES>() {
            Some(y) => *y = *sums,
            None => y.iter_mut().zip(sums).for_each(|(y, &sum)| *y = sum),
        }
    }
}

/// Convolves along one row of places, `P` neighbours at a time that share what they see: `W` = `P` + `K` − 1 pixels in each of
/// `K` rows. Groups are `step` pixels apart.
fn places<const K: usize, const W: usize, const P: usize>(
    rows: &[Lanes],
    row: usize,
    step: usize,
    filter: &Filter<'_>,
    y: &mut [f32],
) {
    let weights: [[Lanes; K]; K] = std::array::from_fn(|r| std::array::from_fn(|c| filter.weights[r * K + c]));
    let mut windows: [_; K] = std::array::from_fn(|r| rows[r * row..].array_windows::<W>().step_by(step));
    for y in y.chunks_exact_mut(P * filter.channels) {
        let mut sums = [filter.bias; P];
        for (windows, weights) in windows.iter_mut().zip(&weights) {
            let Some(pixels) = windows.next() else { return };
            for (place, sums) in sums.iter_mut().enumerate() {
                for (x, w) in pixels[place..].iter().zip(weights) {
                    for lane in 0..LANES {
                        sums[lane] += x[lane] * w[lane];
                    }
                }
            }
        }
        for (y, sums) in y.chunks_exact_mut(filter.channels).zip(&sums) {
            filter.write(sums, y);
        }
    }
}

/// The same for a kernel that is known only now.
fn places_of_any_kernel(rows: &[Lanes], row: usize, step: usize, filter: &Filter<'_>, y: &mut [f32]) {
    for (y, left) in y.chunks_exact_mut(filter.channels).zip((0..).step_by(step)) {
        let mut sums = filter.bias;
        for (pixels, weights) in rows.chunks_exact(row).zip(filter.weights.chunks_exact(rows.len() / row)) {
            for (x, w) in pixels[left..].iter().zip(weights) {
                for lane in 0..LANES {
                    sums[lane] += x[lane] * w[lane];
                }
            }
        }
        filter.write(&sums, y);
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

    const SHAPES: [(Image, Window); 4] = [
        (Image { height: 4, width: 9, channels: 1 }, Window { kernel: 3, stride: 1, padding: 1 }),
        (Image { height: 5, width: 4, channels: 6 }, Window { kernel: 3, stride: 2, padding: 1 }),
        (Image { height: 5, width: 5, channels: 4 }, Window { kernel: 5, stride: 1, padding: 2 }),
        (Image { height: 4, width: 4, channels: 5 }, Window { kernel: 2, stride: 2, padding: 0 }),
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
