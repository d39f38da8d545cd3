//! What metrics are computed from: the truth, which a challenge owns, and the predictions of one submission.

use crate::classification::{Classification, ClassificationInputs, ClassificationTruth};
use crate::detection::{Detection, DetectionInputs, DetectionTruth};
use crate::family;
use crate::forecast::{Forecast, ForecastInputs, ForecastTruth};
use crate::instances::{InstanceInputs, InstanceTruth, Instances};
use crate::keypoints::{KeypointInputs, KeypointTruth, Keypoints};
use crate::registry::{Task, metric};
use crate::regression::{Regression, RegressionInputs, RegressionTruth};
use crate::segmentation::{Segmentation, SegmentationInputs, SegmentationTruth};
use crate::survival::{Survival, SurvivalInputs, SurvivalTruth};
use crate::value::MetricValue;

/// Truth and predictions of a task.
#[derive(Debug, Clone, Copy)]
pub enum Inputs<'a> {
    /// Of the three classification tasks.
    Classification(ClassificationInputs<'a>),
    /// Of object detection.
    Detection(DetectionInputs<'a>),
    /// Of semantic segmentation.
    Segmentation(SegmentationInputs<'a>),
    /// Of instance segmentation.
    Instances(InstanceInputs<'a>),
    /// Of keypoint detection.
    Keypoints(KeypointInputs<'a>),
    /// Of tabular regression.
    Regression(RegressionInputs<'a>),
    /// Of time series forecasting.
    Forecast(ForecastInputs<'a>),
    /// Of time-to-event prediction.
    Survival(SurvivalInputs<'a>),
}

/// The truth of a task.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// Of the three classification tasks.
    Classification(ClassificationTruth<'a>),
    /// Of object detection.
    Detection(DetectionTruth<'a>),
    /// Of semantic segmentation.
    Segmentation(SegmentationTruth<'a>),
    /// Of instance segmentation.
    Instances(InstanceTruth<'a>),
    /// Of keypoint detection.
    Keypoints(KeypointTruth<'a>),
    /// Of tabular regression.
    Regression(RegressionTruth<'a>),
    /// Of time series forecasting.
    Forecast(ForecastTruth<'a>),
    /// Of time-to-event prediction.
    Survival(SurvivalTruth<'a>),
}

/// What the owner of a challenge chooses where a definition leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Accuracy of regression and forecasts: |ŷ − y| ≤ `absolute_tolerance` + `relative_tolerance` · |y| is right.
    pub relative_tolerance: f64,
    /// See `relative_tolerance`.
    pub absolute_tolerance: f64,
    /// Detection and instance segmentation: objects with a lower score do not count in accuracy, precision, recall, F1,
    /// loss, IoU and GIoU.
    pub score_threshold: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { relative_tolerance: 0.05, absolute_tolerance: 0.0, score_threshold: 0.5 }
    }
}

/// Why inputs cannot be scored. A bad prediction is named by its row; all else is a fault of the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// There is no metric of this name.
    #[error("no metric `{name}` for {}", task.name())]
    UnknownMetric {
        /// The task.
        task: Task,
        /// The name, cut to 80 characters.
        name: String,
    },
    /// The inputs are those of another task.
    #[error("the inputs are not those of {}", .0.name())]
    OtherTask(Task),
    /// Two lengths do not fit.
    #[error("{found} {what}, expected {expected}")]
    Length {
        /// What is counted.
        what: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// What the owner of a challenge chose beside the rows breaks a rule of its task.
    #[error("`{name}` {reason}")]
    Setting {
        /// The field of the truth.
        name: &'static str,
        /// The rule and the value, as the end of a sentence about the field.
        reason: String,
    },
    /// A row of the truth breaks a rule of its task.
    #[error("row {row} of the truth: {reason}")]
    Truth {
        /// The first such row.
        row: usize,
        /// The rule and the value.
        reason: String,
    },
    /// A row of the predictions breaks a rule of its task or of a metric.
    #[error("row {row} of the predictions: {reason}")]
    Prediction {
        /// The first such row.
        row: usize,
        /// The rule and the value.
        reason: String,
    },
}

/// Computes one metric.
///
/// # Errors
/// The metric is none of the task's, the inputs are another task's, or they break a rule; a prediction that does is named
/// by its row.
pub fn evaluate(task: Task, name: &str, inputs: &Inputs<'_>, options: &Options) -> Result<MetricValue, InputError> {
    check_name(task, name)?;
    check_options(options)?;
    let value = match (family_of(task), inputs) {
        (FamilyName::Classification, Inputs::Classification(inputs)) => {
            family::evaluate::<Classification>(name, inputs, options)
        }
        (FamilyName::Detection, Inputs::Detection(inputs)) => family::evaluate::<Detection>(name, inputs, options),
        (FamilyName::Segmentation, Inputs::Segmentation(inputs)) => {
            family::evaluate::<Segmentation>(name, inputs, options)
        }
        (FamilyName::Instances, Inputs::Instances(inputs)) => family::evaluate::<Instances>(name, inputs, options),
        (FamilyName::Keypoints, Inputs::Keypoints(inputs)) => family::evaluate::<Keypoints>(name, inputs, options),
        (FamilyName::Regression, Inputs::Regression(inputs)) => family::evaluate::<Regression>(name, inputs, options),
        (FamilyName::Forecast, Inputs::Forecast(inputs)) => family::evaluate::<Forecast>(name, inputs, options),
        (FamilyName::Survival, Inputs::Survival(inputs)) => family::evaluate::<Survival>(name, inputs, options),
        _ => None,
    };
    value.unwrap_or(Err(InputError::OtherTask(task)))
}

/// Why a metric says nothing about any submission on this truth (one class only, a zero where it divides), so that no
/// challenge should rank by it; none where it does.
///
/// # Errors
/// As [`evaluate`].
pub fn degenerate(task: Task, name: &str, truth: &Truth<'_>, options: &Options) -> Result<Option<String>, InputError> {
    check_name(task, name)?;
    check_options(options)?;
    let reason = match (family_of(task), truth) {
        (FamilyName::Classification, Truth::Classification(truth)) => {
            family::degenerate::<Classification>(name, truth, options)
        }
        (FamilyName::Detection, Truth::Detection(truth)) => family::degenerate::<Detection>(name, truth, options),
        (FamilyName::Segmentation, Truth::Segmentation(truth)) => {
            family::degenerate::<Segmentation>(name, truth, options)
        }
        (FamilyName::Instances, Truth::Instances(truth)) => family::degenerate::<Instances>(name, truth, options),
        (FamilyName::Keypoints, Truth::Keypoints(truth)) => family::degenerate::<Keypoints>(name, truth, options),
        (FamilyName::Regression, Truth::Regression(truth)) => family::degenerate::<Regression>(name, truth, options),
        (FamilyName::Forecast, Truth::Forecast(truth)) => family::degenerate::<Forecast>(name, truth, options),
        (FamilyName::Survival, Truth::Survival(truth)) => family::degenerate::<Survival>(name, truth, options),
        _ => None,
    };
    reason.unwrap_or(Err(InputError::OtherTask(task)))
}

fn check_name(task: Task, name: &str) -> Result<(), InputError> {
    match metric(task, name) {
        Some(_) => Ok(()),
        None => Err(InputError::UnknownMetric { task, name: name.chars().take(80).collect() }),
    }
}

fn check_options(options: &Options) -> Result<(), InputError> {
    let Options { relative_tolerance, absolute_tolerance, score_threshold } = *options;
    for (name, tolerance) in [("relative_tolerance", relative_tolerance), ("absolute_tolerance", absolute_tolerance)] {
        if !(0.0..=f64::MAX).contains(&tolerance) {
            return Err(InputError::Setting { name, reason: format!("is {tolerance}, it is a number of at least 0") });
        }
    }
    match (0.0..=1.0).contains(&score_threshold) {
        true => Ok(()),
        false => {
            let reason = format!("is {score_threshold}, it is 0 to 1");
            Err(InputError::Setting { name: "score_threshold", reason })
        }
    }
}

enum FamilyName {
    Classification,
    Detection,
    Segmentation,
    Instances,
    Keypoints,
    Regression,
    Forecast,
    Survival,
}

const fn family_of(task: Task) -> FamilyName {
    match task {
        Task::ImageClassification | Task::TextClassification | Task::TabularClassification => {
            FamilyName::Classification
        }
        Task::ObjectDetection => FamilyName::Detection,
        Task::SemanticSegmentation => FamilyName::Segmentation,
        Task::InstanceSegmentation => FamilyName::Instances,
        Task::KeypointDetection => FamilyName::Keypoints,
        Task::TabularRegression => FamilyName::Regression,
        Task::TimeSeriesForecasting => FamilyName::Forecast,
        Task::TimeToEvent => FamilyName::Survival,
    }
}
