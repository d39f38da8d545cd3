//! What operators upload: decoded, checked, and written anew, so that nothing of what was sent is passed on as it is.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use thimble_api::ErrorCode;
use thimble_api::draft::{MAX_COVER_BYTES, MAX_EXPLORATION_BYTES};
use thimble_explore::{Exploration, Notebook};
use tokio::sync::Semaphore;

use crate::failure::{Failure, Result};

/// The largest side of a cover as it is sent, in pixels.
const MOST_SIDE: u32 = 12_000;
/// The most pixels of a cover as it is sent.
const MOST_PIXELS: u64 = 40_000_000;
/// Memory that decoding a cover may take.
const MOST_MEMORY: u64 = 256 << 20;
/// A cover as it is shown: what previews of links are.
const SHOWN: (u32, u32) = (1_200, 630);
const JPEG_QUALITY: u8 = 85;

/// Covers are decoded one at a time: each takes much memory.
static DECODING: Semaphore = Semaphore::const_new(1);

/// A cover image as it is shown: its bytes and media type.
pub(crate) async fn cover(bytes: Bytes) -> Result<(Bytes, &'static str)> {
    if bytes.len() > MAX_COVER_BYTES {
        return Err(Failure::of_field("cover", format!("must have at most {MAX_COVER_BYTES} bytes")));
    }
    let _turn = DECODING.acquire().await.map_err(Failure::internal)?;
    tokio::task::spawn_blocking(move || encoded(&bytes)).await.map_err(Failure::internal)?
}

/// Decodes by content, whatever it was said to be, and encodes the pixels alone.
fn encoded(bytes: &[u8]) -> Result<(Bytes, &'static str)> {
    let broken = |error: image::ImageError| Failure::of_field("cover", format!("cannot be decoded: {error}"));
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(Failure::internal);
    let mut read = reader()?;
    if !matches!(read.format(), Some(ImageFormat::Jpeg | ImageFormat::Png)) {
        return Err(Failure::new(ErrorCode::UnsupportedMediaType, "the cover must be a JPEG or PNG image"));
    }
    let (width, height) = reader()?.into_dimensions().map_err(broken)?;
    if width > MOST_SIDE || height > MOST_SIDE || u64::from(width) * u64::from(height) > MOST_PIXELS {
        let message = format!(
            "must have sides of at most {MOST_SIDE} and at most {MOST_PIXELS} pixels in all; found {width} × {height}"
        );
        return Err(Failure::of_field("cover", message));
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_MEMORY);
    read.limits(limits);
    let mut decoder = read.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    if picture.width() > SHOWN.0 || picture.height() > SHOWN.1 {
        picture = picture.thumbnail(SHOWN.0, SHOWN.1);
    }
    let mut written = Cursor::new(Vec::new());
    if picture.color().has_alpha() {
        let plain = DynamicImage::ImageRgba8(picture.into_rgba8());
        plain.write_to(&mut written, ImageFormat::Png).map_err(Failure::internal)?;
        return Ok((written.into_inner().into(), "image/png"));
    }
    let plain = DynamicImage::ImageRgb8(picture.into_rgb8());
    plain.write_with_encoder(JpegEncoder::new_with_quality(&mut written, JPEG_QUALITY)).map_err(Failure::internal)?;
    Ok((written.into_inner().into(), "image/jpeg"))
}

/// Statistics of `thimble dataset explore`, or a notebook, as a page without scripts.
pub(crate) async fn exploration(name: &str, bytes: Bytes) -> Result<String> {
    if bytes.len() > MAX_EXPLORATION_BYTES {
        return Err(Failure::of_field("exploration", format!("must have at most {MAX_EXPLORATION_BYTES} bytes")));
    }
    let name = name.to_owned();
    tokio::task::spawn_blocking(move || rendered(&name, &bytes)).await.map_err(Failure::internal)?
}

/// By content: a notebook has cells.
fn rendered(name: &str, bytes: &[u8]) -> Result<String> {
    let is_notebook = serde_json::from_slice::<Cells>(bytes).is_ok_and(|cells| cells.cells.is_some());
    if is_notebook {
        let notebook = Notebook::parse(bytes).map_err(|error| Failure::of_field("exploration", error.to_string()))?;
        return Ok(notebook.to_html(name));
    }
    let exploration = Exploration::from_json(bytes).map_err(|error| {
        let message = format!("must be the JSON of `thimble dataset explore --json`, or a notebook: {error}");
        Failure::of_field("exploration", message)
    })?;
    Ok(exploration.to_html())
}

/// What tells a notebook from statistics.
#[derive(serde::Deserialize)]
struct Cells {
    cells: Option<serde::de::IgnoredAny>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_cover_is_encoded_anew_and_fits_where_it_is_shown() {
        let (bytes, kind) = encoded(&png(3_000, 1_000)).unwrap();
        assert_eq!(kind, "image/jpeg");
        let shown = image::load_from_memory(&bytes).unwrap();
        assert_eq!((shown.width(), shown.height()), (1_200, 400));
        let (bytes, _) = encoded(&png(20, 10)).unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 20);
    }

    #[test]
    fn what_is_hidden_behind_the_pixels_is_not_passed_on() {
        let mut sent = png(20, 10);
        sent.extend_from_slice(b"<script>alert(1)</script>");
        let (bytes, _) = encoded(&sent).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"<script>"));
    }

    #[test]
    fn other_formats_and_claims_of_size_are_refused() {
        let code = |bytes: &[u8]| encoded(bytes).unwrap_err().code;
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>";
        assert_eq!(code(svg), ErrorCode::UnsupportedMediaType);
        assert_eq!(code(b"BM\0\0\0\0"), ErrorCode::UnsupportedMediaType);
        assert_eq!(code(b""), ErrorCode::UnsupportedMediaType);
        assert_eq!(code(&png(20, 10)[..40]), ErrorCode::ValidationFailed);
        // A header that claims 60,000 × 60,000 pixels: bytes 16 to 23 of a PNG are its width and height.
        let mut huge = png(20, 10);
        huge[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
        huge[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
        assert_eq!(code(&huge), ErrorCode::ValidationFailed);
    }
}
