//! NumPy files of a known type and shape.
//!
//! Format version 1.0 (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>): `\x93NUMPY`, the
//! version, a length, that many bytes of text, the values. NumPy writes one text for a type and a shape, so nothing is
//! parsed: it is compared with the one expected.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::{Dtype, Result, Values};

const MAGIC: [u8; 8] = *b"\x93NUMPY\x01\x00";
/// Bytes of values in one file.
const MAX_BYTES: u64 = 8 << 30;

/// The values of the file at `path`, which must have this type and shape.
///
/// # Errors
/// The file cannot be read, or has another type, shape or length; what is wrong, without the path.
pub(super) fn read(path: &Path, dtype: Dtype, shape: &[usize]) -> Result<Values> {
    let count = shape.iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64));
    let bytes = count.and_then(|count| count.checked_mul(dtype.bytes())).filter(|&bytes| bytes <= MAX_BYTES);
    let bytes = bytes.ok_or_else(|| format!("{dtype} of shape {shape:?} has more than {MAX_BYTES} bytes"))?;
    let io = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(io)?;
    let found = file.metadata().map_err(io)?;
    if !found.is_file() {
        return Err("is not a file".into());
    }
    let mut start = [0; 10];
    file.read_exact(&mut start).map_err(|_| "is not a NumPy file: it ends in its header")?;
    if start[..8] != MAGIC {
        return Err("is not a NumPy file of format version 1.0".into());
    }
    let header_bytes = u16::from_le_bytes([start[8], start[9]]);
    let mut header = vec![0; usize::from(header_bytes)];
    file.read_exact(&mut header).map_err(|_| "is not a NumPy file: it ends in its header")?;
    let expected = header_text(dtype, shape)?;
    let header = String::from_utf8_lossy(&header);
    if header.trim_end() != expected {
        return Err(format!("is {:?}, expected {expected:?}", header.trim_end()).into());
    }
    let (has, wants) = (found.len(), bytes + start.len() as u64 + u64::from(header_bytes));
    if has != wants {
        return Err(format!("has {has} bytes, expected {wants}").into());
    }
    let mut values = Vec::new();
    file.take(bytes).read_to_end(&mut values).map_err(io)?;
    if values.len() as u64 != bytes {
        return Err(format!("was cut to {} bytes of values while it was read, expected {bytes}", values.len()).into());
    }
    decode(&values, dtype)
}

fn header_text(dtype: Dtype, shape: &[usize]) -> Result<String> {
    let descr = match dtype {
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
        Dtype::S64 => "<i8",
        Dtype::S32 => "<i4",
        Dtype::S8 => "|i1",
        Dtype::U8 => "|u1",
        Dtype::Text => return Err("text has no NumPy file".into()),
    };
    // A Python tuple: a single dimension is followed by a comma too.
    let tuple = match shape {
        [rows] => format!("({rows},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    };
    Ok(format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple}, }}"))
}

fn decode(bytes: &[u8], dtype: Dtype) -> Result<Values> {
    fn words<const N: usize, T>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
        bytes.as_chunks::<N>().0.iter().copied().map(from).collect()
    }
    Ok(match dtype {
        Dtype::F32 => Values::F32(words(bytes, f32::from_le_bytes)),
        Dtype::F64 => Values::F64(words(bytes, f64::from_le_bytes)),
        Dtype::S64 => Values::S64(words(bytes, i64::from_le_bytes)),
        Dtype::S32 => Values::S32(words(bytes, i32::from_le_bytes)),
        Dtype::S8 => Values::S8(words(bytes, i8::from_le_bytes)),
        Dtype::U8 => Values::U8(bytes.to_vec()),
        Dtype::Text => return Err("text has no NumPy file".into()),
    })
}

/// What `numpy.save` writes: magic, version, length, text, spaces to a multiple of 64, a newline, values.
#[cfg(test)]
pub(super) fn file(text: &str, values: &[u8]) -> Vec<u8> {
    let padded = (10 + text.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(padded as u16).to_le_bytes());
    bytes.extend_from_slice(format!("{text:<0$}\n", padded - 1).as_bytes());
    bytes.extend_from_slice(values);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_bytes(bytes: &[u8], dtype: Dtype, shape: &[usize]) -> Result<Values, String> {
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        std::fs::write(file.path(), bytes).map_err(|error| error.to_string())?;
        read(file.path(), dtype, shape).map_err(|error| error.to_string())
    }

    const PAIR: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";

    #[test]
    fn values_are_read_in_their_type() {
        assert_eq!(
            read_bytes(&file(PAIR, &[0, 0, 128, 63, 0, 0, 0, 192]), Dtype::F32, &[1, 2]),
            Ok(vec![1_f32, -2.0].into())
        );
        let bytes = "{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(read_bytes(&file(bytes, &[0, 255, 127]), Dtype::S8, &[3]), Ok(vec![0_i8, -1, 127].into()));
        let long = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }";
        assert_eq!(read_bytes(&file(long, &(-5_i64).to_le_bytes()), Dtype::S64, &[1]), Ok(vec![-5_i64].into()));
    }

    #[test]
    fn another_type_shape_or_order_is_named() {
        for text in [
            "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }",
            "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }",
            "",
        ] {
            let error = read_bytes(&file(text, &[0; 8]), Dtype::F32, &[1, 2]);
            assert_eq!(error, Err(format!("is {text:?}, expected {PAIR:?}")));
        }
    }

    #[test]
    fn every_cut_or_longer_file_is_refused() {
        let whole = file(PAIR, &[0; 8]);
        for length in 0..whole.len() {
            assert!(read_bytes(&whole[..length], Dtype::F32, &[1, 2]).is_err(), "{length} bytes");
        }
        let mut longer = whole;
        longer.push(0);
        assert_eq!(read_bytes(&longer, Dtype::F32, &[1, 2]), Err("has 137 bytes, expected 136".to_owned()));
    }

    #[test]
    fn a_size_that_overflows_is_refused_before_anything_is_read() {
        for shape in [&[usize::MAX, 2][..], &[1 << 31, 2], &[usize::MAX]] {
            let error = read(Path::new("missing"), Dtype::F32, shape).map_err(|error| error.to_string());
            assert!(error.clone().is_err_and(|text| text.contains("more than")), "{error:?}");
        }
    }
}
