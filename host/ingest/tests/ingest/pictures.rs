//! Images and their annotations become the dataset that the documentation says.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder, StructBuilder};
use arrow_array::{ArrayRef, Int64Array, StringArray};
use arrow_schema::{DataType, Field};
use image::ImageFormat;
use thimble_datasets::{Split, TaskKind};
use thimble_ingest::{Channels, Options, Size, Task};

use crate::TestResult;
use crate::directory::{Directory, grey, mask, npy, rgb};
use crate::tables::parquet;

const SPLITS: [&str; 3] = ["train", "validation", "test"];

#[test]
fn lists_folders_parquet_and_arrays_give_the_same_images() -> TestResult {
    let labels = ["cat", "dog"];
    let (list, folders, arrays) = (Directory::new()?, Directory::new()?, Directory::new()?);
    let mut image = StructBuilder::from_fields(
        vec![Field::new("bytes", DataType::Binary, true), Field::new("path", DataType::Utf8, true)],
        6,
    );
    let (mut rows, mut splits, mut classes, mut pixels) = ("filename,label,fold\n".to_owned(), vec![], vec![], vec![]);
    for index in 0..6_u8 {
        let (split, label) = (SPLITS[usize::from(index / 2)], labels[usize::from(index % 2)]);
        let bytes = grey(6, 8, 10 * index)?;
        list.write(&format!("images/{index}.png"), &bytes)?;
        rows += &format!("{index}.png,{label},{split}\n");
        folders.write(&format!("{split}/{label}/{index}.png"), &bytes)?;
        let field = |builder: &mut StructBuilder| -> Option<()> {
            builder.field_builder::<BinaryBuilder>(0)?.append_value(&bytes);
            builder.field_builder::<StringBuilder>(1)?.append_null();
            builder.append(true);
            Some(())
        };
        field(&mut image).ok_or("no such builder")?;
        splits.push(split);
        classes.push(i64::from(index % 2));
        pixels.extend((0..48).map(|pixel| 10 * index + pixel));
    }
    list.write("labels.csv", rows)?;
    let mut options = Options::new(Task::ImageClassification, "case");
    let by_folder = folders.dataset(&options)?;
    assert_eq!(by_folder.u8(Split::Validation, "image")?[..3], [20, 21, 22]);
    assert_eq!(by_folder.s64(Split::Train, "label")?, [0, 1]);
    options.split.column = Some("fold".into());
    assert_eq!(list.dataset(&options)?.outcome.digest, by_folder.outcome.digest);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("image", Arc::new(image.finish())),
        ("label", Arc::new(StringArray::from(vec!["cat", "dog", "cat", "dog", "cat", "dog"]))),
        ("fold", Arc::new(StringArray::from(splits))),
    ];
    let hugging = Directory::of("data.parquet", parquet(columns)?)?.dataset(&options)?;
    assert_eq!(hugging.outcome.digest, by_folder.outcome.digest);
    arrays.write("image.npy", npy("|u1", "6, 6, 8", &pixels))?;
    let values = |values: &[i64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    arrays.write("label.npy", npy("<i8", "6,", &values(&classes)))?;
    options.split.column = None;
    options.split.shares = thimble_ingest::Shares::parse("train=0.34,validation=0.33,test=0.33")?;
    let raw = arrays.dataset(&options)?;
    assert_eq!(raw.outcome.rows, [2, 2, 2]);
    assert_eq!(raw.outcome.fields[0].shape, [6, 8, 1]);
    Ok(())
}

#[test]
fn the_bytes_of_parquet_are_checked_like_files() -> TestResult {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("image", Arc::new(arrow_array::BinaryArray::from(vec![&grey(6, 8, 1)?[..], b"", b"junk"]))),
        ("label", Arc::new(Int64Array::from(vec![0, 1, 0]))),
    ];
    let errors = Directory::of("data.parquet", parquet(columns)?)?;
    let errors = errors.errors(&Options::new(Task::ImageClassification, "case"))?;
    assert_eq!(errors[0], "data.parquet, row 2: the file is empty (0 bytes); replace it");
    assert_eq!(errors[1], "data.parquet, row 3: the bytes are no PNG, JPEG or BMP image; convert it");
    Ok(())
}

#[test]
fn colours_and_formats_are_read() -> TestResult {
    let directory = Directory::new()?;
    for (index, format) in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Jpeg].into_iter().enumerate() {
        for (label, seed) in [("a", 20), ("b", 200)] {
            let name = format!("{}/{label}/{seed}.{}", SPLITS[index], format.extensions_str()[0]);
            directory.write(&name, rgb(6, 8, seed, format)?)?;
        }
    }
    let mut options = Options::new(Task::ImageClassification, "case");
    let made = directory.dataset(&options)?;
    assert_eq!(made.outcome.fields[0].shape, [6, 8, 3]);
    assert_eq!(made.u8(Split::Train, "image")?[..9], [20, 0, 0, 20, 1, 0, 20, 2, 0]);
    assert_eq!(made.u8(Split::Train, "image")?, made.u8(Split::Validation, "image")?);
    options.channels = Some(Channels::Grey);
    assert_eq!(directory.dataset(&options)?.outcome.fields[0].shape, [6, 8, 1]);
    Ok(())
}

/// Three images, one for each split, in directories of the splits.
fn in_splits(write: impl Fn(&Directory, &str, u8) -> TestResult) -> Result<Directory, Box<dyn std::error::Error>> {
    let directory = Directory::new()?;
    for (index, split) in SPLITS.into_iter().enumerate() {
        directory.write(&format!("{split}/images/i{index}.png"), grey(6, 8, index as u8)?)?;
        write(&directory, split, index as u8)?;
    }
    Ok(directory)
}

#[test]
fn boxes_of_voc_become_corners_from_zero() -> TestResult {
    let object = |name: &str, [x0, y0, x1, y1]: [u32; 4]| {
        format!(
            "<object><name>{name}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin><xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        )
    };
    let directory = in_splits(|directory, split, index| {
        let objects = match index {
            0 => object("dog", [1, 1, 8, 6]) + &object("cat", [3, 2, 3, 4]),
            1 => String::new(),
            _ => object("cat", [2, 2, 4, 4]),
        };
        let text = format!("<?xml version=\"1.0\"?>\n<annotation>{objects}</annotation>");
        directory.write(&format!("{split}/annotations/i{index}.xml"), text)
    })?;
    let mut options = Options::new(Task::ObjectDetection, "case");
    let made = directory.dataset(&options)?;
    assert_eq!(made.outcome.task.class_names(), ["cat", "dog"]);
    assert_eq!(made.f32(Split::Train, "boxes")?, [0.0, 0.0, 8.0, 6.0, 2.0, 1.0, 3.0, 4.0]);
    assert_eq!(made.s64(Split::Train, "labels")?, [1, 0]);
    assert_eq!(made.s32(Split::Validation, "counts")?, [0]);
    // Boxes are scaled with their images.
    (options.size, options.resize) = (Some(Size { height: 12, width: 4 }), true);
    assert_eq!(directory.dataset(&options)?.f32(Split::Test, "boxes")?, [0.5, 2.0, 2.0, 8.0]);
    Ok(())
}

#[test]
fn masks_of_two_classes_are_cut_at_127() -> TestResult {
    let directory = in_splits(|directory, split, index| {
        let values = mask(6, 8, |x, y| {
            if (x, y) == (1, 0) {
                128
            } else if x == 2 {
                255
            } else {
                0
            }
        })?;
        directory.write(&format!("{split}/masks/i{index}_mask.png"), values)
    })?;
    let made = directory.dataset(&Options::new(Task::SemanticSegmentation, "case"))?;
    assert_eq!(made.outcome.task.classes(), Some(2));
    assert_eq!(made.u8(Split::Train, "mask")?[..10], [0, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    Ok(())
}

#[test]
fn grey_values_are_classes_in_ascending_order() -> TestResult {
    let directory = in_splits(|directory, split, index| {
        let values = mask(6, 8, |x, _| [0, 85, 170, 7][x as usize % 4])?;
        directory.write(&format!("{split}/masks/i{index}_mask.png"), values)
    })?;
    let mut options = Options::new(Task::SemanticSegmentation, "case");
    options.classes = ["170=road", "0=sky", "85=wall"].map(String::from).to_vec();
    options.ignore = Some(7);
    let made = directory.dataset(&options)?;
    assert_eq!(made.outcome.task.class_names(), ["sky", "wall", "road"]);
    assert_eq!(made.u8(Split::Test, "mask")?[..5], [0, 1, 2, 7, 0]);
    // A value that is ignored but would be a class in the dataset becomes 255.
    options.classes = ["170", "85", "7"].map(String::from).to_vec();
    options.ignore = Some(0);
    let made = directory.dataset(&options)?;
    let TaskKind::SemanticSegmentation(pixels) = &made.outcome.task else { return Err("another task".into()) };
    assert_eq!((pixels.classes, pixels.ignore), (3, Some(255)));
    assert_eq!(made.u8(Split::Test, "mask")?[..4], [255, 1, 2, 0]);
    Ok(())
}

#[test]
fn places_in_a_palette_are_classes() -> TestResult {
    let palette = |values: &[u8]| -> Result<Vec<u8>, png::EncodingError> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 8, 6);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Two);
        encoder.set_palette(vec![0, 0, 0, 9, 9, 9, 5, 5, 5]);
        encoder.write_header()?.write_image_data(values)?;
        Ok(bytes)
    };
    // Two bits each: 0, 1, 2, 0 and 2, 2, 2, 2, in six lines.
    let values: Vec<u8> = [0b0001_1000, 0b1010_1010].repeat(6);
    let directory = in_splits(|directory, split, index| {
        directory.write(&format!("{split}/masks/i{index}_mask.png"), palette(&values)?)
    })?;
    let made = directory.dataset(&Options::new(Task::SemanticSegmentation, "case"))?;
    assert_eq!(made.outcome.task.classes(), Some(3));
    assert_eq!(made.u8(Split::Train, "mask")?[..9], [0, 1, 2, 0, 2, 2, 2, 2, 0]);
    Ok(())
}

#[test]
fn every_instance_has_its_own_mask() -> TestResult {
    let directory = in_splits(|directory, split, index| {
        if index == 1 {
            return Ok(std::fs::create_dir_all(directory.path(&format!("{split}/masks/i1")))?);
        }
        directory
            .write(&format!("{split}/masks/i{index}/001_dog.png"), mask(6, 8, |x, _| if x > 6 { 255 } else { 0 })?)?;
        directory
            .write(&format!("{split}/masks/i{index}/002_big_cat.png"), mask(6, 8, |_, y| if y > 4 { 200 } else { 0 })?)
    })?;
    let made = directory.dataset(&Options::new(Task::InstanceSegmentation, "case"))?;
    assert_eq!(made.outcome.task.class_names(), ["big_cat", "dog"]);
    assert_eq!(made.s64(Split::Train, "labels")?, [1, 0]);
    assert_eq!(made.s32(Split::Validation, "counts")?, [0]);
    let masks = made.u8(Split::Test, "masks")?;
    assert_eq!(masks.iter().map(|&pixel| u32::from(pixel)).sum::<u32>(), 6 + 8);
    Ok(())
}

#[test]
fn points_are_pixels_and_what_is_not_annotated_has_no_place() -> TestResult {
    let directory = Directory::new()?;
    for index in 0..3 {
        directory.write(&format!("images/i{index}.png"), grey(6, 8, index)?)?;
    }
    let mut options = Options::new(Task::KeypointDetection, "case");
    options.split.column = Some("fold".into());
    let rows = "filename,fold,nose_x,nose_y,nose_v,ear_x,ear_y,area\n\
                i0.png,train,1.5,2,1,8,6,10\n\
                i1.png,val,99,99,0,0,0,4\n\
                i2.png,test,0,0,2,,,1\n";
    directory.write("labels.csv", rows)?;
    let made = directory.dataset(&options)?;
    let TaskKind::KeypointDetection(points) = &made.outcome.task else { return Err("another task".into()) };
    assert_eq!(points.point_names, ["nose", "ear"]);
    assert_eq!(made.f32(Split::Train, "keypoints")?, [1.5, 2.0, 8.0, 6.0]);
    assert_eq!(made.u8(Split::Train, "visibility")?, [1, 2]);
    assert_eq!(
        (made.f32(Split::Validation, "keypoints")?, made.u8(Split::Validation, "visibility")?),
        (vec![0.0; 4], vec![0, 2])
    );
    assert_eq!(made.u8(Split::Test, "visibility")?, [2, 0]);
    assert_eq!(made.f64(Split::Train, "area")?, [10.0]);
    let json =
        |ear: &str, seen: u8| format!(r#""{{""nose"":[0.5,0.5],""ear"":{ear}}}","{{""nose"":{seen},""ear"":2}}""#);
    let rows = [("i0", "train", 1), ("i1", "val", 0), ("i2", "test", 2)]
        .map(|(name, split, seen)| format!("{name}.png,{split},{}\n", json("[0.25,1]", seen)));
    directory.write("labels.csv", format!("filename,fold,Annotation,Visibility\n{}", rows.concat()))?;
    let made = directory.dataset(&options)?;
    assert_eq!(made.f32(Split::Train, "keypoints")?, [2.0, 6.0, 4.0, 3.0]);
    assert_eq!(made.f32(Split::Validation, "keypoints")?, [2.0, 6.0, 0.0, 0.0]);
    Ok(())
}

#[test]
fn a_list_beside_images_can_group_them() -> TestResult {
    let directory = Directory::new()?;
    let mut list = "filename,patient,site\n".to_owned();
    for index in 0..40 {
        directory.write(&format!("images/i{index}.png"), grey(6, 8, index)?)?;
        directory.write(&format!("masks/i{index}_mask.png"), mask(6, 8, |x, _| if x > 3 { 255 } else { 0 })?)?;
        list += &format!("i{index}.png,p{},s{}\n", index / 4, index / 4);
    }
    directory.write("labels.csv", &list)?;
    let mut options = Options::new(Task::SemanticSegmentation, "case");
    options.split.group = Some("patient".into());
    options.condition = Some("site".into());
    let made = directory.dataset(&options)?;
    assert_eq!(made.outcome.rows, [28, 4, 8]);
    let sites = |split| -> Result<std::collections::BTreeSet<i64>, _> {
        Ok::<_, Box<dyn std::error::Error>>(made.s64(split, "condition")?.into_iter().collect())
    };
    assert!(sites(Split::Train)?.is_disjoint(&sites(Split::Test)?));
    assert!(sites(Split::Train)?.is_disjoint(&sites(Split::Validation)?));
    Ok(())
}
