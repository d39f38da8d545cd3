//! Help texts and the tariff.

use std::process::Stdio;

use thimble_runtime::TARIFF;

use crate::bench::{Bench, assert_golden};

#[test]
fn help_texts() {
    let bench = Bench::new();
    for (name, line) in [
        ("help", "--help"),
        ("help-new", "new --help"),
        ("help-build", "build --help"),
        ("help-run", "run --help"),
        ("help-compare", "compare --help"),
        ("help-check", "check --help"),
        ("help-profile", "profile --help"),
        ("help-pack", "pack --help"),
        ("help-challenge-check", "challenge check --help"),
        ("help-challenge-commit", "challenge commit --help"),
        ("help-dataset-generate", "dataset generate imagenet-pareto --help"),
        ("help-dataset-describe", "dataset describe --help"),
        ("help-dataset-export", "dataset export --help"),
        ("help-dataset-explore", "dataset explore --help"),
        ("help-metrics-list", "metrics list --help"),
        ("help-metrics-eval", "metrics eval --help"),
        ("help-dataset-ingest", "dataset ingest --help"),
        ("help-tariff", "tariff --help"),
        ("help-doctor", "doctor --help"),
        ("help-login", "login --help"),
        ("help-submit", "submit --help"),
        ("help-status", "status --help"),
        ("help-list", "list --help"),
        ("help-logs", "logs --help"),
        ("help-leaderboard", "leaderboard --help"),
        ("help-operate", "operate --help"),
        ("help-operate-draft", "operate draft --help"),
    ] {
        let ended = bench.thimble(line);
        ended.assert_code(0);
        assert_golden(name, &ended.stdout);
    }
}

#[test]
fn a_wrong_command_line_is_2() {
    let bench = Bench::new();
    for line in ["", "fly", "run", "run a.zip", "tariff --verbose", "run a.zip --challenge toy --mode fast"] {
        assert_eq!(bench.thimble(line).code, 2, "{line}");
    }
}

#[test]
fn the_tariff_as_a_table() {
    let ended = Bench::new().thimble("tariff");
    ended.assert_code(0);
    assert_golden("tariff", &ended.stdout);
}

#[test]
fn the_tariff_as_json_names_every_operator() {
    let ended = Bench::new().thimble("tariff --json");
    ended.assert_code(0);
    let json = ended.json();
    assert_eq!(json["name"], TARIFF.name);
    assert_eq!(json["digest"], TARIFF.digest().to_string());
    let named = json["rows"].as_array().unwrap().iter().map(|row| row["operators"].as_array().unwrap().len());
    assert_eq!(named.sum::<usize>(), TARIFF.rows.iter().map(|row| row.operators.len()).sum::<usize>());
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let mut child =
        Bench::new().command("tariff --json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stderr, b"");
}
