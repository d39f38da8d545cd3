//! The result shape of the Agentics platform, so that this runner can stand in for a co-executed evaluator there.

use serde::Serialize;

use super::{EvaluationResult, Mode};
use crate::verdict::Verdict;

/// Their `EvaluatorRunResult`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgenticsResult {
    /// `passed` when there is a score, `error` for a fault of ours, else `failed`.
    pub status: AgenticsStatus,
    /// Validation or official.
    pub mode: Mode,
    /// `score`, the ranking metric and `params`, as far as they exist. Without a `score` their platform fails the
    /// submission, which is what a run without a score is.
    pub aggregate_metrics: Vec<AgenticsMetric>,
    /// Always empty: there is one run.
    pub run_metrics: [(); 0],
    /// Always empty: rows are not cases.
    pub public_results: [(); 0],
    /// In validation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_summary: Option<AgenticsSummary>,
    /// In an official run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub official_summary: Option<AgenticsSummary>,
    /// Always empty: what a guest wrote never leaves an official run, and validation shows it elsewhere.
    pub logs: [(); 0],
}

/// Their three states of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AgenticsStatus {
    /// Scored.
    Passed,
    /// Not scored, by the submission's doing.
    Failed,
    /// Not scored, by ours.
    Error,
}

/// A metric by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgenticsMetric {
    /// `score`, `params` or the ranking metric's name.
    pub metric_name: String,
    /// Finite.
    pub value: f64,
}

/// Their summary of a run: here one case, the evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AgenticsSummary {
    /// The score, 0 when there is none.
    pub score: f64,
    /// 1 when scored.
    pub passed: u32,
    /// Always 1.
    pub total: u32,
}

impl AgenticsResult {
    /// Converts a result. `metric` is the challenge's ranking metric. Of an official result only
    /// [`published`](EvaluationResult::published) is read, apart from whether the fault was ours.
    pub fn of(result: &EvaluationResult, metric: &str) -> Self {
        let comparable = &result.comparable;
        let (score, value, parameters) = match comparable.mode {
            Mode::Validation => (
                comparable.score.map(|score| score.value),
                comparable.metrics.get(metric).and_then(|value| value.value()),
                comparable.parameters.as_ref().map(|parameters| parameters.counted),
            ),
            Mode::Official => result.published.as_ref().map_or((None, None, None), |published| {
                let value = published.metrics.get(metric).and_then(|value| value.value());
                (published.score, value, published.parameters)
            }),
        };
        let scored = comparable.verdict == Verdict::Scored && score.is_some();
        let summary = AgenticsSummary { score: score.unwrap_or(0.0), passed: scored.into(), total: 1 };
        let metrics = [("score", score), (metric, value), ("params", parameters.map(|count| count.0 as f64))];
        Self {
            status: match comparable.verdict {
                Verdict::PlatformFault => AgenticsStatus::Error,
                _ if scored => AgenticsStatus::Passed,
                _ => AgenticsStatus::Failed,
            },
            mode: comparable.mode,
            aggregate_metrics: metrics
                .into_iter()
                .filter_map(|(name, value)| Some(AgenticsMetric { metric_name: name.to_owned(), value: value? }))
                .collect(),
            run_metrics: [],
            public_results: [],
            validation_summary: (comparable.mode == Mode::Validation).then_some(summary),
            official_summary: (comparable.mode == Mode::Official).then_some(summary),
            logs: [],
        }
    }

    /// Pretty JSON with a final newline.
    pub fn to_json(&self) -> String {
        crate::json::pretty(self)
    }
}
