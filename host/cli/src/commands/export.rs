//! `thimble dataset export`

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::challenge::Limits;
use thimble_datasets::{ColumnValues, Digest, Split};
use thimble_runtime::{BoundData, Column, Description, Dtype, Field, Kind, Metadata};

use crate::cache::CacheOpts;
use crate::evaluate::public_data;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::target::Target;
use crate::{input, npy, output};

const METADATA_FILE: &str = "metadata.json";

/// Write a challenge's public data as NumPy files, to explore it or to test a solution natively.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes SPLIT.FIELD.npy (of text SPLIT.FIELD.json) for the splits train, validation and test and every field that a solution is given, and \
metadata.json: what a solution is told, the batch size and seed of its loaders, and the limits.

Examples:
  thimble dataset export examples/challenges/imagenet-pareto-500k --out data
  python3 -c 'import numpy; print(numpy.load(\"data/train.features.npy\").shape)'

In a solution's own tests, thimble_sdk::testing::PublicData::open(\"data\") reads it.")]
pub(crate) struct ExportOpts {
    /// Challenge directory
    challenge: PathBuf,
    /// Directory to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace the export that is there
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    cache: CacheOpts,
}

/// `metadata.json`, schema version 1. `thimble_sdk::testing` reads it.
#[derive(Debug, Serialize)]
struct Export<'a> {
    schema_version: u32,
    challenge: ExportedChallenge<'a>,
    /// Digest of the public dataset.
    dataset: Digest,
    loader: LoaderRule,
    limits: &'a Limits,
    metadata: ExportedMetadata<'a>,
}

#[derive(Debug, Serialize)]
struct ExportedChallenge<'a> {
    name: &'a str,
    digest: Digest,
}

/// How the runner hands out rows.
#[derive(Debug, Serialize)]
struct LoaderRule {
    batch_size: u32,
    /// With the number of the epoch, the order of the training split.
    seed: u64,
}

/// The contract's `metadata` record.
#[derive(Debug, Serialize)]
struct ExportedMetadata<'a> {
    kind: &'static str,
    inputs: Vec<ExportedField<'a>>,
    targets: Vec<ExportedField<'a>>,
    outputs: Vec<ExportedField<'a>>,
    num_classes: u32,
    class_names: &'a [&'a str],
    input_dim: u32,
    metric: &'a str,
    param_limit: u64,
    baseline_accuracy: f64,
    train_samples: u64,
    val_samples: u64,
    test_samples: u64,
    device: &'a str,
    seed: u64,
}

#[derive(Debug, Serialize)]
struct ExportedField<'a> {
    name: &'a str,
    dtype: &'static str,
    shape: &'a [u32],
    ragged: bool,
    missing: bool,
    columns: Vec<ExportedColumn<'a>>,
}

#[derive(Debug, Serialize)]
struct ExportedColumn<'a> {
    name: &'a str,
    categories: &'a [&'a str],
}

impl ExportOpts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let challenge = input::challenge(&self.challenge)?;
        let target = Target::check(&self.out, "exported data", METADATA_FILE, self.overwrite)?;
        let data = public_data(&self.challenge, &challenge, &self.cache.open()?)?.into();
        let files = target.write(&exported_files(&self.out), |fresh| write(fresh, &challenge, &data))?;
        let name = &challenge.challenge.name;
        let mut text = format!("public data of {name} in {}\n", self.out.display());
        for (file, shape) in files {
            text += &format!("{file:<28} {shape}\n");
        }
        output::print(&text)?;
        Ok(ExitStatus::Success)
    }
}

/// Writes the export to an empty directory. Returns the files and their shapes.
pub(crate) fn write(
    directory: &Path,
    challenge: &LoadedChallenge,
    data: &BoundData,
) -> Result<Vec<(String, String)>, Failure> {
    let cannot = || format!("cannot write {}", directory.display());
    let description = Description::new(&challenge.challenge, data.rows());
    let mut files = Vec::new();
    for split in Split::ALL {
        let table = data.dataset().split(split);
        for field in challenge.challenge.inputs().chain(challenge.challenge.targets()) {
            let missing = || format!("{split}: no field `{}`", field.name);
            let column = table.column(&field.name).with_context(missing).or_internal()?;
            let file = match column.values {
                ColumnValues::Text(_) => format!("{split}.{}.json", field.name),
                _ => format!("{split}.{}.npy", field.name),
            };
            let out = File::create_new(directory.join(&file)).with_context(cannot).or_output()?;
            let first = column.values.len() / column.width.max(1);
            match column.values {
                ColumnValues::Text(texts) => {
                    serde_json::to_writer(BufWriter::new(out), &texts.iter().collect::<Vec<_>>())
                        .with_context(cannot)
                        .or_output()?
                }
                _ => npy::write(BufWriter::new(out), first, &column).with_context(cannot).or_output()?,
            }
            let shape = column.shape.iter().fold(first.to_string(), |shape, n| format!("{shape}×{n}"));
            files.push((file, format!("{} {shape}", field.dtype)));
        }
    }
    let limits = &challenge.challenge.limits;
    let export = description.lend(|metadata| -> Result<String, Failure> {
        let export = Export {
            schema_version: 1,
            challenge: ExportedChallenge { name: &challenge.challenge.name, digest: challenge.digest },
            dataset: data.dataset().digest(),
            loader: LoaderRule { batch_size: limits.batch_size, seed: challenge.challenge.seed },
            limits,
            metadata: ExportedMetadata::of(metadata),
        };
        output::json(&export)
    })?;
    fs::write(directory.join(METADATA_FILE), export).with_context(cannot).or_output()?;
    Ok(files)
}

impl<'a> ExportedMetadata<'a> {
    /// Every field of the record; the compiler knows when the contract gets another.
    fn of(metadata: Metadata<'a>) -> Self {
        let Metadata {
            kind,
            inputs,
            targets,
            outputs,
            num_classes,
            class_names,
            input_dim,
            metric,
            param_limit,
            baseline_accuracy,
            train_samples,
            val_samples,
            test_samples,
            device,
            seed,
        } = metadata;
        let fields = |fields: &'a [Field<'a>]| fields.iter().map(ExportedField::of).collect();
        Self {
            kind: kind_name(kind),
            inputs: fields(inputs),
            targets: fields(targets),
            outputs: fields(outputs),
            num_classes,
            class_names,
            metric,
            input_dim,
            param_limit,
            baseline_accuracy,
            train_samples,
            val_samples,
            test_samples,
            device,
            seed,
        }
    }
}

impl<'a> ExportedField<'a> {
    fn of(field: &Field<'a>) -> Self {
        let &Field { name, dtype, shape, ragged, missing, columns } = field;
        let column = |&Column { name, categories }: &Column<'a>| ExportedColumn { name, categories };
        let columns = columns.iter().map(column).collect();
        Self { name, dtype: dtype_name(dtype), shape, ragged, missing, columns }
    }
}

/// As `dataset.json` spells it.
const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::ImageClassification => "image_classification",
        Kind::TextClassification => "text_classification",
        Kind::TabularClassification => "tabular_classification",
        Kind::ObjectDetection => "object_detection",
        Kind::SemanticSegmentation => "semantic_segmentation",
        Kind::InstanceSegmentation => "instance_segmentation",
        Kind::KeypointDetection => "keypoint_detection",
        Kind::TabularRegression => "tabular_regression",
        Kind::TimeSeriesForecasting => "time_series_forecasting",
        Kind::TimeToEvent => "time_to_event",
    }
}

/// As the contract spells it.
fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "f32",
        Dtype::F64 => "f64",
        Dtype::S64 => "s64",
        Dtype::S32 => "s32",
        Dtype::S8 => "s8",
        Dtype::U8 => "u8",
        Dtype::Text => "text",
    }
}

/// The NumPy files of the export that is there, which may be another challenge's.
fn exported_files(directory: &Path) -> Vec<PathBuf> {
    let exported = |name: &str| {
        (name.ends_with(".npy") || name.ends_with(".json"))
            && Split::ALL.iter().any(|split| name.starts_with(&format!("{split}.")))
    };
    let names = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| PathBuf::from(entry.file_name()));
    names.filter(|name| name.to_str().is_some_and(exported)).collect()
}
