//! Counting what `solve` returned: `max(elements, ⌈bytes / 4⌉) + embedded`.
//!
//! A parameter is 32 bits of stored information. Packing narrow numbers into wide ones is allowed and visible: eight
//! int8 in one s64 are two parameters, eight int8 as s8 are eight. Names and shapes carry information too and are capped instead.

use std::collections::BTreeSet;

use crate::challenge::Limits;
use crate::result::Parameters;
use crate::units::ParameterCount;

/// Most tensors that `solve` may return.
pub const MAX_TENSORS: usize = 1_024;
/// Most dimensions of a tensor.
pub const MAX_RANK: usize = 8;
/// Longest tensor name, in bytes.
pub const MAX_TENSOR_NAME: usize = 64;
/// All names together with all shapes, 4 bytes a dimension.
pub const MAX_HEADER_BYTES: u64 = 4 << 10;

/// The element types of the contract's `values`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 64-bit integer.
    S64,
    /// 32-bit integer.
    S32,
    /// 8-bit integer.
    S8,
    /// 8-bit unsigned integer.
    U8,
    /// Strings, never legal in parameters.
    Text,
}

impl ElementType {
    /// Bytes of one element; none for text.
    pub const fn bytes(self) -> Option<u64> {
        match self {
            Self::F64 | Self::S64 => Some(8),
            Self::F32 | Self::S32 => Some(4),
            Self::S8 | Self::U8 => Some(1),
            Self::Text => None,
        }
    }
}

/// What the count needs to know of one tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a [u32],
    /// The type of its values.
    pub element: ElementType,
    /// How many values it has.
    pub len: usize,
}

/// A rule of parameters that was broken. The tensor is named by its place: its name is the guest's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// More than [`MAX_TENSORS`].
    #[error("at most {limit} tensors are allowed, not {found}")]
    TensorCount {
        /// The limit.
        limit: usize,
        /// The value.
        found: usize,
    },
    /// Not `[a-z0-9._-]{1,64}`.
    #[error("the name of tensor {tensor} must match [a-z0-9._-]{{1,{limit}}}; it has {found} bytes")]
    Name {
        /// Index of the tensor.
        tensor: usize,
        /// Most bytes.
        limit: usize,
        /// Bytes of the name.
        found: usize,
    },
    /// Two tensors of one name.
    #[error("tensor {tensor} has the name of an earlier one")]
    DuplicateName {
        /// Index of the second.
        tensor: usize,
    },
    /// No dimension, or too many.
    #[error("tensor {tensor} must have 1 to {limit} dimensions, not {found}")]
    Rank {
        /// Index of the tensor.
        tensor: usize,
        /// The limit.
        limit: usize,
        /// The value.
        found: usize,
    },
    /// A dimension of 0.
    #[error("dimension {dimension} of tensor {tensor} is 0")]
    ZeroDimension {
        /// Index of the tensor.
        tensor: usize,
        /// Index of the dimension.
        dimension: usize,
    },
    /// The product of the shape is not a number of values a machine can hold.
    #[error("the shape of tensor {tensor} multiplies to 2^64 or more")]
    ShapeOverflow {
        /// Index of the tensor.
        tensor: usize,
    },
    /// Shape and values disagree.
    #[error("the shape of tensor {tensor} asks for {shape} values; it has {found}")]
    Length {
        /// Index of the tensor.
        tensor: usize,
        /// Product of the shape.
        shape: u64,
        /// Number of values.
        found: usize,
    },
    /// Strings.
    #[error("tensor {tensor} is text; parameters are numbers")]
    Text {
        /// Index of the tensor.
        tensor: usize,
    },
    /// Names and shapes together are too long.
    #[error("names and shapes must have at most {limit} bytes together, not {found}")]
    HeaderBytes {
        /// The limit.
        limit: u64,
        /// The value.
        found: u64,
    },
}

impl ParameterError {
    /// A stable identifier.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::TensorCount { .. } => "tensor_count",
            Self::Name { .. } => "tensor_name",
            Self::DuplicateName { .. } => "tensor_name_duplicate",
            Self::Rank { .. } => "tensor_rank",
            Self::ZeroDimension { .. } => "tensor_zero_dimension",
            Self::ShapeOverflow { .. } => "tensor_shape_overflow",
            Self::Length { .. } => "tensor_length",
            Self::Text { .. } => "tensor_text",
            Self::HeaderBytes { .. } => "tensor_header_bytes",
        }
    }
}

/// Checks the tensors' names and shapes and counts them.
///
/// `component_bytes` is the size of the component without its custom sections; what exceeds the challenge's allowance
/// counts, 4 bytes to a parameter. `declared` is copied from the manifest. The counted figure may be over the limit:
/// that is a verdict, not a fault of form.
///
/// # Errors
/// The first rule of form that the tensors break.
pub fn count(
    tensors: &[TensorFacts<'_>],
    component_bytes: u64,
    limits: &Limits,
    declared: Option<ParameterCount>,
) -> Result<Parameters, ParameterError> {
    if tensors.len() > MAX_TENSORS {
        return Err(ParameterError::TensorCount { limit: MAX_TENSORS, found: tensors.len() });
    }
    let mut names = BTreeSet::new();
    let (mut elements, mut bytes, mut header) = (0_u64, 0_u64, 0_u64);
    for (index, tensor) in tensors.iter().enumerate() {
        let width = check(index, tensor)?;
        if !names.insert(tensor.name) {
            return Err(ParameterError::DuplicateName { tensor: index });
        }
        // Views of one instance's memory: the sums stay far below 2^64, and saturating only ever counts more.
        let len = tensor.len as u64;
        elements = elements.saturating_add(len);
        bytes = bytes.saturating_add(len.saturating_mul(width));
        header += (tensor.name.len() + 4 * tensor.shape.len()) as u64;
    }
    if header > MAX_HEADER_BYTES {
        return Err(ParameterError::HeaderBytes { limit: MAX_HEADER_BYTES, found: header });
    }
    let embedded = component_bytes.saturating_sub(limits.embedded_allowance_bytes).div_ceil(4);
    let counted = ParameterCount(elements.max(bytes.div_ceil(4)).saturating_add(embedded));
    Ok(Parameters { counted, elements, bytes, embedded, declared, limit: limits.parameters })
}

/// The rules of one tensor; its element width in bytes.
fn check(index: usize, tensor: &TensorFacts<'_>) -> Result<u64, ParameterError> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    let name = tensor.name;
    if !(1..=MAX_TENSOR_NAME).contains(&name.len()) || !name.bytes().all(legal) {
        return Err(ParameterError::Name { tensor: index, limit: MAX_TENSOR_NAME, found: name.len() });
    }
    let width = tensor.element.bytes().ok_or(ParameterError::Text { tensor: index })?;
    if !(1..=MAX_RANK).contains(&tensor.shape.len()) {
        return Err(ParameterError::Rank { tensor: index, limit: MAX_RANK, found: tensor.shape.len() });
    }
    if let Some(dimension) = tensor.shape.iter().position(|&d| d == 0) {
        return Err(ParameterError::ZeroDimension { tensor: index, dimension });
    }
    let product = tensor.shape.iter().try_fold(1_u64, |product, &d| product.checked_mul(d.into()));
    let shape = product.ok_or(ParameterError::ShapeOverflow { tensor: index })?;
    if shape != tensor.len as u64 {
        return Err(ParameterError::Length { tensor: index, shape, found: tensor.len });
    }
    Ok(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        parameters: ParameterCount(500_000),
        embedded_allowance_bytes: 256 << 10,
        training_flops: crate::Flops(1),
        prediction_flops_per_sample: crate::Flops(1),
        memory_bytes: 1 << 30,
        wall_seconds: 1,
        batch_size: 1,
    };

    fn tensor<'a>(name: &'a str, shape: &'a [u32], element: ElementType) -> TensorFacts<'a> {
        TensorFacts { name, shape, element, len: shape.iter().product::<u32>() as usize }
    }

    fn counted(tensors: &[TensorFacts<'_>], component_bytes: u64) -> u64 {
        count(tensors, component_bytes, &LIMITS, None).map_or(u64::MAX, |p| p.counted.0)
    }

    fn rule(tensors: &[TensorFacts<'_>]) -> &'static str {
        count(tensors, 0, &LIMITS, None).map_or_else(|error| error.rule(), |_| "ok")
    }

    #[test]
    fn a_parameter_is_32_bits() {
        use ElementType::{F32, F64, S8, S32, S64, U8};
        for (element, expected) in [(F32, 8), (S32, 8), (F64, 16), (S64, 16), (S8, 8), (U8, 8)] {
            assert_eq!(counted(&[tensor("w", &[2, 4], element)], 0), expected, "{element:?}");
        }
        // Mixed: 3 + 1 elements, 3 + 8 = 11 bytes; elements win.
        assert_eq!(counted(&[tensor("a", &[3], S8), tensor("b", &[1], F64)], 0), 4);
        // Three bytes of s8 and three f64: 6 elements, 27 bytes, 7 words.
        assert_eq!(counted(&[tensor("a", &[3], S8), tensor("b", &[3], F64)], 0), 7);
    }

    /// DESIGN §12: 384·384 + 384 + 384·128 + 128 and 384·128 + 128.
    #[test]
    fn the_reference_models_have_their_published_counts() {
        use ElementType::F32;
        let mlp = [
            tensor("0.weight", &[384, 384], F32),
            tensor("0.bias", &[384], F32),
            tensor("2.weight", &[128, 384], F32),
            tensor("2.bias", &[128], F32),
        ];
        assert_eq!(counted(&mlp, 0), 197_120);
        assert_eq!(counted(&[tensor("weight", &[128, 384], F32), tensor("bias", &[128], F32)], 0), 49_280);
    }

    #[test]
    fn component_bytes_beyond_the_allowance_count() {
        for (bytes, expected) in
            [(0, 0), (262_144, 0), (262_145, 1), (262_148, 1), (262_149, 2), (262_144 + 2_000_000, 500_000)]
        {
            assert_eq!(counted(&[], bytes), expected, "{bytes}");
        }
        assert_eq!(counted(&[], u64::MAX), (u64::MAX - 262_144).div_ceil(4));
    }

    #[test]
    fn names_ok_err() {
        let long = "a".repeat(64);
        let longer = "a".repeat(65);
        for (name, expected) in [
            ("a", "ok"),
            ("layer.0-b_1", "ok"),
            (long.as_str(), "ok"),
            (longer.as_str(), "tensor_name"),
            ("", "tensor_name"),
            ("A", "tensor_name"),
            ("a b", "tensor_name"),
            ("ä", "tensor_name"),
        ] {
            assert_eq!(rule(&[tensor(name, &[1], ElementType::F32)]), expected, "{name}");
        }
        let twice = tensor("a", &[1], ElementType::F32);
        assert_eq!(rule(&[twice, twice]), "tensor_name_duplicate");
    }

    #[test]
    fn shapes_ok_err() {
        let f32 = ElementType::F32;
        assert_eq!(rule(&[tensor("a", &[1; 8], f32)]), "ok");
        assert_eq!(rule(&[tensor("a", &[1; 9], f32)]), "tensor_rank");
        assert_eq!(rule(&[tensor("a", &[], f32)]), "tensor_rank");
        assert_eq!(rule(&[tensor("a", &[4, 0, 4], f32)]), "tensor_zero_dimension");
        assert_eq!(rule(&[tensor("a", &[1], ElementType::Text)]), "tensor_text");
        let overflow = TensorFacts { name: "a", shape: &[1 << 31, 1 << 31, 4], element: f32, len: 0 };
        assert_eq!(rule(&[overflow]), "tensor_shape_overflow");
        for len in [5, 7] {
            assert_eq!(rule(&[TensorFacts { name: "a", shape: &[2, 3], element: f32, len }]), "tensor_length");
        }
    }

    #[test]
    fn tensors_ok_err() {
        let names: Vec<_> = (0..=MAX_TENSORS).map(|i| format!("{i:x}")).collect();
        // 1,024 names of at most 3 bytes and as many shapes of 4 bytes would be over 4 KiB together: the cap on headers binds first.
        let tensors: Vec<_> = names.iter().map(|name| tensor(name, &[1], ElementType::F32)).collect();
        assert_eq!(rule(&tensors), "tensor_count");
        assert_eq!(rule(&tensors[..MAX_TENSORS]), "tensor_header_bytes");
    }

    #[test]
    fn header_bytes_ok_err() {
        // 64 tensors of 60 + 4 bytes are exactly 4,096.
        let names: Vec<_> = (0..64).map(|i| format!("{i:060}")).collect();
        let mut tensors: Vec<_> = names.iter().map(|name| tensor(name, &[1], ElementType::F32)).collect();
        assert_eq!(rule(&tensors), "ok");
        let longer = format!("{}x", names[0]);
        tensors[0].name = &longer;
        let error = count(&tensors, 0, &LIMITS, None);
        assert_eq!(error, Err(ParameterError::HeaderBytes { limit: 4_096, found: 4_097 }));
    }

    #[test]
    fn limit_and_declared_figure_are_carried() {
        let parameters = count(&[tensor("a", &[500_001], ElementType::F32)], 0, &LIMITS, Some(ParameterCount(500_000)));
        let expected = Parameters {
            counted: ParameterCount(500_001),
            elements: 500_001,
            bytes: 2_000_004,
            embedded: 0,
            declared: Some(ParameterCount(500_000)),
            limit: ParameterCount(500_000),
        };
        assert_eq!(parameters, Ok(expected));
    }
}
