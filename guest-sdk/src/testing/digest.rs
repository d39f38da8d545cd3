//! The digest of parameters.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{Parameters, Result, Tensor, Values};

/// The digest of parameters, as `docs/result-format.md` defines it and a validation result holds it
/// (`run.parameters_digest`): `sha256:` and 64 hexadecimal digits.
///
/// # Errors
/// A tensor is none that the runner would take: text, a dimension above u32, or a shape whose product is not the number of
/// values.
pub fn parameters_digest(parameters: &Parameters) -> Result<String> {
    let tensors = parameters.as_slice();
    let mut hasher = Sha256::new();
    hasher.update(b"thimble parameters 1\0");
    hasher.update(length(tensors.len(), "number of tensors")?);
    for tensor in tensors {
        hash(&mut hasher, tensor)?;
    }
    let mut text = "sha256:".to_owned();
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

fn hash(hasher: &mut Sha256, tensor: &Tensor) -> Result<()> {
    let Tensor { name, shape, values } = tensor;
    tensor.check_rows(shape.first().copied().unwrap_or(0))?;
    hasher.update(length(name.len(), "length of a name")?);
    hasher.update(name.as_bytes());
    let dtype = match values {
        Values::F32(_) => 1,
        Values::F64(_) => 2,
        Values::S64(_) => 3,
        Values::S32(_) => 4,
        Values::S8(_) => 5,
        Values::U8(_) => 6,
        Values::Text(_) => return Err(format!("tensor `{name}` holds text, which is never a parameter").into()),
    };
    hasher.update([dtype]);
    hasher.update(length(shape.len(), "rank")?);
    for &dimension in shape {
        hasher.update(length(dimension, "dimension")?);
    }
    match values {
        Values::F32(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        Values::F64(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        Values::S64(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        Values::S32(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        Values::S8(values) => values.iter().for_each(|value| hasher.update(value.to_le_bytes())),
        Values::U8(values) => hasher.update(values),
        Values::Text(_) => {}
    }
    Ok(())
}

fn length(length: usize, what: &str) -> Result<[u8; 4]> {
    let length = u32::try_from(length).map_err(|_| format!("{what} {length}, at most {}", u32::MAX))?;
    Ok(length.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by an independent program from `docs/result-format.md` (Python, `struct` and `hashlib`); the runner's test
    /// has the same.
    #[test]
    fn the_digest_is_the_documented_one() -> Result<()> {
        let mut parameters = Parameters::new();
        parameters.push("hidden.weight", &[2, 3], vec![0.5_f32, -1.0, 2.0, 0.0, -0.0, 3.25]);
        parameters.push("scale", &[2], vec![-1_i8, 7]);
        parameters.push("counts", &[1], vec![-2_i64]);
        let expected = "sha256:d180855b220f47398920ffa0e60e29a390d16720d4cbdd344b7e76a902abec53";
        assert_eq!(parameters_digest(&parameters)?, expected);
        Ok(())
    }

    #[test]
    fn name_type_shape_order_and_every_bit_count() -> Result<()> {
        let digest = |tensors: &[(&str, &[usize], Values)]| {
            let tensors = tensors.iter().map(|(name, shape, values)| Tensor::new(*name, shape, values.clone()));
            parameters_digest(&Parameters::from(tensors.collect::<Vec<_>>()))
        };
        let (x, y) = (("x", &[2_usize][..], Values::F32(vec![0.0, 1.0])), ("y", &[1_usize][..], Values::U8(vec![1])));
        let mut all = vec![
            digest(&[])?,
            digest(&[x.clone(), y.clone()])?,
            digest(&[y.clone(), x.clone()])?,
            digest(std::slice::from_ref(&x))?,
            digest(&[("z", x.1, x.2.clone())])?,
            digest(&[("x", &[1, 2], x.2.clone())])?,
            digest(&[("x", &[2, 1], x.2.clone())])?,
            digest(&[("x", &[2], Values::F32(vec![-0.0, 1.0]))])?,
            digest(&[("x", &[2], Values::S32(vec![0, 0x3f80_0000]))])?,
        ];
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n);
        Ok(())
    }

    #[test]
    fn tensors_that_the_runner_refuses_have_no_digest() {
        let digest = |shape: &[usize], values: Values| {
            parameters_digest(&Parameters::from(vec![Tensor::new("x", shape, values)]))
        };
        assert!(digest(&[1], Values::U8(vec![0])).is_ok());
        assert!(digest(&[2], Values::U8(vec![0])).is_err());
        assert!(digest(&[], Values::U8(vec![0])).is_err());
        assert!(digest(&[1], Values::Text(vec!["a".to_owned()])).is_err());
    }
}
