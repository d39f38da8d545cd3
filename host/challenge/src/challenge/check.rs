//! The rules that a parsed challenge must follow beyond its types. Every fault is collected, none hides another.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use thimble_datasets::MetadatasetError;
use thimble_metrics::{Direction, Metric};

use super::{Bounds, CarbonFactors, Challenge, Limits, MetricOptions, OPEN_END, ScoreRule, TieBreak};
use crate::composite::{Composite, Quality};
use crate::name::{NAME_RULE, excerpt, is_name};
use crate::units::{FUEL_PER_FLOP, MAX_FUEL};

/// The largest budget in FLOPs: its fuel is 2^53.
pub const MAX_FLOPS: u64 = MAX_FUEL.0 / FUEL_PER_FLOP;

/// The most rows a test split may have, so that the fuel of all its predictions together stays at most 2^53.
pub const MAX_TEST_ROWS: u64 = 1 << 16;

/// The largest integer that every JSON reader holds exactly.
const MAX_JSON_INTEGER: u64 = 1 << 53;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Path of the field, for example `limits.parameters` or `targets[1]`.
    pub field: String,
    /// What the field must be, with the limit.
    pub rule: String,
    /// What it is.
    pub found: String,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.rule)?;
        if self.found.is_empty() { Ok(()) } else { write!(f, "; found {}", self.found) }
    }
}

/// Every fault of a challenge, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeErrors(pub Vec<Fault>);

impl std::error::Error for ChallengeErrors {}

impl Display for ChallengeErrors {
    /// One fault a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            Display::fmt(fault, f)?;
        }
        Ok(())
    }
}

/// Checks every rule of `docs/challenge-format.md` that the types do not carry.
pub(super) fn check(challenge: &Challenge) -> Vec<Fault> {
    let mut faults = Faults::default();
    faults.heading(challenge);
    faults.schema(challenge);
    faults.limits(&challenge.limits);
    faults.ranking(challenge);
    faults.release(challenge);
    faults.within("quotas.official_per_day", challenge.quotas.official_per_day, 1..=1_000);
    faults.within("quotas.validation_per_day", challenge.quotas.validation_per_day, 1..=10_000);
    faults.carbon(&challenge.carbon);
    if challenge.targets.is_empty() {
        faults.add("targets", "must name at least one target", "none");
    }
    faults.distinct("targets", challenge.targets.iter().map(|t| t.name()));
    faults.within("seed", challenge.seed, 0..=MAX_JSON_INTEGER);
    faults.0
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, field: impl Into<String>, rule: impl Into<String>, found: impl Display) {
        self.0.push(Fault { field: field.into(), rule: rule.into(), found: found.to_string() });
    }

    fn within<T: PartialOrd + Display>(&mut self, field: &str, value: T, range: RangeInclusive<T>) {
        if !range.contains(&value) {
            self.add(field, format!("must be {} to {}", range.start(), range.end()), value);
        }
    }

    /// A finite number above `low` and at most `high`.
    fn above(&mut self, field: &str, value: f64, low: f64, high: f64) {
        if !(value > low && value <= high) {
            self.add(field, format!("must be above {low} and at most {high}"), value);
        }
    }

    fn text(&mut self, field: &str, text: &str, most: usize) {
        let length = text.chars().count();
        if length == 0 || length > most {
            self.add(field, format!("must have 1 to {most} characters"), length);
        }
        if text.chars().any(char::is_control) {
            self.add(field, "must not contain control characters", format!("\"{}\"", excerpt(text)));
        }
    }

    fn distinct<T: Ord + Display>(&mut self, field: &str, items: impl Iterator<Item = T>) {
        let mut seen = BTreeSet::new();
        for (i, item) in items.enumerate() {
            let shown = excerpt(&item.to_string());
            if !seen.insert(item) {
                self.add(format!("{field}[{i}]"), "must not repeat an earlier one", format!("\"{shown}\""));
            }
        }
    }

    fn heading(&mut self, challenge: &Challenge) {
        if challenge.schema_version != 1 {
            self.add("schema_version", "must be 1, the version this host reads", challenge.schema_version);
        }
        if !is_name(&challenge.name) {
            self.add("name", format!("must have {NAME_RULE}"), format!("\"{}\"", excerpt(&challenge.name)));
        }
        self.text("title", &challenge.title, 82);
        self.text("summary", &challenge.summary, 500);
        if challenge.keywords.len() > 6 {
            self.add("keywords", "must be at most 6", challenge.keywords.len());
        }
        for (i, keyword) in challenge.keywords.iter().enumerate() {
            let field = format!("keywords[{i}]");
            if keyword.is_empty() || keyword.len() > 30 {
                self.add(&field, "must have 1 to 30 bytes", keyword.len());
            }
            if keyword.chars().any(char::is_control) {
                self.add(&field, "must not contain control characters", format!("\"{}\"", excerpt(keyword)));
            }
        }
        self.distinct("keywords", challenge.keywords.iter().map(|k| k.to_lowercase()));
    }

    fn schema(&mut self, challenge: &Challenge) {
        if let Err(error) = thimble_datasets::schema::check(&challenge.task, &challenge.fields) {
            match error {
                MetadatasetError::Rule { path, reason } | MetadatasetError::Json { path, reason } => {
                    self.add(path, reason, "");
                }
            }
        }
    }

    fn limits(&mut self, limits: &Limits) {
        self.within("limits.parameters", limits.parameters.0, 1..=1_000_000_000);
        self.within("limits.embedded_allowance_bytes", limits.embedded_allowance_bytes, 0..=4 << 20);
        self.within("limits.training_flops", limits.training_flops.0, 1..=MAX_FLOPS);
        let field = "limits.prediction_flops_per_sample";
        self.within(field, limits.prediction_flops_per_sample.0, 1..=MAX_FLOPS / MAX_TEST_ROWS);
        self.within("limits.memory_bytes", limits.memory_bytes, 1 << 20..=4 << 30);
        self.within("limits.wall_seconds", limits.wall_seconds, 1..=86_400);
        self.within("limits.batch_size", limits.batch_size, 1..=65_536);
    }

    fn ranking(&mut self, challenge: &Challenge) {
        let (ranking, task) = (&challenge.ranking, challenge.metric_task());
        let known: Vec<_> = thimble_metrics::metrics(task).map(|metric| metric.name).collect();
        let all = std::iter::once(&ranking.metric).chain(&ranking.also_published);
        for (i, name) in all.enumerate() {
            if thimble_metrics::metric(task, name).is_none() {
                let field = match i {
                    0 => "ranking.metric".to_owned(),
                    _ => format!("ranking.also_published[{}]", i - 1),
                };
                let rule = format!("must be a metric of the task: {}", known.join(", "));
                self.add(field, rule, format!("\"{}\"", excerpt(name)));
            }
        }
        self.metric_options(&ranking.options);
        self.distinct("ranking.also_published", ranking.also_published.iter());
        if let Some(i) = ranking.also_published.iter().position(|name| *name == ranking.metric) {
            let field = format!("ranking.also_published[{i}]");
            self.add(field, "must differ from ranking.metric, which is always published", &ranking.metric);
        }
        self.distinct("ranking.tie_breaks", ranking.tie_breaks.iter().map(|t| t.name()));
        if let Some(i) = ranking.tie_breaks.iter().position(|t| *t == TieBreak::Earlier)
            && i + 1 < ranking.tie_breaks.len()
        {
            self.add(format!("ranking.tie_breaks[{i}]"), "`earlier` must be the last: it leaves nothing to decide", "");
        }
        self.score(&challenge.score, challenge.ranking_metric());
    }

    fn metric_options(&mut self, options: &MetricOptions) {
        self.within("ranking.options.relative_tolerance", options.relative_tolerance, 0.0..=1.0);
        self.within("ranking.options.absolute_tolerance", options.absolute_tolerance, 0.0..=1e30);
        self.within("ranking.options.score_threshold", options.score_threshold, 0.0..=1.0);
        if let Some(horizon) = options.event_horizon {
            self.above("ranking.options.event_horizon", horizon, 0.0, 1e30);
        }
    }

    fn score(&mut self, score: &ScoreRule, metric: Option<&Metric>) {
        let rises_to_1 = metric.is_none_or(|m| m.direction == Direction::HigherIsBetter && m.range.max == Some(1.0));
        match score {
            ScoreRule::Metric => {}
            ScoreRule::LinearAboveBaseline { baseline } => {
                if !(0.0..1.0).contains(baseline) {
                    self.add("score.baseline", "must be at least 0 and below 1", baseline);
                }
                if !rises_to_1 {
                    self.add("score.rule", "`linear_above_baseline` needs a ranking metric whose best value is 1", "");
                }
            }
            ScoreRule::Composite(composite) => self.composite(composite, metric, rises_to_1),
        }
    }

    fn composite(&mut self, composite: &Composite, metric: Option<&Metric>, rises_to_1: bool) {
        let Composite { weights, floor, best, quality, house, reference_flops } = composite;
        let parts = [("quality", weights.quality), ("flops", weights.flops), ("carbon", weights.carbon)];
        for (name, weight) in parts {
            self.within(&format!("score.weights.{name}"), weight, 0.0..=1.0);
        }
        let sum = weights.quality + weights.flops + weights.carbon;
        if (sum - 1.0).abs() > 1e-9 {
            self.add("score.weights", "must sum to 1", sum);
        }
        if *quality == Quality::Metric && !rises_to_1 {
            self.add("score.quality", "`metric` needs a ranking metric whose best value is 1; use `skill`", "");
        }
        if metric.is_some_and(|metric| metric.ranks_by_magnitude) {
            self.add("score.rule", "`composite` needs a ranking metric that does not rank by its magnitude", "");
        }
        if let Some(metric) = metric {
            let (low, high) = (metric.range.min.unwrap_or(f64::MIN), metric.range.max.unwrap_or(f64::MAX));
            self.within("score.floor", *floor, low..=high);
            self.within("score.best", *best, low..=high);
            let rises = metric.direction == Direction::HigherIsBetter;
            if (rises && best <= floor) || (!rises && best >= floor) {
                self.add("score.best", format!("must be better than score.floor, {floor}"), best);
            }
        }
        if house.len() > 6 {
            self.add("score.house", "must be at most 6", house.len());
        }
        for (i, baseline) in house.iter().enumerate() {
            self.text(&format!("score.house[{i}].name"), &baseline.name, 63);
            if !composite.reaches_floor(baseline.metric) {
                let field = format!("score.house[{i}].metric");
                self.add(field, format!("must reach score.floor, {floor}"), baseline.metric);
            }
            let most = MAX_FLOPS / MAX_TEST_ROWS;
            self.within(&format!("score.house[{i}].flops_per_sample"), baseline.flops_per_sample, 0.0..=most as f64);
        }
        self.distinct("score.house", house.iter().map(|baseline| &baseline.name));
        self.within("score.reference_flops", *reference_flops, 1.0..=(MAX_FLOPS / MAX_TEST_ROWS) as f64);
    }

    fn release(&mut self, challenge: &Challenge) {
        let release = &challenge.release;
        self.within("release.metric_decimals", release.metric_decimals, 1..=6);
        self.within("release.flops_digits", release.flops_digits, 1..=6);
        self.within("release.tick_seconds", release.tick_seconds, 0..=604_800);
        if let Some(improvement) = release.improvement {
            self.above("release.improvement", improvement, 0.0, 1e6);
        }
        if let Some(share) = release.shown_share {
            self.within("release.shown_share", share, 0.05..=0.95);
        }
        self.bounds(challenge);
    }

    fn bounds(&mut self, challenge: &Challenge) {
        let ranking = &challenge.ranking;
        for (name, Bounds { low, high }) in &challenge.release.bounds {
            let field = format!("release.bounds.{}", excerpt(name));
            if *name != ranking.metric && !ranking.also_published.contains(name) {
                self.add(&field, "must be of a metric that is published", "");
            }
            self.within(&format!("{field}.low"), *low, -OPEN_END..=OPEN_END);
            self.within(&format!("{field}.high"), *high, -OPEN_END..=OPEN_END);
            if low >= high {
                self.add(format!("{field}.high"), format!("must be above low, {low}"), high);
            }
        }
    }

    fn carbon(&mut self, carbon: &CarbonFactors) {
        self.above("carbon.joules_per_flop", carbon.joules_per_flop, 0.0, 1.0);
        self.within("carbon.pue", carbon.pue, 1.0..=10.0);
        self.above("carbon.grid_g_per_kwh", carbon.grid_g_per_kwh, 0.0, 10_000.0);
    }
}
