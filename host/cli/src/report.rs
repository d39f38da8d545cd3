//! The table at the end of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thimble_challenge::challenge::grouped;
use thimble_challenge::result::{
    Baseline, Comparable, Compute, CurvePoint, EvaluationResult, Independence, Journal, Outcome, Parameters, Phase,
    Published, Run,
};
use thimble_challenge::score::si;
use thimble_challenge::{ParameterCount, round};
use thimble_metrics::MetricValue;

/// The result for people. Of an official run, only what leaves the operator.
pub(crate) fn table(result: &EvaluationResult) -> String {
    let mut table = Table::default();
    match &result.published {
        Some(published) => official(&mut table, &result.comparable, published),
        None => validation(&mut table, &result.comparable, &result.run),
    }
    table.0
}

/// Score and metrics on one line, with the label width of `thimble pack`; nothing for a run without a score.
pub(crate) fn score_line(comparable: &Comparable) -> String {
    let Some(score) = &comparable.score else { return String::new() };
    let values = comparable.metrics.iter().filter_map(|(name, metric)| match metric {
        MetricValue::Value(value) => Some(format!("{name} {}", round::decimals(*value, 6))),
        MetricValue::Undefined(_) => None,
    });
    format!("score       {:.2} in validation, {}\n", score.value, values.collect::<Vec<_>>().join(", "))
}

/// A phase's name as in the result file.
pub(crate) const fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Admit => "admit",
        Phase::Compile => "compile",
        Phase::Learn => "learn",
        Phase::Count => "count",
        Phase::Predict => "predict",
        Phase::Score => "score",
    }
}

/// Two columns.
#[derive(Debug, Default)]
pub(crate) struct Table(pub(crate) String);

impl Table {
    pub(crate) fn row(&mut self, label: &str, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{label:<14} {value}");
    }
}

fn validation(table: &mut Table, comparable: &Comparable, run: &Run) {
    table.row("challenge", &comparable.challenge.name);
    if let Some(submission) = &comparable.submission {
        let name = submission.name.as_deref().unwrap_or("(bare component)");
        let version = submission.version.as_deref().unwrap_or_default();
        table.row("submission", format!("{name} {version}").trim_end());
    }
    table.row("verdict", comparable.verdict);
    if let Some(failure) = &comparable.failure {
        table.row("why", format!("{} ({}, phase {})", failure.message, failure.rule, phase_name(failure.phase)));
    }
    if let Some(score) = &comparable.score {
        let unclamped = score.unclamped.filter(|unclamped| *unclamped != score.value);
        let note = unclamped.map(|unclamped| format!(" (unclamped {})", scored(unclamped))).unwrap_or_default();
        table.row("score", format!("{}{note}", scored(score.value)));
    }
    metrics(table, &comparable.metrics);
    if let Some(own) = &comparable.baseline {
        table.row("naive baseline", baseline(own));
    }
    if let Some(parameters) = &comparable.parameters {
        table.row("parameters", counted(parameters));
    }
    compute(table, &comparable.compute);
    if let Some(own) = &comparable.independence {
        table.row("rows", independence(own));
    }
    let meter = &comparable.meter;
    table.row("meter", format!("{}, {}, {}", meter.tariff, meter.engine, meter.contract));
    seconds(table, &run.seconds);
    if let Some(journal) = &run.journal {
        curves(table, journal);
    }
}

fn official(table: &mut Table, comparable: &Comparable, published: &Published) {
    table.row("challenge", format!("{} (official)", comparable.challenge.name));
    table.row(
        "outcome",
        match published.outcome {
            Outcome::Scored => "scored",
            Outcome::OverParameterLimit => "over_parameter_limit",
            Outcome::Failed => "failed",
        },
    );
    if let Some(failure) = &published.failure {
        table.row("why", format!("{} ({}, phase {})", failure.message, failure.rule, phase_name(failure.phase)));
    }
    published_figures(table, published);
}

/// The figures of a published result.
pub(crate) fn published_figures(table: &mut Table, published: &Published) {
    if let Some(score) = published.score {
        table.row("score", scored(score));
    }
    metrics(table, &published.metrics);
    if let Some(parameters) = published.parameters {
        table.row("parameters", format!("{} declared", grouped(parameters.0)));
    }
    if let Some(flops) = published.flops_per_sample {
        let carbon = carbon(published.gco2e_per_sample);
        table.row("prediction", format!("{} per sample{carbon}", si(flops, "FLOP")));
    }
    if published.transductive == Some(true) {
        table.row("rows", "TRANSDUCTIVE");
    }
    if published.practice {
        table.row("practice", "anyone can own this data; the result says nothing about unseen data");
    }
}

/// Two decimals, and four where a whole point is the best there is.
pub(crate) fn scored(score: f64) -> String {
    if score.abs() > 1.0 || score == 0.0 { format!("{score:.2}") } else { format!("{score:.4}") }
}

/// Six decimals tell every count of correct rows apart up to a million rows.
pub(crate) fn metrics(table: &mut Table, metrics: &BTreeMap<String, MetricValue>) {
    for (name, value) in metrics {
        match value {
            MetricValue::Value(value) => table.row(name, round::decimals(*value, 6)),
            MetricValue::Undefined(reason) => table.row(name, format!("undefined: {reason}")),
        }
    }
}

/// What predictions get that look at no input.
pub(crate) fn baseline(baseline: &Baseline) -> String {
    let values = baseline.metrics.iter().map(|(name, metric)| match metric {
        MetricValue::Value(value) => format!("{name} {}", round::decimals(*value, 6)),
        MetricValue::Undefined(_) => format!("{name} undefined"),
    });
    format!("{} ({})", values.collect::<Vec<_>>().join(", "), baseline.name)
}

/// What the replay of rows found.
pub(crate) fn independence(independence: &Independence) -> String {
    let verdict = if independence.transductive { "TRANSDUCTIVE" } else { "independent" };
    format!("{verdict} ({} predicted again, {} differ)", independence.replayed, independence.disagreed)
}

/// The count against its limit.
pub(crate) fn counted(parameters: &Parameters) -> String {
    let mut text = format!("{} of {}", grouped(parameters.counted.0), grouped(parameters.limit.0));
    if parameters.embedded > 0 {
        let _ = write!(text, ", {} of them in the component", grouped(parameters.embedded));
    }
    match parameters.declared {
        Some(declared) if declared == parameters.counted => text.push_str(", as declared"),
        Some(ParameterCount(declared)) => {
            let _ = write!(text, ", declared {}", grouped(declared));
        }
        None => text.push_str(", none declared"),
    }
    text
}

fn compute(table: &mut Table, compute: &Compute) {
    if let Some(flops) = compute.flops_per_sample {
        let carbon = carbon(compute.gco2e_per_sample);
        table.row("prediction", format!("{} per sample{carbon}", si(flops, "FLOP")));
    }
    let budget = si(compute.training_fuel_budget.flops(), "FLOP");
    match compute.training_flops {
        Some(flops) => {
            let carbon = carbon(compute.training_gco2e);
            table.row("training", format!("{} of {budget}{carbon}", si(flops, "FLOP")));
        }
        None if compute.training_fuel_charged.0 > 0 => {
            let charged = si(compute.training_fuel_charged.flops(), "FLOP");
            table.row("training", format!("did not return; {charged} of {budget} charged"));
        }
        None => {}
    }
}

/// As the end of a line; nothing where it is not known.
pub(crate) fn carbon(grams: Option<f64>) -> String {
    grams.map(|grams| format!(", {}", si(grams, "gCO2e"))).unwrap_or_default()
}

/// Wall time in all, and of the phases that took some.
pub(crate) fn seconds(table: &mut Table, seconds: &BTreeMap<Phase, f64>) {
    if seconds.is_empty() {
        return;
    }
    let total: f64 = seconds.values().sum();
    let long: Vec<_> = seconds
        .iter()
        .filter(|(_, seconds)| **seconds >= 0.01)
        .map(|(phase, seconds)| format!("{} {seconds:.2} s", phase_name(*phase)))
        .collect();
    let detail = if long.is_empty() { String::new() } else { format!(" ({})", long.join(", ")) };
    table.row("time", format!("{total:.2} s{detail}"));
}

/// A line per curve.
pub(crate) fn series(table: &mut Table, curves: &BTreeMap<String, Vec<CurvePoint>>) {
    for (series, points) in curves {
        let values: Vec<f64> = points.iter().filter_map(|point| point.value).collect();
        if let (Some(first), Some(last)) = (values.first(), values.last()) {
            let name: String = series.escape_debug().take(14).collect();
            table.row(&name, format!("{} {first:.4} to {last:.4}, {} points", sparkline(&values, 40), points.len()));
        }
    }
}

fn curves(table: &mut Table, journal: &Journal) {
    series(table, &journal.curves);
    if journal.curves_dropped_points > 0 {
        table.row("curves", format!("{} points beyond the limits were dropped", journal.curves_dropped_points));
    }
    if let Some(error) = &journal.error {
        table.row("its words", error.escape_debug());
    }
}

/// A curve of finite values in at most `width` characters, each the last value of its stretch.
pub(crate) fn sparkline(values: &[f64], width: usize) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = width.min(values.len());
    (0..width)
        .filter_map(|column| values.get((column + 1) * values.len() / width - 1))
        .map(|value| {
            // Halved first: the range of finite values may be infinite.
            let height = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
            // A flat curve is 0 / 0, and a NaN becomes level 0.
            LEVELS[((height * 7.0).round() as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use thimble_challenge::Challenge;
    use thimble_challenge::result::Mode;

    use super::*;

    /// A validation run of `examples/solutions/mlp`, its times rounded and its curves thinned.
    fn recorded() -> EvaluationResult {
        EvaluationResult::from_json(include_bytes!("../tests/data/result.json")).unwrap()
    }

    /// The same, as if it had been official.
    fn recorded_official() -> EvaluationResult {
        let challenge = include_bytes!("../../../examples/challenges/imagenet-pareto-500k/challenge.json");
        let mut result = recorded();
        result.comparable.mode = Mode::Official;
        result.published = Some(Published::of(&result.comparable, &Challenge::from_json(challenge).unwrap()));
        result
    }

    #[test]
    fn a_validation_run_shows_every_figure() {
        let expected = "\
challenge      imagenet-pareto-500k
submission     mlp 0.1.0
verdict        scored
score          64.43
accuracy       0.900391
parameters     197,120 of 500,000, as declared
prediction     417 kFLOP per sample, 16.9 ngCO2e
training       101 GFLOP of 4.00 TFLOP, 4.09 mgCO2e
rows           independent (52 predicted again, 0 differ)
meter          tariff-1, wasmtime 48.0.8, thimble:solution@0.1.0
time           10.83 s (compile 0.29 s, learn 10.50 s, predict 0.04 s)
train loss     █▁▁▁▁ 4.8055 to 0.0061, 5 points
";
        assert_eq!(table(&recorded()), expected);
    }

    #[test]
    fn an_official_run_shows_what_is_published_and_nothing_else() {
        let expected = "\
challenge      imagenet-pareto-500k (official)
outcome        scored
score          64.29
accuracy       0.9
parameters     197,120 declared
prediction     417 kFLOP per sample, 16.9 ngCO2e
";
        assert_eq!(table(&recorded_official()), expected);
    }

    #[test]
    fn figures_that_do_not_exist_have_no_line() {
        let mut result = recorded();
        result.comparable.score = None;
        result.comparable.parameters = None;
        result.comparable.independence = None;
        result.comparable.metrics.clear();
        result.comparable.compute.flops_per_sample = None;
        result.comparable.compute.training_flops = None;
        result.comparable.compute.training_fuel_charged = result.comparable.compute.training_fuel_budget;
        let table = table(&result);
        let labels: Vec<_> = table.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(labels, ["challenge", "submission", "verdict", "training", "meter", "time", "train"]);
        assert!(table.contains("training       did not return; 4.00 TFLOP of 4.00 TFLOP charged\n"), "{table}");
    }

    #[test]
    fn a_sparkline_spans_the_range_of_its_values() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 40), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[8.0, 1.0, 4.0, 0.0], 2), "▂▁");
    }

    #[test]
    fn a_sparkline_of_flat_or_extreme_values_does_not_overflow() {
        assert_eq!(sparkline(&[3.0, 3.0], 40), "▁▁");
        assert_eq!(sparkline(&[f64::MAX, f64::MIN], 40), "█▁");
        assert_eq!(sparkline(&[], 40), "");
    }
}
