//! `cargo xtask demo`: two solutions, one challenge, one comparison.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::examples;
use crate::step::{blank, run, step};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;

const CHALLENGE: &str = "examples/challenges/imagenet-pareto-500k";
const SOLUTIONS: [&str; 2] = ["centroid", "mlp"];
const LABELS: [&str; 7] =
    ["verdict", "accuracy", "score", "parameters", "FLOPs/sample", "training FLOPs", "mgCO2e/million samples"];

/// Sets everything up, runs two solutions on imagenet-pareto-500k and compares them.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        examples::set_up(workspace, choice)?;

        let results = workspace.target("demo");
        fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;
        let mut rows = Vec::new();
        for name in SOLUTIONS {
            blank();
            let out = results.join(name).with_extension("json");
            step(&format!("run {name}"), || {
                let mut thimble = Command::new(workspace.thimble());
                // Relative paths: the command can be typed again as it stands in the output.
                thimble.current_dir(workspace.root()).arg("run").arg(format!("target/examples/{name}.zip"));
                thimble.args(["--challenge", CHALLENGE, "--cache", "target/cache"]).arg("--out").arg(&out);
                run(&mut thimble)
            })?;
            rows.push(Row::read(name, &out)?);
        }
        println!("\n{}", comparison(&rows));
        println!("results: target/demo/*.json; try: target/release/thimble run --help");
        Ok(())
    }
}

/// What the comparison shows of one result.
struct Row {
    name: &'static str,
    verdict: String,
    accuracy: Option<f64>,
    score: Option<f64>,
    parameters: Option<u64>,
    flops_per_sample: Option<f64>,
    training_flops: Option<f64>,
    gco2e_per_sample: Option<f64>,
}

impl Row {
    fn read(name: &'static str, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let result: Value =
            serde_json::from_slice(&bytes).with_context(|| format!("{} is not JSON", path.display()))?;
        let at = |pointer: &str| result.pointer(pointer);
        let number = |pointer: &str| at(pointer).and_then(Value::as_f64);
        Ok(Self {
            name,
            verdict: at("/comparable/verdict").and_then(Value::as_str).unwrap_or("?").to_owned(),
            accuracy: number("/comparable/metrics/accuracy/value"),
            score: number("/comparable/score/value"),
            parameters: at("/comparable/parameters/counted").and_then(Value::as_u64),
            flops_per_sample: number("/comparable/compute/flops_per_sample"),
            training_flops: number("/comparable/compute/training_flops"),
            gco2e_per_sample: number("/comparable/compute/gco2e_per_sample"),
        })
    }

    /// One cell per line of [`LABELS`]; what the run did not measure is a dash.
    fn cells(&self) -> [String; LABELS.len()] {
        let show = |value: Option<f64>, decimals: usize| {
            value.map_or_else(|| "-".to_owned(), |value| grouped(&format!("{value:.decimals$}")))
        };
        [
            self.verdict.clone(),
            show(self.accuracy, 4),
            show(self.score, 2),
            self.parameters.map_or_else(|| "-".to_owned(), |count| grouped(&count.to_string())),
            show(self.flops_per_sample, 0),
            show(self.training_flops, 0),
            show(self.gco2e_per_sample.map(|grams| grams * 1e9), 2),
        ]
    }
}

/// A positive decimal number with its whole part in groups of three digits.
fn grouped(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// Solutions side by side.
fn comparison(rows: &[Row]) -> String {
    let mut table = format!("{:<23}", "");
    let mut columns = Vec::new();
    for row in rows {
        table += &format!("{:>18}", row.name);
        columns.push(row.cells());
    }
    for (line, label) in LABELS.iter().enumerate() {
        table += &format!("\n{label:<23}");
        for cells in &columns {
            table += &format!("{:>18}", cells[line]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_a_dash() {
        let row = Row {
            name: "broken",
            verdict: "trap".to_owned(),
            accuracy: None,
            score: None,
            parameters: None,
            flops_per_sample: None,
            training_flops: Some(12.0),
            gco2e_per_sample: None,
        };
        let table = comparison(&[row]);
        assert_eq!(table.matches(" -").count(), 5, "{table}");
        assert!(table.ends_with("mgCO2e/million samples                  -"), "{table}");
    }

    #[test]
    fn the_whole_part_is_grouped() {
        for (number, text) in
            [("0.90", "0.90"), ("999", "999"), ("1000.5", "1,000.5"), ("101122897752", "101,122,897,752")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
