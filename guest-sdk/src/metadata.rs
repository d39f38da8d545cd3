//! What a solution may know about the challenge.

use std::fmt;

/// Everything a solution is told about the challenge, the same in `solve` and in `from_parameters`. The keys are those of
/// the statement.
///
/// In native tests, start from [`Metadata::classification`]:
///
/// ```
/// # use thimble_sdk::Metadata;
/// let metadata = Metadata { param_limit: 500_000, seed: 7, ..Metadata::classification(384, 128) };
/// assert_eq!(metadata.inputs[0].shape, [384]);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Metadata {
    /// What is to be predicted.
    pub kind: Kind,
    /// Fields of [`Batch::inputs`](crate::Batch), in order.
    pub inputs: Vec<Field>,
    /// Fields of [`Batch::targets`](crate::Batch), in order.
    pub targets: Vec<Field>,
    /// Number of classes; labels run from 0 to `num_classes` − 1.
    pub num_classes: usize,
    /// Values in one row of the first input field.
    pub input_dim: usize,
    /// The largest parameter count that is still scored (inclusive).
    pub param_limit: u64,
    /// The accuracy at which the score is 0, between 0 and 1.
    pub baseline_accuracy: f64,
    /// Rows of the training split.
    pub train_samples: u64,
    /// Rows of the validation split.
    pub val_samples: u64,
    /// Rows of the test split.
    pub test_samples: u64,
    /// Always `cpu`.
    pub device: String,
    /// A public number to seed the solution's own randomness with, see [`Rng`](crate::Rng).
    pub seed: u64,
}

impl Metadata {
    /// One f32 input field `features` of `input_dim` values, one s64 target `label`, no limits that bind, seed 0: for
    /// native tests.
    pub fn classification(input_dim: usize, num_classes: usize) -> Self {
        Self {
            kind: Kind::Classification,
            inputs: vec![Field { name: "features".to_owned(), dtype: Dtype::F32, shape: vec![input_dim] }],
            targets: vec![Field { name: "label".to_owned(), dtype: Dtype::S64, shape: Vec::new() }],
            num_classes,
            input_dim,
            param_limit: u64::MAX,
            baseline_accuracy: 0.0,
            train_samples: 0,
            val_samples: 0,
            test_samples: 0,
            device: "cpu".to_owned(),
            seed: 0,
        }
    }
}

/// What is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Kind {
    /// One class of `num_classes` for each row.
    Classification,
}

/// One column of the dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Field {
    /// The name its tensors have in a batch.
    pub name: String,
    /// The element type.
    pub dtype: Dtype,
    /// The shape of one row; a batch's tensor has the shape `[rows, ...shape]`.
    pub shape: Vec<usize>,
}

/// An element type, displayed as the contract spells it (`f32`, `s64`, `text`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(rename_all = "lowercase"))]
#[expect(missing_docs, reason = "a variant is the type it is named after")]
pub enum Dtype {
    F32,
    F64,
    S64,
    S32,
    S8,
    U8,
    Text,
}

impl Dtype {
    /// Bytes of one value; 0 for text, which is never a parameter.
    pub(crate) fn bytes(self) -> u64 {
        match self {
            Self::F64 | Self::S64 => 8,
            Self::F32 | Self::S32 => 4,
            Self::S8 | Self::U8 => 1,
            Self::Text => 0,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::S64 => "s64",
            Self::S32 => "s32",
            Self::S8 => "s8",
            Self::U8 => "u8",
            Self::Text => "text",
        })
    }
}
