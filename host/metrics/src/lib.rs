//! Metrics: pure functions, and the registry of task and metric.
//!
//! [`metrics`] and [`metric`] say what exists and what it means; [`evaluate`] computes one over a task's [`Inputs`], and
//! [`degenerate`] says whether it means anything on a [`Truth`]. Nothing here does I/O or panics; a metric without a value
//! is [`MetricValue::Undefined`], never 0.

mod classification;
mod detection;
mod family;
mod forecast;
mod inputs;
mod instances;
mod keypoints;
mod matching;
mod objects;
mod pointwise;
mod registry;
mod regression;
mod segmentation;
mod sum;
mod survival;
mod value;

pub use classification::{ClassificationInputs, ClassificationTruth, argmax};
pub use detection::{DetectionInputs, DetectionTruth, average_precision_per_class};
pub use forecast::{ForecastInputs, ForecastTruth};
pub use inputs::{InputError, Inputs, Options, Truth, degenerate, evaluate};
pub use instances::{InstanceInputs, InstanceTruth};
pub use keypoints::{KeypointInputs, KeypointTruth};
pub use registry::{Direction, Metric, Range, Reads, Task, Unit, metric, metrics};
pub use regression::{RegressionInputs, RegressionTruth};
pub use segmentation::{SegmentationInputs, SegmentationTruth};
pub use survival::{SurvivalInputs, SurvivalTruth};
pub use value::MetricValue;
