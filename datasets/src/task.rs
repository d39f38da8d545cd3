//! What is predicted: the ten tasks, and what of each its owner declares.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is predicted. The fields that each task has are those of [`crate::schema`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskKind {
    /// One class for each image.
    ImageClassification(Classes),
    /// One class for each text.
    TextClassification(Classes),
    /// One class for each row of a table.
    TabularClassification(Classes),
    /// Boxes with classes in each image.
    ObjectDetection(Classes),
    /// One class for each pixel; class 0 is the background.
    SemanticSegmentation(Pixels),
    /// Masks with classes in each image.
    InstanceSegmentation(Classes),
    /// The place and visibility of each of some points, one instance an image.
    KeypointDetection(Points),
    /// One number for each row of a table.
    TabularRegression,
    /// The next values of a series, from a window of it.
    TimeSeriesForecasting,
    /// A risk for each row of a table: who has the event earlier.
    TimeToEvent,
}

/// Classes, in the order that the owner declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Classes {
    /// Number of classes, 2 to 65,536 (1 to 65,536 where objects are found); labels run from 0 to `classes` − 1.
    pub classes: u32,
    /// A name for each class, in class order; none or all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// With two classes of whole rows: the one that precision, recall and the like are about; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<u32>,
    /// The classes are grades in ascending order: a prediction two grades off is worse than one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ordinal: bool,
}

/// Classes of pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pixels {
    /// Number of classes with the background, 2 to 255.
    pub classes: u32,
    /// A name for each class, in class order; none or all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// The value of pixels that do not count: `classes` to 255.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<u8>,
}

/// Points of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// A name for each point, in order, 1 to 1,024 of them.
    pub point_names: Vec<String>,
    /// What OKS takes for the spread of each point.
    #[serde(default, skip_serializing_if = "Skeleton::is_uniform")]
    pub skeleton: Skeleton,
}

/// What OKS takes for the spread of each point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skeleton {
    /// 0.05 for every point.
    #[default]
    Uniform,
    /// The 17 points of a COCO person, in their order, with the constants of COCO's keypoint evaluation.
    Coco,
}

impl Skeleton {
    /// σ of nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles (COCO keypoint evaluation, `kpt_oks_sigmas`).
    const COCO: [f64; 17] = [
        0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089,
        0.089,
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    const fn is_uniform(&self) -> bool {
        matches!(self, Self::Uniform)
    }

    /// The constants of `points` points; 17 for [`Skeleton::Coco`].
    pub fn sigmas(self, points: usize) -> Vec<f64> {
        match self {
            Self::Uniform => vec![0.05; points],
            Self::Coco => Self::COCO.to_vec(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Classes {
    /// Classes that nothing is known of but their number.
    pub const fn unnamed(classes: u32) -> Self {
        Self { classes, class_names: Vec::new(), positive: None, ordinal: false }
    }

    /// Classes of these names.
    pub fn named<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let class_names: Vec<String> = names.into_iter().map(Into::into).collect();
        Self {
            classes: u32::try_from(class_names.len()).unwrap_or(u32::MAX),
            class_names,
            positive: None,
            ordinal: false,
        }
    }
}

impl TaskKind {
    /// What files and commands call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ImageClassification(_) => "image_classification",
            Self::TextClassification(_) => "text_classification",
            Self::TabularClassification(_) => "tabular_classification",
            Self::ObjectDetection(_) => "object_detection",
            Self::SemanticSegmentation(_) => "semantic_segmentation",
            Self::InstanceSegmentation(_) => "instance_segmentation",
            Self::KeypointDetection(_) => "keypoint_detection",
            Self::TabularRegression => "tabular_regression",
            Self::TimeSeriesForecasting => "time_series_forecasting",
            Self::TimeToEvent => "time_to_event",
        }
    }

    /// Number of classes; none where there are no classes.
    pub const fn classes(&self) -> Option<u32> {
        match self {
            Self::ImageClassification(classes)
            | Self::TextClassification(classes)
            | Self::TabularClassification(classes)
            | Self::ObjectDetection(classes)
            | Self::InstanceSegmentation(classes) => Some(classes.classes),
            Self::SemanticSegmentation(pixels) => Some(pixels.classes),
            Self::KeypointDetection(_) | Self::TabularRegression | Self::TimeSeriesForecasting | Self::TimeToEvent => {
                None
            }
        }
    }

    /// The names of the classes; empty where they have none.
    pub fn class_names(&self) -> &[String] {
        match self {
            Self::ImageClassification(classes)
            | Self::TextClassification(classes)
            | Self::TabularClassification(classes)
            | Self::ObjectDetection(classes)
            | Self::InstanceSegmentation(classes) => &classes.class_names,
            Self::SemanticSegmentation(pixels) => &pixels.class_names,
            Self::KeypointDetection(_) | Self::TabularRegression | Self::TimeSeriesForecasting | Self::TimeToEvent => {
                &[]
            }
        }
    }

    /// Whether every row has one class.
    pub const fn is_classification(&self) -> bool {
        matches!(self, Self::ImageClassification(_) | Self::TextClassification(_) | Self::TabularClassification(_))
    }
}

impl fmt::Display for TaskKind {
    /// The name with spaces, and the number of classes or points.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().replace('_', " "))?;
        match (self, self.classes()) {
            (Self::KeypointDetection(points), _) => write!(f, ", {} points", points.point_names.len()),
            (_, Some(1)) => f.write_str(", 1 class"),
            (_, Some(classes)) => write!(f, ", {classes} classes"),
            (_, None) => Ok(()),
        }
    }
}
