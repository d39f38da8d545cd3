//! Step 2, as typed: data, metric, score.

use thimble_api::ErrorDetail;
use thimble_api::draft::Draft;
use thimble_challenge::challenge::{MetricOptions, ScoreRule, TieBreak};
use thimble_challenge::composite::{Composite, HouseBaseline, Quality, Weights};

use super::parse::{FLOPS_RULE, Reader};
use super::{Fields, values};

/// Lines of house baselines that the form has: as many as a challenge may.
pub const HOUSE_ROWS: usize = 6;

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

    /// None where the form was sent before there was a task to score, which changes nothing, and where it has faults.
    fn score(&self, reader: &mut Reader) -> Option<ScoreRule> {
        match self.rule.as_str() {
            "" => None,
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
