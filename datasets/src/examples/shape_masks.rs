//! The pixels of each of several drawn discs, squares and triangles.
//!
//! Made for this project: other images of the kind that [`shape_boxes`](super::shape_boxes) describes.

use super::light::EDGE;
use super::scene::{SHAPES, scene};
use super::{drawn, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field};
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// The dataset's name.
pub const NAME: &str = "shape-masks";
/// The digest of [`public`]: `sha256:4fcb508ef769d8f5cccd6b68bac2269c330839e6c127a9833da2cd80ba0b6704`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x4f, 0xcb, 0x50, 0x8e, 0xf7, 0x69, 0xd8, 0xf5, 0xcc, 0xcd, 0x6b, 0x68, 0xba, 0xc2, 0x26, 0x9c, 0x33, 0x08, 0x39,
    0xe6, 0xc1, 0x27, 0xa9, 0x83, 0x3d, 0xa2, 0xcd, 0x80, 0xba, 0x0b, 0x67, 0x04,
]);

/// 600, 150 and 300 images. `condition` is 0 clear, 1 noisy, 2 unevenly lit.
pub fn public() -> Tables {
    let fields = vec![
        Field::input("image", DType::U8, &[EDGE as u32, EDGE as u32, 1]),
        Field::input("condition", DType::U8, &[]),
        Field::target("counts", DType::S32, &[]),
        Field::target("masks", DType::U8, &[EDGE as u32, EDGE as u32]).ragged(),
        Field::target("labels", DType::S64, &[]).ragged(),
    ];
    tables(NAME, TaskKind::InstanceSegmentation(Classes::named(SHAPES)), fields, |split| {
        let mut stream = stream(NAME, split.name());
        let scenes: Vec<_> = (0..drawn(split)).map(|_| scene(&mut stream)).collect();
        let objects = || scenes.iter().flat_map(|scene| &scene.objects);
        let columns = vec![
            Values::U8(scenes.iter().flat_map(|scene| &scene.image).copied().collect()),
            Values::U8(scenes.iter().map(|scene| scene.condition as u8).collect()),
            Values::S32(scenes.iter().map(|scene| scene.objects.len() as i32).collect()),
            Values::U8(objects().flat_map(|object| &object.mask).copied().collect()),
            Values::S64(objects().map(|object| object.class as i64).collect()),
        ];
        Table { rows: scenes.len(), columns }
    })
}
