//! The rules of `dataset.json`, at each limit and one beyond.

use serde_json::{Value, json};
use thimble_datasets::{Digest, Metadataset, limits};

fn metadataset() -> Value {
    let digest = Digest::of(b"");
    json!({
        "schema_version": 1,
        "name": "small",
        "task": { "kind": "tabular_classification", "classes": 2 },
        "fields": [
            { "name": "x", "dtype": "f32", "shape": [3], "role": "input" },
            { "name": "label", "dtype": "s64", "shape": [], "role": "target" },
        ],
        "splits": {
            "train": { "file": "train.arrow", "file_digest": digest, "rows": 3, "class_counts": [1, 2] },
            "validation": { "file": "validation.arrow", "file_digest": digest, "rows": 1, "class_counts": [0, 1] },
            "test": { "file": "test.arrow", "file_digest": digest, "rows": 1 },
        },
        "digest": digest,
    })
}

fn parse(json: &Value) -> Result<Metadataset, String> {
    Metadataset::from_json(json.to_string().as_bytes()).map_err(|error| error.to_string())
}

/// The result of replacing the value at a path.
fn with(pointer: &str, value: Value) -> Result<Metadataset, String> {
    let mut json = metadataset();
    *json.pointer_mut(pointer).expect("the path exists") = value;
    parse(&json)
}

#[track_caller]
fn refused(result: Result<Metadataset, String>, expected: &str) {
    assert_eq!(result.expect_err("must be refused"), expected);
}

#[test]
fn a_metadataset_round_trips() {
    let parsed = parse(&metadataset()).expect("is legal");
    assert_eq!(serde_json::to_value(&parsed).expect("serialises"), metadataset());
}

#[test]
fn unknown_missing_and_wrong_fields_are_named_with_their_path() {
    let starts = |result: Result<Metadataset, String>, expected: &str| {
        let text = result.expect_err("must be refused");
        assert!(text.starts_with(expected), "{text}");
    };
    let mut json = metadataset();
    json["splits"]["test"]["class_counts"] = json!([0, 1]);
    starts(parse(&json), "at `splits.test.class_counts`: unknown field `class_counts`");
    let mut json = metadataset();
    json["fields"][0]["unit"] = json!("m");
    starts(parse(&json), "at `fields[0].unit`: unknown field `unit`");
    let mut json = metadataset();
    json["splits"]["train"].as_object_mut().expect("an object").remove("rows");
    starts(parse(&json), "at `splits.train`: missing field `rows`");
    starts(with("/splits/train/rows", json!(-1)), "at `splits.train.rows`: invalid value");
    starts(with("/splits/train/rows", json!(1.5)), "at `splits.train.rows`: invalid type");
    starts(with("/fields/0/dtype", json!("f16")), "at `fields[0].dtype`: unknown variant `f16`");
    starts(with("/digest", json!("sha256:00")), "at `digest`: a digest is");
    starts(Metadataset::from_json(b"{} {}").map_err(|error| error.to_string()), "at `.`: missing field");
    let twice = metadataset().to_string() + "{}";
    starts(Metadataset::from_json(twice.as_bytes()).map_err(|error| error.to_string()), "at `.`: trailing characters");
    let repeated = metadataset().to_string().replacen('{', r#"{"name":"other","#, 1);
    starts(
        Metadataset::from_json(repeated.as_bytes()).map_err(|error| error.to_string()),
        "at `.`: duplicate field `name`",
    );
}

#[test]
fn schema_version_is_one() {
    refused(with("/schema_version", json!(2)), "at `schema_version`: 2 is not 1");
}

#[test]
fn names_ok() {
    for name in ["a", "a-b", "0", &"n".repeat(63)] {
        assert!(with("/name", json!(name)).is_ok(), "{name}");
    }
    for name in ["x", "a_b.c-9", &"n".repeat(limits::FIELD_NAME_BYTES)] {
        assert!(with("/fields/0/name", json!(name)).is_ok(), "{name}");
    }
}

#[test]
fn names_err() {
    for name in ["", "A", "a--b", "-a", "a-", "a b", "a/b", "ä", &"n".repeat(64)] {
        let rule = "at `name`: must be 1 to 63 lower-case letters, digits and single hyphens inside";
        refused(with("/name", json!(name)), rule);
    }
    for name in ["", "X", "a b", "a\u{0}", "ä", &"n".repeat(limits::FIELD_NAME_BYTES + 1)] {
        let rule = "at `fields[0].name`: must be 1 to 64 of the characters a-z 0-9 . _ -";
        refused(with("/fields/0/name", json!(name)), rule);
    }
    refused(with("/fields/0/name", json!("label")), "at `fields[1].name`: `label` is used twice");
}

/// A metadataset with this many classes, all rows in the first one.
fn classes(classes: usize) -> Result<Metadataset, String> {
    let mut json = metadataset();
    json["task"]["classes"] = json!(classes);
    for (split, rows) in [("train", 3), ("validation", 1)] {
        let mut counts = vec![0; classes];
        counts.first_mut().into_iter().for_each(|count| *count = rows);
        json["splits"][split]["class_counts"] = json!(counts);
    }
    parse(&json)
}

#[test]
fn class_limits_ok() {
    assert!(classes(2).is_ok() && classes(65_536).is_ok());
}

#[test]
fn class_limits_err() {
    refused(classes(1), "at `task.classes`: 1 is not between 2 and 65536");
    refused(classes(65_537), "at `task.classes`: 65537 is not between 2 and 65536");
}

/// A metadataset with this many fields.
fn fields(count: usize) -> Result<Metadataset, String> {
    let mut json = metadataset();
    let list = json["fields"].as_array_mut().expect("a list");
    while list.len() < count {
        list.push(json!({ "name": format!("f{}", list.len()), "dtype": "u8", "shape": [], "role": "input" }));
    }
    parse(&json)
}

#[test]
fn field_count_limit_ok() {
    assert!(fields(limits::FIELDS).is_ok());
}

#[test]
fn field_count_limit_err() {
    refused(fields(limits::FIELDS + 1), "at `fields`: 65 fields, at most 64 are allowed");
}

#[test]
fn shape_limits_ok() {
    for shape in [json!([]), json!([1, 1, 1, 1, 1, 1, 1]), json!([16_777_216]), json!([4096, 4096])] {
        assert!(with("/fields/0/shape", shape.clone()).is_ok(), "{shape}");
    }
}

#[test]
fn shape_limits_err() {
    let shape = |shape, rule: &str| refused(with("/fields/0/shape", shape), &format!("at `fields[0].shape`: {rule}"));
    shape(json!([1, 1, 1, 1, 1, 1, 1, 1]), "8 dimensions, at most 7 are allowed");
    shape(json!([3, 0]), "a dimension is 0");
    shape(json!([16_777_217]), "16777217 values in a row, at most 16777216 are allowed");
    let overflow = json!([u32::MAX, u32::MAX, u32::MAX]);
    shape(overflow, &format!("{} values in a row, at most 16777216 are allowed", usize::MAX));
}

#[test]
fn there_is_an_input() {
    refused(with("/fields/0/role", json!("target")), "at `fields`: there is no input");
    refused(with("/fields", json!([])), "at `fields`: there is no input");
    // What a row was recorded under is not what a class can be predicted from.
    let mut json = metadataset();
    json["fields"][0] = json!({ "name": "condition", "dtype": "u8", "shape": [], "role": "input" });
    refused(parse(&json), "at `fields`: there is no input");
}

#[test]
fn row_limits_ok() {
    assert!(with("/splits/test/rows", json!(1)).is_ok());
    assert!(with("/splits/test/rows", json!(limits::SPLIT_ROWS)).is_ok());
    let mut json = metadataset();
    json["fields"][0]["shape"] = json!([4]);
    json["splits"]["test"]["rows"] = json!(limits::COLUMN_VALUES / 4);
    assert!(parse(&json).is_ok());
}

#[test]
fn row_limits_err() {
    let between = |rows: u64| format!("at `splits.test.rows`: {rows} is not between 1 and 2147483648");
    refused(with("/splits/test/rows", json!(0)), &between(0));
    refused(with("/splits/test/rows", json!(limits::SPLIT_ROWS + 1)), &between(limits::SPLIT_ROWS + 1));
    refused(with("/splits/test/rows", json!(u64::MAX)), &between(u64::MAX));
    let mut json = metadataset();
    json["fields"][0]["shape"] = json!([8]);
    json["splits"]["test"]["rows"] = json!(limits::COLUMN_VALUES / 8 + 1);
    let rule = "at `splits.test.rows`: 8589934600 values of `x`, at most 8589934592 are allowed";
    refused(parse(&json), rule);
}

#[test]
fn class_counts_sum_to_the_rows() {
    let path = "/splits/train/class_counts";
    let rule = |rule: &str| format!("at `splits.train.class_counts`: {rule}");
    refused(with(path, json!([1, 1])), &rule("the counts sum to 2, there are 3 rows"));
    refused(with(path, json!([u64::MAX, 4])), &rule(&format!("the counts sum to {}, there are 3 rows", u64::MAX)));
    refused(with(path, json!([3])), &rule("1 counts for 2 classes"));
    refused(with(path, json!([1, 1, 1])), &rule("3 counts for 2 classes"));
}

#[test]
fn files_have_their_fixed_names() {
    for name in ["../train.arrow", "test.arrow", "/etc/passwd", ""] {
        refused(with("/splits/train/file", json!(name)), "at `splits.train.file`: must be `train.arrow`");
    }
}
