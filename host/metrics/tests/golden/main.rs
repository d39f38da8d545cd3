//! Every metric against its reference library, on the golden files beside this one; `README.md` says how they are made.

mod families;
mod images;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use thimble_metrics::{MetricValue, Options, Task, evaluate, metrics};

use families::FAMILIES;

/// Relative, of doubles against doubles.
const TOLERANCE: f64 = 1e-9;
/// Where a file says of a metric that the reference computes in singles.
const SINGLE_TOLERANCE: f64 = 1e-6;
/// Below this a difference counts absolutely: 1 − 1 of a library may be 1e-16.
const FLOOR: f64 = 1e-6;
/// Cases that each metric must have a value in.
const CASES: usize = 40;

/// How a metric fares.
#[derive(Default)]
struct Tally {
    values: usize,
    undefined: usize,
    worst: f64,
    worst_case: String,
}

/// The numbers of an array in a case.
pub(crate) fn numbers(inputs: &Value, name: &str) -> Result<Vec<f64>> {
    let list = inputs[name].as_array().with_context(|| format!("no array `{name}`"))?;
    list.iter().map(|number| number.as_f64().with_context(|| format!("`{name}` holds {number}"))).collect()
}

/// The whole numbers of an array in a case.
pub(crate) fn integers(inputs: &Value, name: &str) -> Result<Vec<i64>> {
    let list = inputs[name].as_array().with_context(|| format!("no array `{name}`"))?;
    list.iter().map(|number| number.as_i64().with_context(|| format!("`{name}` holds {number}"))).collect()
}

/// A number in a case.
pub(crate) fn number(inputs: &Value, name: &str) -> Result<f64> {
    inputs[name].as_f64().with_context(|| format!("no number `{name}`"))
}

/// What the owner chose, as far as the case says.
fn options(inputs: &Value) -> Options {
    let default = Options::default();
    let choice = |name: &str, default| inputs[name].as_f64().unwrap_or(default);
    Options {
        relative_tolerance: choice("relative_tolerance", default.relative_tolerance),
        absolute_tolerance: choice("absolute_tolerance", default.absolute_tolerance),
        score_threshold: choice("score_threshold", default.score_threshold),
    }
}

/// Computes every metric of the task that the case has, and notes how far it is from the expected value.
fn compare(
    task: Task,
    case: &Value,
    inputs: &thimble_metrics::Inputs<'_>,
    tallies: &mut BTreeMap<&str, Tally>,
) -> Result<()> {
    for metric in metrics(task) {
        let Some(expected) = case["expected"].get(metric.name) else { continue };
        let found =
            evaluate(task, metric.name, inputs, &options(&case["inputs"])).with_context(|| metric.name.to_owned())?;
        let tally = tallies.entry(metric.name).or_default();
        match (found, expected.as_f64()) {
            (MetricValue::Value(found), Some(expected)) => {
                let error = (found - expected).abs() / expected.abs().max(FLOOR);
                tally.values += 1;
                if error > tally.worst {
                    (tally.worst, tally.worst_case) = (error, format!("{}: {found}, not {expected}", case["name"]));
                }
            }
            (MetricValue::Undefined(_), None) => tally.undefined += 1,
            (found, expected) => anyhow::bail!("{}: {found:?}, not {expected:?}", metric.name),
        }
    }
    Ok(())
}

fn check(task: Task, file: &Value, tallies: &BTreeMap<&str, Tally>) -> Result<()> {
    for metric in metrics(task) {
        let name = metric.name;
        let tally = tallies.get(name).with_context(|| format!("{}: no case has {name}", task.name()))?;
        println!(
            "{:<24} {name:<20} {:>4} values, {:>2} undefined, worst relative error {:.1e}",
            task.name(),
            tally.values,
            tally.undefined,
            tally.worst
        );
        ensure!(tally.values >= CASES, "{}: {name} has a value in {} cases, not {CASES}", task.name(), tally.values);
        let single = file["single_precision"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
        let tolerance = if single { SINGLE_TOLERANCE } else { TOLERANCE };
        ensure!(tally.worst <= tolerance, "{}: {name} is {:e} off, {}", task.name(), tally.worst, tally.worst_case);
    }
    Ok(())
}

#[test]
fn every_metric_agrees_with_its_reference_library() -> Result<()> {
    for family in FAMILIES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(family.file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", family.file))?;
        let file: Value = serde_json::from_str(&text).with_context(|| family.file.to_owned())?;
        let cases = file["cases"].as_array().context("no array `cases`")?;
        for &task in family.tasks {
            let mut tallies = BTreeMap::new();
            for case in cases {
                (family.with_inputs)(&case["inputs"], &mut |inputs| compare(task, case, inputs, &mut tallies))
                    .with_context(|| format!("{}: {}, case {}", family.file, task.name(), case["name"]))?;
            }
            check(task, &file, &tallies)?;
        }
    }
    Ok(())
}

#[test]
fn every_task_has_a_golden_file() {
    let tasks: Vec<_> = FAMILIES.iter().flat_map(|family| family.tasks).collect();
    for task in Task::ALL {
        assert_eq!(tasks.iter().filter(|&&&known| known == task).count(), 1, "{}", task.name());
    }
}
