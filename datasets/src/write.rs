//! Writing a dataset's directory.

use std::io;

use arrow_schema::ArrowError;
use cap_std::fs::Dir;
use sha2::{Digest as _, Sha256};

use crate::content::{ContentHasher, content_digest};
use crate::digest::Digest;
use crate::encode;
use crate::files;
use crate::json;
use crate::limits;
use crate::metadataset::{self, Field, LabelledSplit, Metadataset, MetadatasetError, Split, Splits, TestSplit};
use crate::rules::Rows;
use crate::schema;
use crate::spool::Spool;
use crate::table::{ColumnValues, Table, TableError, Tables, Values};
use crate::task::TaskKind;

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
            &self.task,
            &self.fields,
            [
                (rows(Split::Train), &train[..]),
                (rows(Split::Validation), &validation[..]),
                (rows(Split::Test), &test[..]),
            ],
        )
    }

    fn views(&self, split: Split) -> Vec<ColumnValues<'_>> {
        self.split(split).columns.iter().map(Values::view).collect()
    }
}

/// Writes a dataset into a directory that holds none yet, and returns the digest of its content.
///
/// As [`DatasetWriter`], with all rows at once.
///
/// # Errors
/// As [`DatasetWriter`].
pub fn write(dir: &Dir, tables: &Tables) -> Result<Digest, WriteError> {
    let mut writer = DatasetWriter::new(dir, &tables.name, tables.task.clone(), tables.fields.clone())?;
    for split in Split::ALL {
        writer.append(split, tables.split(split))?;
    }
    writer.finish()
}

/// Writes a dataset piece by piece: its rows need not fit in memory.
///
/// Rows wait in files without a name in the dataset's directory, and take twice their room there until the end.
/// [`Self::finish`] writes the dataset's files. Every file appears under its name only when it is complete, `dataset.json`
/// last: a directory with a `dataset.json` has a whole dataset. Files are readable by their owner only.
pub struct DatasetWriter<'a> {
    dir: &'a Dir,
    name: String,
    task: TaskKind,
    fields: Vec<Field>,
    splits: [SplitWriter; 3],
}

/// The rows of one split so far.
struct SplitWriter {
    rows: u64,
    class_counts: Vec<u64>,
    spools: Vec<Spool>,
}

impl<'a> DatasetWriter<'a> {
    /// Begins a dataset in a directory that holds none yet.
    ///
    /// # Errors
    /// There is a dataset already, the name or the fields break a rule, or the system refuses.
    pub fn new(dir: &'a Dir, name: &str, task: TaskKind, fields: Vec<Field>) -> Result<Self, WriteError> {
        if dir.try_exists(limits::METADATASET_FILE)? {
            return Err(WriteError::Exists);
        }
        metadataset::check_name(name)?;
        schema::check(&task, &fields)?;
        let split = |split: Split| -> io::Result<SplitWriter> {
            let spool = |(index, field)| Spool::new(dir, &format!("{split}.{index}"), field);
            let spools = fields.iter().enumerate().map(spool).collect::<io::Result<_>>()?;
            Ok(SplitWriter { rows: 0, class_counts: vec![0; task.classes().unwrap_or(0) as usize], spools })
        };
        let splits = [split(Split::Train)?, split(Split::Validation)?, split(Split::Test)?];
        Ok(Self { dir, name: name.to_owned(), task, fields, splits })
    }

    /// Adds rows at the end of a split.
    ///
    /// # Errors
    /// The columns do not fit the fields, a value breaks a rule of the task (with its row in the split), the split becomes
    /// too large, or the system refuses. What was added before stays.
    pub fn append(&mut self, split: Split, table: &Table) -> Result<(), WriteError> {
        let columns: Vec<_> = table.columns.iter().map(Values::view).collect();
        let part = &mut self.splits[split as usize];
        let total = part.rows.saturating_add(table.rows as u64);
        if total > 0 {
            metadataset::check_rows(split, total, &self.fields)?;
        }
        let before = usize::try_from(part.rows).unwrap_or(usize::MAX);
        let rows = Rows { task: &self.task, fields: &self.fields, rows: table.rows, columns: &columns, before };
        let counts = rows.check().map_err(|source| WriteError::Table { split, source })?;
        for (total, count) in part.class_counts.iter_mut().zip(counts) {
            *total += count;
        }
        let items = rows.counts().unwrap_or_default();
        for (spool, values) in part.spools.iter_mut().zip(&columns) {
            spool.append(*values, items)?;
        }
        part.rows = total;
        Ok(())
    }

    /// Rows of a split so far.
    pub const fn rows(&self, split: Split) -> u64 {
        self.splits[split as usize].rows
    }

    /// Writes the dataset's files; gives the digest of the content.
    ///
    /// # Errors
    /// A split has no rows, `dataset.json` would be too long, or the system refuses.
    pub fn finish(mut self) -> Result<Digest, WriteError> {
        for split in Split::ALL {
            metadataset::check_rows(split, self.rows(split), &self.fields)?;
        }
        let mut hasher = ContentHasher::new(&self.task, &self.fields);
        for (split, part) in Split::ALL.into_iter().zip(&mut self.splits) {
            hasher.split(split, part.rows);
            part.spools.iter_mut().try_for_each(|spool| spool.hash(&mut hasher))?;
        }
        let [train, validation, test] = &mut self.splits;
        let metadataset = Metadataset {
            schema_version: metadataset::SCHEMA_VERSION,
            name: self.name,
            task: self.task,
            fields: self.fields,
            splits: Splits {
                train: train.write_labelled(self.dir, Split::Train)?,
                validation: validation.write_labelled(self.dir, Split::Validation)?,
                test: test.write(self.dir, Split::Test)?,
            },
            digest: hasher.finish(),
        };
        let json = json::to_vec(&metadataset)?;
        if json.len() as u64 > limits::METADATASET_BYTES {
            return Err(WriteError::MetadatasetSize { bytes: json.len() as u64, limit: limits::METADATASET_BYTES });
        }
        files::write_whole(self.dir, limits::METADATASET_FILE, |writer| writer.write_all(&json))?;
        Ok(metadataset.digest)
    }
}

// The values may be private.
impl std::fmt::Debug for DatasetWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatasetWriter").field("name", &self.name).field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl SplitWriter {
    fn write(&mut self, dir: &Dir, split: Split) -> Result<TestSplit, WriteError> {
        let mut hasher = Sha256::new();
        files::write_whole(dir, split.file_name(), |writer| -> Result<(), WriteError> {
            let mut hashed = Hashed { writer, hasher: &mut hasher };
            Ok(encode::write_file(&mut hashed, self.rows, &mut self.spools)?)
        })?;
        let file_digest = Digest::from_bytes(hasher.finalize().into());
        Ok(TestSplit { file: split.file_name().into(), file_digest, rows: self.rows })
    }

    fn write_labelled(&mut self, dir: &Dir, split: Split) -> Result<LabelledSplit, WriteError> {
        let TestSplit { file, file_digest, rows } = self.write(dir, split)?;
        Ok(LabelledSplit { file, file_digest, rows, class_counts: std::mem::take(&mut self.class_counts) })
    }
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
