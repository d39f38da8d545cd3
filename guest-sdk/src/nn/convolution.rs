//! Convolution.

use super::dense::Trainable;
use super::layer::{check_rows, grown};
use super::window::{Grid, check_image};
use super::{Activation, Affine, Image, Init, Layer, Linear, Slot, Visitor, Window, Workspace, check_len};
use crate::{Result, Rng};

/// Values of unrolled patches at a time, 1 MiB: enough rows that packing the filters for each block does not show.
const BLOCK: usize = 1 << 18;

/// A convolution of images with its activation (`torch.nn.Conv2d`: filters are not flipped). Each place of the window is a row
/// of kernel × kernel × channels values, and the layer a [`Linear`] over these rows, so its cost is that of the product: 2 FLOPs
/// per multiply-add and a few per cent for unrolling.
///
/// Images are height × width × channels ([`Image`]). The weight is filters × kernel × kernel × channels; PyTorch's, with channels
/// before the kernel, has to be permuted.
///
/// ```
/// use thimble_sdk::nn::{Activation, Conv2d, Dense, Image, Pool2d, Sequential, Window};
/// # fn main() -> thimble_sdk::Result<()> {
/// let digits = Image { height: 8, width: 8, channels: 1 };
/// let convolution = Conv2d::new(digits, 16, Window { kernel: 3, stride: 1, padding: 1 }, Activation::Relu)?;
/// let pool = Pool2d::max(convolution.output(), 2, 2)?;
/// let dense = Dense::new(pool.output().values(), 10, Activation::Identity);
/// let network = Sequential::new(64, vec![Box::new(convolution), Box::new(pool), Box::new(dense)])?;
/// assert_eq!(network.parameters().count(), 16 * 9 + 16 + 10 * 4 * 4 * 16 + 10);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Conv2d {
    grid: Grid,
    product: Trainable,
    activation: Activation,
    /// Before the activation, of the batch in training, where its derivative looks at that.
    before: Vec<f32>,
}

impl Conv2d {
    /// `filters` filters of zeros, to be initialised or loaded.
    ///
    /// # Errors
    /// The window has no place on the image.
    pub fn new(image: Image, filters: usize, window: Window, activation: Activation) -> Result<Self> {
        let grid = Grid::new(image, window)?;
        let product = Trainable::new(Linear::zeros(window.kernel * window.kernel * image.channels, filters));
        Ok(Self { grid, product, activation, before: Vec::new() })
    }

    /// The images that come out, with one channel per filter.
    pub fn output(&self) -> Image {
        self.grid.output(self.product.linear.outputs())
    }

    /// The filters, a row each of kernel × kernel × channels values.
    pub fn linear(&self) -> &Linear {
        &self.product.linear
    }

    /// Whether the images are their own patches, unrolled.
    fn is_pointwise(&self) -> bool {
        self.grid.window == Window { kernel: 1, stride: 1, padding: 0 }
    }

    /// Values of the patches of an image.
    fn patches(&self) -> usize {
        self.grid.places() * self.linear().inputs()
    }

    /// Images in a block.
    fn block(&self) -> usize {
        (BLOCK / self.patches().max(1)).max(1)
    }

    /// Linear outputs, before the activation.
    fn product(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let (inputs, outputs) = (self.grid.image.values(), self.output().values());
        check_rows(x, inputs, y, outputs)?;
        let Workspace { gemm, scratch: [patches, padded, _] } = workspace;
        if self.is_pointwise() {
            return self.linear().forward(gemm, x, y);
        }
        let blocks = x.chunks(self.block() * inputs).zip(y.chunks_mut(self.block() * outputs.max(1)));
        for (x, y) in blocks {
            self.linear().forward(gemm, self.unroll(x, patches, padded), y)?;
        }
        Ok(())
    }

    /// The patches of images, one per row.
    fn unroll<'a>(&self, images: &[f32], patches: &'a mut Vec<f32>, padded: &mut Vec<f32>) -> &'a [f32] {
        let (grid, inputs) = (&self.grid, self.grid.image.values());
        let patches = grown(patches, images.len() / inputs * self.patches());
        let padded = grown(padded, grid.padded_values());
        for (image, patches) in images.chunks_exact(inputs).zip(patches.chunks_exact_mut(self.patches())) {
            grid.pad(image, padded);
            gather(grid, padded, patches);
        }
        patches
    }
}

/// Copies each place of `grid` on a padded image to a row of `patches`, line by line. A call that copies a short line costs more
/// than its bytes: those go four values at a time down all places of a row of pixels.
fn gather(grid: &Grid, padded: &[f32], patches: &mut [f32]) {
    const LONG: usize = 16;
    let (line, patch) = (grid.window.kernel * grid.image.channels, patches.len() / grid.places());
    for (y, patches) in patches.chunks_exact_mut(grid.width * patch).enumerate() {
        for kernel_row in 0..grid.window.kernel {
            let from = &padded[(y * grid.window.stride + kernel_row) * grid.padded_row()..][..grid.padded_row()];
            let to = &mut patches[kernel_row * line..];
            if line >= LONG {
                for (to, from) in to.chunks_mut(patch).zip(from.windows(line).step_by(grid.step())) {
                    to[..line].copy_from_slice(from);
                }
                continue;
            }
            let fours = line / 4 * 4;
            for at in (0..fours).step_by(4) {
                lift::<4>(&from[at..], grid.step(), &mut to[at..], patch);
            }
            for at in fours..line {
                lift::<1>(&from[at..], grid.step(), &mut to[at..], patch);
            }
        }
    }
}

/// Copies `N` values from every `step` of `from` to every `patch` of `to`.
fn lift<const N: usize>(from: &[f32], step: usize, to: &mut [f32], patch: usize) {
    for (to, from) in to.chunks_mut(patch).zip(from.array_windows::<N>().step_by(step)) {
        if let Some(to) = to.first_chunk_mut::<N>() {
            *to = *from;
        }
    }
}

/// Adds each row of `patches` to its place on a padded image: [`gather`] backwards.
fn scatter(grid: &Grid, patches: &[f32], padded: &mut [f32]) {
    let (line, patch) = (grid.window.kernel * grid.image.channels, patches.len() / grid.places());
    for (y, patches) in patches.chunks_exact(grid.width * patch).enumerate() {
        for (x, patch) in patches.chunks_exact(patch).enumerate() {
            for (kernel_row, from) in patch.chunks_exact(line).enumerate() {
                let start = (y * grid.window.stride + kernel_row) * grid.padded_row() + x * grid.step();
                super::lanes::add(&mut padded[start..][..line], from);
            }
        }
    }
}

impl Layer for Conv2d {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        check_image(inputs, self.grid.image, self.output())
    }

    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.product(workspace, x, y)?;
        self.activation.apply(y);
        Ok(())
    }

    fn train(&mut self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.product(workspace, x, y)?;
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
        let (inputs, outputs) = (self.grid.image.values(), self.output().values());
        check_rows(x, inputs, dy, outputs)?;
        if let Some(dx) = &dx {
            check_len("dx", dx, x.len())?;
        }
        self.activation.backward(&self.before, y, dy)?;
        self.product.clear_gradients();
        let Workspace { gemm, scratch: [patches, padded, by_patches] } = workspace;
        if self.is_pointwise() {
            self.product.backward(gemm, x, dy)?;
            return dx.map_or(Ok(()), |dx| self.linear().backward_input(gemm, dy, dx));
        }
        let block = self.block();
        for (index, (x, dy)) in x.chunks(block * inputs).zip(dy.chunks(block * outputs.max(1))).enumerate() {
            let unrolled = self.unroll(x, patches, padded);
            self.product.backward(gemm, unrolled, dy)?;
            let Some(dx) = &mut dx else { continue };
            let by_patches = grown(by_patches, unrolled.len());
            self.linear().backward_input(gemm, dy, by_patches)?;
            let padded = grown(padded, self.grid.padded_values());
            let dx = &mut dx[index * block * inputs..][..x.len()];
            for (patches, dx) in by_patches.chunks_exact(self.patches()).zip(dx.chunks_exact_mut(inputs)) {
                padded.fill(0.0);
                scatter(&self.grid, patches, padded);
                self.grid.crop(padded, dx);
            }
        }
        Ok(())
    }

    fn initialise(&mut self, init: Init, rng: &mut Rng) {
        let (fan_in, area) = (self.linear().inputs(), self.grid.window.kernel * self.grid.window.kernel);
        let fan_out = self.linear().outputs() * area;
        self.product.initialise(init, fan_in, fan_out, rng);
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        let (linear, Window { kernel, .. }) = (self.linear(), self.grid.window);
        visit("weight", &[linear.outputs(), kernel, kernel, self.grid.image.channels], linear.weight());
        visit("bias", &[linear.outputs()], linear.bias());
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        self.product.slots(visit);
    }

    fn absorb(&mut self, affine: &Affine) -> bool {
        self.activation == Activation::Identity && self.product.linear.absorb(affine).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    const SHAPES: [(Image, usize, Window); 5] = [
        (Image { height: 5, width: 4, channels: 1 }, 3, Window { kernel: 3, stride: 1, padding: 1 }),
        (Image { height: 5, width: 5, channels: 6 }, 2, Window { kernel: 3, stride: 2, padding: 1 }),
        (Image { height: 4, width: 6, channels: 2 }, 2, Window { kernel: 2, stride: 2, padding: 0 }),
        (Image { height: 3, width: 3, channels: 5 }, 4, Window { kernel: 1, stride: 1, padding: 0 }),
        (Image { height: 4, width: 4, channels: 2 }, 1, Window { kernel: 3, stride: 3, padding: 2 }),
    ];

    /// The definition, as chains of fused multiply-adds over the patch, zeros of the padding included.
    fn naive(layer: &Conv2d, x: &[f32]) -> Vec<f32> {
        let (Image { height, width, channels }, Window { kernel, stride, padding }) =
            (layer.grid.image, layer.grid.window);
        let mut y = Vec::new();
        for image in x.chunks(height * width * channels) {
            for (row, column) in (0..layer.grid.height).flat_map(|r| (0..layer.grid.width).map(move |c| (r, c))) {
                for (filter, &bias) in
                    layer.linear().weight().chunks(layer.linear().inputs()).zip(layer.linear().bias())
                {
                    let sum = filter.iter().enumerate().fold(bias, |sum, (i, &w)| {
                        let (i, channel) = (i / channels, i % channels);
                        let (r, c) = (row * stride + i / kernel, column * stride + i % kernel);
                        let inside =
                            (padding..padding + height).contains(&r) && (padding..padding + width).contains(&c);
                        let at = inside.then(|| ((r - padding) * width + c - padding) * channels + channel);
                        at.map_or(0.0, |at| image[at]).mul_add(w, sum)
                    });
                    y.push(sum);
                }
            }
        }
        y
    }

    #[test]
    fn is_the_definition_bit_for_bit() -> Result<()> {
        let mut workspace = Workspace::default();
        for (image, filters, window) in SHAPES {
            let mut rng = Rng::seeded(1);
            let mut layer = Conv2d::new(image, filters, window, Activation::Identity)?;
            layer.initialise(Init::Default, &mut rng);
            let x = check::draw(&mut rng, 3 * image.values());
            let mut y = vec![f32::NAN; 3 * layer.output().values()];
            layer.forward(&mut workspace, &x, &mut y)?;
            assert_eq!(y, naive(&layer, &x), "{image:?} {window:?}");
        }
        Ok(())
    }

    #[test]
    fn several_blocks_are_one_batch() -> Result<()> {
        let image = Image { height: 16, width: 16, channels: 8 };
        let mut layer = Conv2d::new(image, 2, Window { kernel: 3, stride: 1, padding: 1 }, Activation::Identity)?;
        let mut rng = Rng::seeded(1);
        layer.initialise(Init::Default, &mut rng);
        let rows = 2 * layer.block() + 1;
        let x = check::draw(&mut rng, rows * image.values());
        let mut y = vec![f32::NAN; rows * layer.output().values()];
        let (mut workspace, mut dx) = (Workspace::default(), vec![f32::NAN; x.len()]);
        layer.forward(&mut workspace, &x, &mut y)?;
        assert_eq!(y, naive(&layer, &x));
        // By the last image, the gradient of Σ y: filters summed over the places that see a pixel.
        let mut ones = vec![1.0; y.len()];
        layer.backward(&mut workspace, &x, &y, &mut ones, Some(&mut dx))?;
        let (first, last) = (&dx[..image.values()], &dx[dx.len() - image.values()..]);
        assert_eq!(first, last);
        assert!(last.iter().all(|g| g.is_finite()));
        let mut by_bias = Vec::new();
        layer.slots(&mut |slot| by_bias = slot.gradient.map(|gradient| gradient.to_vec()).unwrap_or_default());
        assert_eq!(by_bias, [(rows * 256) as f32; 2]);
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        for (index, (image, filters, window)) in SHAPES.into_iter().enumerate() {
            let activation = [Activation::Identity, Activation::Gelu][index % 2];
            check::layer(&mut Conv2d::new(image, filters, window, activation)?, image.values(), 2)?;
        }
        Ok(())
    }

    #[test]
    fn rows_are_images() -> Result<()> {
        let (image, filters, window) = SHAPES[0];
        let layer = Conv2d::new(image, filters, window, Activation::Relu)?;
        assert_eq!(layer.outputs(20), Ok(60));
        let error = layer.outputs(21).map_err(|error| error.to_string());
        assert_eq!(error, Err("rows of 21 values, expected 5 × 4 × 1".to_owned()));
        Ok(())
    }
}
