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
        let padded = grown(&mut workspace.scratch[0], self.grid.padded_values());
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
            let x = self.grid.pad(x, padded);
            let mut channel = 0;
            while channel < channels {
                channel += match (channels - channel, self.grid.window.kernel) {
                    (4.., 3) => self.vector::<4, 3>(channel, x, y),
                    (4.., 5) => self.vector::<4, 5>(channel, x, y),
                    (4.., _) => self.vector::<4, 0>(channel, x, y),
                    _ => self.vector::<1, 0>(channel, x, y),
                };
            }
        }
        Ok(())
    }

    /// Writes the channels `channel..channel + N` of an image; returns N. `K` is the kernel where it is known, else 0.
    fn vector<const N: usize, const K: usize>(&self, channel: usize, padded: &[f32], y: &mut [f32]) -> usize {
        let (kernel, channels) = (if K > 0 { K } else { self.grid.window.kernel }, self.grid.image.channels);
        let bias: [f32; N] = std::array::from_fn(|lane| self.bias.values[channel + lane]);
        let weight = &self.weight.values[channel..];
        let rows = y.chunks_exact_mut(self.grid.width * channels).zip((0..).step_by(self.grid.window.stride));
        for (y, top) in rows {
            let padded = &padded[top * self.grid.padded_row() + channel..];
            for (y, left) in y.chunks_exact_mut(channels).zip((0..).step_by(self.grid.step())) {
                let mut sums = bias;
                for row in 0..kernel {
                    let pixels = padded[left + row * self.grid.padded_row()..].chunks(channels);
                    for (x, w) in pixels.zip(weight[row * kernel * channels..].chunks(channels)).take(kernel) {
                        if let (Some(x), Some(w)) = (x.first_chunk::<N>(), w.first_chunk::<N>()) {
                            for lane in 0..N {
                                sums[lane] += x[lane] * w[lane];
                            }
                        }
                    }
                }
                if let Some(y) = y[channel..].first_chunk_mut::<N>() {
                    *y = sums;
                }
            }
        }
        N
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
            let x = grid.pad(x, padded);
            by_padded.fill(0.0);
            for (dy, pixels) in dy.chunks_exact(channels).zip(grid.pixels()) {
                super::lanes::add(by_bias, dy);
                let filters = weight.chunks_exact(channels).zip(by_weight.chunks_exact_mut(channels));
                for (at, (weight, by_weight)) in pixels.zip(filters) {
                    multiply_add(by_weight, dy, &x[at..][..channels]);
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
        (Image { height: 4, width: 5, channels: 1 }, Window { kernel: 3, stride: 1, padding: 1 }),
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
