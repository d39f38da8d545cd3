//! From predictions to metrics: what they must be, what is computed of them, and what the naive baseline gets.
//!
//! [`OutputSchema`] knows what a task's predictions look like and refuses any other, naming the row. [`Predictions`] collects
//! them batch by batch. A [`Truth`] is what a challenge owns; [`Truth::evaluate`] computes metrics of predictions on it,
//! [`Truth::degenerate`] says which metrics would mean nothing, and [`baseline`] makes the predictions of someone who
//! looks at no input.

mod baseline;
mod check;
mod predictions;
mod truth;

pub use baseline::{Baseline, baseline};
pub use check::{LARGEST_VALUE, MAX_OBJECTS, Output, OutputError, OutputSchema};
pub use predictions::{Agreement, Predictions};
pub use truth::{Beside, EvaluateError, Options, Truth, TruthError};
