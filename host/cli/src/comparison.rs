//! Results side by side.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use thimble_challenge::challenge::grouped;
use thimble_challenge::result::{EvaluationResult, Outcome};
use thimble_challenge::score::si;
use thimble_metrics::{Direction, MetricValue, Task};

/// Results under one another's eyes, the first being what the others are held against.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// Why they cannot be ranked together; empty when they can.
    obstacles: Vec<String>,
    results: Vec<Entry>,
    figures: Vec<Figure>,
    /// By name, the figures in which a result is better than every other; empty with obstacles.
    best: BTreeMap<String, Vec<String>>,
    /// Pairs of names, the better one first; empty with obstacles.
    dominates: Vec<(String, String)>,
}

/// One result.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    name: String,
    verdict: String,
    #[serde(skip)]
    values: Vec<Measured>,
}

/// A figure of one result.
#[derive(Debug)]
struct Measured {
    label: String,
    kind: Kind,
    value: Option<f64>,
}

/// How a figure is shown and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Decimals; the change is a difference. The metrics and the score.
    Metric(Direction),
    Score,
    /// The change is a ratio, and less is better.
    Amount,
    /// As an amount, in grams.
    Carbon,
    /// As an amount, but of the machine: never better or worse.
    Time,
}

/// One line of the table.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    #[serde(skip)]
    kind: Kind,
    /// One for each result; null where it was not measured.
    values: Vec<Option<f64>>,
    /// Against the first result.
    differences: Vec<Option<f64>>,
    /// Against the first result; null where that is 0.
    ratios: Vec<Option<f64>>,
}

const LABEL: usize = 23;
const VALUE: usize = 18;
const CHANGE: usize = 10;

impl Entry {
    /// Of an official run, what is published.
    pub(crate) fn of(name: String, result: &EvaluationResult) -> Self {
        let (comparable, published) = (&result.comparable, &result.published);
        let compute = &comparable.compute;
        let (verdict, metrics, score, parameters, flops, carbon) = match published {
            Some(published) => (
                match published.outcome {
                    Outcome::Scored => "scored".to_owned(),
                    Outcome::OverParameterLimit => "over_parameter_limit".to_owned(),
                    Outcome::Failed => "failed".to_owned(),
                },
                &published.metrics,
                published.score,
                published.parameters.map(|count| count.0),
                published.flops_per_sample,
                published.gco2e_per_sample,
            ),
            None => (
                comparable.verdict.to_string(),
                &comparable.metrics,
                comparable.score.map(|score| score.value),
                comparable.parameters.as_ref().map(|parameters| parameters.counted.0),
                compute.flops_per_sample,
                compute.gco2e_per_sample,
            ),
        };
        // Training and times of an official run stay with the operator.
        let validation = published.is_none();
        let seconds: f64 = result.run.seconds.values().sum();
        let mut values: Vec<_> = metrics.iter().filter_map(|(name, metric)| Measured::metric(name, metric)).collect();
        let mut add = |label: &str, kind, value| values.push(Measured { label: label.to_owned(), kind, value });
        add("score", Kind::Score, score);
        add("parameters", Kind::Amount, parameters.map(|count| count as f64));
        add("FLOPs/sample", Kind::Amount, flops);
        add("training FLOPs", Kind::Amount, compute.training_flops.filter(|_| validation));
        add("CO2e/sample", Kind::Carbon, carbon);
        add("training CO2e", Kind::Carbon, compute.training_gco2e.filter(|_| validation));
        add("seconds", Kind::Time, Some(seconds).filter(|_| validation));
        Self { name, verdict, values }
    }

    fn value(&self, label: &str) -> Option<&Measured> {
        self.values.iter().find(|measured| measured.label == label)
    }
}

impl Measured {
    /// None for a metric that this host does not know.
    fn metric(name: &str, metric: &MetricValue) -> Option<Self> {
        // A name has the same direction in every task.
        let direction = Task::ALL.iter().find_map(|&task| thimble_metrics::metric(task, name))?.direction;
        let value = match metric {
            MetricValue::Value(value) => Some(*value),
            MetricValue::Undefined(_) => None,
        };
        Some(Self { label: name.to_owned(), kind: Kind::Metric(direction), value })
    }
}

impl Comparison {
    /// `entries`, which `obstacles` keep from being ranked together.
    pub(crate) fn new(entries: Vec<Entry>, obstacles: Vec<String>) -> Self {
        let mut figures: Vec<Figure> = Vec::new();
        for measured in entries.iter().flat_map(|entry| &entry.values) {
            if figures.iter().all(|figure| figure.name != measured.label) {
                figures.push(Figure::of(measured, &entries));
            }
        }
        // Metrics that only later results have came behind everything else.
        figures.sort_by_key(|figure| !matches!(figure.kind, Kind::Metric(_)));
        let (mut best, mut pairs) = (BTreeMap::new(), Vec::new());
        if obstacles.is_empty() {
            for (index, entry) in entries.iter().enumerate() {
                let won = figures.iter().filter(|figure| figure.is_won_by(index));
                best.insert(entry.name.clone(), won.map(|figure| figure.name.clone()).collect());
                for (other, beaten) in entries.iter().enumerate() {
                    if other != index && dominates(&figures, index, other) {
                        pairs.push((entry.name.clone(), beaten.name.clone()));
                    }
                }
            }
        }
        Self { obstacles, results: entries, figures, best, dominates: pairs }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.table();
        text.push('\n');
        // Writing to a string cannot fail.
        for obstacle in &self.obstacles {
            let _ = writeln!(text, "not ranked together: {obstacle}");
        }
        for (name, figures) in &self.best {
            let figures = if figures.is_empty() { "nothing".to_owned() } else { figures.join(", ") };
            let _ = writeln!(text, "{name} is best on: {figures}");
        }
        for (better, worse) in &self.dominates {
            let _ = writeln!(text, "{better} dominates {worse}");
        }
        if self.obstacles.is_empty() && self.dominates.is_empty() {
            text.push_str("none dominates another\n");
        }
        text
    }

    fn table(&self) -> String {
        let mut text = format!("{:<LABEL$}", "");
        for (index, entry) in self.results.iter().enumerate() {
            let name: String = entry.name.chars().take(VALUE - 1).collect();
            let _ = write!(text, "{name:>VALUE$}{:CHANGE$}", "", CHANGE = if index == 0 { 0 } else { CHANGE });
        }
        let mut lines = vec![text];
        let mut verdicts = format!("{:<LABEL$}", "verdict");
        for (index, entry) in self.results.iter().enumerate() {
            let verdict: String = entry.verdict.chars().take(VALUE - 1).collect();
            let _ = write!(verdicts, "{verdict:>VALUE$}{:CHANGE$}", "", CHANGE = if index == 0 { 0 } else { CHANGE });
        }
        lines.push(verdicts);
        lines.extend(self.figures.iter().map(|figure| figure.line(self.obstacles.is_empty())));
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

impl Figure {
    fn of(measured: &Measured, entries: &[Entry]) -> Self {
        let values: Vec<_> =
            entries.iter().map(|entry| entry.value(&measured.label).and_then(|measured| measured.value)).collect();
        let first = values.first().copied().flatten();
        let against = |change: fn(f64, f64) -> f64, legal: fn(f64) -> bool| {
            values.iter().map(|value| Some(change((*value)?, first.filter(|first| legal(*first))?))).collect()
        };
        let differences = against(|value, first| value - first, |_| true);
        let ratios = against(|value, first| value / first, |first| first > 0.0);
        Self { name: measured.label.clone(), kind: measured.kind, values, differences, ratios }
    }

    /// Whether result `a` is better than `b`; false where one of them was not measured.
    fn is_better(&self, a: usize, b: usize) -> bool {
        let (Some(a), Some(b)) = (self.values[a], self.values[b]) else { return false };
        match self.kind {
            Kind::Metric(Direction::HigherIsBetter) | Kind::Score => a > b,
            Kind::Metric(Direction::LowerIsBetter) | Kind::Amount | Kind::Carbon => a < b,
            Kind::Time => false,
        }
    }

    fn is_won_by(&self, index: usize) -> bool {
        (0..self.values.len()).all(|other| other == index || self.is_better(index, other))
    }

    fn line(&self, comparable: bool) -> String {
        let mut line = format!("{:<LABEL$}", self.name);
        for (index, value) in self.values.iter().enumerate() {
            let text = value.map_or_else(|| "-".to_owned(), |value| self.kind.text(value));
            let _ = write!(line, "{text:>VALUE$}");
            if index > 0 {
                let change = if comparable { self.change(index) } else { None };
                let _ = write!(line, "{:>CHANGE$}", change.unwrap_or_default());
            }
        }
        line
    }

    fn change(&self, index: usize) -> Option<String> {
        Some(match self.kind {
            Kind::Metric(_) => format!("{:+.4}", self.differences[index]?),
            Kind::Score => format!("{:+.2}", self.differences[index]?),
            Kind::Amount | Kind::Carbon | Kind::Time => match self.ratios[index]? {
                ratio if ratio < 0.1 => format!("×{ratio:.1e}"),
                ratio if ratio < 100.0 => format!("×{ratio:.2}"),
                ratio => format!("×{}", grouped(ratio.round() as u64)),
            },
        })
    }
}

impl Kind {
    fn text(self, value: f64) -> String {
        match self {
            Self::Metric(_) => format!("{value:.4}"),
            Self::Score | Self::Time => format!("{value:.2}"),
            // Not negative, and far below the largest u64.
            Self::Amount => grouped(value.round() as u64),
            Self::Carbon => si(value, "g"),
        }
    }
}

/// Whether result `a` is nowhere worse than `b` in metrics and FLOPs per sample, and somewhere better.
fn dominates(figures: &[Figure], a: usize, b: usize) -> bool {
    let judged: Vec<_> = figures
        .iter()
        .filter(|figure| matches!(figure.kind, Kind::Metric(_)) || figure.name == "FLOPs/sample")
        .collect();
    let measured = judged.iter().all(|figure| figure.values[a].is_some() && figure.values[b].is_some());
    measured
        && judged.iter().any(|figure| matches!(figure.kind, Kind::Metric(_)))
        && judged.iter().all(|figure| !figure.is_better(b, a))
        && judged.iter().any(|figure| figure.is_better(a, b))
}
