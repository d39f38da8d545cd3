//! Every task's values come back, through this crate and through the Arrow crate's own reader.

use std::io::Cursor;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use thimble_datasets::{ColumnValues, DType, Dataset, Field, Split, Table, Tables, Values};

use crate::fixture::{Directory, written};
use crate::samples::{Samples as _, sample, samples};

/// The values' bits, little-endian, with one NaN for all.
fn bits(values: ColumnValues<'_>) -> Vec<u8> {
    match values {
        ColumnValues::F32(values) => {
            values.iter().flat_map(|v| if v.is_nan() { f32::NAN } else { *v }.to_le_bytes()).collect()
        }
        ColumnValues::F64(values) => {
            values.iter().flat_map(|v| if v.is_nan() { f64::NAN } else { *v }.to_le_bytes()).collect()
        }
        ColumnValues::S64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ColumnValues::S32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ColumnValues::S8(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ColumnValues::U8(values) => values.into(),
        ColumnValues::Text(texts) => texts.iter().flat_map(|text| text.bytes().chain([0xff])).collect(),
    }
}

#[test]
fn every_task_comes_back() {
    for tables in samples() {
        let directory = written(&tables);
        let dataset = Dataset::open(&directory.dir).expect("opens");
        assert_eq!(dataset.digest(), tables.digest(), "{}", tables.name);
        assert_eq!((&dataset.metadataset().task, &dataset.metadataset().fields), (&tables.task, &tables.fields));
        for split in Split::ALL {
            let (table, opened) = (tables.split(split), dataset.split(split));
            for (field, values) in tables.fields.iter().zip(&table.columns) {
                let column = opened.column(&field.name).expect("the field is there");
                assert_eq!((column.shape, column.width), (&field.shape[..], field.width()));
                assert_eq!(bits(column.values), bits(values.view()), "{} {split} {}", tables.name, field.name);
            }
        }
    }
}

#[test]
fn a_row_has_its_own_items_and_an_empty_row_none() {
    let tables = sample("object_detection");
    let dataset = Dataset::open(&written(&tables).dir).expect("opens");
    let boxes = dataset.split(Split::Train).column("boxes").expect("there");
    let ranges: Vec<_> = (0..7).map(|row| boxes.range(row)).collect();
    // 0, 1, 2, 0, 1, 2 and 0 objects of four numbers.
    assert_eq!(ranges, [0..0, 0..4, 4..12, 12..12, 12..16, 16..24, 24..24]);
    assert_eq!(boxes.offsets, Some(&[0, 0, 1, 3, 3, 4, 6, 6][..]));
    let image = dataset.split(Split::Train).column("image").expect("there");
    assert_eq!((image.range(2), image.offsets), (12..18, None));
}

#[test]
fn a_description_tells_ragged_fields_and_tasks_without_classes() {
    let dataset = Dataset::open(&written(&sample("object_detection")).dir).expect("opens");
    let text = dataset.describe().to_string();
    assert!(text.contains("task     object detection, 3 classes\n") && text.contains("f32[counts×4]"), "{text}");
    let dataset = Dataset::open(&written(&sample("time_to_event")).dir).expect("opens");
    let text = dataset.describe().to_string();
    assert!(text.contains("task     time to event\n"), "{text}");
    let counts: Vec<_> = text.lines().rev().take(3).filter_map(|line| line.split_whitespace().nth(2)).collect();
    assert_eq!(counts, ["not", "none", "none"], "{text}");
}

#[test]
fn a_split_without_any_object_comes_back() {
    let mut tables = sample("instance_segmentation");
    *tables.column(Split::Test, "counts") = Values::S32(vec![0; 4]);
    *tables.column(Split::Test, "masks") = Values::U8(Vec::new());
    *tables.column(Split::Test, "labels") = Values::S64(Vec::new());
    let dataset = Dataset::open(&written(&tables).dir).expect("opens");
    let masks = dataset.split(Split::Test).column("masks").expect("there");
    assert!(masks.values.is_empty());
    assert_eq!(masks.range(3), 0..0);
}

#[test]
fn texts_are_any_unicode_and_may_be_empty() {
    let mut tables = sample("text_classification");
    let texts = ["", "", "é e\u{301} \u{10ffff}", ""].map(String::from);
    *tables.column(Split::Test, "text") = Values::Text(texts.clone().into());
    let dataset = Dataset::open(&written(&tables).dir).expect("opens");
    let column = dataset.split(Split::Test).column("text").expect("there");
    let ColumnValues::Text(opened) = column.values else { unreachable!("the field is text") };
    assert!(opened.iter().eq(texts.iter().map(String::as_str)));
    assert_eq!((opened.len(), opened.get(2), column.range(2)), (4, texts[2].as_str(), 2..3));
}

#[test]
fn all_missing_values_are_the_same_nan() {
    let payloads = [f32::from_bits(0x7fc0_0000), f32::from_bits(0xffc0_0001), f32::from_bits(0x7f80_0001)];
    let digests = payloads.map(|nan| {
        let mut tables = sample("tabular_regression");
        *tables.column(Split::Test, "features") = Values::F32(vec![nan; 8]);
        let directory = written(&tables);
        let dataset = Dataset::open(&directory.dir).expect("opens");
        let ColumnValues::F32(values) = dataset.split(Split::Test).column("features").expect("there").values else {
            unreachable!("the field is f32")
        };
        assert!(values.iter().all(|value| value.to_bits() == 0x7fc0_0000));
        assert_eq!(dataset.digest(), tables.digest());
        (dataset.digest(), directory.split(Split::Test))
    });
    assert!(digests[0] == digests[1] && digests[1] == digests[2]);
}

#[test]
fn every_declaration_is_part_of_the_digest() {
    let base = sample("tabular_classification");
    let changes: [fn(&mut Tables); 5] = [
        |tables| tables.fields[0].columns[0].name = "years".into(),
        |tables| tables.fields[0].columns[1].categories.swap(0, 1),
        |tables| tables.fields[0].columns.clear(),
        |tables| tables.task = thimble_datasets::TaskKind::TabularClassification(thimble_datasets::Classes::unnamed(3)),
        |tables| tables.train.rows = 6,
    ];
    let mut seen = vec![base.digest()];
    for change in changes {
        let mut tables = base.clone();
        change(&mut tables);
        assert!(!seen.contains(&tables.digest()));
        seen.push(tables.digest());
    }
}

#[test]
fn the_same_text_cut_elsewhere_is_another_dataset() {
    let digest = |texts: [&str; 4]| {
        let mut tables = sample("text_classification");
        *tables.column(Split::Test, "text") = Values::Text(texts.map(String::from).into());
        tables.digest()
    };
    assert_ne!(digest(["ab", "c", "", ""]), digest(["a", "bc", "", ""]));
}

#[test]
fn the_content_digest_with_ragged_fields_and_text_is_that_of_the_documented_bytes() {
    // Both are from `content_digest.py`, which shares no code with this crate.
    let texts = |texts: &[&str], labels: &[i64]| Table {
        rows: labels.len(),
        columns: vec![
            Values::Text(texts.iter().map(|&text| text.into()).collect()),
            Values::U8((0..labels.len()).map(|row| row as u8 + 3).collect()),
            Values::S64(labels.into()),
        ],
    };
    let text = Tables {
        name: "text".into(),
        task: thimble_datasets::TaskKind::TextClassification(thimble_datasets::Classes::named(["no", "ja"])),
        fields: vec![
            Field::input("text", DType::Text, &[]),
            Field::input("condition", DType::U8, &[]),
            Field::target("label", DType::S64, &[]),
        ],
        train: texts(&["grün", "", "a b"], &[1, 0, 1]),
        validation: texts(&["🙂"], &[0]),
        test: texts(&["", "x"], &[1, 0]),
    };
    let expected = "sha256:165d8c4c99792ca76093ac9c149192aaf296ac449c225a8f46066ac080934b4c";
    assert_eq!(text.digest().to_string(), expected);

    let boxes = |counts: &[i32], boxes: &[f32], labels: &[i64]| Table {
        rows: counts.len(),
        columns: vec![
            Values::U8((0..counts.len() * 2).map(|pixel| pixel as u8).collect()),
            Values::S32(counts.into()),
            Values::F32(boxes.into()),
            Values::S64(labels.into()),
        ],
    };
    let objects = Tables {
        name: "boxes".into(),
        task: thimble_datasets::TaskKind::ObjectDetection(thimble_datasets::Classes::unnamed(1)),
        fields: vec![
            Field::input("image", DType::U8, &[1, 2, 1]),
            Field::target("counts", DType::S32, &[]),
            Field::target("boxes", DType::F32, &[4]).ragged(),
            Field::target("labels", DType::S64, &[]).ragged(),
        ],
        train: boxes(&[0, 2], &[0.0, 0.0, 1.0, 1.0, 0.5, 0.25, 2.0, 1.0], &[0, 0]),
        validation: boxes(&[1], &[-1.0, -0.0, 1.5, 1.0], &[0]),
        test: boxes(&[0], &[], &[]),
    };
    let expected = "sha256:710c542517379a641b58c6b659362223954e57e69feab6911aa92e078881d950";
    assert_eq!(objects.digest().to_string(), expected);
    assert_eq!(Dataset::open(&written(&objects).dir).expect("opens").digest().to_string(), expected);
}

fn record_batch(directory: &Directory, split: Split) -> RecordBatch {
    let mut reader = FileReader::try_new(Cursor::new(directory.split(split)), None).expect("an Arrow file");
    let batch = reader.next().expect("one batch").expect("a legal batch");
    assert!(reader.next().is_none());
    batch
}

#[test]
fn the_arrow_crate_reads_the_files_that_this_one_writes() {
    for tables in samples() {
        let directory = written(&tables);
        for split in Split::ALL {
            let batch = record_batch(&directory, split);
            assert_eq!(batch.num_rows(), tables.split(split).rows);
            for (field, values) in tables.fields.iter().zip(&tables.split(split).columns) {
                let column = batch.column_by_name(&field.name).expect("the field is there");
                column.to_data().validate_full().expect("a legal array");
                assert_eq!(column.null_count(), 0);
                let mut array = column.clone();
                if field.ragged {
                    array = array.as_list::<i64>().values().clone();
                }
                if !field.shape.is_empty() {
                    array = array.as_fixed_size_list().values().clone();
                }
                assert_eq!(
                    bits(arrow_values(&array, field).view()),
                    bits(values.view()),
                    "{} {}",
                    tables.name,
                    field.name
                );
            }
            let bytes = directory.split(split);
            // An Arrow file holds an Arrow stream after its magic and padding.
            let mut stream = StreamReader::try_new(Cursor::new(&bytes[64..]), None).expect("an Arrow stream");
            assert_eq!(stream.next().expect("one batch").expect("a legal batch").num_rows(), batch.num_rows());
            assert!(stream.next().is_none());
        }
    }
}

#[test]
fn the_arrow_crate_sees_the_same_rows() {
    let directory = written(&sample("instance_segmentation"));
    let batch = record_batch(&directory, Split::Train);
    let masks = batch.column_by_name("masks").expect("there").as_list::<i64>();
    let lengths: Vec<_> = (0..7).map(|row| masks.value(row).len()).collect();
    assert_eq!(lengths, [0, 1, 2, 0, 1, 2, 0]);
}

fn arrow_values(array: &dyn Array, field: &Field) -> Values {
    match field.dtype {
        DType::F32 => Values::F32(array.as_primitive::<Float32Type>().values().to_vec()),
        DType::F64 => Values::F64(array.as_primitive::<Float64Type>().values().to_vec()),
        DType::S64 => Values::S64(array.as_primitive::<Int64Type>().values().to_vec()),
        DType::S32 => Values::S32(array.as_primitive::<Int32Type>().values().to_vec()),
        DType::U8 => Values::U8(array.as_primitive::<UInt8Type>().values().to_vec()),
        DType::Text => Values::Text(array.as_string::<i64>().iter().flatten().map(String::from).collect()),
        DType::S8 => unreachable!("no sample has s8"),
    }
}
