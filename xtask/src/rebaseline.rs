//! `cargo xtask rebaseline`: what another engine may have changed (`docs/engine-update.md`).

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::step::{run, step, succeeds};
use crate::test::workspace_tests;
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;
use crate::{arm64, examples, guests, smith, table};

/// Tests whose expectations an engine can move: its name and configuration, the language that admission allows, the tariff
/// operator by operator, products bit by bit, stack depth, the profiler's own copy of the tariff, the figures of the
/// examples, and the corpus on both processors.
const TESTS: [&str; 9] = [
    "engine::",
    "features::",
    "tariff::",
    "golden_meter::",
    "kernels::",
    "stack::",
    "profile::",
    "end_to_end::",
    "corpus::",
];

/// Runs every test that holds a figure of the engine: fuel, bits, features, the table of examples, and the whole corpus on
/// both processors.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Leave out the other processor, and say so
    #[arg(long)]
    no_arm64: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let arm64 = if self.no_arm64 {
            eprintln!("   SKIPPED  arm64 (--no-arm64): equal figures on both processors are NOT tested");
            None
        } else {
            Some(arm64::build(workspace)?)
        };
        run_tests(workspace, choice, "figures of the engine", &TESTS, arm64.as_deref())?;
        let route = examples::set_up(workspace, choice)?;
        table::check(workspace, route).context("the table of examples has other figures")
    }
}

/// The workspace's tests whose names contain one of `filters`, with the whole corpus.
pub(crate) fn run_tests(
    workspace: &Workspace,
    choice: GuestToolchain,
    name: &str,
    filters: &[&str],
    arm64: Option<&Path>,
) -> Result<()> {
    let route = examples::set_up(workspace, choice)?;
    guests::build_hostile(workspace, route)?;
    smith::write(workspace)?;
    let nextest = succeeds(workspace.cargo().args(["nextest", "--version"]));
    let mut tests = workspace_tests(workspace, nextest);
    if !nextest {
        tests.arg("--");
    }
    tests.args(filters).env("THIMBLE_CORPUS", "whole");
    match arm64 {
        Some(binary) => tests.env("THIMBLE_ARM64_BIN", binary).env("THIMBLE_QEMU", arm64::QEMU),
        None => tests.env("THIMBLE_NO_ARM64", "1"),
    };
    step(name, || run(&mut tests))
}
