//! `thimble dataset explore`

use crate::bench::{Bench, assert_golden};

const EXPLORE: &str = "dataset explore data --out exploration";

fn breast_cancer() -> Bench {
    let bench = Bench::new();
    bench.thimble("dataset generate breast-cancer --public --out data").assert_code(0);
    bench
}

#[test]
fn an_exploration_is_two_files_and_a_notebook_a_third() {
    let bench = breast_cancer();
    let ended = bench.thimble(EXPLORE);
    ended.assert_code(0);
    assert_golden("dataset-explore", &ended.stdout);
    let page = std::fs::read_to_string(bench.path("exploration/index.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("<script"));
    assert!(!bench.path("exploration/notebook.html").exists());

    bench.write(
        "eda.ipynb",
        r##"{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": "# Cells <script>alert(1)</script>"}]}"##,
    );
    bench.thimble(&format!("{EXPLORE} --notebook eda.ipynb --overwrite")).assert_code(0);
    let notebook = std::fs::read_to_string(bench.path("exploration/notebook.html")).unwrap();
    assert!(notebook.contains("Cells") && !notebook.contains("<script"));
}

#[test]
fn json_is_alone_on_stdout_and_equal_to_the_file() {
    let bench = breast_cancer();
    let printed = bench.thimble(&format!("{EXPLORE} --json")).json();
    let written = std::fs::read(bench.path("exploration/exploration.json")).unwrap();
    assert_eq!(printed, serde_json::from_slice::<serde_json::Value>(&written).unwrap());
    assert_eq!(printed["minimum_cell"], 5);
}

#[test]
fn what_is_there_is_replaced_only_when_told() {
    let bench = breast_cancer();
    bench.thimble(EXPLORE).assert_code(0);
    assert_ne!(bench.thimble(EXPLORE).code, 0);
    bench.thimble(&format!("{EXPLORE} --overwrite")).assert_code(0);
}

#[test]
fn limits_and_wrong_notebooks_are_named() {
    let bench = breast_cancer();
    let ended = bench.thimble(&format!("{EXPLORE} --minimum-cell 1"));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains('2') && ended.stderr.contains("minimum"), "{}", ended.stderr);
    bench.write("eda.ipynb", "{}");
    let ended = bench.thimble(&format!("{EXPLORE} --notebook eda.ipynb"));
    assert_ne!(ended.code, 0);
    assert!(ended.stderr.contains("eda.ipynb"), "{}", ended.stderr);
    assert!(!bench.path("exploration").exists());
}
