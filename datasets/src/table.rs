//! Columns: owned while a dataset is made, borrowed from the memory map once it is opened.

use std::fmt;

use crate::metadataset::{DType, Field, Split};
use crate::task::TaskKind;

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
    /// One column for each field; each holds the field's width values for every row, or for every item of a ragged field, row
    /// after row. Items of a row are as many as the column `counts` says.
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
    /// UTF-8 text.
    Text(Vec<String>),
}

impl Values {
    /// No values of a type.
    pub const fn none(dtype: DType) -> Self {
        match dtype {
            DType::F32 => Self::F32(Vec::new()),
            DType::F64 => Self::F64(Vec::new()),
            DType::S64 => Self::S64(Vec::new()),
            DType::S32 => Self::S32(Vec::new()),
            DType::S8 => Self::S8(Vec::new()),
            DType::U8 => Self::U8(Vec::new()),
            DType::Text => Self::Text(Vec::new()),
        }
    }

    /// Adds the values at some places of a column of the same type; of another type, nothing.
    pub fn extend(&mut self, values: ColumnValues<'_>, places: std::ops::Range<usize>) {
        match (self, values) {
            (Self::F32(own), ColumnValues::F32(values)) => own.extend_from_slice(&values[places]),
            (Self::F64(own), ColumnValues::F64(values)) => own.extend_from_slice(&values[places]),
            (Self::S64(own), ColumnValues::S64(values)) => own.extend_from_slice(&values[places]),
            (Self::S32(own), ColumnValues::S32(values)) => own.extend_from_slice(&values[places]),
            (Self::S8(own), ColumnValues::S8(values)) => own.extend_from_slice(&values[places]),
            (Self::U8(own), ColumnValues::U8(values)) => own.extend_from_slice(&values[places]),
            (Self::Text(own), ColumnValues::Text(texts)) => {
                own.extend(places.map(|place| texts.get(place).to_owned()));
            }
            _ => {}
        }
    }

    /// The same values, borrowed.
    pub fn view(&self) -> ColumnValues<'_> {
        match self {
            Self::Text(values) => ColumnValues::Text(Texts::from(&values[..])),
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
    /// The shape of one row, or of one item of a ragged field; empty for a single number.
    pub shape: &'a [u32],
    /// Values in one row or item: the product of `shape`.
    pub width: usize,
    /// Of a ragged field: the items of row i are `offsets[i]..offsets[i + 1]`.
    pub offsets: Option<&'a [i64]>,
    /// All rows' values, row after row.
    pub values: ColumnValues<'a>,
}

impl Column<'_> {
    /// The places of a row's values in `values`. The row is below the number of rows.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let (first, last) = match self.offsets {
            // Offsets are checked when a dataset is opened: they ascend from 0 and end with the number of items.
            Some(offsets) => (offsets[row] as usize, offsets[row + 1] as usize),
            None => (row, row + 1),
        };
        first * self.width..last * self.width
    }
}

/// The texts of a column, one a row.
#[derive(Clone, Copy, PartialEq)]
pub struct Texts<'a>(TextStore<'a>);

#[derive(Clone, Copy, PartialEq)]
enum TextStore<'a> {
    Owned(&'a [String]),
    /// Text i is `bytes[offsets[i]..offsets[i + 1]]`.
    Stored {
        offsets: &'a [i64],
        bytes: &'a [u8],
    },
}

impl<'a> From<&'a [String]> for Texts<'a> {
    fn from(texts: &'a [String]) -> Self {
        Self(TextStore::Owned(texts))
    }
}

// The texts may be private.
impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} texts", self.len())
    }
}

impl<'a> Texts<'a> {
    /// Texts of an Arrow array, which has checked offsets and UTF-8.
    pub(crate) const fn stored(offsets: &'a [i64], bytes: &'a [u8]) -> Self {
        Self(TextStore::Stored { offsets, bytes })
    }

    /// Number of texts.
    pub const fn len(&self) -> usize {
        match self.0 {
            TextStore::Owned(texts) => texts.len(),
            TextStore::Stored { offsets, .. } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there is no text.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a row, which is below [`Self::len`].
    pub fn get(&self, row: usize) -> &'a str {
        match self.0 {
            TextStore::Owned(texts) => &texts[row],
            TextStore::Stored { offsets, bytes } => {
                let text = bytes.get(offsets[row] as usize..offsets[row + 1] as usize).unwrap_or_default();
                std::str::from_utf8(text).unwrap_or_default()
            }
        }
    }

    /// All texts, row after row.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let texts = *self;
        (0..texts.len()).map(move |row| texts.get(row))
    }
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
    /// UTF-8 text.
    Text(Texts<'a>),
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
            Self::Text(texts) => texts.len(),
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
            Self::Text(_) => DType::Text,
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
    #[error("field `{field}`: {found} values for {rows} rows or items of {width}")]
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
    /// A value breaks a rule of its task.
    #[error("field `{field}`: row {row}: {rule}")]
    Value {
        /// The field.
        field: String,
        /// The first such row.
        row: usize,
        /// The rule.
        rule: &'static str,
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
