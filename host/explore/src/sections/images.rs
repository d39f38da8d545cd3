//! Images and masks of pixels.

use thimble_datasets::{Column, ColumnValues, Dataset, Pixels, SplitTable};

use super::numbers;
use crate::columns::variable;
use crate::report::{MinimumCell, Section};

/// The pixels of an image field, and its channels.
fn image(table: &SplitTable) -> Option<(&[u8], usize, usize)> {
    match table.column("image")? {
        Column { values: ColumnValues::U8(pixels), width, shape, .. } => Some((pixels, width, *shape.last()? as usize)),
        _ => None,
    }
}

/// Mean and standard deviation of the values of an image, 0 to 255; a fourth channel is opacity and does not count.
fn brightness(pixels: &[u8], channels: usize) -> (f64, f64) {
    let (mut count, mut sum, mut squares) = (0_u64, 0_u64, 0_u64);
    for pixel in pixels.chunks_exact(channels.max(1)) {
        for &value in &pixel[..channels.min(3)] {
            count += 1;
            sum += u64::from(value);
            squares += u64::from(value) * u64::from(value);
        }
    }
    let count = count.max(1) as f64;
    let mean = sum as f64 / count;
    (mean, libm::sqrt((squares as f64 / count - mean * mean).max(0.0)))
}

/// Size, brightness and contrast.
pub(super) fn section(dataset: &Dataset, minimum: MinimumCell) -> Section {
    let field = dataset.metadataset().fields.iter().find(|field| field.name == "image");
    let notes = match field.map(|field| &field.shape[..]) {
        Some([height, width, channels]) => {
            let channels = if *channels == 1 { "1 channel".to_owned() } else { format!("{channels} channels") };
            vec![format!("Every image is {width} × {height} pixels with {channels}.")]
        }
        _ => Vec::new(),
    };
    let of = |title: &str, figure: fn((f64, f64)) -> f64| {
        variable(dataset, title, false, |table| {
            let (pixels, width, channels) = image(table)?;
            Some(Box::new(move |row| figure(brightness(&pixels[row * width..(row + 1) * width], channels))))
        })
    };
    let variables = [
        of("Brightness (mean of an image, 0 to 255)", |(mean, _)| mean),
        of("Contrast (deviation in an image)", |(_, d)| d),
    ];
    numbers("Images", notes, variables, minimum)
}

/// How much of an image is not background.
pub(super) fn masks(dataset: &Dataset, pixels: &Pixels, minimum: MinimumCell) -> Section {
    let ignore = pixels.ignore;
    let foreground = variable(dataset, "Foreground (percent of an image's counted pixels)", true, |table| {
        let Column { values: ColumnValues::U8(mask), width, .. } = table.column("mask")? else { return None };
        Some(Box::new(move |row| {
            let counted = || mask[row * width..(row + 1) * width].iter().filter(|&&class| Some(class) != ignore);
            let inside = counted().filter(|&&class| class != 0).count();
            // 0 / 0, a NaN, where no pixel counts.
            100.0 * inside as f64 / counted().count() as f64
        }))
    });
    numbers("Masks", vec!["Class 0 is the background.".into()], [foreground], minimum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opacity_is_no_brightness() {
        assert_eq!(brightness(&[10, 20, 30, 255], 4), (20.0, libm::sqrt(200.0 / 3.0)));
        assert_eq!(brightness(&[0, 100], 1), (50.0, 50.0));
    }
}
