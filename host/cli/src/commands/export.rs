//! `thimble dataset export`

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::challenge::Limits;
use thimble_datasets::{Digest, Split};
use thimble_runtime::{BoundData, Description, Dtype, Field, Kind, Metadata};

use crate::cache::CacheOpts;
use crate::evaluate::public_data;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::target::Target;
use crate::{input, npy, output};

const METADATA_FILE: &str = "metadata.json";

/// Write a challenge's public data as NumPy files, to explore it or to test a solution natively.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes SPLIT.FIELD.npy for the splits train, validation and test and every field that a solution is given, and \
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
    num_classes: u32,
    input_dim: u32,
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
    let description = Description::new(&challenge.challenge, data.dataset());
    let (inputs, targets) = (description.inputs(), description.targets());
    let mut files = Vec::new();
    for split in Split::ALL {
        let table = data.dataset().split(split);
        for field in inputs.iter().chain(&targets) {
            let missing = || format!("{split}: no field `{}`", field.name);
            let column = table.column(field.name).with_context(missing).or_internal()?;
            let file = format!("{split}.{}.npy", field.name);
            File::create_new(directory.join(&file))
                .and_then(|out| npy::write(BufWriter::new(out), table.rows(), &column))
                .with_context(cannot)
                .or_output()?;
            let shape = column.shape.iter().fold(table.rows().to_string(), |shape, n| format!("{shape}×{n}"));
            files.push((file, format!("{} {shape}", dtype_name(field.dtype))));
        }
    }
    let limits = &challenge.challenge.limits;
    let export = Export {
        schema_version: 1,
        challenge: ExportedChallenge { name: &challenge.challenge.name, digest: challenge.digest },
        dataset: data.dataset().digest(),
        loader: LoaderRule { batch_size: limits.batch_size, seed: challenge.challenge.seed },
        limits,
        metadata: ExportedMetadata::of(description.metadata(&inputs, &targets)),
    };
    fs::write(directory.join(METADATA_FILE), output::json(&export)?).with_context(cannot).or_output()?;
    Ok(files)
}

impl<'a> ExportedMetadata<'a> {
    /// Every field of the record; the compiler knows when the contract gets another.
    fn of(metadata: Metadata<'a>) -> Self {
        let Metadata {
            kind,
            inputs,
            targets,
            num_classes,
            input_dim,
            param_limit,
            baseline_accuracy,
            train_samples,
            val_samples,
            test_samples,
            device,
            seed,
        } = metadata;
        let fields = |fields: &'a [Field<'a>]| {
            let field =
                |&Field { name, dtype, shape }: &Field<'a>| ExportedField { name, dtype: dtype_name(dtype), shape };
            fields.iter().map(field).collect()
        };
        Self {
            kind: match kind {
                Kind::Classification => "classification",
            },
            inputs: fields(inputs),
            targets: fields(targets),
            num_classes,
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
    let exported =
        |name: &str| name.ends_with(".npy") && Split::ALL.iter().any(|split| name.starts_with(&format!("{split}.")));
    let names = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| PathBuf::from(entry.file_name()));
    names.filter(|name| name.to_str().is_some_and(exported)).collect()
}
