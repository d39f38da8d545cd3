//! Handwritten digits as they are: images of 8 × 8 pixels.
//!
//! E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository,
//! <https://doi.org/10.24432/C50P49>, CC BY 4.0 (`datasets/digits/NOTICE.md`). Changed: ink of 0 to 16 is a grey level
//! of 0 to 240; images are shuffled and split, 174 of each digit.

use super::{stream, tables};
use crate::digest::Digest;
use crate::frugal_digits::images::{self, EDGE, Images};
use crate::metadataset::{DType, Field};
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// The dataset's name.
pub const NAME: &str = "digit-images";
/// The digest of [`public`]: `sha256:7c57a175708d062abfa9386e9cabdf361d315c2a804caa4ed98de5dc2ff2d1b2`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x7c, 0x57, 0xa1, 0x75, 0x70, 0x8d, 0x06, 0x2a, 0xbf, 0xa9, 0x38, 0x6e, 0x9c, 0xab, 0xdf, 0x36, 0x1d, 0x31, 0x5c,
    0x2a, 0x80, 0x4c, 0xaa, 0x4e, 0xd9, 0x8d, 0xe5, 0xdc, 0x2f, 0xf2, 0xd1, 0xb2,
]);

const CLASSES: usize = 10;
/// Grey levels to a unit of ink.
const INK: u8 = 15;

/// 1,740 images: 1,000 to learn from, 240 to check and 500 to be scored on, as many of each digit.
pub fn public() -> Tables {
    let images = Images::draw(&mut stream(NAME, "images"));
    let mut order = stream(NAME, "order");
    let classes = Classes::named((0..CLASSES).map(|digit| digit.to_string()));
    let fields =
        vec![Field::input("image", DType::U8, &[EDGE as u32, EDGE as u32, 1]), Field::target("label", DType::S64, &[])];
    tables(NAME, TaskKind::ImageClassification(classes), fields, |split| {
        let per_class = images::per_class(split);
        let rows = order.permutation(CLASSES * per_class);
        let pixels = rows.iter().flat_map(|row| images.of(row / per_class, split)[row % per_class]);
        Table {
            rows: rows.len(),
            columns: vec![
                Values::U8(pixels.map(|ink| ink * INK).collect()),
                Values::S64(rows.iter().map(|row| (row / per_class) as i64).collect()),
            ],
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadataset::Split;

    #[test]
    fn digits_are_balanced_and_grey() {
        let tables = public();
        for (split, rows) in Split::ALL.into_iter().zip([1_000, 240, 500]) {
            let [Values::U8(pixels), Values::S64(labels)] = &tables.split(split).columns[..] else {
                unreachable!("an image and a label")
            };
            assert_eq!((labels.len(), pixels.len()), (rows, rows * 64));
            assert!(pixels.iter().all(|pixel| *pixel <= 240 && pixel % 15 == 0));
            for digit in 0..10 {
                assert_eq!(labels.iter().filter(|&&label| label == digit).count(), rows / 10);
            }
        }
    }
}
