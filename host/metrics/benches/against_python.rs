//! AUC over ten million rows, against scikit-learn on the same rows.
//!
//! Run with `cargo bench -p thimble-metrics --bench against_python -- --python PATH`, PATH an interpreter with the packages of
//! `tests/golden/requirements.txt`. Without it the metric is timed alone. Times are the best of three rounds each.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use thimble_metrics::{ClassificationInputs, ClassificationTruth, Inputs, Options, Task, evaluate};

const ROWS: usize = 10_000_000;
const ROUNDS: usize = 3;
/// At most this part of the library's time.
const AIM: f64 = 0.5;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().collect();
    let python = arguments.iter().position(|argument| argument == "--python").and_then(|at| arguments.get(at + 1));
    let (labels, scores) = rows();
    let truth = ClassificationTruth { labels: &labels, classes: 2, positive: 1, ordinal: false };
    let inputs = Inputs::Classification(ClassificationInputs { truth, scores: &scores });
    let (mut seconds, mut auc) = (f64::INFINITY, None);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        auc = evaluate(Task::TabularClassification, "auc", &inputs, &Options::default())?.value();
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let auc = auc.context("the AUC is undefined")?;
    println!("AUC over {ROWS} rows: {seconds:.3} s");
    let Some(python) = python else { return Ok(()) };
    let (expected, theirs) = scikit_learn(python, &labels, &scores)?;
    ensure!((auc - expected).abs() <= 1e-9 * expected, "the AUC is {auc}, scikit-learn has {expected}");
    println!("scikit-learn: {theirs:.3} s, ratio {:.3} (<= {AIM})", seconds / theirs);
    Ok(())
}

/// Overlapping scores of two classes, in 2²⁴ steps, so that there are ties.
fn rows() -> (Vec<i64>, Vec<f32>) {
    let mut state = 1_u64;
    let mut draw = || {
        // Xorshift (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u32 << 24) as f32
    };
    let labels: Vec<_> = (0..ROWS).map(|_| i64::from(draw() < 0.3)).collect();
    let scores = labels.iter().flat_map(|&label| {
        let score = 0.8 * draw() + 0.2 * label as f32;
        [1.0 - score, score]
    });
    let scores = scores.collect();
    (labels, scores)
}

/// The value and the seconds.
fn scikit_learn(python: &str, labels: &[i64], scores: &[f32]) -> Result<(f64, f64)> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (labels_file, scores_file) = (directory.join("auc-labels"), directory.join("auc-scores"));
    fs::write(&labels_file, labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<_>>())?;
    fs::write(&scores_file, scores.iter().flat_map(|score| score.to_le_bytes()).collect::<Vec<_>>())?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/against_python.py");
    let output = Command::new(python).arg(script).arg(&labels_file).arg(&scores_file).output();
    fs::remove_file(&labels_file)?;
    fs::remove_file(&scores_file)?;
    let output = output.with_context(|| format!("cannot run {python}"))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_slice(&output.stdout)?;
    Ok((result["auc"].as_f64().context("no value")?, result["seconds"].as_f64().context("no time")?))
}
