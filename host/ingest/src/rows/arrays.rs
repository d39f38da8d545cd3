//! Arrays of a `.npz` archive as a whole, of any shape.

use std::io::Read;

use thimble_datasets::Values;

use super::npy::{Header, Kind, archives, extended, packed, text};
use crate::input::Input;
use crate::limits;
use crate::problem::Problem;
use crate::whole::Array;
use crate::wording::Quoted;

/// Reads the arrays whose names are wanted, in the order of the archive.
pub(crate) fn arrays(input: &Input, path: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Array>, Problem> {
    let mut archives = archives(input, path)?;
    let (mut arrays, mut bytes): (Vec<Array>, u64) = (Vec::new(), 0);
    for (index, archive) in archives.iter_mut().enumerate() {
        let (name, declared, mut reader) = packed(archive, index)?;
        if !wanted(&name) {
            continue;
        }
        let fault = |reason: String| Problem::Array { array: Quoted::new(&name), reason };
        if arrays.iter().any(|other| other.name == name) {
            return Err(fault("it stands twice in the archive".into()));
        }
        let header = Header::read(&mut reader).map_err(fault)?;
        let needed = header.bytes().unwrap_or(u64::MAX);
        if needed > declared {
            return Err(fault(format!("its shape {:?} needs more than its {declared} bytes", header.shape)));
        }
        bytes = bytes.saturating_add(needed);
        if bytes > limits::WHOLE_BYTES {
            return Err(Problem::TooManyValues { limit: limits::WHOLE_BYTES });
        }
        // Grows with what is there, not with what is promised.
        let mut contents = Vec::new();
        reader.take(needed).read_to_end(&mut contents).map_err(|error| fault(error.to_string()))?;
        if contents.len() as u64 != needed {
            return Err(fault(format!("it ends after {} of its {needed} bytes", contents.len())));
        }
        let values = values(&header, contents).map_err(fault)?;
        let shape = header.shape.iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        arrays.push(Array { name, shape, values });
    }
    Ok(arrays)
}

fn values(header: &Header, bytes: Vec<u8>) -> Result<Values, String> {
    let wide = |fill: fn(&[u8]) -> u8| bytes.chunks_exact(header.value_bytes()).map(move |v| extended(v, fill(v)));
    let sign = |value: &[u8]| if value.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
    Ok(match header.kind {
        Kind::Float(4) => Values::F32(bytes.as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)).collect()),
        Kind::Float(_) => Values::F64(bytes.as_chunks::<8>().0.iter().map(|v| f64::from_le_bytes(*v)).collect()),
        Kind::Unsigned(1) | Kind::Bool => Values::U8(bytes),
        Kind::Signed(_) => Values::S64(wide(sign).map(i64::from_le_bytes).collect()),
        Kind::Unsigned(_) => {
            let whole = |value: [u8; 8]| i64::try_from(u64::from_le_bytes(value));
            let values = wide(|_| 0).map(whole).collect::<Result<_, _>>();
            Values::S64(values.map_err(|_| "it holds a number above 2^63 - 1")?)
        }
        Kind::Text(characters) => Values::Text(bytes.chunks_exact(characters * 4).map(text).collect()),
    })
}
