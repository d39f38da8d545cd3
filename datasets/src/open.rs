//! Opening a dataset: every byte is checked before anyone sees a row.

use std::fmt;
use std::fs::File;
use std::sync::Arc;

use cap_std::fs::Dir;

use crate::content::content_digest;
use crate::decode::{DecodeError, Stored, decode};
use crate::digest::Digest;
use crate::files::{self, FileError};
use crate::limits;
use crate::map;
use crate::metadataset::{Field, Metadataset, MetadatasetError, Role, Split};
use crate::rules::Rows;
use crate::schema;
use crate::table::{Column, ColumnValues, Table, TableError, Values};
use crate::task::TaskKind;

/// A dataset whose files agree with its metadataset and its digest, memory-mapped.
#[derive(Debug)]
pub struct Dataset {
    metadataset: Metadataset,
    splits: [Arc<SplitTable>; 3],
}

/// One split of an opened dataset.
pub struct SplitTable {
    rows: usize,
    fields: Vec<Field>,
    columns: Vec<Stored>,
    /// `None` of what is in no file.
    file: Option<File>,
}

/// Why a directory holds no valid dataset.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file is missing, cannot be read, is no regular file or is too long.
    #[error(transparent)]
    File(#[from] FileError),
    /// `dataset.json` is wrong.
    #[error("{json}: {0}", json = limits::METADATASET_FILE)]
    Metadataset(#[from] MetadatasetError),
    /// A split's file was changed or damaged.
    #[error(
        "{file}: the digest is {found}, {} says {expected}: the file was changed or damaged",
        limits::METADATASET_FILE
    )]
    FileDigest {
        /// The file's name.
        file: &'static str,
        /// What `dataset.json` says.
        expected: Digest,
        /// The file's.
        found: Digest,
    },
    /// A split's file is not the Arrow file that `dataset.json` describes.
    #[error("{file}: {source}")]
    Decode {
        /// The file's name.
        file: &'static str,
        /// What is wrong.
        source: DecodeError,
    },
    /// A split's values break a rule.
    #[error("{file}: {source}")]
    Table {
        /// The file's name.
        file: &'static str,
        /// What is wrong.
        source: TableError,
    },
    /// The class counts are not those of the rows.
    #[error(
        "{}: at `splits.{split}.class_counts[{class}]`: {expected}, the rows hold {found}",
        limits::METADATASET_FILE
    )]
    ClassCount {
        /// The split.
        split: Split,
        /// The first class that differs.
        class: usize,
        /// What `dataset.json` says.
        expected: u64,
        /// Rows of that class.
        found: u64,
    },
    /// The content is not what `dataset.json` says.
    #[error("{}: at `digest`: {expected}, the content's is {found}", limits::METADATASET_FILE)]
    Content {
        /// What `dataset.json` says.
        expected: Digest,
        /// The content's.
        found: Digest,
    },
}

/// Why columns are no targets of a task.
#[derive(Debug, thiserror::Error)]
pub enum TargetsError {
    /// The task or the fields break a rule.
    #[error(transparent)]
    Fields(#[from] MetadatasetError),
    /// A value breaks a rule.
    #[error(transparent)]
    Values(#[from] TableError),
}

impl Dataset {
    /// Opens the dataset in a directory and checks all of it.
    ///
    /// In this order: `dataset.json` against its schema and the limits; for each split the file's kind, length and digest, its
    /// Arrow schema, its columns' lengths, that floats are finite and labels are classes, and the class counts; at last the
    /// digest of the content. No input makes this panic.
    ///
    /// The files must not be changed while the dataset is open.
    pub fn open(dir: &Dir) -> Result<Self, OpenError> {
        let json = files::read(dir, limits::METADATASET_FILE, limits::METADATASET_BYTES)?;
        let metadataset = Metadataset::from_json(&json)?;
        let [train, validation, test] = Split::ALL;
        let splits = [
            Arc::new(open_split(dir, &metadataset, train)?),
            Arc::new(open_split(dir, &metadataset, validation)?),
            Arc::new(open_split(dir, &metadataset, test)?),
        ];
        let dataset = Self { metadataset, splits };
        dataset.check_content()?;
        Ok(dataset)
    }

    /// The digest of the content, as checked.
    pub const fn digest(&self) -> Digest {
        self.metadataset.digest
    }

    /// What `dataset.json` says.
    pub const fn metadataset(&self) -> &Metadataset {
        &self.metadataset
    }

    /// One split's rows.
    pub fn split(&self, split: Split) -> &SplitTable {
        self.stored(split)
    }

    /// One split's rows, to keep without the others.
    pub fn shared(&self, split: Split) -> Arc<SplitTable> {
        self.stored(split).clone()
    }

    const fn stored(&self, split: Split) -> &Arc<SplitTable> {
        let [train, validation, test] = &self.splits;
        match split {
            Split::Train => train,
            Split::Validation => validation,
            Split::Test => test,
        }
    }

    fn check_content(&self) -> Result<(), OpenError> {
        let Metadataset { task, fields, digest, .. } = &self.metadataset;
        let columns = Split::ALL.map(|split| self.split(split).views());
        let [train, validation, test] = &columns;
        let rows = Split::ALL.map(|split| self.metadataset.rows(split));
        let found =
            content_digest(task, fields, [(rows[0], &train[..]), (rows[1], &validation[..]), (rows[2], &test[..])]);
        if found == *digest { Ok(()) } else { Err(OpenError::Content { expected: *digest, found }) }
    }
}

fn open_split(dir: &Dir, metadataset: &Metadataset, split: Split) -> Result<SplitTable, OpenError> {
    let file = split.file_name();
    let fields = &metadataset.fields;
    let (handle, _) = files::open_regular(dir, file, limits::SPLIT_FILE_BYTES)?;
    let handle = handle.into_std();
    let buffer = map::map(&handle, None).map_err(|source| FileError::Io { file: file.into(), source })?;

    // Before decoding: this is what tells a damaged file from a wrong one.
    let (expected, found) = (*metadataset.file_digest(split), Digest::of(&buffer));
    if found != expected {
        return Err(OpenError::FileDigest { file, expected, found });
    }
    let columns = decode(&buffer, fields).map_err(|source| OpenError::Decode { file, source })?;
    let views: Vec<_> = columns.iter().map(Stored::view).collect();
    // The limit on rows fits every usize of 32 bits and more.
    let rows = usize::try_from(metadataset.rows(split)).unwrap_or(usize::MAX);
    let checked = Rows { task: &metadataset.task, fields, rows, columns: &views, before: 0 };
    let counts = checked.check().map_err(|source| OpenError::Table { file, source })?;
    check_counts(metadataset, split, &counts)?;
    check_offsets(fields, &columns).map_err(|source| OpenError::Table { file, source })?;
    Ok(SplitTable { rows, fields: fields.clone(), columns, file: Some(handle) })
}

fn check_counts(metadataset: &Metadataset, split: Split, counts: &[u64]) -> Result<(), OpenError> {
    let expected = metadataset.class_counts(split).unwrap_or(counts);
    match expected.iter().zip(counts).enumerate().find(|(_, (expected, found))| expected != found) {
        Some((class, (&expected, &found))) => Err(OpenError::ClassCount { split, class, expected, found }),
        None => Ok(()),
    }
}

/// The items of a row of every ragged field are as many as `counts` says.
fn check_offsets(fields: &[Field], columns: &[Stored]) -> Result<(), TableError> {
    let position = fields.iter().position(|field| field.name == "counts");
    let Some(ColumnValues::S32(counts)) = position.and_then(|position| columns.get(position)).map(Stored::view) else {
        return Ok(());
    };
    for (field, column) in fields.iter().zip(columns) {
        let Some(offsets) = column.offsets() else { continue };
        let lengths = offsets.windows(2).map(|pair| pair[1] - pair[0]);
        if let Some(row) = lengths.zip(counts).position(|(length, &count)| length != i64::from(count)) {
            let rule = "there are not as many items as `counts` says";
            return Err(TableError::Value { field: field.name.clone(), row, rule });
        }
    }
    Ok(())
}

impl SplitTable {
    /// The targets of a split that is in no file, checked as those of a dataset are.
    ///
    /// # Errors
    /// The fields are not a task's targets, or a value breaks a rule of the task, with its row.
    pub fn of_targets(task: &TaskKind, fields: Vec<Field>, table: Table) -> Result<Self, TargetsError> {
        schema::check_targets(task, &fields)?;
        let views: Vec<_> = table.columns.iter().map(Values::view).collect();
        let rows = Rows { task, fields: &fields, rows: table.rows, columns: &views, before: 0 };
        rows.check()?;
        let counts = rows.counts().map(<[i32]>::to_vec);
        let stored =
            |(field, values): (&Field, Values)| Stored::owned(values, counts.as_deref().filter(|_| field.ragged));
        let columns = fields.iter().zip(table.columns).map(stored).collect();
        Ok(Self { rows: table.rows, fields, columns, file: None })
    }

    /// The targets of some rows, in the order given; the rows are below [`Self::rows`].
    #[must_use]
    pub fn targets_at(&self, rows: &[usize]) -> Self {
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        for field in self.fields.iter().filter(|field| field.role == Role::Target) {
            let Some(column) = self.column(&field.name) else { continue };
            let mut values = Values::none(field.dtype);
            for &row in rows {
                values.extend(column.values, column.range(row));
            }
            let counts: Option<Vec<i32>> =
                column.offsets.map(|ends| rows.iter().map(|&row| (ends[row + 1] - ends[row]) as i32).collect());
            fields.push(field.clone());
            columns.push(Stored::owned(values, counts.as_deref()));
        }
        Self { rows: rows.len(), fields, columns, file: None }
    }

    /// Maps the file of a split that another process has opened as part of a dataset, and so has checked: here only its
    /// structure is, not its digest and not its values. `length` is the file's, which is not asked for.
    ///
    /// # Errors
    /// The file cannot be mapped, or is not the Arrow file of such a split.
    pub fn of_checked_file(
        (file, length): (File, usize),
        split: Split,
        fields: Vec<Field>,
        rows: usize,
    ) -> Result<Self, OpenError> {
        let name = split.file_name();
        let buffer = map::map(&file, Some(length)).map_err(|source| FileError::Io { file: name.into(), source })?;
        let columns = decode(&buffer, &fields).map_err(|source| OpenError::Decode { file: name, source })?;
        for (field, column) in fields.iter().zip(&columns) {
            // Offsets have one number more than there are rows, and end where the values end.
            let (found, width) = match column.offsets() {
                Some(offsets) => (offsets.len().saturating_sub(1), 1),
                None => (column.view().len(), field.width()),
            };
            if rows.checked_mul(width) != Some(found) {
                let source = TableError::Length { field: field.name.clone(), rows, width, found };
                return Err(OpenError::Table { file: name, source });
            }
        }
        Ok(Self { rows, fields, columns, file: Some(file) })
    }

    /// The file that holds the split, open for reading; `None` where there is none.
    pub const fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// Number of rows.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The column of a field, all rows in one slice.
    pub fn column(&self, name: &str) -> Option<Column<'_>> {
        let position = self.fields.iter().position(|field| field.name == name)?;
        let (field, values) = (&self.fields[position], self.columns.get(position)?);
        Some(Column { shape: &field.shape, width: field.width(), offsets: values.offsets(), values: values.view() })
    }

    /// The fields, in the order of the columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn views(&self) -> Vec<ColumnValues<'_>> {
        self.columns.iter().map(Stored::view).collect()
    }
}

// The rows may be private.
impl fmt::Debug for SplitTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SplitTable").field("rows", &self.rows).finish_non_exhaustive()
    }
}
