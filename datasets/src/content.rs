//! The digest of a dataset's content.

use std::io;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::metadataset::{DType, Field, Role, Split};
use crate::rules::little_endian;
use crate::table::ColumnValues;
use crate::task::{Classes, TaskKind};

/// The first bytes that are hashed: nothing else in Thimble hashes a text that starts like this.
const DOMAIN_1: &[u8] = b"thimble dataset content 1\0";
const DOMAIN_2: &[u8] = b"thimble dataset content 2\0";

/// The digest of a dataset's content: of the task, the fields and every value, whatever files they are kept in.
///
/// SHA-256 over the following bytes; every integer is little-endian.
///
/// ```text
/// "thimble dataset content 2" 00
/// u32  bytes of the schema, then the schema: the compact JSON of {"task": …, "fields": …} as `dataset.json` has them
/// for train (0), validation (1), test (2)
///   u8   split
///   u64  rows
///   for each field, in order
///     text: one u32 for each row, the bytes of its text, then all texts
///     numbers: all values, row after row and item after item, as their IEEE 754 bits (a NaN as 7fc00000 or
///     7ff8000000000000) or in two's complement; items of a row are as many as the field `counts` says
/// ```
///
/// A tabular classification that declares nothing about its classes but their number and about its fields but name, type,
/// shape and role has an older form, in which the first two lines are
///
/// ```text
/// "thimble dataset content 1" 00
/// u8   1
/// u32  number of classes
/// u32  number of fields
/// for each field, in order
///   u32  bytes of the name, then the name
///   u8   role: 0 input, 1 target
///   u8   dtype: 1 f32, 2 f64, 3 s64, 4 s32, 5 s8, 6 u8
///   u32  rank of one row, then one u32 for each dimension
/// ```
///
/// Two datasets with the same bytes are the same: every length stands before what it measures. The dataset's name is
/// left out, so that a public dataset does not pass for another one under a new name.
///
/// `columns` gives, for each split in the order of [`Split::ALL`], its rows and its columns in the order of `fields`.
pub fn content_digest(task: &TaskKind, fields: &[Field], columns: [(u64, &[ColumnValues<'_>]); 3]) -> Digest {
    let mut hasher = ContentHasher::new(task, fields);
    for (split, (rows, columns)) in Split::ALL.into_iter().zip(columns) {
        hasher.split(split, rows);
        for values in columns {
            hasher.values(*values);
        }
    }
    hasher.finish()
}

/// [`content_digest`], piece by piece: the splits in order, of each its columns in order.
pub(crate) struct ContentHasher(Sha256);

impl ContentHasher {
    pub(crate) fn new(task: &TaskKind, fields: &[Field]) -> Self {
        let mut hasher = Sha256::new();
        match plain_classes(task, fields) {
            Some(classes) => hash_plain_schema(&mut hasher, classes, fields),
            None => hash_schema(&mut hasher, task, fields),
        }
        Self(hasher)
    }

    pub(crate) fn split(&mut self, split: Split, rows: u64) {
        let code = match split {
            Split::Train => 0,
            Split::Validation => 1,
            Split::Test => 2,
        };
        self.0.update([code]);
        self.0.update(rows.to_le_bytes());
    }

    pub(crate) fn values(&mut self, values: ColumnValues<'_>) {
        if let ColumnValues::Text(texts) = values {
            texts.iter().for_each(|text| hash_length(&mut self.0, text.len()));
        }
        // Hashing does not fail.
        let _ = little_endian(values, &mut |bytes| -> io::Result<()> {
            self.0.update(bytes);
            Ok(())
        });
    }

    /// The length of one text.
    pub(crate) fn length(&mut self, length: usize) {
        hash_length(&mut self.0, length);
    }

    /// Bytes of values, as [`little_endian`] makes them.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// The number of classes, where the older form says everything.
fn plain_classes(task: &TaskKind, fields: &[Field]) -> Option<u32> {
    let TaskKind::TabularClassification(classes) = task else { return None };
    let plain =
        |field: &Field| !field.ragged && !field.missing && field.columns.is_empty() && field.dtype != DType::Text;
    (*classes == Classes::unnamed(classes.classes) && fields.iter().all(plain)).then_some(classes.classes)
}

fn hash_plain_schema(hasher: &mut Sha256, classes: u32, fields: &[Field]) {
    hasher.update(DOMAIN_1);
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

fn hash_schema(hasher: &mut Sha256, task: &TaskKind, fields: &[Field]) {
    #[derive(serde::Serialize)]
    struct Schema<'a> {
        task: &'a TaskKind,
        fields: &'a [Field],
    }
    // Strings, numbers and lists of them always have a JSON text.
    let json = serde_json::to_vec(&Schema { task, fields }).unwrap_or_default();
    hasher.update(DOMAIN_2);
    hash_length(hasher, json.len());
    hasher.update(json);
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
        DType::Text => 7,
    }
}
