//! What a metric is, and the list of all of them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::classification;

/// What is predicted. Each task has its own inputs, and its own metrics over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One class of several for each row.
    Classification,
}

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The larger.
    HigherIsBetter,
    /// The smaller.
    LowerIsBetter,
}

/// The values that a metric can take, both ends included. An end that is absent is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Range {
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part of a whole, 0 to 1; pages show it as a percentage.
    Share,
}

/// One entry of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Metric {
    /// What challenge files and results call it; unique within its task. Never changes its meaning.
    pub name: &'static str,
    /// What pages call it.
    pub label: &'static str,
    /// What it tells, in one sentence.
    pub description: &'static str,
    /// What it is computed over.
    pub task: Task,
    /// Which value is better.
    pub direction: Direction,
    /// The values it can take.
    pub range: Range,
    /// What it counts.
    pub unit: Unit,
    /// How it is computed, with ŷ the prediction, y the truth and n the number of rows.
    pub formula: &'static str,
    /// When it has no value.
    pub undefined_when: &'static str,
    /// The published implementation whose results it equals, and where conventions differ between implementations, which
    /// one is taken.
    pub reference: &'static str,
}

/// The metrics of a task, in the order in which they are shown.
pub fn metrics(task: Task) -> impl Iterator<Item = &'static Metric> {
    match task {
        Task::Classification => classification::METRICS.iter().map(|entry| &entry.metric),
    }
}

/// A task's metric by its name.
pub fn metric(task: Task, name: &str) -> Option<&'static Metric> {
    metrics(task).find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_fit_challenge_files() {
        let names: Vec<_> = metrics(Task::Classification).map(|metric| metric.name).collect();
        for (i, name) in names.iter().enumerate() {
            assert!(
                !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!(!names[..i].contains(name), "{name} twice");
        }
        assert_eq!(metric(Task::Classification, "accuracy").map(|metric| metric.name), Some("accuracy"));
        assert_eq!(metric(Task::Classification, "Accuracy"), None);
    }
}
