//! `thimble metrics list|eval`

use std::fmt::Write as _;

use anyhow::anyhow;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use serde::Serialize;
use thimble_metrics::{Metric, Task};

use super::metrics_eval;
use crate::exit::{ExitStatus, Failure};
use crate::output;

/// List the metrics of every task, or compute them for predictions in files.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    List(ListOpts),
    Eval(Box<metrics_eval::Opts>),
}

/// Show what is computed: name, direction, range and unit; with --json all that docs/metrics.md says.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble metrics list --task tabular_regression

  # How ties, absent classes and zero denominators are settled
  thimble metrics list --task object_detection --json | jq '.[] | {name, edge_cases, undefined_when, reference}'")]
struct ListOpts {
    /// Only the metrics of a task
    #[arg(long, value_parser = tasks())]
    task: Option<Task>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Tasks by their names.
pub(crate) fn tasks() -> impl clap::builder::TypedValueParser<Value = Task> {
    PossibleValuesParser::new(Task::ALL.map(Task::name)).try_map(|name| {
        let task = Task::ALL.into_iter().find(|task| task.name() == name);
        task.ok_or_else(|| anyhow!("no such task"))
    })
}

/// A line of the list.
#[derive(Serialize)]
struct Row {
    task: Task,
    #[serde(flatten)]
    metric: &'static Metric,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        match self.command {
            Command::List(opts) => opts.run(),
            Command::Eval(opts) => opts.run(),
        }
    }
}

impl ListOpts {
    fn run(self) -> Result<ExitStatus, Failure> {
        let wanted = |task: &Task| self.task.is_none_or(|only| only == *task);
        let tasks: Vec<_> = Task::ALL.into_iter().filter(wanted).collect();
        let text = if self.json {
            let rows = |&task: &Task| thimble_metrics::metrics(task).map(move |metric| Row { task, metric });
            output::json(&tasks.iter().flat_map(rows).collect::<Vec<_>>())?
        } else {
            tasks.iter().map(|task| table(*task)).collect::<Vec<_>>().join("\n")
        };
        output::print(&text)?;
        Ok(ExitStatus::Success)
    }
}

fn table(task: Task) -> String {
    let metrics = || thimble_metrics::metrics(task);
    let name_width = metrics().map(|metric| metric.name.len()).max().unwrap_or_default();
    let label_width = metrics().map(|metric| metric.label.chars().count()).max().unwrap_or_default();
    let mut text = format!("{}\n", task.name());
    for metric in metrics() {
        let Metric { name, label, range, unit, .. } = metric;
        let (better, range, unit) = (metric.better(), range.to_string(), unit.label());
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<name_width$}  {label:<label_width$}  {better:<8}  {range:<10}  {unit}");
    }
    text
}
