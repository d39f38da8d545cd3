//! Images, and the windows that convolution and pooling look through.

use crate::Result;

/// The shape of an image in a row of values: height × width × channels, channels running fastest. So the row of a dense layer is
/// an image of one pixel, and a photograph's bytes are in order as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Rows of pixels.
    pub height: usize,
    /// Pixels in a row.
    pub width: usize,
    /// Values of a pixel.
    pub channels: usize,
}

impl Image {
    /// Values of the whole image.
    pub fn values(self) -> usize {
        self.height.saturating_mul(self.width).saturating_mul(self.channels)
    }
}

/// A square of pixels that moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Pixels on a side.
    pub kernel: usize,
    /// Pixels from one place to the next, in both directions.
    pub stride: usize,
    /// Pixels of zeros around the image, less than `kernel`. ⌊`kernel` ÷ 2⌋ keeps the image's size, at stride 1 and an odd kernel.
    pub padding: usize,
}

/// The places of a window on an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) image: Image,
    pub(super) window: Window,
    /// Places from top to bottom and from left to right: ⌊(size + 2 · padding − kernel) ÷ stride⌋ + 1, as in PyTorch.
    pub(super) height: usize,
    pub(super) width: usize,
}

impl Grid {
    pub(super) fn new(image: Image, window: Window) -> Result<Self> {
        let Window { kernel, stride, padding } = window;
        let places = |size: usize| Some(size.checked_add(padding.checked_mul(2)?)?.checked_sub(kernel)? / stride + 1);
        if stride == 0 || padding >= kernel || image.values() == 0 {
            return Err(format!("{window:?} on {image:?}: padding is below kernel, nothing but padding is 0").into());
        }
        let (Some(height), Some(width)) = (places(image.height), places(image.width)) else {
            return Err(format!("{window:?} is larger than the padded {image:?}").into());
        };
        Ok(Self { image, window, height, width })
    }

    /// The image of one value per place and channel.
    pub(super) fn output(&self, channels: usize) -> Image {
        Image { height: self.height, width: self.width, channels }
    }

    pub(super) fn places(&self) -> usize {
        self.height * self.width
    }

    /// Values in a row of pixels of the padded image.
    pub(super) fn padded_row(&self) -> usize {
        (self.image.width + 2 * self.window.padding) * self.image.channels
    }

    /// Values of the padded image.
    pub(super) fn padded_values(&self) -> usize {
        self.padded_row() * (self.image.height + 2 * self.window.padding)
    }

    /// Values from one place to the next in a padded row.
    pub(super) fn step(&self) -> usize {
        self.window.stride * self.image.channels
    }

    /// Writes the image with zeros around it to `padded`.
    pub(super) fn pad(&self, image: &[f32], padded: &mut [f32]) {
        padded.fill(0.0);
        for (row, at) in image.chunks_exact(self.image.width * self.image.channels).zip(self.rows()) {
            padded[at..][..row.len()].copy_from_slice(row);
        }
    }

    /// The image inside a padded one.
    pub(super) fn crop(&self, padded: &[f32], image: &mut [f32]) {
        for (row, at) in image.chunks_exact_mut(self.image.width * self.image.channels).zip(self.rows()) {
            row.copy_from_slice(&padded[at..][..row.len()]);
        }
    }

    /// For each place, in order: where the pixels under the window start in the padded image, in order.
    pub(super) fn pixels(&self) -> impl Iterator<Item = impl Iterator<Item = usize> + use<>> + use<> {
        let Self { window: Window { kernel, stride, .. }, width, .. } = *self;
        let (row, channels) = (self.padded_row(), self.image.channels);
        (0..self.height)
            .flat_map(move |y| (0..width).map(move |x| (y * stride, x * stride)))
            .map(move |(y, x)| (y..y + kernel).flat_map(move |y| (x..x + kernel).map(move |x| y * row + x * channels)))
    }

    /// Where the image's rows of pixels start in the padded one.
    fn rows(&self) -> impl Iterator<Item = usize> + use<> {
        let Window { padding, .. } = self.window;
        let (row, left) = (self.padded_row(), padding * self.image.channels);
        (padding..).map(move |y| y * row + left)
    }
}

/// What a layer says to rows that are no image of its shape.
pub(super) fn check_image(inputs: usize, image: Image, outputs: Image) -> Result<usize> {
    if inputs == image.values() {
        return Ok(outputs.values());
    }
    let Image { height, width, channels } = image;
    Err(format!("rows of {inputs} values, expected {height} × {width} × {channels}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_pytorchs() -> Result<()> {
        let image = Image { height: 9, width: 8, channels: 3 };
        for (kernel, stride, padding, height, width) in
            [(3, 1, 0, 7, 6), (3, 1, 1, 9, 8), (3, 2, 1, 5, 4), (2, 2, 0, 4, 4), (5, 3, 2, 3, 3), (8, 1, 0, 2, 1)]
        {
            let grid = Grid::new(image, Window { kernel, stride, padding })?;
            assert_eq!((grid.height, grid.width), (height, width), "{:?}", grid.window);
        }
        Ok(())
    }

    #[test]
    fn windows_without_a_place_are_refused() {
        let image = Image { height: 4, width: 4, channels: 1 };
        for (kernel, stride, padding) in [(5, 1, 0), (3, 0, 1), (0, 1, 0), (2, 1, 2)] {
            assert!(Grid::new(image, Window { kernel, stride, padding }).is_err(), "{kernel} {stride} {padding}");
        }
        assert!(Grid::new(Image { width: 0, ..image }, Window { kernel: 1, stride: 1, padding: 0 }).is_err());
    }

    #[test]
    fn what_is_padded_can_be_cropped() -> Result<()> {
        let image = Image { height: 2, width: 2, channels: 2 };
        let grid = Grid::new(image, Window { kernel: 3, stride: 1, padding: 1 })?;
        let values: Vec<f32> = (1..=8_u8).map(f32::from).collect();
        let mut buffer = vec![9.0; grid.padded_values()];
        grid.pad(&values, &mut buffer);
        assert_eq!(buffer[..8], [0.0; 8]);
        assert_eq!(buffer[8..16], [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]);
        assert_eq!(buffer.iter().sum::<f32>(), 36.0);
        let mut back = vec![0.0; 8];
        grid.crop(&buffer, &mut back);
        assert_eq!(back, values);
        Ok(())
    }
}
