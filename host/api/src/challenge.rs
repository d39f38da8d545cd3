//! Challenges, as they are shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_challenge::Challenge;
use thimble_challenge::challenge::Visibility;
use thimble_datasets::Digest;
use thimble_metrics::{Direction, Metric};

use crate::id::ChallengeName;
use crate::leaderboard::BudgetUse;
use crate::submission::QuotaLeft;
use crate::{Compute, Timestamp};

/// Where a challenge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Being written; operators only.
    Draft,
    /// Takes submissions.
    Published,
    /// Takes none any more; anchors are frozen.
    Closed,
}

/// A challenge in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeSummary {
    /// Its name: the last part of its address.
    pub name: ChallengeName,
    /// 1 to 82 characters.
    pub title: String,
    /// One or two sentences.
    pub summary: String,
    /// Up to 6.
    pub keywords: Vec<String>,
    /// The task's name, for example `tabular_classification`.
    pub task: String,
    /// The ranking metric.
    pub metric: MetricView,
    /// Where it is in its life.
    pub stage: Stage,
    /// Public, or for those invited.
    pub visibility: Visibility,
    /// When it stops taking submissions; null for open end.
    pub closes_at: Option<Timestamp>,
    /// Builders with a released result.
    pub builders: u64,
    /// Released official results.
    pub results: u64,
    /// The address of its cover image, where it has one.
    pub cover: Option<String>,
}

/// A challenge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChallengeView {
    /// As in a list.
    pub summary: ChallengeSummary,
    /// `challenge.json` as it is in force.
    pub challenge: Challenge,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Grows with every edit.
    pub revision: u64,
    /// When it was published.
    pub published_at: Option<Timestamp>,
    /// What its page of statistics was made of, where there is one.
    pub has_exploration: bool,
    /// Service rules that are not in `challenge.json`.
    pub rules: ServiceRules,
    /// After the close: the salt, with which `official_commitment` can be checked.
    pub revealed_salt: Option<String>,
    /// For a signed-in builder: quotas, official then validation.
    pub quotas: Vec<QuotaLeft>,
    /// For a signed-in builder: the team's budget.
    pub budget: Option<BudgetUse>,
}

/// What the service adds to the rules of `challenge.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceRules {
    /// Official submissions of a builder in all, 1 to 1,000,000; null for no limit.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub official_lifetime: Option<u32>,
    /// Failed runs of a builder in 24 hours that do not count against the quota of submissions, 0 to 1,000. Each further one does.
    #[schemars(range(max = 1_000))]
    pub failures_per_day: u32,
    /// Submissions of a builder that run at the same time, 1 to 16.
    #[schemars(range(min = 1, max = 16))]
    pub concurrency: u32,
    /// Compute that each team gets.
    pub team_budget: Compute,
    /// When the challenge stops taking submissions; null for open end.
    pub closes_at: Option<Timestamp>,
}

impl Default for ServiceRules {
    fn default() -> Self {
        Self {
            official_lifetime: None,
            failures_per_day: 10,
            concurrency: 2,
            team_budget: Compute::from_flops(200_000_000_000_000_000),
            closes_at: None,
        }
    }
}

/// A metric, for people and programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricView {
    /// Registry name.
    pub name: String,
    /// What pages call it.
    pub title: String,
    /// Which way is better.
    pub better: Better,
    /// The smallest possible value; null for none.
    pub min: Option<f64>,
    /// The largest possible value; null for none.
    pub max: Option<f64>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More.
    Higher,
    /// Less.
    Lower,
    /// Nearer to zero.
    NearerToZero,
}

impl From<&Metric> for MetricView {
    fn from(metric: &Metric) -> Self {
        Self {
            name: metric.name.to_owned(),
            title: metric.label.to_owned(),
            better: match metric.direction {
                _ if metric.ranks_by_magnitude => Better::NearerToZero,
                Direction::HigherIsBetter => Better::Higher,
                Direction::LowerIsBetter => Better::Lower,
            },
            min: metric.range.min,
            max: metric.range.max,
        }
    }
}

/// Which challenges are listed, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChallengesQuery {
    /// Words that the title, summary or keywords must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// The `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many items, 1 to 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
}
