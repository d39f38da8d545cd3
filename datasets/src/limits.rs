//! The numbers that bound a dataset, and the names of its files.
//!
//! Every one is checked before anything is allocated for what it bounds.

/// The metadataset's file.
pub const METADATASET_FILE: &str = "dataset.json";
/// Beside an official dataset's files: what commits to it and orders its test rows.
pub const OPERATOR_SECRET_FILE: &str = "operator-secret.json";

/// Bytes of `dataset.json`. 65,536 classes with names of 64 bytes fit.
pub const METADATASET_BYTES: u64 = 8 << 20;
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
/// Most classes of pixels: one value of a byte is left to say that a pixel does not count.
pub const PIXEL_CLASSES_MAX: u32 = 255;
/// Bytes of the name of a class, a point, a column or a category.
pub const LABEL_NAME_BYTES: usize = 128;
/// Categories of one column.
pub const CATEGORIES: usize = 1 << 16;
/// Points of a keypoint detection.
pub const POINTS: usize = 1 << 10;
/// Bytes of one text.
pub const TEXT_BYTES: usize = 1 << 20;
/// Items of a ragged field in one row.
pub const ROW_ITEMS: i32 = 1 << 16;
/// The largest place of a box or a point, in pixels, on either side of 0.
pub const PLACE: f32 = 1e6;
