//! One split's Arrow IPC file, from bytes to columns.
//!
//! The file has one record batch, no dictionaries, no compression, no nulls. A field whose rows are single numbers is a
//! primitive column, text a large UTF-8 column, any other a fixed-size list of its width; a ragged field is a large list of
//! such items.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int32Type, Int64Type, UInt8Type};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_ipc::Block;
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};

use crate::metadataset::{DType, Field};
use crate::printable::printable;
use crate::table::{ColumnValues, Texts, Values};

/// Why bytes are not the Arrow file of a split.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The Arrow library says no.
    #[error("not an Arrow file: {0}")]
    Arrow(String),
    /// The Arrow library gave up on damaged bytes.
    #[error("not an Arrow file: damaged beyond what the decoder can name")]
    Damaged,
    /// The columns are not those of the metadataset.
    #[error("the columns are {found}, the metadataset's are {expected}")]
    Schema {
        /// What the metadataset says.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// There is exactly one record batch.
    #[error("{0} record batches, a split has exactly one")]
    Batches(usize),
    /// There are no dictionaries.
    #[error("{0} dictionaries, a split has none")]
    Dictionaries(usize),
    /// A part of the file lies outside of it.
    #[error("the {0} lies outside the file")]
    Outside(&'static str),
    /// Offsets of text or of a ragged field are not lengths one after the other.
    #[error("field `{0}`: the offsets do not ascend from 0 to the last value")]
    Offsets(String),
    /// Nulls have no meaning here.
    #[error("field `{0}` has nulls")]
    Nulls(String),
}

impl From<ArrowError> for DecodeError {
    fn from(error: ArrowError) -> Self {
        Self::Arrow(printable(&error.to_string()))
    }
}

/// One column, inside the buffer it was decoded from.
pub(crate) struct Stored {
    values: StoredValues,
    /// Of a ragged field: where each row's items end, after a first 0.
    offsets: Option<ScalarBuffer<i64>>,
}

enum StoredValues {
    F32(ScalarBuffer<f32>),
    F64(ScalarBuffer<f64>),
    S64(ScalarBuffer<i64>),
    S32(ScalarBuffer<i32>),
    S8(ScalarBuffer<i8>),
    U8(ScalarBuffer<u8>),
    /// Where each text ends, after a first 0, and the texts.
    Text(ScalarBuffer<i64>, Buffer),
}

impl Stored {
    /// Of values that were made here; `counts` are the items of each row of a ragged field.
    pub(crate) fn owned(values: Values, counts: Option<&[i32]>) -> Self {
        let values = match values {
            Values::F32(values) => StoredValues::F32(values.into()),
            Values::F64(values) => StoredValues::F64(values.into()),
            Values::S64(values) => StoredValues::S64(values.into()),
            Values::S32(values) => StoredValues::S32(values.into()),
            Values::S8(values) => StoredValues::S8(values.into()),
            Values::U8(values) => StoredValues::U8(values.into()),
            Values::Text(texts) => {
                let offsets = ends(texts.iter().map(|text| text.len() as i64));
                StoredValues::Text(offsets, Buffer::from_vec(texts.concat().into_bytes()))
            }
        };
        Self { values, offsets: counts.map(|counts| ends(counts.iter().map(|&count| i64::from(count)))) }
    }

    pub(crate) fn view(&self) -> ColumnValues<'_> {
        match &self.values {
            StoredValues::F32(values) => ColumnValues::F32(values),
            StoredValues::F64(values) => ColumnValues::F64(values),
            StoredValues::S64(values) => ColumnValues::S64(values),
            StoredValues::S32(values) => ColumnValues::S32(values),
            StoredValues::S8(values) => ColumnValues::S8(values),
            StoredValues::U8(values) => ColumnValues::U8(values),
            StoredValues::Text(offsets, bytes) => ColumnValues::Text(Texts::stored(offsets, bytes)),
        }
    }

    pub(crate) fn offsets(&self) -> Option<&[i64]> {
        self.offsets.as_deref()
    }
}

/// Where things of these lengths end, one after the other, after a first 0.
fn ends(lengths: impl Iterator<Item = i64>) -> ScalarBuffer<i64> {
    let ends = lengths.scan(0, |end, length| {
        *end += length;
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect::<Vec<_>>().into()
}

/// The Arrow schema of a split. Widths are below 2³¹ ([`crate::limits::ROW_WIDTH`]).
pub(crate) fn arrow_schema(fields: &[Field]) -> SchemaRef {
    let field = |field: &Field| arrow_schema::Field::new(&field.name, arrow_type(field), false);
    Arc::new(Schema::new(fields.iter().map(field).collect::<Vec<_>>()))
}

fn arrow_type(field: &Field) -> DataType {
    let element = match field.dtype {
        DType::F32 => DataType::Float32,
        DType::F64 => DataType::Float64,
        DType::S64 => DataType::Int64,
        DType::S32 => DataType::Int32,
        DType::S8 => DataType::Int8,
        DType::U8 => DataType::UInt8,
        DType::Text => DataType::LargeUtf8,
    };
    let item = if field.shape.is_empty() {
        element
    } else {
        let width = i32::try_from(field.width()).unwrap_or(i32::MAX);
        DataType::FixedSizeList(list_item(element), width)
    };
    if field.ragged { DataType::LargeList(list_item(item)) } else { item }
}

fn list_item(element: DataType) -> Arc<arrow_schema::Field> {
    Arc::new(arrow_schema::Field::new_list_field(element, false))
}

/// Decodes a split without copying. The columns are in the order of `fields`; nothing but their types is checked.
pub(crate) fn decode(buffer: &Buffer, fields: &[Field]) -> Result<Vec<Stored>, DecodeError> {
    // Damaged bytes make the Arrow crates panic in places that their types do not show. Nothing that `decode_batch` touches outlives
    // an unwinding but `buffer` and `fields`, which it only reads.
    catch_unwind(AssertUnwindSafe(|| decode_batch(buffer, fields))).unwrap_or(Err(DecodeError::Damaged))
}

/// Magic at the end, after four bytes of the footer's length.
const TRAILER: usize = 10;

fn decode_batch(buffer: &Buffer, fields: &[Field]) -> Result<Vec<Stored>, DecodeError> {
    let Some((body, trailer)) = buffer.split_last_chunk::<TRAILER>() else {
        return Err(DecodeError::Outside("footer"));
    };
    let start = body.len().checked_sub(read_footer_length(*trailer)?).ok_or(DecodeError::Outside("footer"))?;
    let footer =
        arrow_ipc::root_as_footer(&body[start..]).map_err(|error| DecodeError::Arrow(printable(&error.to_string())))?;

    let expected = arrow_schema(fields);
    let schema = footer.schema().ok_or_else(|| DecodeError::Arrow("no schema".into()))?;
    let found = try_fb_to_schema(schema)?;
    if found != *expected {
        return Err(DecodeError::Schema { expected: columns(&expected), found: columns(&found) });
    }
    match footer.dictionaries().map_or(0, |blocks| blocks.len()) {
        0 => {}
        count => return Err(DecodeError::Dictionaries(count)),
    }
    let block = match footer.recordBatches() {
        Some(blocks) if blocks.len() == 1 => *blocks.get(0),
        blocks => return Err(DecodeError::Batches(blocks.map_or(0, |blocks| blocks.len()))),
    };

    let decoder = FileDecoder::new(expected, footer.version()).with_require_alignment(true);
    let batch = decoder
        .read_record_batch(&block, &block_bytes(buffer, &block)?)?
        .ok_or_else(|| DecodeError::Arrow("the block is not a record batch".into()))?;
    fields.iter().zip(batch.columns()).map(|(field, column)| stored(field, column)).collect()
}

/// The part of the file that a block names, whose message names buffers inside the block's body.
fn block_bytes(buffer: &Buffer, block: &Block) -> Result<Buffer, DecodeError> {
    let part = || {
        let offset = usize::try_from(block.offset()).ok()?;
        let metadata = usize::try_from(block.metaDataLength()).ok()?;
        let body = usize::try_from(block.bodyLength()).ok()?;
        let length = metadata.checked_add(body)?;
        (offset.checked_add(length)? <= buffer.len()).then_some((offset, length, body))
    };
    let (offset, length, body) = part().ok_or(DecodeError::Outside("record batch"))?;
    let bytes = buffer.slice_with_length(offset, length);
    check_buffers(&bytes, body)?;
    Ok(bytes)
}

/// Bytes before a message: a marker and the message's length. Files older than 2019 lack the marker.
const MESSAGE_PREFIX: usize = 8;

/// The decoder panics when a buffer lies outside of the body. This is the one damage that is likely, so it gets a text.
fn check_buffers(block: &[u8], body: usize) -> Result<(), DecodeError> {
    let message = block.strip_prefix(&[0xff; 4]).and_then(|_| block.get(MESSAGE_PREFIX..));
    let message = message.ok_or(DecodeError::Outside("message of the record batch"))?;
    let message =
        arrow_ipc::root_as_message(message).map_err(|error| DecodeError::Arrow(printable(&error.to_string())))?;
    let batch = message.header_as_record_batch().ok_or_else(|| DecodeError::Arrow("no record batch".into()))?;
    let inside = |buffer: &arrow_ipc::Buffer| {
        let (offset, length) = (usize::try_from(buffer.offset()).ok()?, usize::try_from(buffer.length()).ok()?);
        (offset.checked_add(length)? <= body).then_some(())
    };
    match batch.buffers().is_none_or(|buffers| buffers.iter().all(|buffer| inside(buffer).is_some())) {
        true => Ok(()),
        false => Err(DecodeError::Outside("data of a column")),
    }
}

fn stored(field: &Field, column: &ArrayRef) -> Result<Stored, DecodeError> {
    let without_nulls = |array: &ArrayRef| match array.null_count() {
        0 => Ok(()),
        _ => Err(DecodeError::Nulls(field.name.clone())),
    };
    without_nulls(column)?;
    // The schema is known to be that of `fields`, and so are the types.
    let (mut array, mut offsets) = (column, None);
    if field.ragged {
        let list = array.as_list::<i64>();
        offsets = Some(from_zero(list.offsets().inner(), list.values().len(), field)?);
        array = list.values();
        without_nulls(array)?;
    }
    if !field.shape.is_empty() {
        array = array.as_fixed_size_list().values();
        without_nulls(array)?;
    }
    let values = match field.dtype {
        DType::F32 => StoredValues::F32(array.as_primitive::<Float32Type>().values().clone()),
        DType::F64 => StoredValues::F64(array.as_primitive::<Float64Type>().values().clone()),
        DType::S64 => StoredValues::S64(array.as_primitive::<Int64Type>().values().clone()),
        DType::S32 => StoredValues::S32(array.as_primitive::<Int32Type>().values().clone()),
        DType::S8 => StoredValues::S8(array.as_primitive::<Int8Type>().values().clone()),
        DType::U8 => StoredValues::U8(array.as_primitive::<UInt8Type>().values().clone()),
        DType::Text => {
            let texts = array.as_string::<i64>();
            let bytes = texts.values().clone();
            StoredValues::Text(from_zero(texts.offsets().inner(), bytes.len(), field)?, bytes)
        }
    };
    Ok(Stored { values, offsets })
}

/// Offsets that say nothing but lengths: they ascend from 0 to the end.
fn from_zero(offsets: &ScalarBuffer<i64>, end: usize, field: &Field) -> Result<ScalarBuffer<i64>, DecodeError> {
    let ascending = offsets.is_sorted() && offsets.first() == Some(&0);
    match ascending && offsets.last().is_some_and(|&last| usize::try_from(last) == Ok(end)) {
        true => Ok(offsets.clone()),
        false => Err(DecodeError::Offsets(field.name.clone())),
    }
}

/// The columns of a schema in one line, short and safe to show whatever the schema holds.
fn columns(schema: &Schema) -> String {
    let fields = schema.fields().iter().map(|field| {
        let null = if field.is_nullable() { " or null" } else { "" };
        format!("{}: {}{null}", field.name(), field.data_type())
    });
    let text = fields.collect::<Vec<_>>().join(", ");
    let metadata = if schema.metadata().is_empty() { "" } else { " with metadata" };
    format!("[{}]{metadata}", printable(&text))
}
