//! Columns of numbers: owned while a dataset is made, borrowed from the memory map once it is opened.

use std::fmt;

use crate::metadataset::{DType, Field, Role, Split, TaskKind};

/// A dataset in memory, as a generator or an ingestion makes it and [`crate::write`] takes it.
#[derive(Clone, PartialEq)]
pub struct Tables {
    /// The dataset's name.
    pub name: String,
    /// What is predicted.
    pub task: TaskKind,
    /// The fields, in the order of each table's columns.
    pub fields: Vec<Field>,
    /// The training split.
    pub train: Table,
    /// The validation split.
    pub validation: Table,
    /// The test split.
    pub test: Table,
}

impl Tables {
    /// One split's rows.
    pub const fn split(&self, split: Split) -> &Table {
        match split {
            Split::Train => &self.train,
            Split::Validation => &self.validation,
            Split::Test => &self.test,
        }
    }
}

// The values may be private: only what the metadataset says is shown.
impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").field("name", &self.name).field("fields", &self.fields).finish_non_exhaustive()
    }
}

/// The rows of one split.
#[derive(Clone, PartialEq)]
pub struct Table {
    /// Number of rows.
    pub rows: usize,
    /// One column for each field; each holds `rows` times the field's width values, row after row.
    pub columns: Vec<Values>,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The owned values of one column.
#[derive(Clone, PartialEq)]
pub enum Values {
    /// IEEE 754 single precision.
    F32(Vec<f32>),
    /// IEEE 754 double precision.
    F64(Vec<f64>),
    /// Signed 64-bit integers.
    S64(Vec<i64>),
    /// Signed 32-bit integers.
    S32(Vec<i32>),
    /// Signed 8-bit integers.
    S8(Vec<i8>),
    /// Unsigned 8-bit integers.
    U8(Vec<u8>),
}

impl Values {
    /// The same values, borrowed.
    pub fn view(&self) -> ColumnValues<'_> {
        match self {
            Self::F32(values) => ColumnValues::F32(values),
            Self::F64(values) => ColumnValues::F64(values),
            Self::S64(values) => ColumnValues::S64(values),
            Self::S32(values) => ColumnValues::S32(values),
            Self::S8(values) => ColumnValues::S8(values),
            Self::U8(values) => ColumnValues::U8(values),
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {:?}", self.view().len(), self.view().dtype())
    }
}

/// One column of an opened split.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// The shape of one row; empty for a single number.
    pub shape: &'a [u32],
    /// Values in one row: the product of `shape`.
    pub width: usize,
    /// All rows' values, row after row.
    pub values: ColumnValues<'a>,
}

/// The borrowed values of one column.
#[derive(Clone, Copy, PartialEq)]
pub enum ColumnValues<'a> {
    /// IEEE 754 single precision; finite.
    F32(&'a [f32]),
    /// IEEE 754 double precision; finite.
    F64(&'a [f64]),
    /// Signed 64-bit integers.
    S64(&'a [i64]),
    /// Signed 32-bit integers.
    S32(&'a [i32]),
    /// Signed 8-bit integers.
    S8(&'a [i8]),
    /// Unsigned 8-bit integers.
    U8(&'a [u8]),
}

impl ColumnValues<'_> {
    /// Number of values.
    pub const fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::S64(values) => values.len(),
            Self::S32(values) => values.len(),
            Self::S8(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type.
    pub const fn dtype(&self) -> DType {
        match self {
            Self::F32(_) => DType::F32,
            Self::F64(_) => DType::F64,
            Self::S64(_) => DType::S64,
            Self::S32(_) => DType::S32,
            Self::S8(_) => DType::S8,
            Self::U8(_) => DType::U8,
        }
    }

    /// The position of the first NaN or infinity.
    fn first_not_finite(&self) -> Option<usize> {
        match self {
            Self::F32(values) => values.iter().position(|value| !value.is_finite()),
            Self::F64(values) => values.iter().position(|value| !value.is_finite()),
            Self::S64(_) | Self::S32(_) | Self::S8(_) | Self::U8(_) => None,
        }
    }
}

// The values may be private.
impl fmt::Debug for ColumnValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {:?}", self.len(), self.dtype())
    }
}

/// Why a split's columns do not fit the metadataset.
///
/// Texts name a row and a class, never a value of an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A column for each field is required.
    #[error("{found} columns for {expected} fields")]
    Columns {
        /// Fields of the metadataset.
        expected: usize,
        /// Columns found.
        found: usize,
    },
    /// A column has another element type.
    #[error("field `{field}`: values are {found:?}, not {expected:?}")]
    DType {
        /// The field.
        field: String,
        /// What the metadataset says.
        expected: DType,
        /// What the column holds.
        found: DType,
    },
    /// A column has another length.
    #[error("field `{field}`: {found} values for {rows} rows of {width}")]
    Length {
        /// The field.
        field: String,
        /// Rows of the split.
        rows: usize,
        /// Values in a row.
        width: usize,
        /// Values found.
        found: usize,
    },
    /// Floats must be finite.
    #[error("field `{field}`: row {row} holds a NaN or an infinity")]
    NotFinite {
        /// The field.
        field: String,
        /// The first such row.
        row: usize,
    },
    /// A label is no class.
    #[error("field `{field}`: the label of row {row} is {label}, classes are 0 to {}", classes.saturating_sub(1))]
    Label {
        /// The target field.
        field: String,
        /// The first such row.
        row: usize,
        /// Its label.
        label: i64,
        /// Number of classes.
        classes: u32,
    },
}

/// Checks the columns of one split and counts its rows by class.
///
/// `fields` must have passed [`crate::metadataset::check_schema`].
pub(crate) fn check(
    task: TaskKind,
    fields: &[Field],
    rows: usize,
    columns: &[ColumnValues<'_>],
) -> Result<Vec<u64>, TableError> {
    if columns.len() != fields.len() {
        return Err(TableError::Columns { expected: fields.len(), found: columns.len() });
    }
    let TaskKind::Classification { classes } = task;
    let mut counts = Vec::new();
    for (field, values) in fields.iter().zip(columns) {
        check_column(field, rows, values)?;
        if let (Role::Target, ColumnValues::S64(labels)) = (field.role, values) {
            counts = count_classes(field, labels, classes)?;
        }
    }
    Ok(counts)
}

fn check_column(field: &Field, rows: usize, values: &ColumnValues<'_>) -> Result<(), TableError> {
    let name = || field.name.clone();
    let width = field.width();
    if values.dtype() != field.dtype {
        return Err(TableError::DType { field: name(), expected: field.dtype, found: values.dtype() });
    }
    if rows.checked_mul(width) != Some(values.len()) {
        return Err(TableError::Length { field: name(), rows, width, found: values.len() });
    }
    match values.first_not_finite() {
        Some(position) => Err(TableError::NotFinite { field: name(), row: position / width.max(1) }),
        None => Ok(()),
    }
}

fn count_classes(field: &Field, labels: &[i64], classes: u32) -> Result<Vec<u64>, TableError> {
    let mut counts = vec![0_u64; classes as usize];
    for (row, &label) in labels.iter().enumerate() {
        let count = usize::try_from(label).ok().and_then(|class| counts.get_mut(class));
        match count {
            Some(count) => *count += 1,
            None => return Err(TableError::Label { field: field.name.clone(), row, label, classes }),
        }
    }
    Ok(counts)
}
