//! Parquet: flat columns of numbers, texts, truth values and times; an image is a struct of `bytes` and `path`.

use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Date32Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::{Cell, Cells, Count, Row, Table, TableFile, Visit};
use crate::finding::{At, Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::wording::Quoted;

/// Bytes that the rows which are decoded at once should have.
const BATCH_BYTES: u64 = 8 << 20;
/// Rows that are decoded at once, at most.
const BATCH_ROWS: usize = 8192;

fn open(table: &Table<'_>, file: &TableFile) -> Result<ParquetRecordBatchReaderBuilder<File>, Problem> {
    let (handle, bytes) = table.input.open(&file.listed.path)?;
    if bytes == 0 {
        return Err(Problem::ZeroBytes);
    }
    let fault = |reason: String| Problem::Parquet { reason };
    check_footer(&handle, bytes)?;
    // The schema is the file's own: a hidden Arrow schema could ask for other types.
    let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&handle, options()).map_err(|error| fault(error.to_string()))?;
    // Views: a long text that a dictionary holds once is not copied for every row that has it.
    let fields: Vec<_> = metadata.schema().fields().iter().map(|field| with_views(field)).collect();
    let options = options().with_schema(Arc::new(Schema::new(fields)));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options);
    let metadata = metadata.map_err(|error| fault(error.to_string()))?;
    for group in metadata.metadata().row_groups() {
        for column in group.columns() {
            let bytes = column.uncompressed_size();
            if !(0..=limits::PARQUET_CHUNK_BYTES).contains(&bytes) {
                let column = Quoted::new(&column.column_path().string());
                return Err(Problem::ParquetChunk { column, bytes, limit: limits::PARQUET_CHUNK_BYTES });
            }
        }
    }
    Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(handle, metadata))
}

fn with_views(field: &Arc<Field>) -> Arc<Field> {
    let kind = match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(with_views).collect()),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(kind))
}

/// The length of the footer, before a library allocates for it.
fn check_footer(handle: &File, bytes: u64) -> Result<(), Problem> {
    use std::os::unix::fs::FileExt as _;
    let fault = |reason: String| Problem::Parquet { reason };
    let mut tail = [0; 8];
    let at = bytes.checked_sub(8).ok_or_else(|| fault(format!("{bytes} bytes are too short")))?;
    handle.read_exact_at(&mut tail, at).map_err(|error| fault(error.to_string()))?;
    let [a, b, c, d, magic @ ..] = tail;
    if magic != *b"PAR1" {
        return Err(fault("it does not end as one".into()));
    }
    match u64::from(u32::from_le_bytes([a, b, c, d])) {
        footer if footer > limits::PARQUET_FOOTER_BYTES => {
            Err(fault(format!("its footer has {footer} bytes, at most {} are allowed", limits::PARQUET_FOOTER_BYTES)))
        }
        _ => Ok(()),
    }
}

const EXPECTED: &str = "numbers, texts, truth values, dates, or a struct of image bytes";

fn is_image(kind: &DataType) -> bool {
    matches!(kind, DataType::Struct(fields) if fields.iter().any(|field| field.name() == "bytes" && is_bytes(field.data_type())))
}

const fn is_bytes(kind: &DataType) -> bool {
    matches!(kind, DataType::BinaryView)
}

fn is_read(kind: &DataType) -> bool {
    kind.is_integer()
        || kind.is_floating()
        || is_bytes(kind)
        || matches!(
            kind,
            DataType::Null | DataType::Boolean | DataType::Utf8View | DataType::Date32 | DataType::Timestamp(..)
        )
}

fn check_types(schema: &Schema, file: &TableFile, findings: &mut Findings) {
    for field in schema.fields() {
        let kind = field.data_type();
        if !is_read(kind) && !is_image(kind) {
            let column = Quoted::new(field.name());
            let problem = Problem::ColumnType { column, found: kind.to_string(), expected: EXPECTED };
            findings.error(Place::file(&file.listed.path), problem);
        }
    }
}

pub(super) fn header(table: &Table<'_>, file: &TableFile, findings: &mut Findings) -> Option<Vec<String>> {
    match open(table, file) {
        Ok(builder) => {
            check_types(builder.schema(), file, findings);
            Some(builder.schema().fields().iter().map(|field| field.name().clone()).collect())
        }
        Err(problem) => {
            findings.error(Place::file(&file.listed.path), problem);
            None
        }
    }
}

pub(super) fn each(
    table: &Table<'_>,
    file: &TableFile,
    visit: Visit<'_>,
    count: &mut Count<'_>,
    findings: &mut Findings,
) {
    let place = || Place::file(&file.listed.path);
    let builder = match open(table, file) {
        Ok(builder) => builder,
        Err(problem) => return findings.error(place(), problem),
    };
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
    let uncompressed: i64 = builder.metadata().row_groups().iter().map(|group| group.total_byte_size()).sum();
    let row_bytes = u64::try_from(uncompressed).unwrap_or(0) / rows;
    let batch = (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS as u64);
    let reader = builder.with_batch_size(usize::try_from(batch).unwrap_or(1)).build();
    let fault = |error: &dyn std::fmt::Display| Problem::Parquet { reason: error.to_string() };
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return findings.error(place(), fault(&error)),
    };
    let mut row = 0;
    for batch in reader {
        let batch = match batch {
            Ok(batch) => Batch::new(&batch),
            Err(error) => return findings.error(place(), fault(&error)),
        };
        for index in 0..batch.rows {
            row += 1;
            count.row(file.listed.bytes.min(file.listed.bytes / rows * row));
            let cells = BatchRow { batch: &batch, row: index };
            visit(&Row { file, at: At::Row(row), cells: &cells }, findings);
        }
    }
}

/// Rows that are decoded, with the bytes of images in the place of their structs.
struct Batch {
    rows: usize,
    columns: Vec<ArrayRef>,
}

impl Batch {
    fn new(batch: &RecordBatch) -> Self {
        let bytes = |column: &ArrayRef| match column.as_struct_opt() {
            Some(image) => image.column_by_name("bytes").map_or_else(|| Arc::clone(column), Arc::clone),
            None => Arc::clone(column),
        };
        Self { rows: batch.num_rows(), columns: batch.columns().iter().map(bytes).collect() }
    }
}

struct BatchRow<'a> {
    batch: &'a Batch,
    row: usize,
}

impl Cells for BatchRow<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.batch.columns.get(column).map_or(Cell::Missing, |column| cell(column, self.row))
    }

    fn literal(&self, column: usize) -> Option<&str> {
        match self.cell(column) {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn cell(column: &ArrayRef, row: usize) -> Cell<'_> {
    if column.is_null(row) || matches!(column.data_type(), DataType::Null) {
        return Cell::Missing;
    }
    macro_rules! int {
        ($kind:ty) => {
            Cell::Int(i64::from(column.as_primitive::<$kind>().value(row)))
        };
    }
    match column.data_type() {
        DataType::Int8 => int!(Int8Type),
        DataType::Int16 => int!(Int16Type),
        DataType::Int32 => int!(Int32Type),
        DataType::Int64 => int!(Int64Type),
        DataType::UInt8 => int!(UInt8Type),
        DataType::UInt16 => int!(UInt16Type),
        DataType::UInt32 => int!(UInt32Type),
        DataType::UInt64 => {
            let value = column.as_primitive::<UInt64Type>().value(row);
            #[expect(clippy::cast_precision_loss, reason = "only above 2^63, where no identifier is meant")]
            i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int)
        }
        DataType::Float16 => Cell::Float(column.as_primitive::<Float16Type>().value(row).to_f64()),
        DataType::Float32 => Cell::Float(f64::from(column.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => Cell::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Cell::Text(if column.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Utf8View => Cell::Text(column.as_string_view().value(row)),
        DataType::BinaryView => Cell::Bytes(column.as_binary_view().value(row)),
        _ => time(column, row).map_or(Cell::Missing, Cell::Time),
    }
}

/// Microseconds since 1970.
fn time(column: &ArrayRef, row: usize) -> Option<i64> {
    match column.data_type() {
        DataType::Date32 => Some(i64::from(column.as_primitive::<Date32Type>().value(row)) * 86_400_000_000),
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<TimestampSecondType>().value(row).checked_mul(1_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().value(row).checked_mul(1000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Some(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some(column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1000))
        }
        _ => None,
    }
}
