//! The result file.
//!
//! [`Comparable`] has the same bytes for the same component, data, challenge and engine on every machine. Times, the
//! machine and the guest's own words live in [`Run`]. What a builder may see of an official run is [`Published`].

mod agentics;
mod published;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_datasets::Digest;
use thimble_metrics::MetricValue;

use crate::json::{self, JsonError};
use crate::units::{Fuel, ParameterCount};
use crate::verdict::Verdict;

pub use agentics::{AgenticsMetric, AgenticsResult, AgenticsStatus, AgenticsSummary};

/// Largest result file that is read back.
pub const MAX_RESULT_BYTES: u64 = 64 << 20;

/// `result.json`, schema version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvaluationResult {
    /// Always 1.
    pub schema_version: u32,
    /// The same bytes for the same inputs, on every machine.
    pub comparable: Comparable,
    /// Official runs only: what leaves the operator.
    pub published: Option<Published>,
    /// Official runs of a challenge whose test rows are parted: what takes the place of `published` when it closes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at_close: Option<Published>,
    /// What differs from run to run.
    pub run: Run,
}

impl EvaluationResult {
    /// Pretty JSON, fields in declaration order, with a final newline: the same bytes for the same value.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// Reads a result back; unknown fields and other schema versions are refused.
    ///
    /// # Errors
    /// The path of the first faulty field and what is wrong with it.
    pub fn from_json(bytes: &[u8]) -> Result<Self, JsonError> {
        let result: Self = json::parse(bytes, MAX_RESULT_BYTES)?;
        if result.schema_version != 1 {
            let message = format!("must be 1, the version this host reads; found {}", result.schema_version);
            return Err(JsonError { path: Some("schema_version".to_owned()), message });
        }
        Ok(result)
    }

    /// The JSON Schema of the result file.
    pub fn schema() -> String {
        json::pretty(&schemars::schema_for!(Self))
    }
}

impl Comparable {
    /// The comparable block alone, for comparing machines byte by byte.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }
}

/// Validation or official.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// On public data; everything is shown to the builder.
    Validation,
    /// On private data; a builder sees [`Published`] only.
    Official,
}

/// The reproducible part of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparable {
    /// Validation or official.
    pub mode: Mode,
    /// Which challenge.
    pub challenge: ChallengeRef,
    /// Digest of the dataset in validation; the published commitment to it in an official run.
    pub dataset: Digest,
    /// Which submission. Null when the package could not be read.
    pub submission: Option<SubmissionRef>,
    /// What metered it.
    pub meter: MeterRef,
    /// How it ended.
    pub verdict: Verdict,
    /// Why it did not end in `scored`: the rule, the limit and the value, in our own words.
    pub failure: Option<Failure>,
    /// Null when the run ended before the count.
    pub parameters: Option<Parameters>,
    /// Every metric of the challenge by registry name; empty unless scored.
    pub metrics: BTreeMap<String, MetricValue>,
    /// The same on the two parts of the test rows, of which builders see one; absent unless scored officially under
    /// `release.shown_share`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// What predictions get that look at no input; null unless scored, and where there is nothing to fit.
    pub baseline: Option<Baseline>,
    /// 0 for `over_parameter_limit`; null for every other verdict but `scored`.
    pub score: Option<Score>,
    /// What it computed, in fuel and FLOPs.
    pub compute: Compute,
    /// The replay of rows; null unless scored under the rule `independent`.
    pub independence: Option<Independence>,
    /// Whether this result may stand on a leaderboard.
    pub ranked: bool,
}

/// The two parts of the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// What is published until the challenge closes.
    pub shown: Part,
    /// What is published then.
    pub kept: Part,
}

/// Some of the test rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// How many.
    pub rows: u64,
    /// Every metric of the challenge by registry name.
    pub metrics: BTreeMap<String, MetricValue>,
}

/// The naive baseline: predictions fitted on the targets of the training split alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// What it is, for example `class shares`.
    pub name: String,
    /// Every metric of the challenge by registry name.
    pub metrics: BTreeMap<String, MetricValue>,
}

/// Which challenge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengeRef {
    /// Its name.
    pub name: String,
    /// SHA-256 of the bytes of `challenge.json`.
    pub digest: Digest,
}

/// Which submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmissionRef {
    /// From the manifest; null for a bare component.
    pub name: Option<String>,
    /// From the manifest; null for a bare component.
    pub version: Option<String>,
    /// SHA-256 of the ZIP; null for a bare component.
    pub package: Option<Digest>,
    /// SHA-256 of `solution.wasm`.
    pub component: Digest,
    /// Size of `solution.wasm`.
    pub component_bytes: u64,
}

/// What metered it. Results under different meters are never ranked together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeterRef {
    /// The contract, for example `thimble:solution@0.1.0`.
    pub contract: String,
    /// The tariff's name.
    pub tariff: String,
    /// SHA-256 of the tariff's table.
    pub tariff_digest: Digest,
    /// The engine and its version.
    pub engine: String,
}

/// The steps of an evaluation, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the package and the static rules.
    Admit,
    /// Cranelift, in a child process.
    Compile,
    /// `solve`.
    Learn,
    /// Counting what `solve` returned.
    Count,
    /// `load` and `predict`.
    Predict,
    /// Metrics.
    Score,
}

/// Why a run did not end in `scored`. Never the guest's words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Where.
    pub phase: Phase,
    /// The rule that was broken, a stable identifier such as `component_bytes`.
    pub rule: String,
    /// One sentence with the limit and the value.
    pub message: String,
}

/// What `solve` returned, counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// `max(elements, ⌈bytes / 4⌉) + embedded`.
    pub counted: ParameterCount,
    /// Values in all tensors.
    pub elements: u64,
    /// Bytes of those values.
    pub bytes: u64,
    /// Component bytes beyond the allowance, 4 to a parameter, rounded up.
    pub embedded: u64,
    /// What the manifest declares; null for a bare component.
    pub declared: Option<ParameterCount>,
    /// The challenge's limit.
    pub limit: ParameterCount,
}

/// The score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// What ranks.
    pub value: f64,
    /// Before clamping; null where there was nothing to score.
    pub unclamped: Option<f64>,
}

/// What it computed. What a phase used is null when it did not return; training is then charged its whole budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Fuel of `solve`, instantiation included.
    pub training_fuel: Option<Fuel>,
    /// Fuel charged for training; the whole budget when `solve` did not return, 0 when it never started.
    pub training_fuel_charged: Fuel,
    /// Budget of instantiation and `solve` together.
    pub training_fuel_budget: Fuel,
    /// Fuel of the predict instance from its first instruction to its last post-return.
    pub prediction_fuel: Option<Fuel>,
    /// Test rows.
    pub test_rows: u64,
    /// `training_fuel / 16`.
    pub training_flops: Option<f64>,
    /// `prediction_fuel / test_rows / 16`.
    pub flops_per_sample: Option<f64>,
    /// By the challenge's carbon factors.
    pub training_gco2e: Option<f64>,
    /// By the challenge's carbon factors.
    pub gco2e_per_sample: Option<f64>,
}

/// The replay of some rows in a fresh instance, in another order and batch size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Independence {
    /// Rows predicted again.
    pub replayed: u64,
    /// Rows whose answer differed.
    pub disagreed: u64,
    /// `disagreed` is above 0, or the replay did not return: the predictions depend on other rows.
    pub transductive: bool,
}

/// What leaves an official run. See `docs/threat-model.md` for the count of bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// `scored`, `over_parameter_limit` or `failed`.
    pub outcome: Outcome,
    /// Present only when admission refused it: no private data was touched.
    pub failure: Option<Failure>,
    /// The ranking metric and those the challenge declares, rounded by its rule.
    pub metrics: BTreeMap<String, MetricValue>,
    /// Computed from the rounded metric.
    pub score: Option<f64>,
    /// As declared in the manifest, never as counted.
    pub parameters: Option<ParameterCount>,
    /// Rounded to the challenge's significant digits.
    pub flops_per_sample: Option<f64>,
    /// From the rounded FLOPs.
    pub gco2e_per_sample: Option<f64>,
    /// Size of `solution.wasm`.
    pub component_bytes: Option<u64>,
    /// The replay found that answers depend on other rows.
    pub transductive: Option<bool>,
    /// The challenge is a practice challenge: anyone can own its data.
    pub practice: bool,
}

/// The official verdict as a builder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is a score.
    Scored,
    /// More parameters than the limit; score 0.
    OverParameterLimit,
    /// Anything else.
    Failed,
}

/// What differs from run to run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Architecture and operating system of the host.
    pub target: String,
    /// The engine configuration's compatibility hash, hexadecimal.
    pub engine_hash: String,
    /// Whether the compiled artifact came from the cache; null when nothing was compiled.
    pub compile_cached: Option<bool>,
    /// What stood between the guest and the machine; null when no guest was loaded.
    #[serde(default)]
    pub isolation: Option<Isolation>,
    /// Wall time of each phase that ran, in seconds.
    pub seconds: BTreeMap<Phase, f64>,
    /// The largest sum of memories, and of matrices that the host held, in any instance, in bytes; null when no instance was
    /// made.
    pub peak_memory_bytes: Option<u64>,
    /// Digest of what `solve` returned, to compare with a native run; null in an official run, and where the count was not
    /// passed.
    pub parameters_digest: Option<Digest>,
    /// The guest's own words and curves; null in an official run.
    pub journal: Option<Journal>,
}

/// What stood between a guest and the machine, beside the engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// Where it ran.
    pub place: Place,
    /// Layers that held in every child process, by name; empty in the host's own process.
    pub layers: Vec<String>,
    /// The most memory that one child process had, in bytes; null where it was not measured.
    pub peak_process_bytes: Option<u64>,
}

/// Where a guest ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A process for training and one for prediction, under the layers.
    Process,
    /// The host's own process: an escape from the engine is an escape to it.
    InProcess,
}

impl Isolation {
    /// Children under these layers.
    pub const fn process(layers: Vec<String>) -> Self {
        Self { place: Place::Process, layers, peak_process_bytes: None }
    }

    /// No children.
    pub const fn in_process() -> Self {
        Self { place: Place::InProcess, layers: Vec::new(), peak_process_bytes: None }
    }
}

/// What the guest said, in validation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    /// `journal.log`, stdout and stderr in the order written, control characters removed, cut at 64 KiB a phase.
    pub log: String,
    /// Bytes that were cut.
    pub log_dropped_bytes: u64,
    /// Curves by series name.
    pub curves: BTreeMap<String, Vec<CurvePoint>>,
    /// Points that were dropped.
    pub curves_dropped_points: u64,
    /// The text of the error that `solve`, `load` or `predict` returned.
    pub error: Option<String>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurvePoint {
    /// As given.
    pub step: u64,
    /// As given; null for a NaN or an infinity.
    pub value: Option<f64>,
}
