//! Submissions, as builders and readers see them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_challenge::result::{Baseline, CurvePoint, Failure, Independence, Mode, Parameters, Phase, Published};
use thimble_challenge::{Fuel, Verdict};
use thimble_datasets::Digest;
use thimble_metrics::MetricValue;

use crate::id::{AccountName, ChallengeName, SubmissionId, TeamName};
use crate::{Compute, Timestamp};

/// The largest note a builder may add, in bytes.
pub const MAX_NOTE_BYTES: usize = 1_024;

/// A submission of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BuilderSubmission {
    /// Its id.
    pub id: SubmissionId,
    /// The challenge.
    pub challenge: ChallengeName,
    /// Who submitted.
    pub builder: AccountName,
    /// For which team.
    pub team: TeamName,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// From the manifest; null for a bare component.
    pub name: Option<String>,
    /// From the manifest; null for a bare component.
    pub version: Option<String>,
    /// The builder's own words, at most 1,024 bytes.
    pub note: String,
    /// SHA-256 of `solution.wasm`; null where the package could not be read.
    pub component: Option<Digest>,
    /// SHA-256 of what was sent.
    pub package: Digest,
    /// Bytes of what was sent.
    pub package_bytes: u64,
    /// An earlier submission of the same team to the same challenge, in the same mode, with the same component.
    pub duplicate_of: Option<SubmissionId>,
    /// What the team's budget is charged: all that it may use while it is queued or running, then what it used. Null for an
    /// official run, which shows in the team's total only, in steps of 1 % of the budget and once it is released.
    pub charged: Option<Compute>,
    /// Where it stands.
    pub run: BuilderRun,
}

/// Where a submission stands, as its builder is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", content = "status", rename_all = "snake_case")]
pub enum BuilderRun {
    /// On public data: everything is shown.
    Validation(ValidationState),
    /// On private data: the published figures are shown.
    Official(OfficialState),
}

impl BuilderRun {
    /// Validation or official.
    pub const fn mode(&self) -> Mode {
        match self {
            Self::Validation(_) => Mode::Validation,
            Self::Official(_) => Mode::Official,
        }
    }

    /// Whether nothing will change any more.
    pub const fn is_finished(&self) -> bool {
        matches!(self, Self::Validation(ValidationState::Finished(_)) | Self::Official(OfficialState::Finished(_)))
    }
}

/// Waiting for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Queued {
    /// 1 is next.
    pub position: u64,
    /// By the runs of the last day and the workers alive; null while there are none to go by.
    pub expected_wait_seconds: Option<u64>,
    /// The attempt that would come next, from 1. Above 1, a worker was lost; that is not charged.
    pub attempt: u32,
}

/// States of a validation run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ValidationState {
    /// Waiting for a worker.
    Queued(Queued),
    /// A worker has it.
    Running(Progress),
    /// Ended.
    Finished(Box<ValidationOutcome>),
}

/// States of an official run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OfficialState {
    /// Waiting for a worker.
    Queued(Queued),
    /// A worker has it, or its result waits for its release.
    Running(Alive),
    /// Ended and released.
    Finished(Box<OfficialOutcome>),
}

/// How far a validation run has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// When its worker was heard last.
    pub heartbeat_at: Timestamp,
    /// The step it is in; null before the first.
    pub phase: Option<Phase>,
    /// Fuel used of `fuel_budget` in a metered phase.
    pub fuel_used: Option<Fuel>,
    /// The phase's budget.
    pub fuel_budget: Option<Fuel>,
    /// The last points of each curve.
    pub curves: BTreeMap<String, Vec<CurvePoint>>,
}

/// That an official run goes on, and nothing of how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alive {
    /// When its worker was heard last. Where results appear on a grid of time, to the minute, and also while a result waits for
    /// its release: when a run ended is not told. Null before the first sign of life.
    pub heartbeat_at: Option<Timestamp>,
    /// Results of this challenge appear on a grid of so many seconds (0: at once).
    pub release_tick_seconds: u64,
}

/// How a validation run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValidationOutcome {
    /// When.
    pub finished_at: Timestamp,
    /// How; null when it was cancelled.
    pub verdict: Option<Verdict>,
    /// What to do about the verdict.
    pub remedy: Option<String>,
    /// The rule that was broken, the limit and the value.
    pub failure: Option<Failure>,
    /// Every metric of the challenge by registry name; empty unless scored.
    pub metrics: BTreeMap<String, MetricValue>,
    /// What predictions get that look at no input.
    pub baseline: Option<Baseline>,
    /// Against the house baselines, where the score depends on a field.
    pub score: Option<f64>,
    /// What was counted; null when the run ended before.
    pub parameters: Option<Parameters>,
    /// The replay of rows.
    pub independence: Option<Independence>,
    /// What it cost.
    pub cost: Cost,
    /// Wall time of each phase that ran, in seconds.
    pub seconds: BTreeMap<Phase, f64>,
    /// The largest memory of any instance, in bytes; null when none was made.
    pub peak_memory_bytes: Option<u64>,
    /// Curves by series name; the log has an address of its own.
    pub curves: BTreeMap<String, Vec<CurvePoint>>,
}

/// What a run cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// FLOPs of `solve`; null when it did not return.
    pub training_flops: Option<f64>,
    /// The budget of `solve`, in FLOPs.
    pub training_flops_budget: f64,
    /// FLOPs per test row.
    pub flops_per_sample: Option<f64>,
    /// By the challenge's carbon factors.
    pub training_gco2e: Option<f64>,
    /// By the challenge's carbon factors.
    pub gco2e_per_sample: Option<f64>,
    /// Test rows.
    pub test_rows: u64,
}

/// How an official run ended, as far as a builder is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OfficialOutcome {
    /// When this was released.
    pub released_at: Timestamp,
    /// The end.
    #[serde(flatten)]
    pub ending: OfficialEnding,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// The ends of an official run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "ending", content = "figures", rename_all = "snake_case")]
pub enum OfficialEnding {
    /// The published figures.
    Published(Published),
    /// Scored, and not better than the builder's last figure by more than the challenge's `release.improvement`: the earlier
    /// figure stands and nothing else is said.
    NotImproved,
    /// Cancelled by its builder or the operator.
    Cancelled,
    /// The service's own failure, after every retry: not charged, not counted.
    PlatformFault,
}

/// An official submission as everyone who sees the challenge may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PublicSubmission {
    /// Its id.
    pub id: SubmissionId,
    /// The challenge.
    pub challenge: ChallengeName,
    /// Who submitted.
    pub builder: AccountName,
    /// For which team.
    pub team: TeamName,
    /// When.
    pub submitted_at: Timestamp,
    /// When the figures were released.
    pub released_at: Timestamp,
    /// The published figures.
    pub figures: Published,
}

/// What `GET /submissions/{id}` says: how much depends on who asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "audience", content = "submission", rename_all = "snake_case")]
pub enum SubmissionView {
    /// For anyone who sees the challenge: released official results only.
    Public(PublicSubmission),
    /// For its builder and the team.
    Builder(BuilderSubmission),
}

/// The answer to a submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// The submission as it stands.
    pub submission: BuilderSubmission,
    /// What is left of the quotas, this one counted.
    pub quota: QuotaLeft,
    /// Training and prediction budgets together: what this run can cost at most.
    pub estimate: Compute,
    /// The request repeated an earlier one (same idempotency key, same bytes); nothing new was made.
    pub repeated: bool,
}

/// What is left of the quotas of a builder on a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuotaLeft {
    /// The mode this is about.
    pub mode: Mode,
    /// Submissions in any 24 hours.
    pub per_day: u32,
    /// Of them left now.
    pub left: u32,
    /// When the next one comes free; null while some are left.
    pub next_at: Option<Timestamp>,
    /// Submissions in all; null where there is no such limit.
    pub lifetime: Option<u32>,
    /// Of them left.
    pub lifetime_left: Option<u32>,
    /// Failed runs in any 24 hours that do not count as submissions.
    pub failures_per_day: u32,
    /// Of them left.
    pub failures_left: u32,
}

/// The guest's own words in a validation run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "availability", rename_all = "snake_case")]
pub enum Log {
    /// As written, control characters removed, cut at 64 KiB a phase.
    Available {
        /// The text.
        text: String,
        /// Bytes that were cut.
        dropped_bytes: u64,
        /// The text of the error that the solution returned.
        error: Option<String>,
    },
    /// The run has not ended.
    NotYet,
    /// An official run: what a guest says never leaves one.
    Withheld,
    /// Nothing ran, or the retention period has passed.
    NotKept,
}

/// Which of one's own submissions are listed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Of this challenge only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<ChallengeName>,
    /// Of this mode only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many items, 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
}

/// What a builder can do about a verdict; none where there is nothing to do.
pub const fn remedy(verdict: Verdict) -> Option<&'static str> {
    Some(match verdict {
        Verdict::Scored => return None,
        Verdict::Rejected => "run `thimble check` on the package: it names every rule that is broken, offline",
        Verdict::OverParameterLimit => {
            "return fewer or smaller tensors from `solve`, or embed less in the component: `thimble check` counts what is embedded"
        }
        Verdict::OutOfFuel => "`thimble profile` shows where the FLOPs go; ask `fuel-left` and stop training early",
        Verdict::OutOfMemory => {
            "use smaller batches or free buffers between steps; the limit covers all memories of the instance"
        }
        Verdict::StackOverflow => "replace deep recursion by a loop, or large arrays on the stack by vectors",
        Verdict::Deadline => {
            "the run used little fuel for its time: look for large memory fills and copies; the wall clock is a last resort of the host"
        }
        Verdict::Trap => "run it in validation with `thimble run`: the log shows the panic's text",
        Verdict::SolutionError => "the solution itself returned an error; in validation the log has its text",
        Verdict::InvalidOutput => {
            "check the shapes and values that `predict` returns against the challenge's outputs: `thimble run` names the first one that is wrong"
        }
        Verdict::PlatformFault => {
            "nothing to do: the fault was the service's, and neither quota nor budget was charged; submit again"
        }
    })
}
