//! The numbers that bound a dataset, and the names of its files.
//!
//! Every one is checked before anything is allocated for what it bounds.

/// The metadataset's file.
pub const METADATASET_FILE: &str = "dataset.json";
/// Beside an official dataset's files: what commits to it and orders its test rows.
pub const OPERATOR_SECRET_FILE: &str = "operator-secret.json";

/// Bytes of `dataset.json`. The largest legal one (65,536 classes, counts of five digits) fits.
pub const METADATASET_BYTES: u64 = 1 << 20;
/// Bytes of `operator-secret.json`.
pub const OPERATOR_SECRET_BYTES: u64 = 4 << 10;
/// Bytes of a seed file: 64 hexadecimal digits and a newline.
pub const SEED_BYTES: u64 = 65;
/// Bytes of one split's file.
pub const SPLIT_FILE_BYTES: u64 = 64 << 30;
/// Bytes of a dataset's name, which has the form of a challenge's.
pub const DATASET_NAME_BYTES: usize = 63;
/// Fields of a dataset.
pub const FIELDS: usize = 64;
/// Bytes of a field's name.
pub const FIELD_NAME_BYTES: usize = 64;
/// Dimensions of one row of a field: a batch adds one, and the contract's tensors have at most 8.
pub const FIELD_RANK: usize = 7;
/// Values in one row of a field.
pub const ROW_WIDTH: u64 = 1 << 24;
/// Rows of a split.
pub const SPLIT_ROWS: u64 = 1 << 31;
/// Values of one field in one split.
pub const COLUMN_VALUES: u64 = 1 << 33;
/// Fewest classes of a classification.
pub const CLASSES_MIN: u32 = 2;
/// Most classes of a classification.
pub const CLASSES_MAX: u32 = 1 << 16;
