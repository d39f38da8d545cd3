//! Pooling.

use super::lanes::{add, scale, unsign_zeros};
use super::layer::check_rows;
use super::window::{Grid, check_image};
use super::{Image, Layer, Window, Workspace, check_len};
use crate::Result;

/// One value per window and channel: the largest (`torch.nn.MaxPool2d`) or the mean (`torch.nn.AvgPool2d`), without padding.
/// Pixels at the right and at the bottom that fill no window are left out.
#[derive(Debug, Clone)]
pub struct Pool2d {
    grid: Grid,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Max,
    Average,
}

impl Pool2d {
    /// The largest value of `size` × `size` pixels, `stride` apart. The gradient goes to the first of equals.
    ///
    /// # Errors
    /// The window has no place on the image.
    pub fn max(image: Image, size: usize, stride: usize) -> Result<Self> {
        Self::new(image, size, stride, Kind::Max)
    }

    /// The mean of `size` × `size` pixels, `stride` apart.
    ///
    /// # Errors
    /// The window has no place on the image.
    pub fn average(image: Image, size: usize, stride: usize) -> Result<Self> {
        Self::new(image, size, stride, Kind::Average)
    }

    fn new(image: Image, kernel: usize, stride: usize, kind: Kind) -> Result<Self> {
        Ok(Self { grid: Grid::new(image, Window { kernel, stride, padding: 0 })?, kind })
    }

    /// The images that come out.
    pub fn output(&self) -> Image {
        self.grid.output(self.grid.image.channels)
    }

    fn backward_image(&self, x: &[f32], y: &[f32], dy: &mut [f32], dx: &mut [f32]) {
        let channels = self.grid.image.channels;
        let places = y.chunks_exact(channels).zip(dy.chunks_exact_mut(channels));
        for ((y, dy), pixels) in places.zip(self.grid.pixels()) {
            for pixel in pixels {
                let (x, dx) = (&x[pixel..][..channels], &mut dx[pixel..][..channels]);
                match self.kind {
                    Kind::Average => add(dx, dy),
                    // A gradient that has found its pixel is 0 from then on.
                    Kind::Max => {
                        for (((dx, &x), &y), dy) in dx.iter_mut().zip(x).zip(y).zip(&mut *dy) {
                            let g = *dy;
                            *dx += if x == y { g } else { 0.0 };
                            *dy = if x == y { 0.0 } else { g };
                        }
                    }
                }
            }
        }
    }
}

/// 1 ÷ pixels of a window.
fn share(grid: &Grid) -> f32 {
    1.0 / (grid.window.kernel * grid.window.kernel) as f32
}

impl Layer for Pool2d {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        check_image(inputs, self.grid.image, self.output())
    }

    fn forward(&self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let (inputs, outputs, channels) = (self.grid.image.values(), self.output().values(), self.grid.image.channels);
        check_rows(x, inputs, y, outputs)?;
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(outputs)) {
            for (y, mut pixels) in y.chunks_exact_mut(channels).zip(self.grid.pixels()) {
                let Some(first) = pixels.next() else { continue };
                y.copy_from_slice(&x[first..][..channels]);
                for pixel in pixels {
                    let x = &x[pixel..][..channels];
                    match self.kind {
                        Kind::Max => y.iter_mut().zip(x).for_each(|(y, &x)| *y = if *y < x { x } else { *y }),
                        Kind::Average => add(y, x),
                    }
                }
            }
        }
        match self.kind {
            Kind::Max => unsign_zeros(y),
            Kind::Average => scale(y, share(&self.grid)),
        }
        Ok(())
    }

    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let (inputs, outputs) = (self.grid.image.values(), self.output().values());
        let Some(dx) = dx else { return Ok(()) };
        check_rows(x, inputs, dy, outputs)?;
        check_len("y", y, dy.len())?;
        check_len("dx", dx, x.len())?;
        if matches!(self.kind, Kind::Average) {
            scale(dy, share(&self.grid));
        }
        dx.fill(0.0);
        let images = x.chunks_exact(inputs).zip(dx.chunks_exact_mut(inputs));
        for ((x, dx), (y, dy)) in images.zip(y.chunks_exact(outputs).zip(dy.chunks_exact_mut(outputs))) {
            self.backward_image(x, y, dy, dx);
        }
        Ok(())
    }
}

/// The mean of each channel over all pixels: an image becomes a row of `channels` values.
#[derive(Debug, Clone)]
pub struct GlobalAveragePool {
    image: Image,
}

impl GlobalAveragePool {
    /// Of images of this shape.
    pub fn new(image: Image) -> Self {
        Self { image }
    }

    fn share(&self) -> f32 {
        1.0 / (self.image.height * self.image.width) as f32
    }
}

impl Layer for GlobalAveragePool {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        check_image(inputs, self.image, Image { height: 1, width: 1, ..self.image })
    }

    fn forward(&self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let (inputs, channels) = (self.image.values().max(1), self.image.channels.max(1));
        check_rows(x, inputs, y, channels)?;
        y.fill(0.0);
        for (x, y) in x.chunks_exact(inputs).zip(y.chunks_exact_mut(channels)) {
            x.chunks_exact(channels).for_each(|pixel| add(y, pixel));
        }
        scale(y, self.share());
        Ok(())
    }

    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        _x: &[f32],
        _y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let (inputs, channels) = (self.image.values().max(1), self.image.channels.max(1));
        let Some(dx) = dx else { return Ok(()) };
        check_rows(dx, inputs, dy, channels)?;
        scale(dy, self.share());
        for (dx, dy) in dx.chunks_exact_mut(inputs).zip(dy.chunks_exact(channels)) {
            dx.chunks_exact_mut(channels).for_each(|pixel| pixel.copy_from_slice(dy));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;
    use crate::Rng;

    const SHAPES: [(Image, usize, usize); 4] = [
        (Image { height: 4, width: 4, channels: 1 }, 2, 2),
        (Image { height: 5, width: 7, channels: 3 }, 2, 2),
        (Image { height: 5, width: 5, channels: 5 }, 3, 2),
        (Image { height: 3, width: 3, channels: 4 }, 3, 1),
    ];

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        for (image, size, stride) in SHAPES {
            check::layer(&mut Pool2d::average(image, size, stride)?, image.values(), 2)?;
            check::layer(&mut Pool2d::max(image, size, stride)?, image.values(), 1)?;
            check::layer(&mut GlobalAveragePool::new(image), image.values(), 2)?;
        }
        Ok(())
    }

    #[test]
    fn values_are_those_of_the_windows() -> Result<()> {
        for (image, size, stride) in SHAPES {
            let x = check::draw(&mut Rng::seeded(1), 2 * image.values());
            let (max, average) = (Pool2d::max(image, size, stride)?, Pool2d::average(image, size, stride)?);
            let Image { height, width, channels } = max.output();
            let (mut largest, mut mean) = (vec![0.0; 2 * max.output().values()], vec![0.0; 2 * max.output().values()]);
            max.forward(&mut Workspace::default(), &x, &mut largest)?;
            average.forward(&mut Workspace::default(), &x, &mut mean)?;
            for (at, (&largest, &mean)) in largest.iter().zip(&mean).enumerate() {
                let (place, channel) = (at / channels, at % channels);
                let (n, row, column) = (place / (height * width), place / width % height, place % width);
                let window: Vec<f32> = (0..size * size)
                    .map(|i| (row * stride + i / size) * image.width + column * stride + i % size)
                    .map(|pixel| x[(n * image.height * image.width + pixel) * channels + channel])
                    .collect();
                assert_eq!(largest, window.iter().copied().fold(f32::NEG_INFINITY, f32::max));
                let expected = window.iter().sum::<f32>() / (size * size) as f32;
                assert!((mean - expected).abs() < 1e-6, "{mean}, expected {expected}");
            }
        }
        Ok(())
    }

    #[test]
    fn zeros_have_no_sign() -> Result<()> {
        let pool = Pool2d::max(Image { height: 1, width: 2, channels: 1 }, 1, 1)?;
        let mut y = [9.0; 2];
        pool.forward(&mut Workspace::default(), &[-0.0, 0.0], &mut y)?;
        assert_eq!(y.map(f32::to_bits), [0, 0]);
        Ok(())
    }

    #[test]
    fn the_first_of_equals_gets_the_gradient() -> Result<()> {
        let mut pool = Pool2d::max(Image { height: 2, width: 2, channels: 1 }, 2, 2)?;
        let (x, y, mut dx) = ([1.0, 3.0, 3.0, 3.0], [3.0], [9.0; 4]);
        pool.backward(&mut Workspace::default(), &x, &y, &mut [5.0], Some(&mut dx))?;
        assert_eq!(dx, [0.0, 5.0, 0.0, 0.0]);
        Ok(())
    }
}
