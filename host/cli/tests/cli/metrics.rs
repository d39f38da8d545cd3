//! `thimble metrics`

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::bench::{Bench, Ended, assert_golden};

/// A file of NumPy arrays: name, type, shape, bytes.
fn npz(arrays: &[(&str, &str, &str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, descr, shape, bytes) in arrays {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
        archive.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
        archive.write_all(b"\x93NUMPY\x01\x00").unwrap();
        archive.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        archive.write_all(header.as_bytes()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn s64s(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// `metrics eval` of two CSV files.
fn eval(line: &str, targets: &str, predictions: &str) -> Ended {
    let bench = Bench::new();
    bench.write("t.csv", targets);
    bench.write("p.csv", predictions);
    bench.thimble(&format!("metrics eval {line} --targets t.csv --predictions p.csv"))
}

/// The value of a metric in a JSON report.
#[track_caller]
fn value<'a>(report: &'a Value, name: &str) -> &'a Value {
    let lines = report["metrics"].as_array().unwrap();
    &lines.iter().find(|line| line["name"] == name).unwrap()["value"]
}

#[test]
fn the_list_has_120_rows_of_67_metrics() {
    let ended = Bench::new().thimble("metrics list --json");
    ended.assert_code(0);
    let json = ended.json();
    let rows = json.as_array().unwrap();
    let names: BTreeSet<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), names.len()), (120, 67));
    let fields = "description direction edge_cases formula label name range ranks_by_magnitude reads reference task \
                  undefined_when unit";
    for row in rows {
        let found: BTreeSet<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found, fields.split_whitespace().collect());
    }
    assert_eq!(rows[0]["task"], "image_classification");
}

#[test]
fn the_list_of_a_task_as_a_table() {
    let ended = Bench::new().thimble("metrics list --task time_series_forecasting");
    ended.assert_code(0);
    assert_golden("metrics-list", &ended.stdout);
    assert_eq!(Bench::new().thimble("metrics list --task chess").code, 2);
}

#[test]
fn probabilities_of_declared_classes() {
    let targets = "id,label\na,cat\nb,dog\nc,dog\nd,cat\n";
    let predictions = "id,score_dog,score_cat\nd,0.25,0.75\nc,0.5,0.5\nb,0.75,0.25\na,0.125,0.875\n";
    let ended = eval("--task image_classification --classes cat,dog", targets, predictions);
    ended.assert_code(0);
    assert_golden("metrics-eval", &ended.stdout);
    // By hand: c ties, and the first class, cat, is predicted; dog is the positive class.
    let ended = eval("--task image_classification --classes cat,dog --json", targets, predictions);
    ended.assert_code(0);
    let report = ended.json();
    assert_eq!(report["rows"], 4);
    assert_eq!(value(&report, "accuracy"), 0.75);
    assert_eq!(value(&report, "precision"), 1.0);
    assert_eq!(value(&report, "recall"), 0.5);
    assert_eq!(value(&report, "auc_roc"), 1.0);
}

#[test]
fn classes_alone_are_enough_where_no_metric_reads_more() {
    let (targets, predictions) = ("label\n0\n1\n1\n", "label\n0\n1\n0\n");
    let line = "--task tabular_classification --classes 2";
    let ended = eval(&format!("{line} --metric accuracy --metric recall --json"), targets, predictions);
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "recall"), 0.5);
    let ended = eval(line, targets, predictions);
    ended.assert_error(3, &["predictions p.csv", "`label` alone", "reads scores", "--metric"]);
}

#[test]
fn a_metric_that_says_nothing_is_shown_with_its_reason() {
    let line = "--task tabular_classification --metric auc_roc --metric accuracy";
    let ended = eval(line, "label\n1\n1\n", "p0,p1\n0.5,0.5\n0.25,0.75\n");
    ended.assert_code(0);
    assert_golden("metrics-eval-degenerate", &ended.stdout);
}

#[test]
fn rows_are_paired_by_id_one_to_one() {
    let of = |ids: &[&str]| ids.iter().fold("id,value\n".to_owned(), |text, id| format!("{text}{id},1\n"));
    let line = "--task tabular_regression --metric mae";
    eval(line, &of(&["1", "2"]), &of(&["2", "1"])).assert_code(0);
    let cases: [(&[&str], &str); 4] = [
        (&["1"], "there is no row with id `2`, row 1 of the targets"),
        (&["1", "2", "3"], "row 2 has id `3`, which the targets do not have"),
        (&["1", "1"], "id `1` stands in row 0 and in row 1"),
        (&["1", "x"], "row 1 has id `x`, which the targets do not have"),
    ];
    for (ids, expected) in cases {
        eval(line, &of(&["1", "2"]), &of(ids)).assert_error(3, &["predictions p.csv", expected]);
    }
    eval(line, &of(&["1", "1"]), &of(&["1", "2"])).assert_error(3, &["targets t.csv", "id `1` stands in row 0"]);
    let ended = eval(line, "target\n1\n2\n", "value\n1\n");
    ended.assert_error(3, &["predictions p.csv", "1 rows, the targets have 2"]);
}

#[test]
fn what_is_no_number_is_an_error_with_its_row() {
    let line = "--task tabular_regression";
    for (cell, words) in [
        ("NaN", &["p.csv, line 3: column `value` has no value"][..]),
        ("", &["p.csv, line 3"][..]),
        ("inf", &["the value of test row 1 is inf", "within ±1e30"][..]),
        ("one", &["p.csv, line 3: column `value` holds `one`, which is not a number"][..]),
    ] {
        let predictions = format!("value,id\n1,0\n{cell},1\n");
        eval(line, "target\n1\n2\n", &predictions).assert_error(3, words);
        let targets = predictions.replace("value", "target");
        assert_eq!(eval(line, &targets, "value\n1\n2\n").code, 3, "{cell}");
    }
    let ended = eval(line, "target\n1\n", "value,extra\n1,2\n");
    ended.assert_error(3, &["predictions p.csv: `extra` is nothing that predictions have"]);
}

#[test]
fn classes_that_do_not_fit_are_named() {
    let line = "--task text_classification --classes a,b --metric accuracy";
    let cases = [
        ("label\nc\n", "score_a,score_b\n1,0\n", "targets t.csv: row 0 has label `c`; the classes are a, b"),
        ("label\na\n", "score_a\n1\n", "predictions p.csv: there is no `score_b`, and 2 classes are declared"),
        ("label\na\n", "score_a,score_b,score_c\n1,0,0\n", "predictions p.csv: `score_c` is the score of none"),
        ("label\na\n", "score_a,score_b\n1,-inf\n", "the score of class 1 in test row 0 is -inf"),
    ];
    for (targets, predictions, expected) in cases {
        eval(line, targets, predictions).assert_error(3, &[expected]);
    }
    let line = "--task text_classification --classes a,b --metric log_loss";
    let ended = eval(line, "label\na\n", "score_a,score_b\n0.5,0.25\n");
    ended.assert_error(3, &["the scores of test row 0 sum to 0.75"]);
}

#[test]
fn forecasts_have_a_column_a_step() {
    let line = "--task time_series_forecasting --json";
    let ended = eval(line, "last,h1,h2\n1,2,3\n5,5,4\n", "h1,h2\n2,4\n5,4\n");
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "mae"), 0.25);
    // 1 over the naive errors of 1, 2, 0 and 1.
    let expected = f64::sqrt(1.0 / 6.0);
    assert!((value(&ended.json(), "theil_u2").as_f64().unwrap() - expected).abs() < 1e-15);
    eval(line, "h1\n1\n", "h1\n1\n").assert_error(3, &["targets t.csv", "there is no `last`"]);
    eval(line, "last,h1\n1,1\n", "h2\n1\n").assert_error(3, &["predictions p.csv", "there is no `h1`"]);
}

#[test]
fn risks_have_a_horizon() {
    let (targets, risks) = ("time,event\n1,1\n2,1\n3,0\n4,1\n", "risk\n4\n3\n2\n1\n");
    let ended = eval("--task time_to_event --horizon 2 --prevalence 0.5 --json", targets, risks);
    ended.assert_code(0);
    assert_eq!((value(&ended.json(), "f1"), value(&ended.json(), "c_index")), (&json!(1.0), &json!(1.0)));
    eval("--task time_to_event", "time,event\n1,2\n", "risk\n1\n").assert_error(3, &["targets t.csv", "row 0"]);
    eval("--task time_to_event --prevalence 2", targets, risks).assert_error(3, &["`prevalence` is 2"]);
}

/// Two images, two categories of ids that do not begin with 0, one of them without an object.
fn coco(iscrowd: u8) -> Value {
    json!({
        "images": [{ "id": 7, "width": 20, "height": 20 }, { "id": 3 }],
        "categories": [{ "id": 18, "name": "dog" }, { "id": 2, "name": "cat" }],
        "annotations": [
            { "id": 1, "image_id": 3, "category_id": 18, "bbox": [0, 0, 10, 10], "iscrowd": iscrowd, "segmentation": [] },
            { "id": 2, "image_id": 7, "category_id": 18, "bbox": [5, 5, 10, 10] }
        ]
    })
}

fn detect(truth: &Value, detections: &Value) -> Ended {
    let bench = Bench::new();
    bench.write("t.json", truth.to_string());
    bench.write("p.json", detections.to_string());
    bench.thimble("metrics eval --task object_detection --targets t.json --predictions p.json --json")
}

#[test]
fn coco_detections_are_scored_class_by_class() {
    let found = json!([
        { "image_id": 7, "category_id": 18, "bbox": [5, 5, 10, 10], "score": 0.75 },
        { "image_id": 3, "category_id": 18, "bbox": [0, 0, 10, 10], "score": 0.5 }
    ]);
    let ended = detect(&coco(0), &found);
    ended.assert_code(0);
    let report = ended.json();
    assert_eq!((value(&report, "map"), value(&report, "iou")), (&json!(1.0), &json!(1.0)));
    let line = report["metrics"].as_array().unwrap().iter().find(|line| line["name"] == "map_per_class").unwrap();
    assert_eq!(line["classes"], json!([{ "class": "cat", "value": null }, { "class": "dog", "value": 1.0 }]));
    // Nothing detected is a prediction.
    assert_eq!(value(&detect(&coco(0), &json!([])).json(), "map"), 0.0);
}

#[test]
fn coco_files_that_do_not_fit_are_named() {
    detect(&coco(1), &json!([])).assert_error(3, &["targets t.json: annotation 0, of image 3, has iscrowd 1"]);
    let with = |field: &str, value: Value| {
        let mut detection = json!({ "image_id": 7, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5 });
        detection[field] = value;
        detect(&coco(0), &json!([detection]))
    };
    with("image_id", 8.into()).assert_error(3, &["predictions p.json: detection 0: there is no image with id 8"]);
    with("category_id", 3.into()).assert_error(3, &["detection 0: of image 7: there is no category with id 3"]);
    with("bbox", json!([0, 0, 0, 1])).assert_error(3, &["detection 0: of image 7: its box is"]);
    with("score", 1.5.into()).assert_error(3, &["the score of object 0 of test row 0 is 1.5"]);
    with("score", Value::Null).assert_error(3, &["predictions p.json: not the COCO JSON of predictions"]);
    let bench = Bench::new();
    bench.write("t.json", "[".repeat(100_000));
    bench.write("p.json", "[]");
    bench
        .thimble("metrics eval --task object_detection --targets t.json --predictions p.json")
        .assert_error(3, &["targets t.json: not the COCO JSON"]);
}

#[test]
fn arrays_have_the_names_and_shapes_of_fields() {
    let bench = Bench::new();
    bench.write("t.npz", npz(&[("mask", "|u1", "2, 1, 2", vec![0, 1, 2, 1])]));
    bench.write("p.npz", npz(&[("mask", "|u1", "2, 1, 2", vec![0, 1, 1, 0])]));
    let line = "metrics eval --task semantic_segmentation --classes 2 --targets t.npz --predictions p.npz --json";
    let ended = bench.thimble(&format!("{line} --ignore 2"));
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "pixel_accuracy").as_f64(), Some(2.0 / 3.0));
    bench.thimble(line).assert_error(3, &["targets t.npz", "row 1", "neither a class nor the value to ignore"]);
    bench.write("p.npz", npz(&[("mask", "|u1", "2, 2, 1", vec![0, 1, 1, 0])]));
    bench.thimble(&format!("{line} --ignore 2")).assert_error(3, &["tensor `mask` must have shape [2, 1, 2]"]);
}

#[test]
fn instances_and_points_are_read_from_arrays() {
    let bench = Bench::new();
    let counts = ("counts", "<i8", "2,", s64s(&[1, 0]));
    let objects = [counts, ("masks", "|u1", "1, 1, 3", vec![0, 1, 1]), ("labels", "<i8", "1,", s64s(&[1]))];
    bench.write("t.npz", npz(&objects));
    bench.write("p.npz", npz(&[&objects[..], &[("scores", "<f4", "1,", f32s(&[0.75]))]].concat()));
    let line = "--targets t.npz --predictions p.npz --json";
    let ended = bench.thimble(&format!("metrics eval --task instance_segmentation --classes 2 {line}"));
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "f1"), 1.0);

    let places = ("keypoints", "<f4", "1, 2, 2", f32s(&[1.0, 2.0, 3.0, 4.0]));
    bench.write("t.npz", npz(&[places.clone(), ("visibility", "|u1", "1, 2", vec![2, 0])]));
    bench.write("p.npz", npz(&[places, ("visibility", "<f4", "1, 2", f32s(&[1.0, 0.0]))]));
    let line = format!("metrics eval --task keypoint_detection {line}");
    let ended = bench.thimble(&format!("{line} --image-size 10x10"));
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "mpjpe"), 0.0);
    bench.thimble(&line).assert_error(2, &["--image-size"]);
    bench.write("k.csv", "a_x,a_y,a_v,b_x,b_y,b_v\n1,2,2,3,4,0\n");
    bench.write("q.csv", "a_x,a_y,a_v,b_x,b_y,b_v\n1,5,1,3,4,0\n");
    let line = "metrics eval --task keypoint_detection --image-size 10x10 --targets k.csv --predictions q.csv --json";
    let ended = bench.thimble(line);
    ended.assert_code(0);
    assert_eq!(value(&ended.json(), "mpjpe"), 3.0);
}

#[test]
fn hostile_arrays_are_refused() {
    let bench = Bench::new();
    bench.write("t.csv", "target\n1\n");
    let error = |bytes: &[u8], words: &[&str]| {
        bench.write("p.npz", bytes);
        let line = "metrics eval --task tabular_regression --targets t.csv --predictions p.npz";
        bench.thimble(line).assert_error(3, words);
    };
    error(b"", &["predictions p.npz", "0 bytes"]);
    error(b"PK\x03\x04", &["predictions p.npz"]);
    error(&npz(&[("values", "<f8", "99999999999,", vec![0; 8])]), &["more than"]);
    error(&npz(&[("values", "<f8", "1000000,", vec![0; 8])]), &["needs more than its"]);
    error(&npz(&[("values", "|O", "1,", vec![0; 8])]), &["\"|O\""]);
    error(&npz(&[("values", "<f8", "18446744073709551615, 2", Vec::new())]), &["more than"]);
    // 128 MiB of zeros in a few kilobytes.
    error(&npz(&[("values", "|u1", "134217728,", vec![0; 1 << 27])]), &["times"]);
    error(&npz(&[("values", "<f8", "1, 1", vec![0; 8])]), &["`values` has 2 dimensions, it must have 1"]);
    error(&npz(&[("other", "<f8", "1,", vec![0; 8])]), &["`other` is nothing that predictions have"]);
}

#[test]
fn options_that_do_not_fit_are_a_wrong_command_line() {
    let wrong = |line: &str, words: &[&str]| eval(line, "target\n1\n", "value\n1\n").assert_error(2, words);
    wrong("--task tabular_regression --metric auc", &["tabular_regression has no metric `auc`", "median_ae"]);
    wrong("--task tabular_regression --classes 3", &["--classes says nothing about tabular_regression"]);
    wrong("--task tabular_classification --classes 70000", &["--classes 70000", "65536"]);
    let ended = eval("--task tabular_regression --relative-tolerance=-1", "target\n1\n", "value\n1\n");
    ended.assert_error(3, &["`relative_tolerance` is -1"]);
    eval("--task tabular_regression", "", "value\n1\n").assert_error(3, &["targets t.csv", "the file is empty"]);
    let missing = Bench::new().thimble("metrics eval --task tabular_regression --targets t.csv --predictions p.csv");
    missing.assert_error(3, &["targets t.csv"]);
}
