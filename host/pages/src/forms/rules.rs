//! Step 4, as typed: limits, quotas, release, budgets.

use thimble_api::ErrorDetail;
use thimble_api::challenge::{ServiceRules, Stage};
use thimble_api::draft::Draft;
use thimble_challenge::challenge::{CarbonFactors, Limits, Quotas, ReleaseRule, RowRule};
use thimble_challenge::{Flops, ParameterCount};

use super::parse::{FLOPS_RULE, Reader};
use super::{Fields, is_open, values};

/// Step 4.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step4Form {
    /// `limits.parameters`.
    pub parameters: String,
    /// `limits.embedded_allowance_bytes`: bytes, or with KiB, MiB, GiB.
    pub embedded_allowance_bytes: String,
    /// `limits.training_flops`: FLOPs, or with a prefix.
    pub training_flops: String,
    /// `limits.prediction_flops_per_sample`.
    pub prediction_flops_per_sample: String,
    /// `limits.memory_bytes`.
    pub memory_bytes: String,
    /// `limits.wall_seconds`.
    pub wall_seconds: String,
    /// `limits.batch_size`.
    pub batch_size: String,
    /// `rows`: `independent` or `transductive`.
    pub rows: String,
    /// `release.metric_decimals`.
    pub metric_decimals: String,
    /// `release.flops_digits`.
    pub flops_digits: String,
    /// `release.tick_seconds`.
    pub tick_seconds: String,
    /// `release.improvement`; may be empty.
    pub improvement: String,
    /// `release.shown_share`; may be empty.
    pub shown_share: String,
    /// `quotas.official_per_day`.
    pub official_per_day: String,
    /// `quotas.validation_per_day`.
    pub validation_per_day: String,
    /// `carbon.joules_per_flop`, `.pue`, `.grid_g_per_kwh`.
    pub carbon: [String; 3],
    /// `rules.official_lifetime`; may be empty.
    pub official_lifetime: String,
    /// `rules.failures_per_day`.
    pub failures_per_day: String,
    /// `rules.concurrency`.
    pub concurrency: String,
    /// `rules.team_budget`: an amount such as `200PF`.
    pub team_budget: String,
    /// `rules.closes_at`: `2026-12-31T18:00` in UTC; may be empty.
    pub closes_at: String,
    /// `seed`.
    pub seed: String,
}

/// The names of the carbon factors, in the order in which the form has them.
const CARBON: [&str; 3] = ["carbon.joules_per_flop", "carbon.pue", "carbon.grid_g_per_kwh"];

impl Step4Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self {
            parameters: fields.line("limits.parameters"),
            embedded_allowance_bytes: fields.line("limits.embedded_allowance_bytes"),
            training_flops: fields.line("limits.training_flops"),
            prediction_flops_per_sample: fields.line("limits.prediction_flops_per_sample"),
            memory_bytes: fields.line("limits.memory_bytes"),
            wall_seconds: fields.line("limits.wall_seconds"),
            batch_size: fields.line("limits.batch_size"),
            rows: fields.line("rows"),
            metric_decimals: fields.line("release.metric_decimals"),
            flops_digits: fields.line("release.flops_digits"),
            tick_seconds: fields.line("release.tick_seconds"),
            improvement: fields.line("release.improvement"),
            shown_share: fields.line("release.shown_share"),
            official_per_day: fields.line("quotas.official_per_day"),
            validation_per_day: fields.line("quotas.validation_per_day"),
            carbon: CARBON.map(|name| fields.line(name)),
            official_lifetime: fields.line("rules.official_lifetime"),
            failures_per_day: fields.line("rules.failures_per_day"),
            concurrency: fields.line("rules.concurrency"),
            team_budget: fields.line("rules.team_budget"),
            closes_at: fields.line("rules.closes_at"),
            seed: fields.line("seed"),
        }
    }

    /// What a draft has; where it has no limits yet, the usual ones of the example challenges.
    pub fn of(draft: &Draft) -> Self {
        let limits = draft.limits.clone().unwrap_or_else(usual_limits);
        let carbon = &draft.carbon;
        let rules = &draft.rules;
        Self {
            parameters: limits.parameters.to_string(),
            embedded_allowance_bytes: values::bytes_text(limits.embedded_allowance_bytes),
            training_flops: values::flops_text(limits.training_flops.0),
            prediction_flops_per_sample: values::flops_text(limits.prediction_flops_per_sample.0),
            memory_bytes: values::bytes_text(limits.memory_bytes),
            wall_seconds: limits.wall_seconds.to_string(),
            batch_size: limits.batch_size.to_string(),
            rows: match draft.rows {
                RowRule::Independent => "independent".to_owned(),
                RowRule::Transductive => "transductive".to_owned(),
            },
            metric_decimals: draft.release.metric_decimals.to_string(),
            flops_digits: draft.release.flops_digits.to_string(),
            tick_seconds: draft.release.tick_seconds.to_string(),
            improvement: draft.release.improvement.map(values::real_text).unwrap_or_default(),
            shown_share: draft.release.shown_share.map(values::real_text).unwrap_or_default(),
            official_per_day: draft.quotas.official_per_day.to_string(),
            validation_per_day: draft.quotas.validation_per_day.to_string(),
            carbon: [carbon.joules_per_flop, carbon.pue, carbon.grid_g_per_kwh].map(values::real_text),
            official_lifetime: rules.official_lifetime.map(|n| n.to_string()).unwrap_or_default(),
            failures_per_day: rules.failures_per_day.to_string(),
            concurrency: rules.concurrency.to_string(),
            team_budget: rules.team_budget.to_string(),
            closes_at: rules.closes_at.map(values::time_text).unwrap_or_default(),
            seed: draft.seed.to_string(),
        }
    }

    /// Changes the draft, and says what could not be read. Once it is published, only what can still be changed is
    /// read.
    pub fn apply(&self, draft: &mut Draft, stage: Stage) -> Vec<ErrorDetail> {
        let mut reader = Reader::default();
        self.quotas(&mut reader, &mut draft.quotas);
        self.rules(&mut reader, &mut draft.rules);
        if !is_open(stage) {
            return reader.into_faults();
        }
        if let Some(limits) = self.limits(&mut reader) {
            draft.limits = Some(limits);
        }
        match self.rows.as_str() {
            "independent" => draft.rows = RowRule::Independent,
            "transductive" => draft.rows = RowRule::Transductive,
            _ => reader.fault("rows", "must be independent or transductive"),
        }
        self.release(&mut reader, &mut draft.release);
        self.carbon(&mut reader, &mut draft.carbon);
        set(&mut draft.seed, reader.number("seed", &self.seed));
        reader.into_faults()
    }

    fn limits(&self, reader: &mut Reader) -> Option<Limits> {
        const BYTES_RULE: &str = "must be bytes such as 262144, 256 KiB or 2 GiB";
        let parameters = reader.number("limits.parameters", &self.parameters).map(ParameterCount);
        let field = "limits.embedded_allowance_bytes";
        let embedded = reader.of(field, &self.embedded_allowance_bytes, BYTES_RULE, values::bytes);
        let training = reader.of("limits.training_flops", &self.training_flops, FLOPS_RULE, values::flops);
        let field = "limits.prediction_flops_per_sample";
        let prediction = reader.of(field, &self.prediction_flops_per_sample, FLOPS_RULE, values::flops);
        let memory = reader.of("limits.memory_bytes", &self.memory_bytes, BYTES_RULE, values::bytes);
        let wall = reader.number("limits.wall_seconds", &self.wall_seconds);
        let batch = reader.number("limits.batch_size", &self.batch_size);
        Some(Limits {
            parameters: parameters?,
            embedded_allowance_bytes: embedded?,
            training_flops: Flops(training?),
            prediction_flops_per_sample: Flops(prediction?),
            memory_bytes: memory?,
            wall_seconds: wall?,
            batch_size: batch?,
        })
    }

    fn release(&self, reader: &mut Reader, release: &mut ReleaseRule) {
        set(&mut release.metric_decimals, reader.number("release.metric_decimals", &self.metric_decimals));
        set(&mut release.flops_digits, reader.number("release.flops_digits", &self.flops_digits));
        set(&mut release.tick_seconds, reader.number("release.tick_seconds", &self.tick_seconds));
        release.improvement = reader.optional_real("release.improvement", &self.improvement);
        release.shown_share = reader.optional_real("release.shown_share", &self.shown_share);
    }

    fn quotas(&self, reader: &mut Reader, quotas: &mut Quotas) {
        set(&mut quotas.official_per_day, reader.number("quotas.official_per_day", &self.official_per_day));
        set(&mut quotas.validation_per_day, reader.number("quotas.validation_per_day", &self.validation_per_day));
    }

    fn carbon(&self, reader: &mut Reader, carbon: &mut CarbonFactors) {
        let values = [&mut carbon.joules_per_flop, &mut carbon.pue, &mut carbon.grid_g_per_kwh];
        for ((name, text), value) in CARBON.iter().zip(&self.carbon).zip(values) {
            set(value, reader.real(name, text));
        }
    }

    fn rules(&self, reader: &mut Reader, rules: &mut ServiceRules) {
        rules.official_lifetime = reader.optional_number("rules.official_lifetime", &self.official_lifetime);
        set(&mut rules.failures_per_day, reader.number("rules.failures_per_day", &self.failures_per_day));
        set(&mut rules.concurrency, reader.number("rules.concurrency", &self.concurrency));
        set(&mut rules.team_budget, reader.parsed("rules.team_budget", &self.team_budget));
        rules.closes_at = if self.closes_at.is_empty() {
            None
        } else {
            let rule = "must be a date and a time in UTC such as 2026-12-31T18:00";
            reader.of("rules.closes_at", &self.closes_at, rule, values::time)
        };
    }
}

fn set<T>(value: &mut T, typed: Option<T>) {
    if let Some(typed) = typed {
        *value = typed;
    }
}

/// Those of most example challenges.
fn usual_limits() -> Limits {
    Limits {
        parameters: ParameterCount(500_000),
        embedded_allowance_bytes: 256 << 10,
        training_flops: Flops(4_000_000_000_000),
        prediction_flops_per_sample: Flops(2_000_000),
        memory_bytes: 512 << 20,
        wall_seconds: 1_800,
        batch_size: 128,
    }
}
