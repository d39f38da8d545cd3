//! The numbers that bound an ingestion. Every one is checked before anything is allocated for what it bounds.

/// Findings that are kept to be shown; further ones are counted.
pub const FINDINGS: usize = 50;
/// Of these, findings of the same kind in one column.
pub const FINDINGS_ALIKE: u32 = 5;
/// Bytes of one row of a CSV file, or of its header.
pub const RECORD_BYTES: u64 = 16 << 20;
/// Columns of a table.
pub const COLUMNS: usize = 16_384;
/// Bytes of all categories and classes together: they stand in `dataset.json`, which has 8 MiB.
pub const NAMES_BYTES: usize = 4 << 20;
/// Rows whose time must be remembered, where a split by time is asked for: 8 bytes each.
pub const TIMES: usize = 1 << 25;
/// Groups of a split by groups.
pub const GROUPS: usize = 1 << 21;
/// Series of a forecast.
pub const SERIES: usize = 1 << 20;
/// Values that wait for their windows to fill, of all series together: 4 bytes each.
pub const SERIES_VALUES: usize = 1 << 25;
/// Files in a directory of images, texts or annotations.
pub const FILES: usize = 1 << 20;
/// Bytes of an encoded image.
pub const IMAGE_FILE_BYTES: u64 = 64 << 20;
/// Pixels along one side of an image, before it is resized.
pub const IMAGE_SIDE: u32 = 16_384;
/// Bytes that decoding one image may take.
pub const IMAGE_DECODED_BYTES: u64 = 128 << 20;
/// Fewest pixels along one side of an image.
pub const IMAGE_SIDE_MIN: u32 = 4;
/// Bytes of one annotation file.
pub const XML_BYTES: u64 = 1 << 20;
/// Elements inside each other in an annotation file.
pub const XML_DEPTH: usize = 16;
/// Objects in one image.
pub const OBJECTS: usize = 1 << 16;
/// Bytes of the masks of one image's instances.
pub const INSTANCE_BYTES: u64 = 128 << 20;
/// Bytes of the header of a `.npy` file.
pub const NPY_HEADER_BYTES: u32 = 64 << 10;
/// Bytes of all values of a file that is read as a whole.
pub const WHOLE_BYTES: u64 = 4 << 30;
/// Arrays in a `.npz` file, or `.npy` files in a directory.
pub const NPZ_ARRAYS: usize = 64;
/// Bytes of one array.
pub const NPY_BYTES: u64 = 64 << 30;
/// Uncompressed bytes below which no array is taken for a bomb.
pub const NPZ_BOMB_BYTES: u64 = 64 << 20;
/// How many times its compressed size an array may have, above [`NPZ_BOMB_BYTES`].
pub const NPZ_RATIO: u64 = 200;
/// Uncompressed bytes of one column in one row group of a Parquet file.
pub const PARQUET_CHUNK_BYTES: i64 = 256 << 20;
/// Bytes of the footer of a Parquet file.
pub const PARQUET_FOOTER_BYTES: u64 = 16 << 20;
/// Different rows that are compared across the splits at once; of more, a sample is.
pub const COMPARED_ROWS: usize = 1 << 20;
