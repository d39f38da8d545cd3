//! Where rows go: into a dataset, or nowhere in a dry run.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};

use cap_std::fs::Dir;
use thimble_datasets::{DatasetWriter, Field, Role, Split, Table, TaskKind, Values, schema};

use crate::finding::{Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::{IngestError, Outcome, Work};

/// Bytes of a split's rows that are written at once.
const CHUNK_BYTES: usize = 4 << 20;

/// A dataset in the making.
pub(crate) struct Sink<'a> {
    name: String,
    task: TaskKind,
    fields: Vec<Field>,
    writer: Option<DatasetWriter<'a>>,
    /// Rows that are not yet written.
    chunks: [Chunk; 3],
    rows: [u64; 3],
    copies: Copies,
}

struct Chunk {
    table: Table,
    bytes: usize,
}

impl Chunk {
    fn new(fields: &[Field]) -> Self {
        let columns = fields.iter().map(|field| Values::none(field.dtype)).collect();
        Self { table: Table { rows: 0, columns }, bytes: 0 }
    }
}

impl<'a> Sink<'a> {
    pub(crate) fn new(
        out: Option<&'a Dir>,
        name: &str,
        task: TaskKind,
        fields: Vec<Field>,
    ) -> Result<Self, IngestError> {
        schema::check(&task, &fields)?;
        let writer = out.map(|dir| DatasetWriter::new(dir, name, task.clone(), fields.clone())).transpose()?;
        let chunks = [Chunk::new(&fields), Chunk::new(&fields), Chunk::new(&fields)];
        Ok(Self { name: name.into(), task, fields, writer, chunks, rows: [0; 3], copies: Copies::default() })
    }

    /// Adds a row; `fill` adds its values to each of the columns.
    pub(crate) fn row(
        &mut self,
        split: Split,
        place: impl FnOnce() -> Place,
        fill: impl FnOnce(&mut [Values]),
    ) -> Result<(), IngestError> {
        let chunk = &mut self.chunks[split as usize];
        let before: Vec<usize> = chunk.table.columns.iter().map(|column| column.view().len()).collect();
        fill(&mut chunk.table.columns);
        chunk.table.rows += 1;
        self.rows[split as usize] += 1;
        let mut hasher = DefaultHasher::new();
        for ((field, column), before) in self.fields.iter().zip(&chunk.table.columns).zip(before) {
            let bytes = hash_tail(column, before, (field.role == Role::Input).then_some(&mut hasher));
            chunk.bytes += bytes;
        }
        self.copies.see(hasher.finish(), split, place);
        if chunk.bytes >= CHUNK_BYTES { self.flush(split) } else { Ok(()) }
    }

    fn flush(&mut self, split: Split) -> Result<(), IngestError> {
        let chunk = &mut self.chunks[split as usize];
        if let Some(writer) = &mut self.writer {
            writer.append(split, &chunk.table)?;
        }
        chunk.table.rows = 0;
        chunk.bytes = 0;
        chunk.table.columns.iter_mut().for_each(clear);
        Ok(())
    }

    /// Writes the dataset, unless something was found in the meantime.
    pub(crate) fn finish(mut self, work: &mut Work<'_>, file: &str) -> Result<Outcome, IngestError> {
        let total = self.rows.iter().sum();
        for split in Split::ALL.into_iter().filter(|&split| self.rows[split as usize] == 0) {
            work.findings.error(Place::file(file), Problem::EmptySplit { split, rows: total });
        }
        work.clean()?;
        for split in Split::ALL {
            self.flush(split)?;
        }
        self.copies.warn(&mut work.findings);
        let digest = self.writer.map(DatasetWriter::finish).transpose()?;
        let findings = std::mem::take(&mut work.findings);
        Ok(Outcome { name: self.name, task: self.task, fields: self.fields, rows: self.rows, findings, digest })
    }
}

fn clear(values: &mut Values) {
    match values {
        Values::F32(values) => values.clear(),
        Values::F64(values) => values.clear(),
        Values::S64(values) => values.clear(),
        Values::S32(values) => values.clear(),
        Values::S8(values) => values.clear(),
        Values::U8(values) => values.clear(),
        Values::Text(values) => values.clear(),
    }
}

/// Hashes what was added to a column; gives its bytes in memory.
fn hash_tail(values: &Values, from: usize, hasher: Option<&mut DefaultHasher>) -> usize {
    fn hash<T: Copy, const N: usize>(
        values: &[T],
        bytes: impl Fn(T) -> [u8; N],
        hasher: Option<&mut DefaultHasher>,
    ) -> usize {
        if let Some(hasher) = hasher {
            values.iter().for_each(|&value| hasher.write(&bytes(value)));
        }
        values.len() * N
    }
    match values {
        Values::F32(values) => hash(&values[from..], f32::to_le_bytes, hasher),
        Values::F64(values) => hash(&values[from..], f64::to_le_bytes, hasher),
        Values::S64(values) => hash(&values[from..], i64::to_le_bytes, hasher),
        Values::S32(values) => hash(&values[from..], i32::to_le_bytes, hasher),
        Values::S8(values) => hash(&values[from..], i8::to_le_bytes, hasher),
        Values::U8(values) => {
            if let Some(hasher) = hasher {
                hasher.write(&values[from..]);
            }
            values.len() - from
        }
        Values::Text(values) => {
            let texts = &values[from..];
            if let Some(hasher) = hasher {
                texts.iter().for_each(|text| hasher.write(text.as_bytes()));
            }
            texts.iter().map(|text| text.len() + size_of::<String>()).sum()
        }
    }
}

/// Rows with the same inputs in two splits. Of very many rows, a sample: those whose hash ends in so many zeros; copies have
/// the same hash, so that they are in the sample together.
#[derive(Default)]
struct Copies {
    /// The splits that a hash was seen in, a bit each.
    seen: HashMap<u64, u8>,
    /// Bits of the hash that must be 0.
    zeros: u32,
    rows: u64,
    first: Option<Place>,
}

impl Copies {
    fn see(&mut self, hash: u64, split: Split, place: impl FnOnce() -> Place) {
        if hash.trailing_zeros() < self.zeros {
            return;
        }
        let bit = 1_u8 << (split as u8);
        let splits = self.seen.entry(hash).or_default();
        if *splits & !bit != 0 {
            self.rows += 1;
            self.first.get_or_insert_with(place);
        }
        *splits |= bit;
        if self.seen.len() > limits::COMPARED_ROWS {
            self.zeros += 1;
            let zeros = self.zeros;
            self.seen.retain(|hash, _| hash.trailing_zeros() >= zeros);
        }
    }

    fn warn(&mut self, findings: &mut Findings) {
        let Some(place) = self.first.take() else { return };
        let sample = match self.zeros {
            0 => String::new(),
            zeros => format!(" (of a sample of about 1 in {})", 1_u64 << zeros),
        };
        findings.warn(place, Problem::SameInputs { rows: self.rows, sample });
    }
}

/// Adds a value to a column of its type; the fields that a task declares decide which that is.
pub(crate) trait Push<T> {
    fn push(&mut self, value: T);
}

macro_rules! push {
    ($($kind:ty, $variant:ident;)*) => {$(
        impl Push<$kind> for Values {
            fn push(&mut self, value: $kind) {
                if let Self::$variant(values) = self {
                    values.push(value);
                }
            }
        }

        impl Push<&[$kind]> for Values {
            fn push(&mut self, value: &[$kind]) {
                if let Self::$variant(values) = self {
                    values.extend_from_slice(value);
                }
            }
        }
    )*};
}

push! {
    f32, F32;
    f64, F64;
    i64, S64;
    i32, S32;
    u8, U8;
    String, Text;
}
