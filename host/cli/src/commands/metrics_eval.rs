//! `thimble metrics eval`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Serialize;
use thimble_metrics::{Direction, Metric, MetricValue, Task, Unit};
use thimble_scoring::Truth;

use super::metrics::tasks;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::given::{self, DeclaredOpts, Given};
use crate::output;

/// Compute metrics of predictions that are in a file, checked as a submission's are.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Opts {
    /// What is predicted
    #[arg(long, value_parser = tasks())]
    task: Task,
    /// Only this metric; may be given again [default: all of the task]
    #[arg(long = "metric", value_name = "NAME")]
    metrics: Vec<String>,
    /// File of what is true
    #[arg(long, value_name = "FILE")]
    targets: PathBuf,
    /// File of what is predicted
    #[arg(long, value_name = "FILE")]
    predictions: PathBuf,
    /// Print only the values, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    declared: DeclaredOpts,
}

const HELP: &str = "\
Files are .csv, .tsv or .parquet with these columns, or .npz with arrays of the names and shapes of the task's fields; \
detections may also be COCO JSON (annotations, and the list of detections). Where both files have a column id, rows are \
paired by it, one to one; else they stand in the same order. Rows count from 0 in messages about values, and \
predictions have no other columns.

  task                     targets                    predictions
  classification           label                      score_CLASS of each class, p0 p1 …, or label
  object_detection         .npz: counts boxes labels  and scores
  semantic_segmentation    .npz: mask                 mask
  instance_segmentation    .npz: counts masks labels  and scores
  keypoint_detection       NAME_x NAME_y NAME_v       the same, NAME_v a share of 0 to 1
                           optional: box_x0 box_y0 box_x1 box_y1, area
  tabular_regression       target                     value
  time_series_forecasting  h1 h2 …, last              h1 h2 …
  time_to_event            time, event                risk

A metric that is undefined has no value but a reason. One that is degenerate says nothing about any submission on \
these targets; no challenge may rank by it.

Examples:
  thimble metrics eval --task tabular_regression --targets test.csv --predictions mine.parquet
  thimble metrics eval --task image_classification --metric accuracy --metric f1 --classes cat,dog \\
      --targets labels.csv --predictions labels-of-a-model.csv
  thimble metrics eval --task object_detection --targets annotations.json \\
      --predictions results.json --json

Exit status: 0 when all was computed, 2 for a wrong command line, 3 when a file is wrong: then nothing is computed.";

/// All that is printed.
#[derive(Serialize)]
struct Report {
    task: Task,
    rows: usize,
    metrics: Vec<Line>,
}

/// One metric. Of `value` and `undefined` exactly one is there.
#[derive(Serialize)]
struct Line {
    name: &'static str,
    label: &'static str,
    direction: Direction,
    ranks_by_magnitude: bool,
    unit: Unit,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undefined: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    degenerate: Option<String>,
    /// Of `map_per_class`: the average precision of each class.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<Class>>,
}

/// The average precision of a class; null where the targets have no object of it.
#[derive(Serialize)]
struct Class {
    class: String,
    value: Option<f64>,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let metrics = self.chosen()?;
        let given = given::load(self.task, &self.declared, &metrics, &self.targets, &self.predictions)?;
        let report = self.report(&given, &metrics)?;
        output::print(&if self.json { output::json(&report)? } else { report.text() })?;
        Ok(ExitStatus::Success)
    }

    fn chosen(&self) -> Result<Vec<&'static Metric>, Failure> {
        let all = || thimble_metrics::metrics(self.task);
        if self.metrics.is_empty() {
            return Ok(all().collect());
        }
        let find = |name: &String| {
            thimble_metrics::metric(self.task, name).ok_or_else(|| {
                let names = all().map(|metric| metric.name).collect::<Vec<_>>().join(", ");
                let name: String = name.chars().take(80).collect();
                Failure::usage(format!("{} has no metric `{name}`; there are {names}", self.task.name()))
            })
        };
        self.metrics.iter().map(find).collect()
    }

    fn report(&self, given: &Given, metrics: &[&'static Metric]) -> Result<Report, Failure> {
        let truth = Truth::with(&given.kind, &given.targets, given.beside.clone(), self.declared.options());
        let names = metrics.iter().map(|metric| metric.name);
        let values = truth.evaluate(self.task, names, &given.predictions);
        let values = values.context("cannot be scored").or_input()?;
        let mut lines = Vec::new();
        for metric in metrics {
            let degenerate = truth.degenerate(self.task, metric.name).context("cannot be scored").or_input()?;
            let (value, undefined) = match values.get(metric.name) {
                Some(MetricValue::Value(value)) => (Some(*value), None),
                Some(MetricValue::Undefined(reason)) => (None, Some(reason.clone())),
                None => continue,
            };
            let Metric { name, label, direction, ranks_by_magnitude, unit, .. } = **metric;
            let classes = if name == "map_per_class" { Some(classes(given, &truth)?) } else { None };
            lines.push(Line {
                name,
                label,
                direction,
                ranks_by_magnitude,
                unit,
                value,
                undefined,
                degenerate,
                classes,
            });
        }
        Ok(Report { task: self.task, rows: truth.rows(), metrics: lines })
    }
}

fn classes(given: &Given, truth: &Truth<'_>) -> Result<Vec<Class>, Failure> {
    let values = truth.average_precision_per_class(&given.predictions).context("cannot be scored").or_input()?;
    let names = given.kind.class_names();
    let class = |(index, value): (usize, Option<f64>)| {
        let class = names.get(index).cloned().unwrap_or_else(|| index.to_string());
        Class { class, value }
    };
    Ok(values.into_iter().enumerate().map(class).collect())
}

impl Report {
    fn text(&self) -> String {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let mut text = format!("{}, {} {rows}\n", self.task.name(), self.rows);
        let width = self.metrics.iter().map(|line| line.name.len()).max().unwrap_or_default();
        for line in &self.metrics {
            let name = line.name;
            // Writing to a string cannot fail.
            let _ = match (line.value, &line.undefined) {
                (Some(value), _) => writeln!(text, "{name:<width$}  {value}"),
                (None, reason) => {
                    writeln!(text, "{name:<width$}  undefined: {}", reason.as_deref().unwrap_or_default())
                }
            };
            if let Some(reason) = &line.degenerate {
                let _ = writeln!(text, "{:<width$}  degenerate: {reason}", "");
            }
            for Class { class, value } in line.classes.iter().flatten() {
                let value = value.map_or_else(|| "no object".to_owned(), |value| value.to_string());
                let _ = writeln!(text, "{:<width$}  {}: {value}", "", class.escape_debug());
            }
        }
        text
    }
}
