//! Metrics: pure functions, and the registry of task and metric.
//!
//! [`metrics`] and [`metric`] say what exists and what it means; [`evaluate`] computes one over a task's inputs. Nothing here
//! does I/O or panics; a metric without a value is [`MetricValue::Undefined`], never 0.

mod classification;
mod registry;
mod value;

pub use classification::{ClassificationInputs, InputError, accuracy, argmax, evaluate};
pub use registry::{Direction, Metric, Range, Task, Unit, metric, metrics};
pub use value::MetricValue;
