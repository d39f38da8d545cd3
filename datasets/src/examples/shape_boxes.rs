//! Boxes around drawn discs, squares and triangles.
//!
//! Made for this project: 32 × 32 grey pixels with one to four shapes of any turn and of three to six pixels in radius,
//! brighter than their background; half of the images in even light, a quarter in noise, a quarter in light that falls
//! off.

use super::light::EDGE;
use super::scene::{SHAPES, scene};
use super::{drawn, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field};
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// The dataset's name.
pub const NAME: &str = "shape-boxes";
/// The digest of [`public`]: `sha256:696211eef424163f774932d3c5161a95f098f27ba82b46a31558d9253922f2cf`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x69, 0x62, 0x11, 0xee, 0xf4, 0x24, 0x16, 0x3f, 0x77, 0x49, 0x32, 0xd3, 0xc5, 0x16, 0x1a, 0x95, 0xf0, 0x98, 0xf2,
    0x7b, 0xa8, 0x2b, 0x46, 0xa3, 0x15, 0x58, 0xd9, 0x25, 0x39, 0x22, 0xf2, 0xcf,
]);

/// 600, 150 and 300 images. `condition` is 0 clear, 1 noisy, 2 unevenly lit.
pub fn public() -> Tables {
    let fields = vec![
        Field::input("image", DType::U8, &[EDGE as u32, EDGE as u32, 1]),
        Field::input("condition", DType::U8, &[]),
        Field::target("counts", DType::S32, &[]),
        Field::target("boxes", DType::F32, &[4]).ragged(),
        Field::target("labels", DType::S64, &[]).ragged(),
    ];
    tables(NAME, TaskKind::ObjectDetection(Classes::named(SHAPES)), fields, |split| {
        let mut stream = stream(NAME, split.name());
        let scenes: Vec<_> = (0..drawn(split)).map(|_| scene(&mut stream)).collect();
        let objects = || scenes.iter().flat_map(|scene| &scene.objects);
        let columns = vec![
            Values::U8(scenes.iter().flat_map(|scene| &scene.image).copied().collect()),
            Values::U8(scenes.iter().map(|scene| scene.condition as u8).collect()),
            Values::S32(scenes.iter().map(|scene| scene.objects.len() as i32).collect()),
            Values::F32(objects().flat_map(|object| object.bounds()).collect()),
            Values::S64(objects().map(|object| object.class as i64).collect()),
        ];
        Table { rows: scenes.len(), columns }
    })
}
