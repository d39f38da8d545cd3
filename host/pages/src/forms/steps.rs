//! The four steps, as typed.

use thimble_api::ErrorDetail;
use thimble_api::challenge::{ServiceRules, Stage};
use thimble_api::draft::Draft;
use thimble_challenge::challenge::{
    CarbonFactors, Limits, MetricOptions, Quotas, ReleaseRule, RowRule, ScoreRule, TieBreak, Visibility,
};
use thimble_challenge::composite::{Composite, HouseBaseline, Quality, Weights};
use thimble_challenge::{Flops, ParameterCount};

use super::parse::Reader;
use super::{Fields, is_open, values};

/// Lines of house baselines that the form has: as many as a challenge may.
pub const HOUSE_ROWS: usize = 6;

/// Step 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step1Form {
    /// 1 to 82 characters.
    pub title: String,
    /// 1 to 500 characters.
    pub summary: String,
    /// Up to 6, with commas between.
    pub keywords: String,
    /// `public` or `private`.
    pub visibility: String,
    /// Takes the cover image away.
    pub remove_cover: bool,
}

impl Step1Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self {
            title: fields.line("title"),
            summary: fields.lines("summary").trim().to_owned(),
            keywords: fields.line("keywords"),
            visibility: fields.line("visibility"),
            remove_cover: fields.is_ticked("remove_cover"),
        }
    }

    /// What a draft has.
    pub fn of(draft: &Draft) -> Self {
        Self {
            title: draft.title.clone(),
            summary: draft.summary.clone(),
            keywords: draft.keywords.join(", "),
            visibility: match draft.visibility {
                Visibility::Public => "public".to_owned(),
                Visibility::Private => "private".to_owned(),
            },
            remove_cover: false,
        }
    }

    /// Changes the draft, and says what could not be read. What is against a rule is found when the draft is checked.
    pub fn apply(&self, draft: &mut Draft) -> Vec<ErrorDetail> {
        let mut reader = Reader::default();
        draft.title.clone_from(&self.title);
        // One line: a challenge's summary has no control characters.
        draft.summary = self.summary.split_whitespace().collect::<Vec<_>>().join(" ");
        draft.keywords =
            self.keywords.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        match self.visibility.as_str() {
            "public" => draft.visibility = Visibility::Public,
            "private" => draft.visibility = Visibility::Private,
            _ => reader.fault("visibility", "must be public or private"),
        }
        reader.into_faults()
    }
}

/// A house baseline as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HouseRow {
    /// What pages call it.
    pub name: String,
    /// Its ranking metric.
    pub metric: String,
    /// Its FLOPs a row.
    pub flops_per_sample: String,
}

/// Step 2.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step2Form {
    /// A registered dataset.
    pub public_dataset: String,
    /// A registered dataset for official runs.
    pub official_dataset: String,
    /// Official data may be data that anyone can own.
    pub practice: bool,
    /// What ranks.
    pub metric: String,
    /// What else is published.
    pub also_published: Vec<String>,
    /// `metric_options.relative_tolerance`.
    pub relative_tolerance: String,
    /// `metric_options.absolute_tolerance`.
    pub absolute_tolerance: String,
    /// `metric_options.score_threshold`.
    pub score_threshold: String,
    /// `metric_options.event_horizon`; may be empty.
    pub event_horizon: String,
    /// `score.rule`: `metric`, `linear_above_baseline` or `composite`.
    pub rule: String,
    /// `score.baseline`.
    pub baseline: String,
    /// `score.weights.quality`, `.flops`, `.carbon`.
    pub weights: [String; 3],
    /// `score.floor`.
    pub floor: String,
    /// `score.best`.
    pub best: String,
    /// `score.quality`: `metric` or `skill`.
    pub quality: String,
    /// `score.house[0].name`, `.metric`, `.flops_per_sample`, and so on.
    pub house: Vec<HouseRow>,
    /// `score.reference_flops`.
    pub reference_flops: String,
    /// `tie_breaks[0]` to `tie_breaks[3]`; empty ones count for nothing.
    pub tie_breaks: [String; 4],
    /// Takes the page of statistics away.
    pub remove_exploration: bool,
}

/// The names of the weights, in the order in which the form has them.
const WEIGHTS: [&str; 3] = ["score.weights.quality", "score.weights.flops", "score.weights.carbon"];

impl Step2Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        let house = |i: usize| HouseRow {
            name: fields.line(&format!("score.house[{i}].name")),
            metric: fields.line(&format!("score.house[{i}].metric")),
            flops_per_sample: fields.line(&format!("score.house[{i}].flops_per_sample")),
        };
        Self {
            public_dataset: fields.line("public_dataset"),
            official_dataset: fields.line("official_dataset"),
            practice: fields.is_ticked("practice"),
            metric: fields.line("metric"),
            also_published: fields.all("also_published").map(str::to_owned).collect(),
            relative_tolerance: fields.line("metric_options.relative_tolerance"),
            absolute_tolerance: fields.line("metric_options.absolute_tolerance"),
            score_threshold: fields.line("metric_options.score_threshold"),
            event_horizon: fields.line("metric_options.event_horizon"),
            rule: fields.line("score.rule"),
            baseline: fields.line("score.baseline"),
            weights: WEIGHTS.map(|name| fields.line(name)),
            floor: fields.line("score.floor"),
            best: fields.line("score.best"),
            quality: fields.line("score.quality"),
            house: (0..HOUSE_ROWS).map(house).collect(),
            reference_flops: fields.line("score.reference_flops"),
            tie_breaks: [0, 1, 2, 3].map(|i| fields.line(&format!("tie_breaks[{i}]"))),
            remove_exploration: fields.is_ticked("remove_exploration"),
        }
    }

    /// What a draft has; where it has no score, what a composite one usually has, to begin with.
    pub fn of(draft: &Draft) -> Self {
        let options = &draft.metric_options;
        let ties = draft.tie_breaks.clone().unwrap_or_else(default_ties);
        let name =
            |name: &Option<thimble_api::id::DatasetName>| name.as_ref().map(ToString::to_string).unwrap_or_default();
        let form = Self {
            public_dataset: name(&draft.public_dataset),
            official_dataset: name(&draft.official_dataset),
            practice: draft.practice,
            metric: draft.metric.clone().unwrap_or_default(),
            also_published: draft.also_published.clone(),
            relative_tolerance: values::real_text(options.relative_tolerance),
            absolute_tolerance: values::real_text(options.absolute_tolerance),
            score_threshold: values::real_text(options.score_threshold),
            event_horizon: options.event_horizon.map(values::real_text).unwrap_or_default(),
            rule: "metric".to_owned(),
            tie_breaks: [0, 1, 2, 3].map(|i: usize| ties.get(i).map(|tie| tie.name().to_owned()).unwrap_or_default()),
            house: vec![HouseRow::default(); HOUSE_ROWS],
            ..Self::default()
        };
        form.with_weights(&Weights::default()).with_score(draft.score.as_ref())
    }

    fn with_weights(self, weights: &Weights) -> Self {
        Self { weights: [weights.quality, weights.flops, weights.carbon].map(values::real_text), ..self }
    }

    fn with_score(self, score: Option<&ScoreRule>) -> Self {
        match score {
            None | Some(ScoreRule::Metric) => self,
            Some(ScoreRule::LinearAboveBaseline { baseline }) => {
                Self { rule: "linear_above_baseline".to_owned(), baseline: values::real_text(*baseline), ..self }
            }
            Some(ScoreRule::Composite(composite)) => {
                let row = |house: &HouseBaseline| HouseRow {
                    name: house.name.clone(),
                    metric: values::real_text(house.metric),
                    flops_per_sample: values::real_text(house.flops_per_sample),
                };
                let house = composite.house.iter().map(row).chain(std::iter::repeat(HouseRow::default()));
                let form = Self {
                    rule: "composite".to_owned(),
                    floor: values::real_text(composite.floor),
                    best: values::real_text(composite.best),
                    quality: match composite.quality {
                        Quality::Metric => "metric".to_owned(),
                        Quality::Skill => "skill".to_owned(),
                    },
                    house: house.take(HOUSE_ROWS).collect(),
                    reference_flops: values::real_text(composite.reference_flops),
                    ..self
                };
                form.with_weights(&composite.weights)
            }
        }
    }

    /// Changes the draft, and says what could not be read.
    pub fn apply(&self, draft: &mut Draft) -> Vec<ErrorDetail> {
        let mut reader = Reader::default();
        draft.public_dataset = reader.optional("public_dataset", &self.public_dataset);
        draft.official_dataset = reader.optional("official_dataset", &self.official_dataset);
        draft.practice = self.practice;
        draft.metric = Some(self.metric.clone()).filter(|metric| !metric.is_empty());
        // The ranking metric is always published, and a box of it may be left ticked.
        draft.also_published = self.also_published.iter().filter(|name| **name != self.metric).cloned().collect();
        self.options(&mut reader, &mut draft.metric_options);
        draft.tie_breaks = self.ties(&mut reader);
        if let Some(score) = self.score(&mut reader) {
            draft.score = Some(score);
        }
        reader.into_faults()
    }

    /// The form has only the options of the task: what is not sent keeps its value.
    fn options(&self, reader: &mut Reader, options: &mut MetricOptions) {
        for (name, text, value) in [
            ("metric_options.relative_tolerance", &self.relative_tolerance, &mut options.relative_tolerance),
            ("metric_options.absolute_tolerance", &self.absolute_tolerance, &mut options.absolute_tolerance),
            ("metric_options.score_threshold", &self.score_threshold, &mut options.score_threshold),
        ] {
            if let Some(typed) = reader.optional_real(name, text) {
                *value = typed;
            }
        }
        options.event_horizon = reader.optional_real("metric_options.event_horizon", &self.event_horizon);
    }

    fn ties(&self, reader: &mut Reader) -> Option<Vec<TieBreak>> {
        let mut ties = Vec::new();
        for (i, name) in self.tie_breaks.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            match TIE_BREAKS.iter().find(|tie| tie.name() == name) {
                Some(tie) => ties.push(*tie),
                None => reader.fault(&format!("tie_breaks[{i}]"), "must be one of those listed"),
            }
        }
        Some(ties)
    }

    fn score(&self, reader: &mut Reader) -> Option<ScoreRule> {
        match self.rule.as_str() {
            "metric" => Some(ScoreRule::Metric),
            "linear_above_baseline" => {
                let baseline = reader.real("score.baseline", &self.baseline)?;
                Some(ScoreRule::LinearAboveBaseline { baseline })
            }
            "composite" => self.composite(reader).map(ScoreRule::Composite),
            _ => {
                reader.fault("score.rule", "must be metric, linear_above_baseline or composite");
                None
            }
        }
    }

    fn composite(&self, reader: &mut Reader) -> Option<Composite> {
        let [quality, flops, carbon] =
            [0, 1, 2].map(|i| WEIGHTS.get(i).zip(self.weights.get(i)).and_then(|(name, text)| reader.real(name, text)));
        let floor = reader.real("score.floor", &self.floor);
        let best = reader.real("score.best", &self.best);
        let rule = match self.quality.as_str() {
            "" | "metric" => Some(Quality::Metric),
            "skill" => Some(Quality::Skill),
            _ => {
                reader.fault("score.quality", "must be metric or skill");
                None
            }
        };
        let filled = self.house.iter().enumerate().filter(|(_, row)| **row != HouseRow::default());
        // All rows are read before any is missed, so that no fault hides another.
        let house: Vec<_> = filled.map(|(i, row)| row.read(reader, i)).collect();
        let reference_flops = self.flops_of(reader);
        Some(Composite {
            weights: Weights { quality: quality?, flops: flops?, carbon: carbon? },
            floor: floor?,
            best: best?,
            quality: rule?,
            house: house.into_iter().collect::<Option<_>>()?,
            reference_flops: reference_flops?,
        })
    }

    fn flops_of(&self, reader: &mut Reader) -> Option<f64> {
        reader.of("score.reference_flops", &self.reference_flops, FLOPS_RULE, real_flops)
    }
}

/// What an amount of FLOPs must be.
const FLOPS_RULE: &str = "must be FLOPs such as 34200, 34.2kF or 2TF";

/// FLOPs with a prefix, or any number.
fn real_flops(text: &str) -> Option<f64> {
    let plain = text.parse().ok().filter(|value: &f64| value.is_finite());
    plain.or_else(|| values::flops(text).map(|flops| flops as f64))
}

impl HouseRow {
    fn read(&self, reader: &mut Reader, i: usize) -> Option<HouseBaseline> {
        let name = reader.required(&format!("score.house[{i}].name"), &self.name);
        let metric = reader.real(&format!("score.house[{i}].metric"), &self.metric);
        let field = format!("score.house[{i}].flops_per_sample");
        let flops = reader.of(&field, &self.flops_per_sample, FLOPS_RULE, real_flops);
        Some(HouseBaseline { name, metric: metric?, flops_per_sample: flops? })
    }
}

/// Every tie break, in the order in which they are offered.
pub(crate) const TIE_BREAKS: [TieBreak; 4] =
    [TieBreak::Metric, TieBreak::FewerFlops, TieBreak::FewerParameters, TieBreak::Earlier];

fn default_ties() -> Vec<TieBreak> {
    TIE_BREAKS.to_vec()
}

/// Step 3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step3Form {
    /// Markdown.
    pub description: String,
}

impl Step3Form {
    /// Reads the form.
    pub fn read(fields: &Fields) -> Self {
        Self { description: fields.lines("description") }
    }

    /// What a draft has.
    pub fn of(draft: &Draft) -> Self {
        Self { description: draft.description.clone() }
    }

    /// Changes the draft.
    pub fn apply(&self, draft: &mut Draft) -> Vec<ErrorDetail> {
        draft.description.clone_from(&self.description);
        Vec::new()
    }
}

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

    /// Changes the draft, and says what could not be read. Once it is published, only what can still be changed is read.
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
