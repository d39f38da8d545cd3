//! The directory that `thimble dataset export` writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{PublicData, npy};
use crate::{Batch, Error, Field, Metadata, Result, Tensor, Values};

const METADATA_FILE: &str = "metadata.json";
/// The largest legal one has some kilobytes.
const MAX_METADATA_BYTES: u64 = 1 << 20;

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
        check_labels(batch.labels()?, &metadata)?;
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
        test_labels: test.labels()?.to_vec(),
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

fn read_fields(directory: &Path, split: &str, rows: u64, fields: &[Field]) -> Result<Vec<Tensor>> {
    let read = |field: &Field| {
        let file = format!("{split}.{}.npy", field.name);
        let wrong = |what: &str| Error::from(format!("{}: {what}", directory.join(&file).display()));
        let mut shape = vec![usize::try_from(rows).map_err(|_| wrong("has too many rows for this machine"))?];
        shape.extend_from_slice(&field.shape);
        let values =
            npy::read(&directory.join(&file), field.dtype, &shape).map_err(|error| wrong(&error.to_string()))?;
        let finite = match &values {
            Values::F32(values) => values.iter().all(|value| value.is_finite()),
            Values::F64(values) => values.iter().all(|value| value.is_finite()),
            _ => true,
        };
        if !finite {
            return Err(wrong("holds a NaN or an infinity"));
        }
        Ok(Tensor { name: field.name.clone(), shape, values })
    };
    fields.iter().map(read).collect()
}

fn check_labels(labels: &[i64], metadata: &Metadata) -> Result<()> {
    let classes = metadata.num_classes;
    match labels.iter().find(|&&label| usize::try_from(label).map_or(true, |label| label >= classes)) {
        Some(label) => Err(format!("a label is {label}, expected 0 to {}", classes as i64 - 1).into()),
        None => Ok(()),
    }
}
