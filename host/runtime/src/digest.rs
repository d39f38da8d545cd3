//! The digest of parameters, by which a builder compares a sandbox run with a native one. `docs/result-format.md` defines
//! it; the SDK computes the same of native parameters.

use sha2::{Digest as _, Sha256};
use thimble_datasets::Digest;

use crate::contract::{TensorResult, ValuesResult};

/// Of tensors that passed the count, which bounds every length and refuses text.
pub(crate) fn parameters_digest(tensors: &[TensorResult]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"thimble parameters 1\0");
    hasher.update((tensors.len() as u32).to_le_bytes());
    for TensorResult { name, shape, values } in tensors {
        hasher.update((name.len() as u32).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update([dtype_code(values)]);
        hasher.update((shape.len() as u32).to_le_bytes());
        shape.iter().for_each(|dimension| hasher.update(dimension.to_le_bytes()));
        hash_values(&mut hasher, values);
    }
    Digest::from_bytes(hasher.finalize().into())
}

fn dtype_code(values: &ValuesResult) -> u8 {
    match values {
        ValuesResult::F32(_) => 1,
        ValuesResult::F64(_) => 2,
        ValuesResult::S64(_) => 3,
        ValuesResult::S32(_) => 4,
        ValuesResult::S8(_) => 5,
        ValuesResult::U8(_) => 6,
        ValuesResult::Text(_) => 0,
    }
}

fn hash_values(hasher: &mut Sha256, values: &ValuesResult) {
    match values {
        ValuesResult::F32(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        ValuesResult::F64(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        ValuesResult::S64(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        ValuesResult::S32(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        ValuesResult::S8(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        ValuesResult::U8(values) => hasher.update(values),
        ValuesResult::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[u32], values: ValuesResult) -> TensorResult {
        TensorResult { name: name.to_owned(), shape: shape.to_vec(), values }
    }

    /// Computed by an independent program from `docs/result-format.md` (Python, `struct` and `hashlib`); the SDK's test has
    /// the same.
    #[test]
    fn the_digest_is_the_documented_one() {
        let parameters = [
            tensor("hidden.weight", &[2, 3], ValuesResult::F32(vec![0.5, -1.0, 2.0, 0.0, -0.0, 3.25])),
            tensor("scale", &[2], ValuesResult::S8(vec![-1, 7])),
            tensor("counts", &[1], ValuesResult::S64(vec![-2])),
        ];
        let expected = "sha256:d180855b220f47398920ffa0e60e29a390d16720d4cbdd344b7e76a902abec53";
        assert_eq!(parameters_digest(&parameters).to_string(), expected);
    }
}
