//! The leaderboard and what is computed from it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_challenge::composite::Anchors;
use thimble_metrics::MetricValue;

use crate::challenge::MetricView;
use crate::id::{AccountName, ChallengeName, SubmissionId, TeamName};
use crate::{Compute, Timestamp};

/// A leaderboard. Everything in it is computed from published, rounded figures, and can be computed again by anyone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leaderboard {
    /// The challenge.
    pub challenge: ChallengeName,
    /// Grows with every change; `?version=` shows an earlier one.
    pub version: u64,
    /// When the last change was.
    pub changed_at: Option<Timestamp>,
    /// The ranking metric, then the others published.
    pub metrics: Vec<MetricView>,
    /// Composite scores only: what costs are measured against.
    pub anchors: Option<Anchors>,
    /// The challenge is closed: nothing moves any more.
    pub frozen: bool,
    /// The challenge's data can be had by anyone.
    pub practice: bool,
    /// The share of the test rows that the metrics are of, until the challenge closes and those of the other rows take their
    /// place; null where they do not change any more, or are of all rows.
    pub shown_share: Option<f64>,
    /// Best result of each builder, best first, from `first` on; house baselines among them without a rank.
    pub rows: Vec<Row>,
    /// Index of the first row in the whole board.
    pub first: u64,
    /// Rows of the whole board.
    pub total: u64,
    /// What to pass as `after` for the next part; null at the end.
    pub next: Option<String>,
    /// The accuracy-efficiency frontier over all released results, by ascending FLOPs.
    pub frontier: Vec<FrontierPoint>,
    /// Every point of the plot, at most 2,000: the frontier's, the best of each builder, then others.
    pub points: Vec<FrontierPoint>,
    /// Points that were left out.
    pub points_left_out: u64,
    /// Results that are shown and not ranked, at most 100, with the reason.
    pub unranked: Vec<Unranked>,
}

/// A row of the board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Shared by full ties; null for a house baseline.
    pub rank: Option<u64>,
    /// A builder, or the owner's own model.
    pub who: Who,
    /// What ranks.
    pub score: f64,
    /// Published metrics by registry name.
    pub metrics: BTreeMap<String, MetricValue>,
    /// FLOPs per sample.
    pub flops_per_sample: Option<f64>,
    /// By the challenge's carbon factors.
    pub gco2e_per_sample: Option<f64>,
    /// Composite scores only: how little a prediction costs against the field, 0 to 1.
    pub efficiency: Option<f64>,
    /// As declared.
    pub parameters: Option<u64>,
    /// Size of `solution.wasm`.
    pub component_bytes: Option<u64>,
    /// No other result is better in the metric without spending more FLOPs.
    pub on_frontier: bool,
    /// Whose result is at least as good for no more FLOPs, where there is one.
    pub dominated_by: Option<AccountName>,
    /// Released official results of this builder.
    pub submissions: u64,
    /// When the result shown was submitted; null for a house baseline.
    pub submitted_at: Option<Timestamp>,
}

/// Whose row it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// A builder's best result.
    Builder {
        /// The account.
        builder: AccountName,
        /// Its team.
        team: TeamName,
        /// The result shown.
        submission: SubmissionId,
    },
    /// A model of the owner, measured on the public data.
    House {
        /// What the owner calls it.
        name: String,
    },
}

/// A point of the plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrontierPoint {
    /// Whose.
    pub who: Who,
    /// The published ranking metric.
    pub metric: f64,
    /// Published FLOPs per sample.
    pub flops_per_sample: f64,
    /// On the frontier.
    pub on_frontier: bool,
    /// The asking builder's own.
    pub own: bool,
}

/// A result without a rank.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unranked {
    /// Whose.
    pub who: Who,
    /// The published ranking metric.
    pub metric: Option<f64>,
    /// Published FLOPs per sample.
    pub flops_per_sample: Option<f64>,
    /// Why.
    pub reason: UnrankedReason,
}

/// Why a result has no rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnrankedReason {
    /// Worse than the floor of the composite score.
    BelowFloor,
    /// Answers depend on other rows.
    Transductive,
    /// The ranking metric is not defined.
    Undefined,
}

/// Which part of a leaderboard is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaderboardQuery {
    /// As it was at this version; null for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many rows, 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
}

/// How a published figure is spread over the best results of all builders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// The challenge.
    pub challenge: ChallengeName,
    /// A metric's registry name, `flops_per_sample`, `gco2e_per_sample`, `parameters`, `component_bytes` or `score`.
    pub figure: String,
    /// Builders with a value.
    pub count: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
    /// Nearest-rank quantiles at 0, 0.25, 0.5, 0.75, 0.9 and 1.
    pub quantiles: Vec<Quantile>,
    /// At most 10 bins of equal width; the last includes its upper end.
    pub histogram: Vec<Bin>,
}

/// A quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// 0 to 1.
    pub q: f64,
    /// Its value.
    pub value: f64,
}

/// A bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bin {
    /// Lower end, included.
    pub from: f64,
    /// Upper end.
    pub to: f64,
    /// Values inside.
    pub count: u64,
}

/// Where a submission's builder stands among neighbours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RankingContext {
    /// The builder's rank; null while no result of theirs ranks.
    pub rank: Option<u64>,
    /// Builders that are ranked.
    pub of: u64,
    /// `(of − rank + 1) / of`.
    pub percentile: Option<f64>,
    /// Up to three rows above, the builder's own, up to three below.
    pub rows: Vec<Row>,
}

/// Use of a team's budget on a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetUse {
    /// What the operator gave.
    pub granted: Compute,
    /// What finished runs were charged, rounded up to whole hundredths of `granted` (for operators exact).
    pub used: Compute,
    /// What queued and running ones may still use; for builders also what official ones held that are not released yet.
    pub reserved: Compute,
    /// What a new submission can still be charged to.
    pub left: Compute,
    /// The operator has taken it away.
    pub revoked: bool,
}
