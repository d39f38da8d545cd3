//! The table of figures in a statement: generated from the challenge, so that the two cannot disagree.

use std::fmt::Write as _;

use thimble_datasets::{DType, Field};
use thimble_metrics::Metric;

use crate::composite::{Composite, HouseBaseline, Quality};
use crate::round;
use crate::score::si;

use super::{Challenge, Fault, RowRule, ScoreRule};

/// The line that opens the table in `statement.md`.
pub const FIGURES_START: &str = "<!-- figures: generated from challenge.json -->";
/// The line that closes it.
pub const FIGURES_END: &str = "<!-- /figures -->";

/// The table, markers included, as `statement.md` must contain it.
pub fn figures(challenge: &Challenge) -> String {
    let mut table = format!("{FIGURES_START}\n| figure | value |\n|---|---|\n");
    for (name, value) in rows(challenge) {
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {name} | {value} |");
    }
    table + FIGURES_END + "\n"
}

fn rows(challenge: &Challenge) -> Vec<(&'static str, String)> {
    let limits = &challenge.limits;
    let metric = &challenge.ranking.metric;
    let score = match &challenge.score {
        ScoreRule::LinearAboveBaseline { baseline } => {
            format!("({metric} − {baseline}) / (1 − {baseline}) × 100, between 0 and 100")
        }
        ScoreRule::Metric => metric.clone(),
        ScoreRule::Composite(composite) => composite_score(composite, metric),
    };
    let ties: Vec<_> = challenge.ranking.tie_breaks.iter().map(|tie| tie.name()).collect();
    let targets: Vec<_> = challenge.targets.iter().map(|target| target.name()).collect();
    let mut rows = vec![
        ("task", challenge.task.to_string()),
        ("inputs", list_fields(challenge.inputs())),
        ("targets", list_fields(challenge.targets())),
        ("predictions", list_fields(challenge.outputs().iter())),
        ("parameter limit", format!("{} stored 32-bit words, inclusive", grouped(limits.parameters.0))),
        ("free component size", format!("{} bytes outside custom sections", grouped(limits.embedded_allowance_bytes))),
        ("training budget", format!("{} FLOPs", grouped(limits.training_flops.0))),
        ("prediction budget", format!("{} FLOPs a test row", grouped(limits.prediction_flops_per_sample.0))),
        ("memory", format!("{} bytes", grouped(limits.memory_bytes))),
        ("wall clock", format!("{} s", grouped(limits.wall_seconds))),
        ("batch", format!("{} rows", grouped(limits.batch_size))),
        (
            "rows",
            match challenge.rows {
                RowRule::Independent => "predicted independently of each other".to_owned(),
                RowRule::Transductive => "a prediction may depend on other rows".to_owned(),
            },
        ),
        ("score", score),
    ];
    rows.extend(field_rows(&challenge.score));
    rows.extend([
        ("equal scores", if ties.is_empty() { "stay equal".to_owned() } else { ties.join(", ") }),
        ("runs on", targets.join(", ")),
        ("official submissions", format!("{} in 24 hours", grouped(challenge.quotas.official_per_day))),
        (
            "an official run publishes",
            format!("{}, FLOPs a row to {} digits", released(challenge), challenge.release.flops_digits),
        ),
    ]);
    rows
}

/// `features` f32 [384], and the like.
fn list_fields<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let text = |field: &Field| {
        let Field { name, dtype, shape, ragged, .. } = field;
        let dtype = if *dtype == DType::Text { String::new() } else { format!(" {dtype}") };
        let shape = if shape.is_empty() { String::new() } else { format!(" {shape:?}") };
        let ragged = if *ragged { " for each object" } else { "" };
        format!("`{name}`{dtype}{shape}{ragged}")
    };
    fields.map(text).collect::<Vec<_>>().join(", ")
}

/// The published metrics, and how they are rounded.
fn released(challenge: &Challenge) -> String {
    let release = &challenge.release;
    let digits = release.metric_decimals;
    let list = |bounded: bool, unit: &str| {
        let of_kind = |metric: &&Metric| {
            !release.bounds.contains_key(metric.name)
                && (metric.range.min.is_some() && metric.range.max.is_some()) == bounded
        };
        let names: Vec<_> = challenge.metrics().filter(of_kind).map(|metric| metric.name).collect();
        (!names.is_empty()).then(|| format!("{} to {digits} {unit}", names.join(", ")))
    };
    let between = release.bounds.iter().map(|(name, bounds)| {
        let (low, high) = (bounds.low, bounds.high);
        Some(format!("{name} between {low} and {high} in steps of {}", release.step(bounds)))
    });
    let rounded = [list(true, "decimals"), list(false, "significant digits")];
    let figures = rounded.into_iter().chain(between).flatten().collect::<Vec<_>>().join(", ");
    match release.shown_share {
        None => figures,
        Some(share) => {
            format!("{figures}, on {} % of the test rows until the close and on the others after it", percent(share))
        }
    }
}

/// A share in percent, to four digits.
pub fn percent(share: f64) -> f64 {
    round::significant(share * 100.0, 4)
}

fn composite_score(composite: &Composite, metric: &str) -> String {
    let Composite { weights, floor, best, quality, .. } = composite;
    let quality = match quality {
        Quality::Metric => metric.to_owned(),
        Quality::Skill => format!("({metric} − {floor}) / ({best} − {floor})"),
    };
    let worse = if best >= floor { "below" } else { "above" };
    let (flops, carbon) = (weights.flops, weights.carbon);
    format!(
        "{} × {quality} + {flops} × E(FLOPs) + {carbon} × E(gCO2e); 0 and unranked {worse} {metric} {floor}",
        weights.quality
    )
}

/// The house baselines and the anchors that a single run is scored against.
fn field_rows(score: &ScoreRule) -> Vec<(&'static str, String)> {
    let ScoreRule::Composite(composite) = score else { return Vec::new() };
    let row = |baseline: &HouseBaseline| {
        format!("{} ({}, {})", baseline.name, baseline.metric, si(baseline.flops_per_sample, "FLOP"))
    };
    let anchors = composite.house_anchors();
    let (median, p10) = (si(anchors.median_flops, "FLOP"), si(anchors.p10_flops, "FLOP"));
    vec![
        ("house baselines", composite.house.iter().map(row).collect::<Vec<_>>().join(", ")),
        ("their field", format!("median {median}, tenth percentile {p10} a row; {} members", anchors.members)),
    ]
}

/// An integer with commas between groups of three digits.
pub fn grouped(value: impl Into<u64>) -> String {
    let digits = value.into().to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Every line of the statement's table that is not what [`figures`] says.
pub(super) fn check(statement: &str, challenge: &Challenge) -> Vec<Fault> {
    let fault = |line: Option<usize>, rule: String, found: &str| Fault {
        field: line.map_or("statement.md".to_owned(), |line| format!("statement.md line {}", line + 1)),
        rule,
        found: found.chars().take(200).collect(),
    };
    let lines: Vec<_> = statement.lines().collect();
    let starts: Vec<_> = (0..lines.len()).filter(|&i| lines[i] == FIGURES_START).collect();
    let [start] = starts[..] else {
        let rule = format!("must contain the table that starts with the line `{FIGURES_START}` exactly once");
        return vec![fault(None, rule, &format!("{} times", starts.len()))];
    };
    let expected = figures(challenge);
    let mut faults = Vec::new();
    for (i, expected) in (start..).zip(expected.lines()) {
        let found = lines.get(i).copied().unwrap_or("the end of the file");
        if found != expected {
            faults.push(fault(Some(i), format!("by challenge.json must be `{expected}`"), &format!("`{found}`")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let texts = [0_u64, 999, 1_000, 200_000, 4_000_000_000_000].map(grouped);
        assert_eq!(texts, ["0", "999", "1,000", "200,000", "4,000,000,000,000"]);
    }
}
