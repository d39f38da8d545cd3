//! The digest of a dataset's content.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::metadataset::{DType, Field, Role, Split, TaskKind};
use crate::table::ColumnValues;

/// The first bytes that are hashed: nothing else in Thimble hashes a text that starts like this.
const DOMAIN: &[u8] = b"thimble dataset content 1\0";

/// The digest of a dataset's content: of the task, the fields and every value, whatever files they are kept in.
///
/// SHA-256 over the following bytes; every integer is little-endian.
///
/// ```text
/// "thimble dataset content 1" 00
/// u8   task: 1 classification
/// u32  number of classes
/// u32  number of fields
/// for each field, in order
///   u32  bytes of the name, then the name
///   u8   role: 0 input, 1 target
///   u8   dtype: 1 f32, 2 f64, 3 s64, 4 s32, 5 s8, 6 u8
///   u32  rank of one row, then one u32 for each dimension
/// for train (0), validation (1), test (2)
///   u8   split
///   u64  rows
///   for each field, in order
///     rows × width values, row after row, as their IEEE 754 bits or in two's complement
/// ```
///
/// Two datasets with the same bytes are the same: every length stands before what it measures. The dataset's name is
/// left out, so that a public dataset does not pass for another one under a new name.
///
/// `columns` gives, for each split in the order of [`Split::ALL`], its rows and its columns in the order of `fields`.
pub fn content_digest(task: TaskKind, fields: &[Field], columns: [(u64, &[ColumnValues<'_>]); 3]) -> Digest {
    let mut hasher = Sha256::new();
    hash_schema(&mut hasher, task, fields);
    for (split, (rows, columns)) in Split::ALL.into_iter().zip(columns) {
        hasher.update([split_code(split)]);
        hasher.update(rows.to_le_bytes());
        for values in columns {
            hash_values(&mut hasher, *values);
        }
    }
    Digest::from_bytes(hasher.finalize().into())
}

fn hash_schema(hasher: &mut Sha256, task: TaskKind, fields: &[Field]) {
    let TaskKind::Classification { classes } = task;
    hasher.update(DOMAIN);
    hasher.update([1]);
    hasher.update(classes.to_le_bytes());
    hash_length(hasher, fields.len());
    for field in fields {
        hash_length(hasher, field.name.len());
        hasher.update(field.name.as_bytes());
        hasher.update([role_code(field.role), dtype_code(field.dtype)]);
        hash_length(hasher, field.shape.len());
        for dimension in &field.shape {
            hasher.update(dimension.to_le_bytes());
        }
    }
}

/// Lengths are far below 2³² (see [`crate::limits`]); one that is not cannot collide with one that is.
fn hash_length(hasher: &mut Sha256, length: usize) {
    hasher.update(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

const fn role_code(role: Role) -> u8 {
    match role {
        Role::Input => 0,
        Role::Target => 1,
    }
}

const fn dtype_code(dtype: DType) -> u8 {
    match dtype {
        DType::F32 => 1,
        DType::F64 => 2,
        DType::S64 => 3,
        DType::S32 => 4,
        DType::S8 => 5,
        DType::U8 => 6,
    }
}

const fn split_code(split: Split) -> u8 {
    match split {
        Split::Train => 0,
        Split::Validation => 1,
        Split::Test => 2,
    }
}

fn hash_values(hasher: &mut Sha256, values: ColumnValues<'_>) {
    match values {
        ColumnValues::F32(values) => hash_chunks(hasher, values, |value| value.to_bits().to_le_bytes()),
        ColumnValues::F64(values) => hash_chunks(hasher, values, |value| value.to_bits().to_le_bytes()),
        ColumnValues::S64(values) => hash_chunks(hasher, values, i64::to_le_bytes),
        ColumnValues::S32(values) => hash_chunks(hasher, values, i32::to_le_bytes),
        ColumnValues::S8(values) => hash_chunks(hasher, values, i8::to_le_bytes),
        ColumnValues::U8(values) => hasher.update(values),
    }
}

/// Hashes values through a small buffer, because one `update` per value would cost more than the hashing.
fn hash_chunks<T: Copy, const N: usize>(hasher: &mut Sha256, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    let mut buffer = [0_u8; 4096];
    for chunk in values.chunks(buffer.len() / N) {
        for (target, &value) in buffer.chunks_exact_mut(N).zip(chunk) {
            target.copy_from_slice(&bytes(value));
        }
        hasher.update(&buffer[..chunk.len() * N]);
    }
}
