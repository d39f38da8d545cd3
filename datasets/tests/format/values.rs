//! The rules of values, with the row of the split that breaks them, when a dataset is written.

use thimble_datasets::{DatasetWriter, Split, TableError, Values, WriteError, limits};

use crate::fixture::empty;
use crate::samples::{rows, sample};

/// Adds three good rows to a task's sample, then three with other columns.
fn append(task: &str, columns: &[(&str, Values)]) -> Result<(), TableError> {
    let tables = sample(task);
    let directory = empty();
    let mut writer =
        DatasetWriter::new(&directory.dir, "name", tables.task.clone(), tables.fields.clone()).expect("legal");
    writer.append(Split::Test, &rows(&tables.fields, 3, 1)).expect("good rows");
    // 0, 1 and 2 objects.
    let mut table = rows(&tables.fields, 3, 1);
    for (name, values) in columns {
        let position = tables.fields.iter().position(|field| field.name == *name).expect("the field is there");
        table.columns[position] = values.clone();
    }
    match writer.append(Split::Test, &table) {
        Ok(()) => Ok(()),
        Err(WriteError::Table { split: Split::Test, source }) => Err(source),
        Err(error) => unreachable!("{error}"),
    }
}

#[track_caller]
fn ok(task: &str, columns: &[(&str, Values)]) {
    assert_eq!(append(task, columns), Ok(()));
}

/// Rows count from the split's first.
#[track_caller]
fn err(task: &str, columns: &[(&str, Values)], expected: &str) {
    assert_eq!(append(task, columns).expect_err("must be refused").to_string(), expected);
}

/// Three boxes, the second of the last row changed.
fn boxes(last: [f32; 4]) -> Values {
    Values::F32([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], last].concat())
}

/// Three masks of six pixels, the last one changed.
fn masks(last: [u8; 6]) -> Values {
    Values::U8([[0, 1, 0, 0, 0, 0], [1; 6], last].concat())
}

#[test]
fn boxes_ok() {
    ok("object_detection", &[("boxes", boxes([-1e6, -1e6, 1e6, 1e6]))]);
    ok("object_detection", &[("boxes", boxes([0.0, 0.0, f32::MIN_POSITIVE, 1.0]))]);
    ok("keypoint_detection", &[("box", boxes([-3.0, 2.0, -2.0, 2.5]))]);
}

#[test]
fn boxes_err() {
    let rule = "x0, y0, x1, y1 with x0 < x1 and y0 < y1, within ±1,000,000 pixels";
    let beyond = 1e6_f32.next_up();
    for wrong in [
        [1.0, 0.0, 1.0, 1.0],
        [0.0, 1.0, 1.0, 1.0],
        [2.0, 0.0, 1.0, 1.0],
        [-beyond, 0.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, beyond],
    ] {
        err("object_detection", &[("boxes", boxes(wrong))], &format!("field `boxes`: row 5: a box is {rule}"));
        err("keypoint_detection", &[("box", boxes(wrong))], &format!("field `box`: row 5: a box is {rule}"));
    }
    for wrong in [f32::NAN, f32::INFINITY] {
        let text = "field `boxes`: row 5 holds a NaN or an infinity";
        err("object_detection", &[("boxes", boxes([0.0, wrong, 1.0, 1.0]))], text);
    }
}

#[test]
fn counts_ok() {
    ok("object_detection", &[("counts", Values::S32(vec![3, 0, 0]))]);
    let many = limits::ROW_ITEMS as usize;
    let columns = [
        ("counts", Values::S32(vec![0, limits::ROW_ITEMS, 0])),
        ("boxes", Values::F32([0.0, 0.0, 1.0, 1.0].repeat(many))),
        ("labels", Values::S64(vec![2; many])),
    ];
    ok("object_detection", &columns);
}

#[test]
fn counts_err() {
    let rule = "field `counts`: row 4: there must be 0 to 65,536 objects";
    err("object_detection", &[("counts", Values::S32(vec![0, -1, 4]))], rule);
    err("instance_segmentation", &[("counts", Values::S32(vec![0, limits::ROW_ITEMS + 1, 0]))], rule);
    err("object_detection", &[("counts", Values::S32(vec![0, i32::MIN, i32::MAX]))], rule);
}

#[test]
fn as_many_items_as_counts_say() {
    let counts = || ("counts", Values::S32(vec![0, 1, 1]));
    err("object_detection", &[counts()], "field `boxes`: 12 values for 2 rows or items of 4");
    let boxes = || ("boxes", Values::F32(vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]));
    err("object_detection", &[counts(), boxes()], "field `labels`: 3 values for 2 rows or items of 1");
    ok("object_detection", &[counts(), boxes(), ("labels", Values::S64(vec![0, 1]))]);
}

#[test]
fn labels_of_objects_are_classes() {
    ok("object_detection", &[("labels", Values::S64(vec![0, 1, 2]))]);
    // Rows of 0, 1 and 2 objects: the second object is in the third row.
    let label = |row, label| format!("field `labels`: the label of row {row} is {label}, classes are 0 to 2");
    err("object_detection", &[("labels", Values::S64(vec![3, 1, 2]))], &label(4, 3));
    err("object_detection", &[("labels", Values::S64(vec![0, -1, 2]))], &label(5, -1));
    err("instance_segmentation", &[("labels", Values::S64(vec![0, 1, i64::MIN]))], &label(5, i64::MIN));
}

#[test]
fn masks_ok() {
    ok("instance_segmentation", &[("masks", masks([0, 0, 0, 0, 0, 1]))]);
}

#[test]
fn masks_err() {
    let pixel = "field `masks`: row 5: a mask's pixels are 0 or 1";
    err("instance_segmentation", &[("masks", masks([0, 0, 0, 0, 1, 2]))], pixel);
    err("instance_segmentation", &[("masks", masks([255; 6]))], pixel);
    err("instance_segmentation", &[("masks", masks([0; 6]))], "field `masks`: row 5: a mask has no pixel");
}

#[test]
fn pixels_are_classes_or_do_not_count() {
    let mask = |last: u8| ("mask", Values::U8((0..17).map(|pixel| pixel % 3).chain([last]).collect()));
    ok("semantic_segmentation", &[mask(2)]);
    ok("semantic_segmentation", &[mask(255)]);
    for wrong in [3, 254] {
        let rule = "field `mask`: row 5: a pixel is neither a class nor the value to ignore";
        err("semantic_segmentation", &[mask(wrong)], rule);
    }
}

#[test]
fn keypoints_ok() {
    let places = |last: f32| ("keypoints", Values::F32([0.0; 11].into_iter().chain([last]).collect()));
    ok("keypoint_detection", &[places(1e6)]);
    ok("keypoint_detection", &[places(-1e6), ("visibility", Values::U8(vec![0, 1, 2, 0, 0, 0]))]);
    ok("keypoint_detection", &[("area", Values::F64(vec![f64::MIN_POSITIVE, 1.0, 1e12]))]);
}

#[test]
fn keypoints_err() {
    let places = |last: f32| ("keypoints", Values::F32([0.0; 11].into_iter().chain([last]).collect()));
    let rule = "field `keypoints`: row 5: a point lies within ±1,000,000 pixels";
    err("keypoint_detection", &[places(1e6_f32.next_up())], rule);
    err("keypoint_detection", &[places(f32::NAN)], "field `keypoints`: row 5 holds a NaN or an infinity");
    let rule = "field `visibility`: row 4: visibility is 0 (not annotated), 1 (hidden) or 2 (visible)";
    err("keypoint_detection", &[("visibility", Values::U8(vec![0, 1, 2, 3, 0, 0]))], rule);
    for wrong in [0.0, -1.0] {
        let area = ("area", Values::F64(vec![1.0, wrong, 1.0]));
        err("keypoint_detection", &[area], "field `area`: row 4: an area is above 0");
    }
}

#[test]
fn times_and_events_ok() {
    let columns = [("time", Values::F64(vec![f64::MIN_POSITIVE, 1.0, 1e300])), ("event", Values::S64(vec![0, 1, 1]))];
    ok("time_to_event", &columns);
}

#[test]
fn times_and_events_err() {
    for wrong in [0.0, -0.0, -1.0] {
        err("time_to_event", &[("time", Values::F64(vec![1.0, wrong, 1.0]))], "field `time`: row 4: a time is above 0");
    }
    let rule = "field `time`: row 4 holds a NaN or an infinity";
    err("time_to_event", &[("time", Values::F64(vec![1.0, f64::NAN, 1.0]))], rule);
    for wrong in [-1, 2] {
        let rule = "field `event`: row 5: an event is 1 or, censored, 0";
        err("time_to_event", &[("event", Values::S64(vec![0, 1, wrong]))], rule);
    }
}

#[test]
fn texts_have_a_limit_ok() {
    let long = "x".repeat(limits::TEXT_BYTES);
    ok("text_classification", &[("text", Values::Text(vec![long, String::new(), "é".into()]))]);
}

#[test]
fn texts_have_a_limit_err() {
    let long = format!("{}é", "x".repeat(limits::TEXT_BYTES - 1));
    let texts = Values::Text(vec![String::new(), long, String::new()]);
    err("text_classification", &[("text", texts)], "field `text`: row 4: a text has at most 1,048,576 bytes");
}

#[test]
fn values_may_miss_only_where_the_field_says_so() {
    ok("tabular_regression", &[("features", Values::F32(vec![f32::NAN; 6]))]);
    let infinite = Values::F32(vec![0.0, 0.0, 0.0, f32::NEG_INFINITY, 0.0, 0.0]);
    err("tabular_regression", &[("features", infinite)], "field `features`: row 4 holds a NaN or an infinity");
    let infinite = Values::F64(vec![0.0, 0.0, f64::INFINITY]);
    err("tabular_regression", &[("income", infinite)], "field `income`: row 5 holds a NaN or an infinity");
    let target = Values::F64(vec![0.0, f64::NAN, 0.0]);
    err("tabular_regression", &[("target", target)], "field `target`: row 4 holds a NaN or an infinity");
    let horizon = Values::F64(vec![0.0, 0.0, 0.0, f64::NAN, 0.0, 0.0]);
    err("time_series_forecasting", &[("horizon", horizon)], "field `horizon`: row 4 holds a NaN or an infinity");
}

#[test]
fn columns_fit_their_fields() {
    let text = Values::Text(vec!["0".into(); 3]);
    err("tabular_regression", &[("target", text)], "field `target`: values are Text, not F64");
    let short = Values::U8(vec![0; 17]);
    err("image_classification", &[("image", short)], "field `image`: 17 values for 3 rows or items of 6");
}
