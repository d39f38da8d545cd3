//! What is kept of the results, and when two measurements agree.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use thimble_challenge::frontier::{Point, frontier};
use thimble_challenge::result::Comparable;
use thimble_challenge::{Challenge, Verdict};
use thimble_metrics::{Direction, MetricValue};

/// How far FLOPs may be apart, relative. The component that a compiler makes depends on the path of the sources by some
/// bytes of its data. So its memory grows a page earlier or later, and the test rows, whose order is drawn from its digest,
/// meet in other batches: a cascade gathers other numbers of them (measured: 0.13 %).
const SAME_COMPILER: f64 = 5e-3;

/// The same, where another version compiled it: what is vectorised and inlined differs, what is computed does not.
const OTHER_COMPILER: f64 = 0.1;

/// `table.json`: figures of comparable blocks, unrounded, so that the rest can be made from them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    /// What built the solutions.
    pub(crate) compilers: Vec<String>,
    /// By challenge and solution.
    pub(crate) rows: BTreeMap<String, BTreeMap<String, Row>>,
}

/// One solution on one challenge. What was not measured is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) verdict: Verdict,
    /// Which rule a run that was not scored broke.
    pub(crate) rule: Option<String>,
    /// The challenge's ranking metric.
    pub(crate) metric: Option<f64>,
    pub(crate) score: Option<f64>,
    /// As counted.
    pub(crate) parameters: Option<u64>,
    pub(crate) flops_per_sample: Option<f64>,
    pub(crate) training_flops: Option<f64>,
    pub(crate) gco2e_per_sample: Option<f64>,
}

impl Row {
    pub(crate) fn of(result: &Comparable, metric: &str) -> Self {
        Self {
            verdict: result.verdict,
            rule: result.failure.as_ref().map(|failure| failure.rule.clone()),
            metric: result.metrics.get(metric).and_then(MetricValue::value),
            score: result.score.map(|score| score.value),
            parameters: result.parameters.as_ref().map(|parameters| parameters.counted.0),
            flops_per_sample: result.compute.flops_per_sample,
            training_flops: result.compute.training_flops,
            gco2e_per_sample: result.compute.gco2e_per_sample,
        }
    }

    /// The verdict, and the rule if there is one.
    pub(crate) fn ending(&self) -> String {
        self.rule.as_ref().map_or_else(|| self.verdict.to_string(), |rule| format!("{} ({rule})", self.verdict))
    }

    /// Where it stands in the plane of metric and FLOPs; none for a run that was not scored.
    pub(crate) fn point(&self) -> Option<Point> {
        Some(Point { metric: self.metric?, flops: self.flops_per_sample? })
    }

    /// Every figure by name, and whether it depends on the compiler: FLOPs, and what is computed from them.
    fn values(&self) -> [(&'static str, Option<f64>, bool); 6] {
        [
            ("metric", self.metric, false),
            ("score", self.score, true),
            ("parameters", self.parameters.map(|count| count as f64), false),
            ("FLOPs/sample", self.flops_per_sample, true),
            ("training FLOPs", self.training_flops, true),
            ("gCO2e/sample", self.gco2e_per_sample, true),
        ]
    }

    /// Where `fresh` is not what this says.
    fn differences(&self, fresh: &Self, tolerance: f64) -> Vec<String> {
        let show = |value: Option<f64>| value.map_or_else(|| "not measured".to_owned(), |value| value.to_string());
        let mut differences = Vec::new();
        if (self.verdict, &self.rule) != (fresh.verdict, &fresh.rule) {
            differences.push(format!("ended in {}, ends in {}", self.ending(), fresh.ending()));
        }
        for ((name, old, compiled), (_, new, _)) in self.values().into_iter().zip(fresh.values()) {
            let near = match (old, new) {
                (Some(old), Some(new)) if compiled => (old - new).abs() <= tolerance * old.abs(),
                _ => old == new,
            };
            if !near {
                differences.push(format!("{name} was {}, is {}", show(old), show(new)));
            }
        }
        differences
    }
}

impl Figures {
    pub(crate) fn from_json(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }

    /// Pretty JSON with a final newline.
    pub(crate) fn to_json(&self) -> String {
        // Strings, finite numbers and maps with string keys: nothing that JSON cannot hold.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The rows of a challenge by solution.
    pub(crate) fn of(&self, challenge: &Challenge) -> &BTreeMap<String, Row> {
        static NONE: BTreeMap<String, Row> = BTreeMap::new();
        self.rows.get(&challenge.name).unwrap_or(&NONE)
    }

    /// Where `fresh` is not what this says; a line each.
    pub(crate) fn differences(&self, fresh: &Self) -> Vec<String> {
        let tolerance = if self.compilers == fresh.compilers { SAME_COMPILER } else { OTHER_COMPILER };
        let (old, new) = (self.by_run(), fresh.by_run());
        let mut differences = Vec::new();
        for (run, row) in &old {
            match new.get(run) {
                Some(fresh) => differences.extend(
                    row.differences(fresh, tolerance).iter().map(|what| format!("{}, {}: {what}", run.0, run.1)),
                ),
                None => differences.push(format!("{}, {}: is not run any more", run.0, run.1)),
            }
        }
        let added = new.keys().filter(|run| !old.contains_key(*run));
        differences.extend(added.map(|run| format!("{}, {}: is new", run.0, run.1)));
        differences
    }

    /// By challenge and solution.
    fn by_run(&self) -> BTreeMap<(&str, &str), &Row> {
        let rows = self.rows.iter();
        rows.flat_map(|(challenge, rows)| {
            rows.iter().map(move |(solution, row)| ((challenge.as_str(), solution.as_str()), row))
        })
        .collect()
    }
}

/// Which way the challenge's ranking metric is better.
pub(crate) fn direction(challenge: &Challenge) -> Direction {
    challenge.ranking_metric().map_or(Direction::HigherIsBetter, |metric| metric.direction)
}

/// What one solution has to do with the frontier.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standing<'a> {
    pub(crate) solution: &'a str,
    pub(crate) row: &'a Row,
    pub(crate) point: Point,
    /// Of the members of the frontier that dominate it, the best in the metric; none for a member.
    pub(crate) dominated_by: Option<&'a str>,
}

/// The scored solutions by ascending FLOPs, of equal FLOPs by name.
pub(crate) fn standings(rows: &BTreeMap<String, Row>, direction: Direction) -> Vec<Standing<'_>> {
    let mut scored: Vec<_> =
        rows.iter().filter_map(|(solution, row)| Some((solution.as_str(), row, row.point()?))).collect();
    scored.sort_by(|a, b| a.2.flops.total_cmp(&b.2.flops));
    let points: Vec<Point> = scored.iter().map(|scored| scored.2).collect();
    let members = frontier(&points, direction);
    scored
        .iter()
        .map(|&(solution, row, point)| {
            // Members rise with their FLOPs: the last that dominates is the best.
            let by = members.iter().rfind(|&&member| points[member].dominates(&point, direction));
            Standing { solution, row, point, dominated_by: by.map(|&member| scored[member].0) }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A challenge with a score of its own.
    pub(crate) fn challenge() -> Result<Challenge> {
        let json = include_bytes!("../../../examples/challenges/imagenet-pareto-500k/challenge.json");
        Ok(Challenge::from_json(json)?)
    }

    /// A scored run.
    pub(crate) fn row(metric: f64, flops: f64) -> Row {
        Row {
            verdict: Verdict::Scored,
            rule: None,
            metric: Some(metric),
            score: Some(metric),
            parameters: Some(1_000),
            flops_per_sample: Some(flops),
            training_flops: Some(flops * 1e6),
            gco2e_per_sample: Some(flops * 4e-14),
        }
    }

    /// A run without figures.
    pub(crate) fn trapped() -> Row {
        Row {
            verdict: Verdict::Trap,
            rule: Some("unreachable".to_owned()),
            metric: None,
            score: None,
            parameters: None,
            flops_per_sample: None,
            training_flops: None,
            gco2e_per_sample: None,
        }
    }

    pub(crate) fn rows(of: &[(&str, Row)]) -> BTreeMap<String, Row> {
        of.iter().map(|(name, row)| ((*name).to_owned(), row.clone())).collect()
    }

    fn figures(compiler: &str, of: &[(&str, Row)]) -> Figures {
        Figures { compilers: vec![compiler.to_owned()], rows: BTreeMap::from([("digits".to_owned(), rows(of))]) }
    }

    #[test]
    fn the_dominator_is_the_best_of_the_frontier() {
        let rows = rows(&[
            ("cheap", row(0.8, 10.0)),
            ("good", row(0.9, 20.0)),
            ("lost", row(0.7, 30.0)),
            ("worse", row(0.85, 25.0)),
            ("broken", trapped()),
        ]);
        let standings = standings(&rows, Direction::HigherIsBetter);
        let named: Vec<_> = standings.iter().map(|standing| (standing.solution, standing.dominated_by)).collect();
        assert_eq!(named, [("cheap", None), ("good", None), ("worse", Some("good")), ("lost", Some("good"))]);
    }

    #[test]
    fn flops_may_drift_with_the_compiler_and_nothing_else_may() {
        let old = figures("rustc 1", &[("mlp", row(0.9, 1e6))]);
        let near = |metric, flops, compiler| old.differences(&figures(compiler, &[("mlp", row(metric, flops))]));
        assert!(near(0.9, 1e6 + 999.0, "rustc 1").is_empty());
        assert!(near(0.9, 1.09e6, "rustc 2").is_empty());
        let drifted = near(0.9, 1.01e6, "rustc 1");
        assert_eq!(drifted.len(), 3, "{drifted:?}");
        assert_eq!(drifted[0], "digits, mlp: FLOPs/sample was 1000000, is 1010000");
        assert_eq!(near(0.9, 1.2e6, "rustc 2").len(), 3);
        // The metric; a score so little off may come of FLOPs.
        assert_eq!(near(0.900001, 1e6, "rustc 2").len(), 1);
        // The metric, and the score beyond what FLOPs explain.
        assert_eq!(near(0.91, 1e6, "rustc 1").len(), 2);
    }

    #[test]
    fn what_came_went_or_broke_is_a_difference() {
        let old = figures("rustc 1", &[("gone", row(0.9, 1.0)), ("mlp", row(0.9, 1.0))]);
        let new = figures("rustc 1", &[("added", row(0.9, 1.0)), ("mlp", trapped())]);
        let differences = old.differences(&new);
        assert_eq!(differences[0], "digits, gone: is not run any more");
        assert_eq!(differences[1], "digits, mlp: ended in scored, ends in trap (unreachable)");
        assert_eq!(differences[2], "digits, mlp: metric was 0.9, is not measured");
        assert_eq!(differences.last().map(String::as_str), Some("digits, added: is new"));
    }

    #[test]
    fn figures_survive_json_to_the_bit() {
        let figures = figures("rustc 1", &[("mlp", row(0.1 + 0.2, 1.0 / 3.0)), ("broken", trapped())]);
        assert_eq!(Figures::from_json(&figures.to_json()).ok(), Some(figures));
    }
}
