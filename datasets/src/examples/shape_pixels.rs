//! What each pixel of a drawn image shows: the background, a disc, a square or a triangle.
//!
//! Made for this project: other images of the kind that [`shape_boxes`](super::shape_boxes) describes.

use super::light::EDGE;
use super::scene::{SHAPES, Scene, scene};
use super::{drawn, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field};
use crate::table::{Table, Tables, Values};
use crate::task::{Pixels, TaskKind};

/// The dataset's name.
pub const NAME: &str = "shape-pixels";
/// The digest of [`public`]: `sha256:112e495662331f7c93a3a60ae502a4cca359d8f39b001351e3809c696d937a73`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x11, 0x2e, 0x49, 0x56, 0x62, 0x33, 0x1f, 0x7c, 0x93, 0xa3, 0xa6, 0x0a, 0xe5, 0x02, 0xa4, 0xcc, 0xa3, 0x59, 0xd8,
    0xf3, 0x9b, 0x00, 0x13, 0x51, 0xe3, 0x80, 0x9c, 0x69, 0x6d, 0x93, 0x7a, 0x73,
]);

/// 600, 150 and 300 images. `condition` is 0 clear, 1 noisy, 2 unevenly lit.
pub fn public() -> Tables {
    let fields = vec![
        Field::input("image", DType::U8, &[EDGE as u32, EDGE as u32, 1]),
        Field::input("condition", DType::U8, &[]),
        Field::target("mask", DType::U8, &[EDGE as u32, EDGE as u32]),
    ];
    let class_names = ["background"].into_iter().chain(SHAPES).map(String::from).collect();
    let pixels = Pixels { classes: 1 + SHAPES.len() as u32, class_names, ignore: None };
    tables(NAME, TaskKind::SemanticSegmentation(pixels), fields, |split| {
        let mut stream = stream(NAME, split.name());
        let scenes: Vec<_> = (0..drawn(split)).map(|_| scene(&mut stream)).collect();
        let columns = vec![
            Values::U8(scenes.iter().flat_map(|scene| &scene.image).copied().collect()),
            Values::U8(scenes.iter().map(|scene| scene.condition as u8).collect()),
            Values::U8(scenes.iter().flat_map(classes).collect()),
        ];
        Table { rows: scenes.len(), columns }
    })
}

/// The class of each pixel.
fn classes(scene: &Scene) -> Vec<u8> {
    let mut classes = vec![0; EDGE * EDGE];
    for object in &scene.objects {
        let shown = classes.iter_mut().zip(&object.mask).filter(|(_, mask)| **mask == 1);
        shown.for_each(|(class, _)| *class = 1 + object.class as u8);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_pixels() {
        let tables = public();
        let Values::U8(mask) = &tables.test.columns[2] else { unreachable!("the mask is u8") };
        let share = |class| mask.iter().filter(|&&pixel| pixel == class).count() as f64 / mask.len() as f64;
        let shares = [0, 1, 2, 3].map(share);
        assert!((0.7..0.9).contains(&shares[0]) && shares[1..].iter().all(|share| *share > 0.03), "{shares:?}");
    }
}
