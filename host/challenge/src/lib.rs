//! Challenges, submission packages, limits, scoring rules, verdicts and the result file.
//!
//! What a challenge is ([`challenge`]), what a submission looks like on disk ([`package`]), how stored numbers are
//! counted ([`parameters`]), how a metric becomes a score and a rank ([`score`], [`composite`],
//! [`ranking`]), and what a run writes
//! down ([`verdict`], [`result`]). Nothing here runs a submission.

pub mod challenge;
pub mod composite;
#[cfg(test)]
mod fixture;
mod json;
mod name;
pub mod package;
pub mod parameters;
pub mod ranking;
pub mod result;
pub mod round;
pub mod score;
pub mod units;
pub mod verdict;

pub use challenge::{Challenge, LoadedChallenge};
pub use json::JsonError;
pub use name::{NAME_RULE, is_name};
pub use package::{Manifest, Package, PackageError};
pub use result::{EvaluationResult, Published};
pub use units::{Flops, Fuel, ParameterCount};
pub use verdict::Verdict;
