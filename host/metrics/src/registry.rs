//! What a metric is, and the list of all of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::classification::Classification;
use crate::detection::Detection;
use crate::family::Family;
use crate::forecast::Forecast;
use crate::instances::Instances;
use crate::keypoints::Keypoints;
use crate::regression::Regression;
use crate::segmentation::Segmentation;
use crate::survival::Survival;

/// What is predicted. Each task has its own inputs, and its own metrics over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One class of several for each image.
    ImageClassification,
    /// One class of several for each text.
    TextClassification,
    /// One class of several for each row of a table.
    TabularClassification,
    /// Boxes with classes and scores in each image.
    ObjectDetection,
    /// One class of several for each pixel.
    SemanticSegmentation,
    /// Masks with classes and scores in each image.
    InstanceSegmentation,
    /// The place and visibility of each of a fixed number of points.
    KeypointDetection,
    /// One number for each row of a table.
    TabularRegression,
    /// The next values of a series, from a window of it.
    TimeSeriesForecasting,
    /// A risk for each row: who has the event earlier.
    TimeToEvent,
}

impl Task {
    /// In the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::ImageClassification,
        Self::TextClassification,
        Self::TabularClassification,
        Self::ObjectDetection,
        Self::SemanticSegmentation,
        Self::InstanceSegmentation,
        Self::KeypointDetection,
        Self::TabularRegression,
        Self::TimeSeriesForecasting,
        Self::TimeToEvent,
    ];

    /// What files and commands call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImageClassification => "image_classification",
            Self::TextClassification => "text_classification",
            Self::TabularClassification => "tabular_classification",
            Self::ObjectDetection => "object_detection",
            Self::SemanticSegmentation => "semantic_segmentation",
            Self::InstanceSegmentation => "instance_segmentation",
            Self::KeypointDetection => "keypoint_detection",
            Self::TabularRegression => "tabular_regression",
            Self::TimeSeriesForecasting => "time_series_forecasting",
            Self::TimeToEvent => "time_to_event",
        }
    }

    /// What pages call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ImageClassification => "Image classification",
            Self::TextClassification => "Text classification",
            Self::TabularClassification => "Tabular classification",
            Self::ObjectDetection => "Object detection",
            Self::SemanticSegmentation => "Semantic segmentation",
            Self::InstanceSegmentation => "Instance segmentation",
            Self::KeypointDetection => "Keypoint detection",
            Self::TabularRegression => "Tabular regression",
            Self::TimeSeriesForecasting => "Time series forecasting",
            Self::TimeToEvent => "Time-to-event prediction",
        }
    }

    /// Whether every row has one class.
    pub const fn is_classification(self) -> bool {
        matches!(self, Self::ImageClassification | Self::TextClassification | Self::TabularClassification)
    }

    /// Whether its rows are images.
    pub const fn has_images(self) -> bool {
        matches!(
            self,
            Self::ImageClassification
                | Self::ObjectDetection
                | Self::SemanticSegmentation
                | Self::InstanceSegmentation
                | Self::KeypointDetection
        )
    }
}

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The larger.
    HigherIsBetter,
    /// The smaller.
    LowerIsBetter,
}

/// The values that a metric can take, both ends included. An end that is absent is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Range {
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

impl Range {
    /// 0 to 1.
    pub(crate) const SHARE: Self = Self { min: Some(0.0), max: Some(1.0) };
    /// −1 to 1.
    pub(crate) const SIGNED_SHARE: Self = Self { min: Some(-1.0), max: Some(1.0) };
    /// 0 and above.
    pub(crate) const NOT_NEGATIVE: Self = Self { min: Some(0.0), max: None };
    /// At most 1.
    pub(crate) const UP_TO_ONE: Self = Self { min: None, max: Some(1.0) };
    /// Any number.
    pub(crate) const ANY: Self = Self { min: None, max: None };
}

impl fmt::Display for Range {
    /// `0 to 1`, `at least 0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (Some(min), Some(max)) => write!(f, "{min} to {max}"),
            (Some(min), None) => write!(f, "at least {min}"),
            (None, Some(max)) => write!(f, "at most {max}"),
            (None, None) => f.write_str("any number"),
        }
    }
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part of a whole, 0 to 1; pages show it as a percentage.
    Share,
    /// A number without a unit.
    None,
    /// Hundredths of the true value, 0 and above.
    Percent,
    /// The unit of the target.
    Target,
    /// The square of the target's unit.
    TargetSquared,
    /// Pixels of the image.
    Pixels,
    /// Nats.
    Nats,
}

impl Unit {
    /// What pages call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::None => "none",
            Self::Percent => "%",
            Self::Target => "the target's",
            Self::TargetSquared => "the target's, squared",
            Self::Pixels => "pixels",
            Self::Nats => "nats",
        }
    }
}

/// What a metric reads of the predictions, which decides what predictions must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    /// For classification: the class with the largest score, the first of equals.
    Class,
    /// For classification: the order of a row's scores.
    ScoreOrder,
    /// For classification: probabilities, each 0 to 1, that sum to 1 within 0.001 in every row. Log loss and Brier divide a row
    /// by its sum; AUC, AUC-PR and Gini compare the scores of different rows as they were given.
    Probabilities,
    /// All that the task's predictions hold.
    Everything,
}

/// One entry of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Metric {
    /// What challenge files and results call it; unique within its task. Never changes its meaning.
    pub name: &'static str,
    /// What pages call it.
    pub label: &'static str,
    /// What it tells, in one sentence.
    pub description: &'static str,
    /// Which value is better.
    pub direction: Direction,
    /// Ranks by its absolute value: a value below 0 is as far off as one above.
    pub ranks_by_magnitude: bool,
    /// The values it can take.
    pub range: Range,
    /// What it counts.
    pub unit: Unit,
    /// What it reads of the predictions.
    pub reads: Reads,
    /// How it is computed, with ŷ the prediction, y the truth and n the number of rows.
    pub formula: &'static str,
    /// Ties, absent classes, zero denominators and the like: what the value is there.
    pub edge_cases: &'static str,
    /// When it has no value.
    pub undefined_when: &'static str,
    /// The published implementation whose results it equals, and where conventions differ between implementations, which
    /// one is taken and why.
    pub reference: &'static str,
}

impl Metric {
    /// Which value is better, in a word: `higher`, `lower` or `nearer 0`.
    pub const fn better(&self) -> &'static str {
        match self.direction {
            _ if self.ranks_by_magnitude => "nearer 0",
            Direction::HigherIsBetter => "higher",
            Direction::LowerIsBetter => "lower",
        }
    }
}

/// The names of a task's metrics, in the order in which they are shown.
const fn names(task: Task) -> &'static [&'static str] {
    match task {
        Task::ImageClassification => &[
            "accuracy",
            "precision",
            "recall",
            "f1",
            "loss",
            "log_loss",
            "auc_roc",
            "auc_pr",
            "top3",
            "top5",
            "kappa",
            "mcc",
            "qwk",
            "brier",
        ],
        Task::TextClassification => &[
            "accuracy",
            "precision",
            "recall",
            "f1",
            "f1_weighted",
            "f1_micro",
            "loss",
            "log_loss",
            "auc_roc",
            "hamming",
            "jaccard",
            "kappa",
            "mcc",
            "qwk",
            "brier",
        ],
        Task::TabularClassification => &[
            "accuracy",
            "precision",
            "recall",
            "f1",
            "loss",
            "log_loss",
            "auc",
            "auc_roc",
            "auc_pr",
            "balanced_accuracy",
            "specificity",
            "npv",
            "fbeta_0.5",
            "fbeta_2",
            "hamming",
            "jaccard",
            "kappa",
            "mcc",
            "qwk",
            "brier",
            "gini",
            "normalized_gini",
        ],
        Task::ObjectDetection => {
            &["accuracy", "loss", "map", "map_50", "map_75", "map_per_class", "iou", "giou", "mar_1", "mar_10"]
        }
        Task::SemanticSegmentation => &[
            "accuracy",
            "precision",
            "recall",
            "f1",
            "loss",
            "iou",
            "miou",
            "fwiou",
            "dice",
            "pixel_accuracy",
            "mean_pixel_accuracy",
            "boundary_iou",
            "boundary_f1",
            "hausdorff",
            "asd",
        ],
        Task::InstanceSegmentation => &["accuracy", "precision", "recall", "f1", "loss"],
        Task::KeypointDetection => &[
            "precision",
            "recall",
            "f1",
            "loss",
            "mae",
            "pck",
            "pck@0.05",
            "pck@0.10",
            "pck@0.20",
            "pck@0.30",
            "pck@0.50",
            "oks",
            "mpjpe",
            "visibility_accuracy",
        ],
        Task::TabularRegression => {
            &["accuracy", "loss", "mae", "mse", "rmse", "r2", "rmsle", "median_ae", "explained_variance", "mbe"]
        }
        Task::TimeSeriesForecasting => &[
            "accuracy",
            "loss",
            "mae",
            "mse",
            "rmse",
            "r2",
            "rmsle",
            "mape",
            "smape",
            "mdape",
            "theil_u2",
            "max_error",
            "direction_accuracy",
        ],
        Task::TimeToEvent => &["f1", "c_index"],
    }
}

/// The metrics of a task, in the order in which they are shown.
pub fn metrics(task: Task) -> impl Iterator<Item = &'static Metric> {
    names(task).iter().filter_map(move |name| metric(task, name))
}

/// A task's metric by its name.
pub fn metric(task: Task, name: &str) -> Option<&'static Metric> {
    fn find<F: Family>(name: &str) -> Option<&'static Metric> {
        F::METRICS.iter().map(|entry| &entry.metric).find(|metric| metric.name == name)
    }
    if !names(task).contains(&name) {
        return None;
    }
    match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
            find::<Classification>(name)
        }
        Task::ObjectDetection => find::<Detection>(name),
        Task::SemanticSegmentation => find::<Segmentation>(name),
        Task::InstanceSegmentation => find::<Instances>(name),
        Task::KeypointDetection => find::<Keypoints>(name),
        Task::TabularRegression => find::<Regression>(name),
        Task::TimeSeriesForecasting => find::<Forecast>(name),
        Task::TimeToEvent => find::<Survival>(name),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Those for which the guide of use cases says that lower is better, in whatever task they stand.
    const LOWER_IS_BETTER: [&str; 18] = [
        "asd",
        "brier",
        "hamming",
        "hausdorff",
        "log_loss",
        "loss",
        "mae",
        "mape",
        "max_error",
        "mbe",
        "mdape",
        "median_ae",
        "mpjpe",
        "mse",
        "rmse",
        "rmsle",
        "smape",
        "theil_u2",
    ];

    #[test]
    fn there_are_67_metrics_in_120_places() {
        let places: Vec<_> = Task::ALL.into_iter().flat_map(names).copied().collect();
        let distinct: BTreeSet<_> = places.iter().collect();
        assert_eq!((places.len(), distinct.len()), (120, 67));
    }

    #[test]
    fn every_name_has_one_entry_and_every_entry_a_name() {
        fn entries<F: Family>() -> Vec<&'static str> {
            F::METRICS.iter().map(|entry| entry.metric.name).collect()
        }
        for task in Task::ALL {
            let entries = match task {
                Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
                    entries::<Classification>()
                }
                Task::ObjectDetection => entries::<Detection>(),
                Task::SemanticSegmentation => entries::<Segmentation>(),
                Task::InstanceSegmentation => entries::<Instances>(),
                Task::KeypointDetection => entries::<Keypoints>(),
                Task::TabularRegression => entries::<Regression>(),
                Task::TimeSeriesForecasting => entries::<Forecast>(),
                Task::TimeToEvent => entries::<Survival>(),
            };
            for name in names(task) {
                let found = entries.iter().filter(|entry| entry == &name).count();
                assert_eq!(found, 1, "{} {name}", task.name());
            }
            assert_eq!(metrics(task).count(), names(task).len(), "{}", task.name());
            let unused = |entry: &&&str| !Task::ALL.into_iter().any(|task| names(task).contains(entry));
            assert_eq!(entries.iter().find(unused), None, "{}", task.name());
        }
    }

    #[test]
    fn directions_are_those_of_the_guide() {
        for (task, metric) in all() {
            let lower = LOWER_IS_BETTER.contains(&metric.name);
            let expected = if lower { Direction::LowerIsBetter } else { Direction::HigherIsBetter };
            assert_eq!(metric.direction, expected, "{} {}", task.name(), metric.name);
            assert_eq!(metric.ranks_by_magnitude, metric.name == "mbe", "{} {}", task.name(), metric.name);
        }
    }

    #[test]
    fn names_fit_challenge_files() {
        for (task, metric) in all() {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.@".contains(&byte);
            assert!(!metric.name.is_empty() && metric.name.bytes().all(fits), "{} {}", task.name(), metric.name);
        }
        assert_eq!(metric(Task::TabularClassification, "Accuracy"), None);
        assert_eq!(metric(Task::TimeToEvent, "accuracy"), None, "another task's");
    }

    #[test]
    fn every_metric_says_what_it_is() {
        for (task, metric) in all() {
            let Metric { label, description, formula, edge_cases, undefined_when, reference, .. } = metric;
            for text in [label, description, formula, edge_cases, undefined_when, reference] {
                assert!(!text.is_empty() && text.trim() == *text, "{} {}: `{text}`", task.name(), metric.name);
            }
            assert!(description.ends_with('.'), "{} {}: {description}", task.name(), metric.name);
            let Range { min, max } = metric.range;
            assert!(min.zip(max).is_none_or(|(min, max)| min < max), "{} {}", task.name(), metric.name);
        }
    }

    fn all() -> impl Iterator<Item = (Task, &'static Metric)> {
        Task::ALL.into_iter().flat_map(|task| metrics(task).map(move |metric| (task, metric)))
    }
}
