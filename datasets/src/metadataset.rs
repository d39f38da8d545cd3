//! `dataset.json`: what a dataset is, without its rows.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::limits;
use crate::printable::printable;
use crate::schema;
use crate::task::TaskKind;

/// The only `schema_version` there is.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// What `dataset.json` holds.
///
/// The file of an official dataset is as private as its rows: anyone who can guess the labels can confirm the guess with
/// the digests in it. What may be published is [`crate::OperatorSecret::commitment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metadataset {
    /// Always 1.
    pub schema_version: u32,
    /// 1 to 63 characters: lower-case letters, digits, single hyphens inside. Not part of the digest.
    pub name: String,
    /// What is predicted.
    pub task: TaskKind,
    /// The columns of every split, 2 to 64, names unique.
    pub fields: Vec<Field>,
    /// The three splits.
    pub splits: Splits,
    /// The digest of the content (see [`crate::content_digest`]), whatever the encoding of the files.
    pub digest: Digest,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// `[a-z0-9._-]{1,64}`.
    pub name: String,
    /// The element type.
    pub dtype: DType,
    /// The shape of one row, or of one item of a ragged field: up to 7 dimensions, none of them 0; empty for a single number
    /// or text.
    pub shape: Vec<u32>,
    /// Whether it is predicted from or predicted.
    pub role: Role,
    /// A row has as many items as the field `counts` says.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ragged: bool,
    /// A NaN means that the value is missing; only of f32 and f64 inputs.
    #[serde(default, skip_serializing_if = "is_false")]
    pub missing: bool,
    /// What the values along the last dimension (or the one number) are, an entry for each; none or all. Those of a table, or the channels of
    /// a series.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<TableColumn>,
}

/// One column of a table, inside a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableColumn {
    /// 1 to 128 bytes without control characters, unique within the field.
    pub name: String,
    /// The texts that the values 0, 1, 2, … stand for; empty for a column of numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Field {
    /// An input of numbers.
    pub fn input(name: &str, dtype: DType, shape: &[u32]) -> Self {
        Self::new(name, dtype, shape, Role::Input)
    }

    /// A target of numbers.
    pub fn target(name: &str, dtype: DType, shape: &[u32]) -> Self {
        Self::new(name, dtype, shape, Role::Target)
    }

    fn new(name: &str, dtype: DType, shape: &[u32], role: Role) -> Self {
        let (name, shape) = (name.to_owned(), shape.to_vec());
        Self { name, dtype, shape, role, ragged: false, missing: false, columns: Vec::new() }
    }

    /// The same, with a varying number of items in a row.
    #[must_use]
    pub fn ragged(self) -> Self {
        Self { ragged: true, ..self }
    }

    /// The same, with these columns along the last dimension.
    #[must_use]
    pub fn with_columns(self, columns: Vec<TableColumn>) -> Self {
        Self { columns, ..self }
    }

    /// Values in one row, or in one item of a ragged field: the product of the shape, saturating.
    pub fn width(&self) -> usize {
        self.shape.iter().fold(1, |width: usize, &dimension| width.saturating_mul(dimension as usize))
    }

    /// Checks what holds for a field of any task. `path` is its own.
    pub(crate) fn check(&self, path: &str) -> Result<(), MetadatasetError> {
        let at = |part: &str| format!("{path}.{part}");
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
        let name_limit = limits::FIELD_NAME_BYTES;
        if !(1..=name_limit).contains(&self.name.len()) || !self.name.bytes().all(legal) {
            return Err(rule(at("name"), format!("must be 1 to {name_limit} of the characters a-z 0-9 . _ -")));
        }
        if self.shape.len() > limits::FIELD_RANK {
            let (rank, limit) = (self.shape.len(), limits::FIELD_RANK);
            return Err(rule(at("shape"), format!("{rank} dimensions, at most {limit} are allowed")));
        }
        if self.shape.contains(&0) {
            return Err(rule(at("shape"), "a dimension is 0"));
        }
        if self.width() as u64 > limits::ROW_WIDTH {
            let (width, limit) = (self.width(), limits::ROW_WIDTH);
            return Err(rule(at("shape"), format!("{width} values in a row, at most {limit} are allowed")));
        }
        if self.dtype == DType::Text && (!self.shape.is_empty() || self.ragged) {
            return Err(rule(at("shape"), "a row has one text"));
        }
        let float = matches!(self.dtype, DType::F32 | DType::F64);
        if self.missing && !(float && self.role == Role::Input && !self.ragged) {
            return Err(rule(at("missing"), "only f32 and f64 inputs can miss values"));
        }
        self.check_columns(&at("columns"))
    }

    fn check_columns(&self, path: &str) -> Result<(), MetadatasetError> {
        let names: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        schema::check_names(path, &names, self.shape.last().copied().unwrap_or(1))?;
        for (index, column) in self.columns.iter().enumerate() {
            let (count, limit) = (column.categories.len(), limits::CATEGORIES);
            if count > limit {
                return Err(rule(
                    format!("{path}[{index}].categories"),
                    format!("{count} categories, at most {limit} are allowed"),
                ));
            }
            schema::check_names(&format!("{path}[{index}].categories"), &column.categories, count as u32)?;
        }
        Ok(())
    }
}

/// The element type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// Signed 64-bit integers.
    S64,
    /// Signed 32-bit integers.
    S32,
    /// Signed 8-bit integers.
    S8,
    /// Unsigned 8-bit integers.
    U8,
    /// UTF-8 text.
    Text,
}

impl DType {
    /// Bytes of one value; none for text, whose values differ in length.
    pub const fn bytes(self) -> Option<usize> {
        match self {
            Self::F64 | Self::S64 => Some(8),
            Self::F32 | Self::S32 => Some(4),
            Self::S8 | Self::U8 => Some(1),
            Self::Text => None,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::S64 => "s64",
            Self::S32 => "s32",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::Text => "text",
        })
    }
}

/// Whether a field is predicted from or predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Guests see it in every split.
    Input,
    /// Guests see it in training and validation only.
    Target,
}

/// A split's place in the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// What a solution learns from.
    Train,
    /// What a solution may check itself on.
    Validation,
    /// What predictions are scored on; its targets never enter a guest.
    Test,
}

impl Split {
    /// In the order of the digest.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// As in `dataset.json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split's file in the dataset's directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Train => "train.arrow",
            Self::Validation => "validation.arrow",
            Self::Test => "test.arrow",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The three splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Splits {
    /// What a solution learns from.
    pub train: LabelledSplit,
    /// What a solution may check itself on.
    pub validation: LabelledSplit,
    /// What predictions are scored on.
    pub test: TestSplit,
}

/// A split whose class counts are known to builders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelledSplit {
    /// `train.arrow` or `validation.arrow`.
    pub file: String,
    /// The digest of the file's bytes.
    pub file_digest: Digest,
    /// Number of rows, at least 1.
    pub rows: u64,
    /// What each class has, in class order: rows of a classification, objects where objects are found, pixels of a
    /// semantic segmentation; empty for tasks without classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_counts: Vec<u64>,
}

/// The test split: by its type it has no class counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestSplit {
    /// `test.arrow`.
    pub file: String,
    /// The digest of the file's bytes.
    pub file_digest: Digest,
    /// Number of rows, at least 1.
    pub rows: u64,
}

/// Why a text is no metadataset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadatasetError {
    /// Not the JSON of the schema.
    #[error("at `{path}`: {reason}")]
    Json {
        /// The field's path.
        path: String,
        /// What the parser says.
        reason: String,
    },
    /// A value breaks a rule.
    #[error("at `{path}`: {reason}")]
    Rule {
        /// The field's path.
        path: String,
        /// The rule and the value.
        reason: String,
    },
}

pub(crate) fn rule(path: impl Into<String>, reason: impl Into<String>) -> MetadatasetError {
    MetadatasetError::Rule { path: path.into(), reason: reason.into() }
}

impl Metadataset {
    /// Parses and checks `dataset.json`: unknown fields, trailing text and every broken rule are errors with their path.
    pub fn from_json(bytes: &[u8]) -> Result<Self, MetadatasetError> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let metadataset: Self =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| MetadatasetError::Json {
                path: printable(&error.path().to_string()),
                reason: printable(&error.inner().to_string()),
            })?;
        deserializer.end().map_err(|error| MetadatasetError::Json { path: ".".into(), reason: error.to_string() })?;
        metadataset.check()?;
        Ok(metadataset)
    }

    /// Number of rows of a split.
    pub const fn rows(&self, split: Split) -> u64 {
        match split {
            Split::Train => self.splits.train.rows,
            Split::Validation => self.splits.validation.rows,
            Split::Test => self.splits.test.rows,
        }
    }

    /// The digest of a split's file.
    pub const fn file_digest(&self, split: Split) -> &Digest {
        match split {
            Split::Train => &self.splits.train.file_digest,
            Split::Validation => &self.splits.validation.file_digest,
            Split::Test => &self.splits.test.file_digest,
        }
    }

    /// What each class has (see [`LabelledSplit::class_counts`]); none for the test split.
    pub fn class_counts(&self, split: Split) -> Option<&[u64]> {
        match split {
            Split::Train => Some(&self.splits.train.class_counts),
            Split::Validation => Some(&self.splits.validation.class_counts),
            Split::Test => None,
        }
    }

    fn check(&self) -> Result<(), MetadatasetError> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(rule("schema_version", format!("{} is not {SCHEMA_VERSION}", self.schema_version)));
        }
        check_name(&self.name)?;
        schema::check(&self.task, &self.fields)?;
        let files = [&self.splits.train.file, &self.splits.validation.file, &self.splits.test.file];
        for (split, file) in Split::ALL.into_iter().zip(files) {
            if file != split.file_name() {
                return Err(rule(format!("splits.{split}.file"), format!("must be `{}`", split.file_name())));
            }
            check_rows(split, self.rows(split), &self.fields)?;
            if let Some(counts) = self.class_counts(split) {
                check_counts(split, &self.task, self.rows(split), counts)?;
            }
        }
        Ok(())
    }
}

/// Checks a dataset's name.
pub(crate) fn check_name(name: &str) -> Result<(), MetadatasetError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=limits::DATASET_NAME_BYTES).contains(&name.len())
        && name.bytes().all(legal)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if fits {
        return Ok(());
    }
    let limit = limits::DATASET_NAME_BYTES;
    Err(rule("name", format!("must be 1 to {limit} lower-case letters, digits and single hyphens inside")))
}

/// Checks a split's size against the limits. `fields` must have passed [`schema::check`].
pub(crate) fn check_rows(split: Split, rows: u64, fields: &[Field]) -> Result<(), MetadatasetError> {
    let path = || format!("splits.{split}.rows");
    if !(1..=limits::SPLIT_ROWS).contains(&rows) {
        return Err(rule(path(), format!("{rows} is not between 1 and {}", limits::SPLIT_ROWS)));
    }
    for field in fields {
        let values = rows.saturating_mul(field.width() as u64);
        if values > limits::COLUMN_VALUES {
            let (name, limit) = (&field.name, limits::COLUMN_VALUES);
            return Err(rule(path(), format!("{values} values of `{name}`, at most {limit} are allowed")));
        }
    }
    Ok(())
}

fn check_counts(split: Split, task: &TaskKind, rows: u64, counts: &[u64]) -> Result<(), MetadatasetError> {
    let classes = task.classes().unwrap_or(0);
    let path = || format!("splits.{split}.class_counts");
    if counts.len() != classes as usize {
        return Err(rule(path(), format!("{} counts for {classes} classes", counts.len())));
    }
    let total = counts.iter().fold(0_u64, |total, &count| total.saturating_add(count));
    if task.is_classification() && total != rows {
        return Err(rule(path(), format!("the counts sum to {total}, there are {rows} rows")));
    }
    Ok(())
}
