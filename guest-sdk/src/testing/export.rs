//! The directory that `thimble dataset export` writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{PublicData, npy};
use crate::{Batch, Dtype, Error, Field, Metadata, Result, Tensor, Values};

const METADATA_FILE: &str = "metadata.json";
/// 65,536 categories of 64 bytes fit.
const MAX_METADATA_BYTES: u64 = 8 << 20;
/// Texts of one split.
const MAX_TEXT_BYTES: u64 = 1 << 30;

/// `metadata.json`, schema version 1. The keys and types are those of `host/cli/src/commands/export.rs`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Export {
    schema_version: u32,
    challenge: ChallengeRef,
    #[serde(rename = "dataset")]
    _dataset: IgnoredAny,
    loader: LoaderRule,
    #[serde(rename = "limits")]
    _limits: IgnoredAny,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeRef {
    name: String,
    #[serde(rename = "digest")]
    _digest: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoaderRule {
    batch_size: usize,
    seed: u64,
}

pub(super) fn open(directory: &Path) -> Result<PublicData> {
    let export = read_metadata(directory)?;
    let Export { challenge, loader, metadata, .. } = export;
    let split = |name: &str, rows: u64, fields: &[Field]| read_fields(directory, name, rows, fields);
    let both = |name: &str, rows: u64| -> Result<Arc<Batch>> {
        let batch = Batch::new(split(name, rows, &metadata.inputs)?, split(name, rows, &metadata.targets)?)?;
        if let Ok(labels) = batch.targets.rows::<i64>("label") {
            check_labels(labels.values, &metadata).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(Arc::new(batch))
    };
    let train = both("train", metadata.train_samples)?;
    let validation = both("validation", metadata.val_samples)?;
    let test = both("test", metadata.test_samples)?;
    Ok(PublicData {
        challenge: challenge.name,
        batch_size: loader.batch_size,
        seed: loader.seed,
        train,
        validation,
        test_targets: test.targets.clone(),
        test: Batch::from_inputs(test.inputs.as_slice().to_vec())?,
        metadata,
    })
}

fn read_metadata(directory: &Path) -> Result<Export> {
    let path = directory.join(METADATA_FILE);
    let mut text = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_METADATA_BYTES + 1).read_to_end(&mut text));
    read.map_err(|error| {
        let directory = directory.display();
        format!(
            "no public data in {directory} ({METADATA_FILE}: {error}); `thimble dataset export CHALLENGE --out {directory}` writes it"
        )
    })?;
    let wrong = |what: String| Error::from(format!("{}: {what}", path.display()));
    if text.len() as u64 > MAX_METADATA_BYTES {
        return Err(wrong(format!("has more than {MAX_METADATA_BYTES} bytes")));
    }
    let export: Export = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    check(&export).map_err(wrong)?;
    Ok(export)
}

/// What everything after this relies on.
fn check(export: &Export) -> Result<(), String> {
    let Export { schema_version, loader, metadata, .. } = export;
    if *schema_version != 1 {
        return Err(format!("schema_version is {schema_version}, this SDK reads 1"));
    }
    if loader.batch_size == 0 {
        return Err("loader.batch_size is 0, expected at least 1".to_owned());
    }
    for (split, rows) in
        [("train", metadata.train_samples), ("val", metadata.val_samples), ("test", metadata.test_samples)]
    {
        if rows == 0 {
            return Err(format!("metadata.{split}_samples is 0, expected at least 1"));
        }
    }
    // Names become names of files.
    let legal = |name: &str| {
        (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    match metadata.inputs.iter().chain(&metadata.targets).find(|field| !legal(&field.name)) {
        Some(field) => Err(format!("field name {:?} is not of the form [a-z0-9._-]{{1,64}}", field.name)),
        None => Ok(()),
    }
}

/// The fields of a split. A ragged field has as many items as the field `counts`, which stands before it.
fn read_fields(directory: &Path, split: &str, rows: u64, fields: &[Field]) -> Result<Vec<Tensor>> {
    let mut tensors: Vec<Tensor> = Vec::new();
    for field in fields {
        let first = if field.ragged { items(&tensors)? } else { rows };
        tensors.push(read_field(directory, split, first, field)?);
    }
    Ok(tensors)
}

fn items(tensors: &[Tensor]) -> Result<u64> {
    let counts = tensors.iter().find(|tensor| tensor.name == "counts").ok_or("there is no field `counts`")?;
    let mut items = 0;
    for &count in counts.get::<i32>()? {
        items += u64::try_from(count).map_err(|_| format!("a row has {count} items"))?;
    }
    Ok(items)
}

fn read_field(directory: &Path, split: &str, rows: u64, field: &Field) -> Result<Tensor> {
    let extension = if field.dtype == Dtype::Text { "json" } else { "npy" };
    let path = directory.join(format!("{split}.{}.{extension}", field.name));
    let wrong = |what: &str| Error::from(format!("{}: {what}", path.display()));
    let mut shape = vec![usize::try_from(rows).map_err(|_| wrong("has too many rows for this machine"))?];
    shape.extend_from_slice(&field.shape);
    let values = match field.dtype {
        Dtype::Text => texts(&path, shape[0]),
        dtype => npy::read(&path, dtype, &shape),
    };
    let values = values.map_err(|error| wrong(&error.to_string()))?;
    let finite = match &values {
        Values::F32(values) => values.iter().all(|value| value.is_finite() || (field.missing && value.is_nan())),
        Values::F64(values) => values.iter().all(|value| value.is_finite() || (field.missing && value.is_nan())),
        _ => true,
    };
    if !finite {
        return Err(wrong("holds a NaN or an infinity"));
    }
    Ok(Tensor { name: field.name.clone(), shape, values })
}

/// A JSON array of texts.
fn texts(path: &Path, rows: usize) -> Result<Values> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TEXT_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| error.to_string())?;
    if text.len() as u64 > MAX_TEXT_BYTES {
        return Err(format!("has more than {MAX_TEXT_BYTES} bytes").into());
    }
    let texts: Vec<String> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if texts.len() != rows {
        return Err(format!("has {} texts, expected {rows}", texts.len()).into());
    }
    Ok(Values::Text(texts))
}

fn check_labels(labels: &[i64], metadata: &Metadata) -> Result<()> {
    let classes = metadata.num_classes;
    match labels.iter().find(|&&label| usize::try_from(label).map_or(true, |label| label >= classes)) {
        Some(label) => Err(format!("a label is {label}, expected 0 to {}", classes as i64 - 1).into()),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use tempfile::TempDir;

    use super::*;

    pub(in super::super) fn metadata() -> String {
        r#"{
          "schema_version": 1,
          "challenge": { "name": "toy", "digest": "sha256:00" },
          "dataset": "sha256:00",
          "loader": { "batch_size": 3, "seed": 7 },
          "limits": { "batch_size": 3 },
          "metadata": {
            "kind": "tabular_classification",
            "inputs": [{ "name": "x", "dtype": "f32", "shape": [1], "ragged": false, "missing": false, "columns": [] }],
            "targets": [{ "name": "label", "dtype": "s64", "shape": [], "ragged": false, "missing": false, "columns": [] }],
            "outputs": [{ "name": "scores", "dtype": "f32", "shape": [2], "ragged": false, "missing": false, "columns": [] }],
            "num_classes": 2, "class_names": [], "input_dim": 1, "metric": "accuracy", "param_limit": 2, "baseline_accuracy": 0.5,
            "train_samples": 4, "val_samples": 2, "test_samples": 3, "device": "cpu", "seed": 7
          }
        }"#
        .to_owned()
    }

    fn column(rows: &[f32]) -> Vec<u8> {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, 1), }}", rows.len());
        npy::file(&text, &rows.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
    }

    fn labels(rows: &[i64]) -> Vec<u8> {
        let text = format!("{{'descr': '<i8', 'fortran_order': False, 'shape': ({},), }}", rows.len());
        npy::file(&text, &rows.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())
    }

    /// An export of two classes in one dimension.
    pub(in super::super) fn directory() -> TempDir {
        let directory = TempDir::new().expect("a temporary directory");
        let write = |name: &str, bytes: Vec<u8>| {
            std::fs::write(directory.path().join(name), bytes).expect("the file is written");
        };
        write("metadata.json", metadata().into_bytes());
        for (split, x, y) in [
            ("train", &[0.0, 1.0, 10.0, 11.0][..], &[0, 0, 1, 1][..]),
            ("validation", &[5.0, 6.0], &[0, 1]),
            ("test", &[2.0, 4.0, 9.0], &[0, 1, 1]),
        ] {
            write(&format!("{split}.x.npy"), column(x));
            write(&format!("{split}.label.npy"), labels(y));
        }
        directory
    }

    /// What `open` says when one file is another.
    fn error_with(name: &str, bytes: impl AsRef<[u8]>) -> String {
        let directory = directory();
        std::fs::write(directory.path().join(name), bytes).expect("the file is written");
        let error = open(directory.path()).map(drop).expect_err("the export is wrong").to_string();
        error.replace(&format!("{}/", directory.path().display()), "")
    }

    #[test]
    fn rows_come_as_the_runner_hands_them_out() -> Result<()> {
        let directory = directory();
        let data = open(directory.path())?;
        assert_eq!((data.challenge(), data.batch_size(), data.metadata().seed), ("toy", 3, 7));
        let split = |loader: crate::Loader| -> Result<Vec<Vec<f32>>> {
            loader.map(|batch| Ok(batch.features()?.values.to_vec())).collect()
        };
        // The order of epoch 0 of four rows under seed 7 is another program's (Python, from the description of the order).
        let order = [vec![0.0, 10.0, 1.0], vec![11.0]];
        assert_eq!(split(data.train())?, order);
        assert_eq!(split(data.train())?, order, "every loader starts anew");
        assert_eq!(split(data.validation())?, [[5.0, 6.0]]);
        let test: Vec<_> = data.test_batches().collect();
        assert_eq!((test.len(), test[0].features()?.values), (1, &[2.0, 4.0, 9.0][..]));
        assert!(test[0].labels().is_err(), "a batch to predict has no labels");
        assert_eq!(data.test_targets().get("label")?.get::<i64>()?, [0, 1, 1]);
        Ok(())
    }

    #[test]
    fn a_directory_without_an_export_names_the_command() {
        let error = open(Path::new("nowhere")).map(drop).map_err(|error| error.to_string());
        assert!(
            error
                .clone()
                .is_err_and(|text| text.contains("`thimble dataset export CHALLENGE --out nowhere` writes it")),
            "{error:?}"
        );
    }

    #[test]
    fn metadata_that_is_wrong_is_named() {
        let with = |from: &str, to: &str| {
            let text = metadata();
            assert!(text.contains(from), "{from}");
            error_with("metadata.json", text.replacen(from, to, 1))
        };
        assert!(with("\"num_classes\": 2, ", "").contains("missing field `num_classes`"));
        assert!(with("\"dataset\"", "\"more\"").contains("unknown field `more`"));
        assert!(with("\"f32\"", "\"f16\"").contains("unknown variant `f16`"));
        assert!(with("sion\": 1", "sion\": 2").contains("schema_version is 2, this SDK reads 1"));
        assert!(with("\"batch_size\": 3", "\"batch_size\": 0").contains("loader.batch_size is 0"));
        assert!(with("\"test_samples\": 3", "\"test_samples\": 0").contains("metadata.test_samples is 0"));
        for name in ["", "../x", "X", &"x".repeat(65)] {
            assert!(with("\"x\"", &format!("\"{name}\"")).contains(&format!("field name {name:?} is not")), "{name}");
        }
        let large = metadata() + &" ".repeat(MAX_METADATA_BYTES as usize);
        assert_eq!(error_with("metadata.json", large), "metadata.json: has more than 8388608 bytes");
    }

    #[test]
    fn arrays_that_are_not_as_promised_are_named() {
        let shape = error_with("train.x.npy", column(&[1.0; 5]));
        assert!(
            shape.starts_with("train.x.npy: is ") && shape.contains("(5, 1)") && shape.contains("(4, 1)"),
            "{shape}"
        );
        assert_eq!(error_with("test.x.npy", column(&[1.0, f32::NAN, 0.0])), "test.x.npy: holds a NaN or an infinity");
        for label in [-1, 2, i64::MAX] {
            assert_eq!(
                error_with("test.label.npy", labels(&[0, 1, label])),
                format!("test: a label is {label}, expected 0 to 1")
            );
        }
        let huge = metadata().replace("\"train_samples\": 4", "\"train_samples\": 18446744073709551615");
        assert!(error_with("metadata.json", huge).contains("more than 8589934592 bytes"));
    }
}
