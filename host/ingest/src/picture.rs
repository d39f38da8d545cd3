//! Images: decoded within limits that are set before anything is allocated, all to one size and one kind of channels.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, ImageReader};
use thimble_datasets::{DType, Field};

use crate::limits;
use crate::options::{Channels, Options, Size};
use crate::problem::Problem;
use crate::wording::SizeRemedy;

/// Extensions of images.
pub(crate) const EXTENSIONS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// Whether a file is an image by its name.
pub(crate) fn is_image(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// An image as it is stored.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Height × width × channels.
    pub(crate) pixels: Vec<u8>,
    /// Before it was scaled.
    pub(crate) original: Size,
}

/// What all images must be. What no option says is learned from the first image.
#[derive(Debug)]
pub(crate) struct Frame {
    size: Option<Size>,
    channels: Option<Channels>,
    /// Grey because the first image is, not because it was asked for.
    learned: bool,
    resize: bool,
}

impl Frame {
    pub(crate) const fn new(options: &Options) -> Self {
        Self { size: options.size, channels: options.channels, learned: false, resize: options.resize }
    }

    /// The size of every image as it is stored.
    pub(crate) fn size(&self) -> Size {
        self.size.unwrap_or(Size { height: 1, width: 1 })
    }

    /// The input field.
    pub(crate) fn field(&self) -> Field {
        let Size { height, width } = self.size();
        Field::input("image", DType::U8, &[height, width, self.channels.unwrap_or(Channels::Grey).count()])
    }

    /// Decodes an image. `extension` is that of its file; empty where it has none.
    pub(crate) fn decode(&mut self, bytes: &[u8], extension: &str) -> Result<Picture, Problem> {
        let image = decode(bytes, extension)?;
        self.fit(image)
    }

    /// An image that was not encoded: height, width and channels, and its pixels.
    pub(crate) fn raw(&mut self, [height, width, channels]: [u32; 3], pixels: &[u8]) -> Result<Picture, Problem> {
        check_size(Size { height, width }, pixels.len() as u64)?;
        let pixels = pixels.to_vec();
        let image = match channels {
            1 => image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
            _ => image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        };
        self.fit(image.ok_or_else(|| Problem::Corrupt { reason: "too few pixels".into() })?)
    }

    fn fit(&mut self, image: DynamicImage) -> Result<Picture, Problem> {
        let original = Size { height: image.height(), width: image.width() };
        let colour = image.color().has_color();
        let channels = *self.channels.get_or_insert_with(|| {
            self.learned = true;
            if colour { Channels::Rgb } else { Channels::Grey }
        });
        if self.learned && colour && channels == Channels::Grey {
            return Err(Problem::ImageChannels);
        }
        let expected = *self.size.get_or_insert(original);
        if expected != original && !self.resize {
            let (height, width) = (expected.height, expected.width);
            let swapped = SizeRemedy::of((height, width), (original.height, original.width), SizeRemedy::Resize);
            let (found_height, found_width) = (original.height, original.width);
            return Err(Problem::ImageSize { height, width, found_height, found_width, swapped });
        }
        let Size { height, width } = expected;
        let scale = expected != original;
        let pixels = match channels {
            Channels::Grey if scale => {
                imageops::resize(&image.into_luma8(), width, height, FilterType::Triangle).into_raw()
            }
            Channels::Grey => image.into_luma8().into_raw(),
            Channels::Rgb if scale => {
                imageops::resize(&image.into_rgb8(), width, height, FilterType::Triangle).into_raw()
            }
            Channels::Rgb => image.into_rgb8().into_raw(),
        };
        Ok(Picture { pixels, original })
    }
}

fn check_size(size: Size, decoded: u64) -> Result<(), Problem> {
    let Size { height, width } = size;
    if height.min(width) < limits::IMAGE_SIDE_MIN {
        return Err(Problem::ImageTooSmall { height, width, limit: limits::IMAGE_SIDE_MIN });
    }
    let (limit, bytes) = (limits::IMAGE_SIDE, limits::IMAGE_DECODED_BYTES);
    match height.max(width) > limit || decoded > bytes {
        true => Err(Problem::ImageTooLarge { height, width, limit, bytes }),
        false => Ok(()),
    }
}

const fn format_name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        _ => "BMP",
    }
}

fn decode(bytes: &[u8], extension: &str) -> Result<DynamicImage, Problem> {
    if bytes.is_empty() {
        return Err(Problem::ZeroBytes);
    }
    let format = image::guess_format(bytes).ok();
    let known = |format: &ImageFormat| matches!(format, ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp);
    let format = format.filter(known).ok_or(Problem::ImageFormat)?;
    if let Some(named) = ImageFormat::from_extension(extension)
        && named != format
    {
        return Err(Problem::ImageExtension { expected: format_name(named), found: format_name(format) });
    }
    let corrupt = |error: image::ImageError| Problem::Corrupt { reason: error.to_string() };
    let mut bounds = image::Limits::no_limits();
    bounds.max_image_width = Some(limits::IMAGE_SIDE);
    bounds.max_image_height = Some(limits::IMAGE_SIDE);
    bounds.max_alloc = Some(2 * limits::IMAGE_DECODED_BYTES);
    let reader = |bounds| {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(bounds);
        reader
    };
    let (width, height) = reader(image::Limits::no_limits()).into_dimensions().map_err(corrupt)?;
    // At most four channels of eight bits are kept, of sixteen twice as much is decoded.
    check_size(Size { height, width }, u64::from(height) * u64::from(width) * 4)?;
    reader(bounds).decode().map_err(corrupt)
}

/// Scales a place along one side.
#[expect(clippy::cast_possible_truncation, reason = "places are stored in single precision")]
pub(crate) fn scaled(place: f64, from: u32, to: u32) -> f32 {
    if from == to { place as f32 } else { (place * f64::from(to) / f64::from(from)) as f32 }
}

/// The pixels of a mask.
#[derive(Debug)]
pub(crate) struct Mask {
    pub(crate) size: Size,
    /// Grey values, or places in the palette.
    pub(crate) values: Vec<u8>,
    pub(crate) palette: bool,
}

impl Mask {
    /// Decodes a PNG of 8-bit grey or with a palette; grey of fewer bits is stretched to 0…255.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Problem> {
        let corrupt = |error: png::DecodingError| Problem::Corrupt { reason: error.to_string() };
        let bound = usize::try_from(2 * limits::IMAGE_DECODED_BYTES).unwrap_or(usize::MAX);
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: bound });
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(corrupt)?;
        let info = reader.info();
        let size = Size { height: info.height, width: info.width };
        check_size(size, u64::from(size.height) * u64::from(size.width))?;
        let (palette, depth) = match (info.color_type, info.bit_depth) {
            (png::ColorType::Indexed, depth) => (true, depth),
            (png::ColorType::Grayscale, png::BitDepth::Sixteen) => {
                return Err(Problem::MaskKind { found: "16-bit values" });
            }
            (png::ColorType::Grayscale, depth) => (false, depth),
            (png::ColorType::GrayscaleAlpha, _) => return Err(Problem::MaskKind { found: "transparency" }),
            _ => return Err(Problem::MaskKind { found: "colours" }),
        };
        let bytes = reader.output_buffer_size().ok_or_else(|| Problem::Corrupt { reason: "too large".into() })?;
        let mut packed = vec![0; bytes];
        reader.next_frame(&mut packed).map_err(corrupt)?;
        let bits = depth as u8;
        let stretch = if palette { 1 } else { 255 / u8::MAX.checked_shr(8 - u32::from(bits)).unwrap_or(255) };
        let line_bytes = packed.len() / (size.height as usize).max(1);
        let values =
            packed.chunks(line_bytes.max(1)).flat_map(|line| unpack(line, bits, size.width, stretch)).collect();
        Ok(Self { size, values, palette })
    }

    /// The values at another size: that of the nearest pixel.
    pub(crate) fn scaled(self, to: Size) -> Vec<u8> {
        if self.size == to {
            return self.values;
        }
        let (height, width) = (self.size.height, self.size.width);
        let image = image::GrayImage::from_raw(width, height, self.values).unwrap_or_default();
        imageops::resize(&image, to.width, to.height, FilterType::Nearest).into_raw()
    }
}

/// The values of one line, the first in the highest bits.
fn unpack(line: &[u8], bits: u8, width: u32, stretch: u8) -> impl Iterator<Item = u8> {
    let per_byte = usize::from(8 / bits.clamp(1, 8));
    let mask = u8::MAX >> (8 - bits.clamp(1, 8));
    (0..width as usize).map(move |x| {
        let shift = (per_byte - 1 - x % per_byte) * usize::from(bits);
        (line.get(x / per_byte).copied().unwrap_or(0) >> shift & mask) * stretch
    })
}
