//! Writing a dataset's directory.

use std::io;

use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::ArrowError;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};

use crate::content::content_digest;
use crate::decode::encode;
use crate::digest::Digest;
use crate::files;
use crate::json;
use crate::limits;
use crate::metadataset::{self, LabelledSplit, Metadataset, MetadatasetError, Split, Splits, TestSplit};
use crate::table::{self, ColumnValues, TableError, Tables};

/// Why a dataset cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The directory holds a dataset already; it may be the only copy.
    #[error("{} is there already; remove it first or choose another directory", limits::METADATASET_FILE)]
    Exists,
    /// The name, the fields or the sizes break a rule.
    #[error(transparent)]
    Metadataset(#[from] MetadatasetError),
    /// A split's values break a rule.
    #[error("{split}: {source}")]
    Table {
        /// The split.
        split: Split,
        /// What is wrong.
        source: TableError,
    },
    /// `dataset.json` would be too long to be opened.
    #[error("{} would have {bytes} bytes, at most {limit} are allowed", limits::METADATASET_FILE)]
    MetadatasetSize {
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The Arrow library refused.
    #[error("cannot be encoded: {0}")]
    Arrow(#[from] ArrowError),
    /// The system refused.
    #[error("cannot be written: {0}")]
    Io(#[from] io::Error),
}

impl Tables {
    /// The digest of the content, as it will stand in `dataset.json`.
    pub fn digest(&self) -> Digest {
        let columns = Split::ALL.map(|split| self.views(split));
        let [train, validation, test] = &columns;
        let rows = |split: Split| self.split(split).rows as u64;
        content_digest(
            self.task,
            &self.fields,
            [
                (rows(Split::Train), &train[..]),
                (rows(Split::Validation), &validation[..]),
                (rows(Split::Test), &test[..]),
            ],
        )
    }

    fn views(&self, split: Split) -> Vec<ColumnValues<'_>> {
        self.split(split).columns.iter().map(table::Values::view).collect()
    }

    /// Applies every rule that opening applies; gives each split's class counts.
    fn check(&self) -> Result<[Vec<u64>; 3], WriteError> {
        metadataset::check_name(&self.name)?;
        metadataset::check_schema(self.task, &self.fields)?;
        let mut counts = [const { Vec::new() }; 3];
        for (split, counts) in Split::ALL.into_iter().zip(&mut counts) {
            let rows = self.split(split).rows;
            metadataset::check_rows(split, rows as u64, &self.fields)?;
            *counts = table::check(self.task, &self.fields, rows, &self.views(split))
                .map_err(|source| WriteError::Table { split, source })?;
        }
        Ok(counts)
    }
}

/// Writes a dataset into a directory that holds none yet, and returns the digest of its content.
///
/// Every file appears under its name only when it is complete, `dataset.json` last: a directory with a `dataset.json` has a
/// whole dataset. Files are readable by their owner only.
pub fn write(dir: &Dir, tables: &Tables) -> Result<Digest, WriteError> {
    if dir.try_exists(limits::METADATASET_FILE)? {
        return Err(WriteError::Exists);
    }
    let [train_counts, validation_counts, _] = tables.check()?;
    let labelled = |split: Split, class_counts| -> Result<LabelledSplit, WriteError> {
        let TestSplit { file, file_digest, rows } = write_split(dir, tables, split)?;
        Ok(LabelledSplit { file, file_digest, rows, class_counts })
    };
    let metadataset = Metadataset {
        schema_version: metadataset::SCHEMA_VERSION,
        name: tables.name.clone(),
        task: tables.task,
        fields: tables.fields.clone(),
        splits: Splits {
            train: labelled(Split::Train, train_counts)?,
            validation: labelled(Split::Validation, validation_counts)?,
            test: write_split(dir, tables, Split::Test)?,
        },
        digest: tables.digest(),
    };
    let json = json::to_vec(&metadataset)?;
    if json.len() as u64 > limits::METADATASET_BYTES {
        return Err(WriteError::MetadatasetSize { bytes: json.len() as u64, limit: limits::METADATASET_BYTES });
    }
    files::write_whole(dir, limits::METADATASET_FILE, |writer| writer.write_all(&json))?;
    Ok(metadataset.digest)
}

fn write_split(dir: &Dir, tables: &Tables, split: Split) -> Result<TestSplit, WriteError> {
    let batch = encode(&tables.fields, &tables.views(split))?;
    let mut hasher = Sha256::new();
    files::write_whole(dir, split.file_name(), |writer| -> Result<(), WriteError> {
        let hashed = Hashed { writer, hasher: &mut hasher };
        // The default options: 64-byte alignment, no compression.
        let mut arrow = FileWriter::try_new_with_options(hashed, &batch.schema(), IpcWriteOptions::default())?;
        arrow.write(&batch)?;
        Ok(arrow.finish()?)
    })?;
    let file_digest = Digest::from_bytes(hasher.finalize().into());
    Ok(TestSplit { file: split.file_name().into(), file_digest, rows: tables.split(split).rows as u64 })
}

/// Hashes what passes through.
struct Hashed<'a> {
    writer: &'a mut dyn io::Write,
    hasher: &'a mut Sha256,
}

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
