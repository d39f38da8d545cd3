//! NumPy files, format version 1.0 (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>):
//! `\x93NUMPY`, the version, the length of a text, the text, the values.

use std::io::{self, Write};

use thimble_datasets::{Column, ColumnValues};

/// Values start at a multiple of this, as NumPy has it.
const ALIGNMENT: usize = 64;

/// Writes `rows` rows, or items of a ragged column, to the byte as `numpy.save` writes the array.
pub(crate) fn write(mut out: impl Write, rows: usize, column: &Column<'_>) -> io::Result<()> {
    let descr = match column.values {
        ColumnValues::F32(_) => "<f4",
        ColumnValues::F64(_) => "<f8",
        ColumnValues::S64(_) => "<i8",
        ColumnValues::S32(_) => "<i4",
        ColumnValues::S8(_) => "|i1",
        ColumnValues::U8(_) => "|u1",
        ColumnValues::Text(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "text has no NumPy file")),
    };
    // A Python tuple: a single dimension is followed by a comma too.
    let shape = match column.shape {
        [] => format!("{rows},"),
        dimensions => dimensions.iter().fold(rows.to_string(), |shape, n| format!("{shape}, {n}")),
    };
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let start = b"\x93NUMPY\x01\x00";
    let length = (start.len() + 2 + text.len() + 1).next_multiple_of(ALIGNMENT) - start.len() - 2;
    out.write_all(start)?;
    // At most 8 dimensions: some 130 bytes.
    out.write_all(&(length as u16).to_le_bytes())?;
    writeln!(out, "{text:<0$}", length - 1)?;
    match column.values {
        ColumnValues::F32(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
        ColumnValues::F64(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
        ColumnValues::S64(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
        ColumnValues::S32(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
        ColumnValues::S8(values) => values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))?,
        ColumnValues::U8(values) => out.write_all(values)?,
        ColumnValues::Text(_) => {}
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(rows: usize, shape: &[u32], values: ColumnValues<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let width = shape.iter().map(|&n| n as usize).product();
        write(&mut bytes, rows, &Column { shape, width, offsets: None, values }).expect("memory takes everything");
        bytes
    }

    /// Golden: the format's description, and the text that NumPy 2 writes for `np.zeros((2, 3), np.float32)`.
    #[test]
    fn a_matrix_has_the_bytes_that_numpy_writes() {
        let bytes = bytes(2, &[3], ColumnValues::F32(&[1.0, 0.0, 0.0, 0.0, 0.0, -2.0]));
        assert_eq!(&bytes[..10], b"\x93NUMPY\x01\x00\x76\x00");
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(bytes[10..128], *format!("{text:<117}\n").as_bytes());
        assert_eq!(bytes[128..132], [0, 0, 128, 63]);
        assert_eq!(bytes[148..], [0, 0, 0, 192]);
    }

    #[test]
    fn a_vector_is_a_tuple_of_one_and_values_start_at_a_multiple_of_64() {
        let bytes = bytes(3, &[], ColumnValues::S8(&[0, -1, 127]));
        assert!(bytes[10..].starts_with(b"{'descr': '|i1', 'fortran_order': False, 'shape': (3,), } "));
        assert_eq!(bytes.len() % ALIGNMENT, 3);
        assert_eq!(bytes[bytes.len() - 4..], [b'\n', 0, 255, 127]);
    }
}
