//! The challenge file, parsed and checked.
//!
//! The types here are what `challenge.json` deserialises into; unknown fields are refused everywhere.

mod check;
mod disclosure;
mod figures;
mod load;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thimble_datasets::{Digest, Field, PublicData, Role, TaskKind, schema};
use thimble_metrics::{Metric, Range};

use crate::composite::Composite;
use crate::round;
use crate::units::{Flops, Fuel, MAX_FUEL, ParameterCount};

pub use check::{ChallengeErrors, Fault, MAX_FLOPS, MAX_TEST_ROWS};
pub use disclosure::{BYTES_PER_FUEL, Disclosure};
pub use figures::{FIGURES_END, FIGURES_START, figures, grouped, percent};
pub use load::{LoadError, LoadedChallenge, MAX_CHALLENGE_BYTES, MAX_STATEMENT_BYTES};

/// `challenge.json`, schema version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Always 1.
    pub schema_version: u32,
    /// 3 to 63 characters: lower-case letters, digits, single hyphens inside; equals the directory's name.
    pub name: String,
    /// 1 to 82 characters.
    pub title: String,
    /// One or two sentences, 1 to 500 characters.
    pub summary: String,
    /// 0 to 6 keywords of at most 30 bytes.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// What is predicted.
    pub task: TaskKind,
    /// What it is predicted from, and what is true: fields of the data, as `dataset.json` has them. A field of the data
    /// that is not listed is not shown to a solution.
    pub fields: Vec<Field>,
    /// The data of validation and of official runs.
    pub datasets: DatasetBindings,
    /// What a submission may use.
    pub limits: Limits,
    /// Whether rows must be predicted independently of each other.
    #[serde(default)]
    pub rows: RowRule,
    /// What is measured, and what ranks.
    pub ranking: Ranking,
    /// How the ranking metric becomes a score.
    pub score: ScoreRule,
    /// What an official run publishes.
    #[serde(default)]
    pub release: ReleaseRule,
    /// Submissions per builder.
    #[serde(default)]
    pub quotas: Quotas,
    /// Who may see the challenge and its results.
    #[serde(default)]
    pub visibility: Visibility,
    /// Factors that turn FLOPs into gCO2e.
    #[serde(default)]
    pub carbon: CarbonFactors,
    /// Where submissions run, at least one; the figures are the same on all of them.
    pub targets: Vec<Target>,
    /// A public number: loader order and the guest's random streams derive from it. Never any data.
    /// At most 2^53.
    pub seed: u64,
    /// Official data may be data that anyone can own. Results are labelled practice.
    #[serde(default)]
    pub practice: bool,
}

/// The metric registry's name of a dataset's task.
pub const fn metric_task(task: &TaskKind) -> thimble_metrics::Task {
    use thimble_metrics::Task;
    match task {
        TaskKind::ImageClassification(_) => Task::ImageClassification,
        TaskKind::TextClassification(_) => Task::TextClassification,
        TaskKind::TabularClassification(_) => Task::TabularClassification,
        TaskKind::ObjectDetection(_) => Task::ObjectDetection,
        TaskKind::SemanticSegmentation(_) => Task::SemanticSegmentation,
        TaskKind::InstanceSegmentation(_) => Task::InstanceSegmentation,
        TaskKind::KeypointDetection(_) => Task::KeypointDetection,
        TaskKind::TabularRegression => Task::TabularRegression,
        TaskKind::TimeSeriesForecasting => Task::TimeSeriesForecasting,
        TaskKind::TimeToEvent => Task::TimeToEvent,
    }
}

impl Challenge {
    /// The kind of task that the metric registry knows it by.
    pub const fn metric_task(&self) -> thimble_metrics::Task {
        metric_task(&self.task)
    }

    /// The ranking metric; none where the challenge is not valid.
    pub fn ranking_metric(&self) -> Option<&'static Metric> {
        thimble_metrics::metric(self.metric_task(), &self.ranking.metric)
    }

    /// Every metric that is computed: the ranking one, then those also published.
    pub fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        let names = std::iter::once(&self.ranking.metric).chain(&self.ranking.also_published);
        names.filter_map(|name| thimble_metrics::metric(self.metric_task(), name))
    }

    /// The fields that a solution is given as inputs, in order.
    pub fn inputs(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.role == Role::Input)
    }

    /// The fields that a solution is given as targets, in order.
    pub fn targets(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.role == Role::Target)
    }

    /// What a solution must predict.
    pub fn outputs(&self) -> Vec<Field> {
        schema::outputs(&self.task, &self.fields)
    }
}

/// The data of validation and of official runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetBindings {
    /// Public data, for `thimble run` in validation mode.
    pub public: PublicDataset,
    /// The commitment to the official data: sha256(32-byte salt followed by the 32-byte dataset digest); null until the
    /// operator publishes one (`thimble challenge commit`), and no official run happens before.
    pub official_commitment: Option<Digest>,
}

/// The public data; its digest is checked before every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicDataset {
    /// Where it comes from.
    pub source: PublicSource,
    /// Dataset digest.
    pub digest: Digest,
}

/// Where public data comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicSource {
    /// The directory `public/` beside `challenge.json`.
    Directory,
    /// Made by `thimble dataset generate imagenet-pareto --canonical`.
    ImagenetParetoCanonical,
    /// Made by `thimble dataset generate frugal-digits --public`.
    FrugalDigits,
    /// Made by `thimble dataset generate frugal-embeddings --public`.
    FrugalEmbeddings,
    /// Made by `thimble dataset generate digit-images --public`.
    DigitImages,
    /// Made by `thimble dataset generate ticket-routing --public`.
    TicketRouting,
    /// Made by `thimble dataset generate breast-cancer --public`.
    BreastCancer,
    /// Made by `thimble dataset generate shape-boxes --public`.
    ShapeBoxes,
    /// Made by `thimble dataset generate shape-pixels --public`.
    ShapePixels,
    /// Made by `thimble dataset generate shape-masks --public`.
    ShapeMasks,
    /// Made by `thimble dataset generate kite-corners --public`.
    KiteCorners,
    /// Made by `thimble dataset generate diabetes-progression --public`.
    DiabetesProgression,
    /// Made by `thimble dataset generate sunspots --public`.
    Sunspots,
    /// Made by `thimble dataset generate rossi --public`.
    Rossi,
}

impl PublicSource {
    /// What is generated; none for a directory.
    pub const fn generated(self) -> Option<PublicData> {
        match self {
            Self::Directory => None,
            Self::ImagenetParetoCanonical => Some(PublicData::ImagenetParetoCanonical),
            Self::FrugalDigits => Some(PublicData::FrugalDigits),
            Self::FrugalEmbeddings => Some(PublicData::FrugalEmbeddings),
            Self::DigitImages => Some(PublicData::DigitImages),
            Self::TicketRouting => Some(PublicData::TicketRouting),
            Self::BreastCancer => Some(PublicData::BreastCancer),
            Self::ShapeBoxes => Some(PublicData::ShapeBoxes),
            Self::ShapePixels => Some(PublicData::ShapePixels),
            Self::ShapeMasks => Some(PublicData::ShapeMasks),
            Self::KiteCorners => Some(PublicData::KiteCorners),
            Self::DiabetesProgression => Some(PublicData::DiabetesProgression),
            Self::Sunspots => Some(PublicData::Sunspots),
            Self::Rossi => Some(PublicData::Rossi),
        }
    }
}

/// What a submission may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Stored 32-bit words, inclusive; 1 to 1,000,000,000.
    pub parameters: ParameterCount,
    /// Bytes of the component (outside custom sections) that are free of charge; beyond, 4 bytes are one parameter.
    /// 0 to 4 MiB.
    #[serde(default = "default_embedded_allowance")]
    pub embedded_allowance_bytes: u64,
    /// Budget of `solve`, 1 to 2^49.
    pub training_flops: Flops,
    /// Budget of prediction, for each test row, 1 to 2^33.
    pub prediction_flops_per_sample: Flops,
    /// All memories of one instance and the matrices that the host holds for it together, 1 MiB to 4 GiB.
    pub memory_bytes: u64,
    /// Wall clock of training, prediction and scoring together, in seconds, 1 to 86,400. Compilation has limits of its own.
    pub wall_seconds: u64,
    /// Rows per batch, in training and prediction, 1 to 65,536.
    #[serde(default = "default_batch_size")]
    pub batch_size: u32,
}

impl Limits {
    /// The fuel budget of `load`: 256 for each parameter of the limit, and 10,000,000 where the limit is small.
    pub fn load_fuel(&self) -> Fuel {
        Fuel(self.parameters.0.saturating_mul(LOAD_FUEL_PER_PARAMETER).max(LOAD_FUEL_LEAST))
    }

    /// The fuel budget of predicting `rows` test rows; none above [`MAX_TEST_ROWS`].
    pub fn prediction_fuel(&self, rows: u64) -> Option<Fuel> {
        let fuel = self.prediction_flops_per_sample.fuel().0.checked_mul(rows).map(Fuel)?;
        (rows <= MAX_TEST_ROWS && fuel <= MAX_FUEL).then_some(fuel)
    }
}

/// Fuel of `load` for each parameter of the limit.
const LOAD_FUEL_PER_PARAMETER: u64 = 256;
/// Fuel of `load` where the limit is small.
const LOAD_FUEL_LEAST: u64 = 10_000_000;

const fn default_embedded_allowance() -> u64 {
    256 << 10
}

const fn default_batch_size() -> u32 {
    128
}

/// Whether rows must be predicted independently of each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowRule {
    /// 5 % of the rows, at least 256, are predicted again in a fresh instance, in another order and batch size, and 16
    /// more each alone in an instance of its own; a submission whose answers differ is labelled transductive and not
    /// ranked.
    #[default]
    Independent,
    /// A prediction may depend on other rows.
    Transductive,
}

/// What is measured, and what ranks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ranking {
    /// The ranking metric's registry name, for example `accuracy`.
    pub metric: String,
    /// Further metrics that are published, registry names.
    #[serde(default)]
    pub also_published: Vec<String>,
    /// What the owner chooses where the definition of a metric leaves a choice.
    #[serde(default, skip_serializing_if = "MetricOptions::is_default")]
    pub options: MetricOptions,
    /// After the score: what decides between equals, in this order; `earlier` can only be the last.
    pub tie_breaks: Vec<TieBreak>,
}

/// What the owner chooses where the definition of a metric leaves a choice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricOptions {
    /// Accuracy of a regression or a forecast: |ŷ − y| ≤ `absolute_tolerance` + `relative_tolerance` · |y| is right. 0 to 1.
    pub relative_tolerance: f64,
    /// See `relative_tolerance`; in the unit of the target, at least 0.
    pub absolute_tolerance: f64,
    /// Detection and instance segmentation: the lowest score of an object that counts in accuracy, precision, recall, F1 and
    /// loss. 0 to 1.
    pub score_threshold: f64,
    /// F1 of time to event: an event until then is a positive; null for the median time of the training split's events.
    pub event_horizon: Option<f64>,
}

impl MetricOptions {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// As the metric registry takes them.
    pub const fn for_metrics(&self) -> thimble_metrics::Options {
        thimble_metrics::Options {
            relative_tolerance: self.relative_tolerance,
            absolute_tolerance: self.absolute_tolerance,
            score_threshold: self.score_threshold,
        }
    }
}

impl Default for MetricOptions {
    fn default() -> Self {
        let thimble_metrics::Options { relative_tolerance, absolute_tolerance, score_threshold } =
            thimble_metrics::Options::default();
        Self { relative_tolerance, absolute_tolerance, score_threshold, event_horizon: None }
    }
}

/// What decides between equal scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TieBreak {
    /// The better ranking metric.
    Metric,
    /// Fewer parameters.
    FewerParameters,
    /// Fewer FLOPs per sample.
    FewerFlops,
    /// Submitted earlier.
    Earlier,
}

impl TieBreak {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The name used in every file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::FewerParameters => "fewer_parameters",
            Self::FewerFlops => "fewer_flops",
            Self::Earlier => "earlier",
        }
    }
}

/// How the ranking metric becomes a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum ScoreRule {
    /// `(metric − baseline) / (1 − baseline) × 100`, clamped to [0, 100].
    LinearAboveBaseline {
        /// The metric's value at which the score is 0; at least 0, below 1.
        baseline: f64,
    },
    /// The metric itself.
    Metric,
    /// Quality, and how little a prediction costs against the field.
    Composite(Composite),
}

/// What an official run publishes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseRule {
    /// Decimals that published metrics are rounded to, 1 to 6; a metric whose range has an open end is rounded to as many
    /// significant digits instead, since a submission could write a message into the digits of a very large value.
    pub metric_decimals: u32,
    /// For published metrics by registry name, the values beyond which a figure is published as the bound. The decimals
    /// count from the first digit of the bounds' distance: 0 to 200 with 3 decimals is a grid of 0.1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bounds: BTreeMap<String, Bounds>,
    /// Significant digits of the published FLOPs per sample, 1 to 6.
    pub flops_digits: u32,
    /// Results appear on this grid of seconds, at most 604,800 (0: at once).
    pub tick_seconds: u64,
    /// A new figure is published only when it beats the builder's best published one by more than this (the Ladder rule, Blum and
    /// Hardt 2015), above 0; null: always.
    pub improvement: Option<f64>,
    /// The share of the test rows on which published metrics are computed until the challenge closes, 0.05 to 0.95; then
    /// those of the other rows take their place. Which rows is drawn from the operator's secret, once for all
    /// submissions. Null: metrics are those of all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_share: Option<f64>,
}

/// Between which values a metric is published.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Published for everything below, at least −1e30.
    pub low: f64,
    /// Published for everything above, above `low`, at most 1e30.
    pub high: f64,
}

/// The largest magnitude that is published where a metric's range has an open end, and the largest of a prediction; below
/// its inverse, 0 is published.
pub const OPEN_END: f64 = 1e30;

impl ReleaseRule {
    /// A metric's value as it is published.
    pub fn round(&self, metric: &Metric, value: f64) -> f64 {
        if let Some(bounds) = self.bounds.get(metric.name) {
            return round::to_place(value.clamp(bounds.low, bounds.high), self.place(bounds));
        }
        match metric.range {
            Range { min: Some(_), max: Some(_) } => round::decimals(value, self.metric_decimals),
            Range { .. } if value.abs() < OPEN_END.recip() => 0.0,
            Range { .. } => round::significant(value.clamp(-OPEN_END, OPEN_END), self.metric_decimals),
        }
    }

    /// How many of `rows` test rows are shown; none where all are. The nearest whole number to the share.
    pub fn shown_rows(&self, rows: usize) -> Option<usize> {
        self.shown_share.map(|share| (share * rows as f64).round() as usize)
    }

    /// The distance of published values between bounds.
    pub fn step(&self, bounds: &Bounds) -> f64 {
        format!("1e{}", self.place(bounds)).parse().unwrap_or(f64::NAN)
    }

    /// The decimal place that a metric is rounded to between bounds.
    fn place(&self, bounds: &Bounds) -> i64 {
        let width = round::exponent(bounds.high - bounds.low).unwrap_or(0);
        i64::from(width) - i64::from(self.metric_decimals)
    }
}

impl Default for ReleaseRule {
    /// About 25 bits an official run: see [`Disclosure`].
    fn default() -> Self {
        Self {
            metric_decimals: 3,
            bounds: BTreeMap::new(),
            flops_digits: 3,
            tick_seconds: 900,
            improvement: None,
            shown_share: None,
        }
    }
}

/// Submissions per builder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Official submissions in any 24 hours, 1 to 1,000.
    pub official_per_day: u32,
    /// Validation submissions in any 24 hours, 1 to 10,000.
    pub validation_per_day: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { official_per_day: 5, validation_per_day: 50 }
    }
}

/// Who may see the challenge and its results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everyone.
    #[default]
    Public,
    /// Those invited.
    Private,
}

/// Factors that turn FLOPs into gCO2e: `FLOPs × joules_per_flop × pue × grid / 3.6e6`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CarbonFactors {
    /// Joules per FLOP, above 0 and at most 1.
    pub joules_per_flop: f64,
    /// Power usage effectiveness of the site, 1 to 10.
    pub pue: f64,
    /// Grams of CO2e per kWh, above 0 and at most 10,000.
    pub grid_g_per_kwh: f64,
}

impl Default for CarbonFactors {
    /// 200 pJ per FLOP (stated ×/÷ 5: between SPECpower Neoverse-N1 wall power over measured sandbox throughput, 250 pJ,
    /// and ML CO2 Impact's CPU row, 207 pJ); PUE 1.54 (Uptime Institute 2025, world mean); 473 g/kWh (EcoLogits, world).
    fn default() -> Self {
        Self { joules_per_flop: 2.0e-10, pue: 1.54, grid_g_per_kwh: 473.0 }
    }
}

/// Where submissions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Target {
    /// 64-bit ARM Linux, no accelerator.
    #[serde(rename = "linux-arm64-cpu")]
    LinuxArm64Cpu,
    /// x86-64 Linux, no accelerator.
    #[serde(rename = "linux-amd64-cpu")]
    LinuxAmd64Cpu,
}

impl Target {
    /// The name used in every file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LinuxArm64Cpu => "linux-arm64-cpu",
            Self::LinuxAmd64Cpu => "linux-amd64-cpu",
        }
    }
}
