//! What operators see and do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_challenge::Verdict;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_datasets::{Digest, Metadataset};

use crate::amount::Euro;
use crate::challenge::{ChallengeSummary, Stage};
use crate::draft::Draft;
use crate::error::ErrorDetail;
use crate::id::{AccountName, ChallengeName, DatasetName, SubmissionId, TeamName};
use crate::leaderboard::BudgetUse;
use crate::{Compute, Timestamp};

/// A submission, with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SubmissionRecord {
    /// Its id.
    pub id: SubmissionId,
    /// The challenge.
    pub challenge: ChallengeName,
    /// Who submitted.
    pub builder: AccountName,
    /// For which team.
    pub team: TeamName,
    /// Validation or official.
    pub mode: Mode,
    /// Where it stands.
    pub state: RecordState,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// When a worker last took it.
    pub started_at: Option<Timestamp>,
    /// When its worker was heard last.
    pub heartbeat_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When its figures were or will be released.
    pub released_at: Option<Timestamp>,
    /// The worker that has or had it.
    pub worker: Option<String>,
    /// Times that a worker took it.
    pub attempts: u32,
    /// How it ended; null until then and when it was cancelled.
    pub verdict: Option<Verdict>,
    /// Taken off the leaderboard by an operator.
    pub withdrawn: bool,
    /// SHA-256 of `solution.wasm`.
    pub component: Option<Digest>,
    /// SHA-256 of what was sent.
    pub package: Digest,
    /// What it has been charged.
    pub charged: Compute,
    /// The whole result; null until it has ended, and after the retention period.
    pub result: Option<Box<EvaluationResult>>,
}

/// States of a submission in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Waiting for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// Ended.
    Finished,
}

impl RecordState {
    /// The name used in every file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished => "finished",
        }
    }
}

/// A dataset that drafts may name: what is known of it, never its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetView {
    /// What the service calls it.
    pub name: DatasetName,
    /// Its digest: of public data only.
    pub digest: Option<Digest>,
    /// It has an operator's secret: for official runs.
    pub official: bool,
    /// Task, fields and rows of each split.
    pub metadataset: Metadataset,
    /// When it was registered.
    pub registered_at: Timestamp,
}

/// A draft with what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DraftView {
    /// Its name.
    pub name: ChallengeName,
    /// Where it is in its life.
    pub stage: Stage,
    /// Grows with every edit: what `If-Match` names.
    pub revision: u64,
    /// What was written so far.
    pub draft: Draft,
    /// What publishing would refuse.
    pub faults: Vec<ErrorDetail>,
    /// It has a cover image.
    pub has_cover: bool,
    /// It has a page of statistics.
    pub has_exploration: bool,
    /// What its budgets can cost at most, teams invited so far.
    pub cost: Euro,
}

/// Gives a team compute on a challenge, more or less than before, or takes it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetRequest {
    /// In all, what was used included.
    pub granted: Compute,
    /// No further submission, whatever is left.
    #[serde(default)]
    pub revoked: bool,
}

/// A team on a challenge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TeamBudget {
    /// The team.
    pub team: TeamName,
    /// Its accounts that may see the challenge.
    pub members: Vec<AccountName>,
    /// Its budget.
    pub budget: BudgetUse,
    /// The price of what was used.
    pub cost: Euro,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountView {
    /// Its name.
    pub name: AccountName,
    /// Its team.
    pub team: TeamName,
    /// It may do nothing any more.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Something an operator did. Append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Ascending without gaps.
    pub sequence: u64,
    /// When.
    pub at: Timestamp,
    /// Who: an account, or `local` for a command on the machine itself.
    pub actor: String,
    /// What, a stable name such as `challenge.publish`.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Further particulars, never a secret.
    pub details: std::collections::BTreeMap<String, String>,
}

/// Workers, the queue, and the room left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capacity {
    /// Workers heard within their lease.
    pub workers: Vec<WorkerView>,
    /// Official submissions waiting.
    pub queued_official: u64,
    /// Validation submissions waiting.
    pub queued_validation: u64,
    /// Running.
    pub running: u64,
    /// Mean wall time of the runs of the last day, in seconds.
    pub mean_run_seconds: Option<f64>,
    /// Expected wait of a submission made now.
    pub expected_wait_seconds: Option<u64>,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Bytes of artifacts.
    pub artifact_bytes: u64,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkerView {
    /// Its name: host, process, slot.
    pub name: String,
    /// When it was heard last.
    pub heartbeat_at: Timestamp,
    /// What it runs.
    pub submission: Option<SubmissionId>,
}

/// Use of a challenge: what the operator's page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Monitor {
    /// The challenge.
    pub challenge: ChallengeSummary,
    /// The last 30 days, oldest first, days without submissions included.
    pub days: Vec<DayUse>,
    /// Teams with their budgets.
    pub teams: Vec<TeamBudget>,
    /// Accounts by their last submission, newest first, at most 200.
    pub activity: Vec<AccountActivity>,
    /// Verdicts of finished official runs.
    pub verdicts: Vec<VerdictCount>,
    /// The price of all that was used.
    pub cost: Euro,
}

/// Use of a day in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DayUse {
    /// `2026-11-22`.
    pub day: String,
    /// Official submissions.
    pub official: u64,
    /// Validation submissions.
    pub validation: u64,
    /// What they were charged.
    pub charged: Compute,
}

/// What an account did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountActivity {
    /// The account.
    pub account: AccountName,
    /// Its team.
    pub team: TeamName,
    /// Submissions of both modes.
    pub submissions: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// How often a verdict was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCount {
    /// The verdict; null for cancelled.
    pub verdict: Option<Verdict>,
    /// How often.
    pub count: u64,
}
