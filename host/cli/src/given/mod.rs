//! Targets and predictions that someone already has, from files to what metrics are computed of.
//!
//! [`load`] reads both files, pairs their rows, and checks them by the rules of a dataset's targets and of a submission's
//! predictions.

mod build;
mod coco;
mod declared;
mod pairing;
mod side;

use std::path::Path;

use anyhow::Context as _;
use thimble_datasets::{Field, SplitTable, Table, TaskKind, Values};
use thimble_metrics::{Metric, Task};
use thimble_scoring::{Beside, Options, Output, OutputSchema, Predictions};

pub(crate) use declared::DeclaredOpts;

use crate::exit::{Blame as _, Failure};

/// Both files, checked.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) kind: TaskKind,
    pub(crate) targets: SplitTable,
    pub(crate) beside: Beside,
    pub(crate) predictions: Predictions,
}

/// The same before the checks.
struct Unchecked {
    kind: TaskKind,
    rows: usize,
    targets: Vec<(Field, Values)>,
    /// The last value before each row's forecast.
    last: Vec<f64>,
    /// Name, shape of a row or of an item, values.
    predictions: Vec<(&'static str, Vec<u32>, Values)>,
    /// To which row of the targets each row of the predictions belongs, where that is not the same.
    order: Option<Vec<usize>>,
}

/// Reads and checks both files for these metrics.
pub(crate) fn load(
    task: Task,
    declared: &DeclaredOpts,
    metrics: &[&Metric],
    targets: &Path,
    predictions: &Path,
) -> Result<Given, Failure> {
    declared.check(task)?;
    let is_json = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    let unchecked = match (task, is_json(targets), is_json(predictions)) {
        (Task::ObjectDetection, true, true) => coco::read(declared, targets, predictions)?,
        (_, false, false) => build::read(task, declared, metrics, targets, predictions)?,
        (Task::ObjectDetection, ..) => return Err(Failure::usage("both files are COCO JSON, or both are .npz")),
        _ => return Err(Failure::usage("only targets and predictions of object_detection are read from JSON")),
    };
    let (targets, predictions) = (targets.display(), predictions.display());
    let Unchecked { kind, rows, targets: columns, last, predictions: outputs, order } = unchecked;
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let split = SplitTable::of_targets(&kind, fields, Table { rows, columns });
    let split = split.with_context(|| format!("targets {targets}")).or_input()?;
    if let Some(row) = last.iter().position(|value| !value.is_finite()) {
        return Err(Failure::input(format!("targets {targets}: field `last`: row {row} holds a NaN or an infinity")));
    }
    let given = check(&kind, &split, metrics, &outputs, rows);
    let predictions = given.with_context(|| format!("predictions {predictions} (rows count from 0)")).or_input()?;
    let predictions = match order {
        Some(order) => predictions.ordered(&order),
        None => predictions,
    };
    let beside = beside(task, declared, &split, last)?;
    Ok(Given { kind, targets: split, beside, predictions })
}

/// Predictions as a submission's are checked.
fn check(
    kind: &TaskKind,
    targets: &SplitTable,
    metrics: &[&Metric],
    outputs: &[(&'static str, Vec<u32>, Values)],
    rows: usize,
) -> anyhow::Result<Predictions> {
    let schema = OutputSchema::new(kind, targets.fields(), metrics.iter().copied());
    let shapes: Vec<Vec<u32>> = outputs
        .iter()
        .map(|(_, shape, values)| {
            let width = shape.iter().map(|&size| size as usize).product::<usize>().max(1);
            let items = u32::try_from(values.view().len() / width).unwrap_or(u32::MAX);
            std::iter::once(items).chain(shape.iter().copied()).collect()
        })
        .collect();
    let outputs: Vec<_> = outputs
        .iter()
        .zip(&shapes)
        .map(|((name, _, values), shape)| Output { name, shape, values: values.view() })
        .collect();
    let numbers: Vec<usize> = (0..rows).collect();
    let columns = schema.check(&outputs, &numbers)?;
    let mut predictions = Predictions::none(schema.fields());
    predictions.push(rows, &columns);
    Ok(predictions)
}

fn beside(task: Task, declared: &DeclaredOpts, targets: &SplitTable, last: Vec<f64>) -> Result<Beside, Failure> {
    let mut beside = Beside { size: declared.size(targets), last, ..Beside::default() };
    if task == Task::TimeToEvent {
        let known = beside.known_from(targets, &declared.options());
        known.context("the targets").or_internal()?;
        beside.prevalence = declared.prevalence.unwrap_or(beside.prevalence);
    }
    Ok(beside)
}

impl DeclaredOpts {
    /// As scoring takes them.
    pub(crate) fn options(&self) -> Options {
        Options { metrics: self.metric_options(), event_horizon: self.horizon }
    }
}
