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
    /// What [`Model::predict`](crate::Model) returns, in order.
    pub outputs: Vec<Field>,
    /// Number of classes; labels run from 0 to `num_classes` − 1. 0 for a task without classes.
    pub num_classes: usize,
    /// Names of the classes or, of keypoints, of the points; may be empty.
    pub class_names: Vec<String>,
    /// Values in one row of the first input field.
    pub input_dim: usize,
    /// The metric that ranks, by its name in the registry (`thimble metrics list`).
    pub metric: String,
    /// The largest parameter count that is still scored (inclusive).
    pub param_limit: u64,
    /// The value of the metric at which the score is 0; 0 where the score is the metric itself.
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
            inputs: vec![Field::new("features", Dtype::F32, &[input_dim])],
            targets: vec![Field::new("label", Dtype::S64, &[])],
            outputs: vec![Field::new("scores", Dtype::F32, &[num_classes])],
            num_classes,
            input_dim,
            ..Self::of(Kind::TabularClassification)
        }
    }

    /// A task without fields or classes, no limits that bind, seed 0: for native tests of other tasks than
    /// [`Metadata::classification`], which fill in what their solution looks at.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            inputs: Vec::new(),
            targets: Vec::new(),
            outputs: Vec::new(),
            num_classes: 0,
            class_names: Vec::new(),
            input_dim: 0,
            metric: "accuracy".to_owned(),
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

/// What is to be predicted. The fields of each task are listed at [`Predictions`](crate::Predictions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Kind {
    /// One class of `num_classes` for each image.
    ImageClassification,
    /// One class of `num_classes` for each text.
    TextClassification,
    /// One class of `num_classes` for each row of a table.
    TabularClassification,
    /// Boxes with classes in each image.
    ObjectDetection,
    /// One class for each pixel.
    SemanticSegmentation,
    /// Masks with classes in each image.
    InstanceSegmentation,
    /// The place and visibility of each of some points.
    KeypointDetection,
    /// One number for each row of a table.
    TabularRegression,
    /// The next values of a series.
    TimeSeriesForecasting,
    /// A risk for each row of a table.
    TimeToEvent,
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
    /// A batch's tensor has the shape `[items, ...shape]` instead: of each row as many as its tensor `counts` says.
    pub ragged: bool,
    /// A NaN means that the value is missing.
    pub missing: bool,
    /// One for each value along the last dimension, or none: the columns of a table, or the channels of a series.
    pub columns: Vec<Column>,
}

impl Field {
    /// A field whose columns have no names.
    pub fn new(name: &str, dtype: Dtype, shape: &[usize]) -> Self {
        Self { name: name.to_owned(), dtype, shape: shape.to_vec(), ragged: false, missing: false, columns: Vec::new() }
    }
}

/// One column of a table, or one channel of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What the values 0, 1, 2, … stand for; empty for a column of numbers.
    pub categories: Vec<String>,
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
