//! Challenges as operators write them: four steps, in any order, checked as a whole when they are published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_challenge::challenge::{
    CarbonFactors, Limits, MetricOptions, Quotas, ReleaseRule, RowRule, ScoreRule, TieBreak, Visibility,
};

use crate::challenge::ServiceRules;
use crate::id::{ChallengeName, DatasetName};

/// The largest cover image, in bytes, before it is decoded.
pub const MAX_COVER_BYTES: usize = 25 << 20;
/// The largest upload of statistics or a notebook, in bytes.
pub const MAX_EXPLORATION_BYTES: usize = 25 << 20;

/// Begins a draft: step 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDraft {
    /// Unique in the service, never changed.
    pub name: ChallengeName,
    /// 1 to 82 characters.
    pub title: String,
}

/// A draft. What is missing is named when it is published, not before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Draft {
    /// Step 1: 1 to 82 characters.
    pub title: String,
    /// Step 1: one or two sentences, 1 to 500 characters.
    pub summary: String,
    /// Step 1: up to 6.
    pub keywords: Vec<String>,
    /// Step 1: public, or for those invited. The cover image has an address of its own.
    pub visibility: Visibility,
    /// Step 2: a registered dataset for validation. It brings the task and the fields.
    pub public_dataset: Option<DatasetName>,
    /// Step 2: a registered dataset for official runs, with the same task and fields.
    pub official_dataset: Option<DatasetName>,
    /// Step 2: what ranks; a metric of the task. The statistics have an address of their own.
    pub metric: Option<String>,
    /// Step 2: further metrics that are published.
    pub also_published: Vec<String>,
    /// Step 2: what the owner chooses where the definition of a metric leaves a choice.
    pub metric_options: MetricOptions,
    /// Step 2: how the metric becomes a score; the metric itself where there is none.
    pub score: Option<ScoreRule>,
    /// Step 2: what decides between equal scores.
    pub tie_breaks: Option<Vec<TieBreak>>,
    /// Step 3: Markdown, up to 200 KiB. The table of figures is added.
    pub description: String,
    /// Step 4: what a submission may use.
    pub limits: Option<Limits>,
    /// Step 4: whether rows must be predicted independently of each other.
    pub rows: RowRule,
    /// Step 4: what an official run publishes.
    pub release: ReleaseRule,
    /// Step 4: submissions per builder and day.
    pub quotas: Quotas,
    /// Step 4: factors that turn FLOPs into gCO2e.
    pub carbon: CarbonFactors,
    /// Step 4: budgets, concurrency, deadline. Invitations have an address of their own.
    pub rules: ServiceRules,
    /// Step 4: loader order and the guest's random streams derive from it. Public.
    pub seed: u64,
    /// Official data may be data that anyone can own.
    pub practice: bool,
}

/// What can still be edited once a challenge is published; null leaves a field as it is. What is measured, and what it
/// is measured on, cannot change under the submissions that were made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Edit {
    /// 1 to 82 characters.
    pub title: Option<String>,
    /// 1 to 500 characters.
    pub summary: Option<String>,
    /// Up to 6.
    pub keywords: Option<Vec<String>>,
    /// Markdown.
    pub description: Option<String>,
    /// Public, or for those invited.
    pub visibility: Option<Visibility>,
    /// Submissions per builder and day.
    pub quotas: Option<Quotas>,
    /// Budgets, concurrency, deadline.
    pub rules: Option<ServiceRules>,
}
