//! `cargo xtask test`: everything.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::guests::SOLUTIONS;
use crate::step::{blank, run_keeping, step, succeeds};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;
use crate::{arm64, browser, examples, guests, smith, table};

/// What proptest reads the seed of its cases from.
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";

/// Sets everything up and runs all tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Leave out the comparison with an arm64 build under qemu-aarch64 (CI never does)
    #[arg(long)]
    no_arm64: bool,
    /// Leave out the pages in a browser (CI never does)
    #[arg(long)]
    no_browser: bool,
    /// Run the workspace's tests with `cargo test` even where nextest is installed
    #[arg(long)]
    no_nextest: bool,
}

impl Opts {
    /// With nothing left out, as CI runs it.
    pub(crate) const ALL: Self = Self { no_arm64: false, no_browser: false, no_nextest: false };

    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let start = Instant::now();
        let route = examples::set_up(workspace, choice)?;
        guests::build_hostile(workspace, route)?;
        smith::write(workspace)?;
        if self.no_browser {
            eprintln!("   SKIPPED  the pages in a browser (--no-browser): what people see is NOT tested");
        } else {
            step("chromium", browser::install)?;
        }
        let arm64 = if self.no_arm64 {
            eprintln!("   SKIPPED  the arm64 comparison (--no-arm64): equal figures on both processors are NOT tested");
            None
        } else {
            Some(arm64::build(workspace)?)
        };

        let mut suites = suites(workspace, !self.no_nextest);
        if arm64.is_some() {
            suites.push(("kernels, arm64", arm64::kernel_tests(workspace)?));
        }
        let mut counts = Vec::new();
        let mut failed = Vec::new();
        for (name, mut command) in suites {
            match &arm64 {
                Some(binary) => command.env("THIMBLE_ARM64_BIN", binary).env("THIMBLE_QEMU", arm64::QEMU),
                // The tests that compare fail unless they are told that this is on purpose.
                None => command.env("THIMBLE_NO_ARM64", "1"),
            };
            if self.no_browser {
                command.env("THIMBLE_NO_BROWSER", "1");
            }
            // The same random cases in every run, so that a red one can be repeated and a green one stays green; another
            // value of the variable looks elsewhere, and so does `cargo xtask fuzz`.
            if std::env::var_os(PROPTEST_SEED).is_none() {
                command.env(PROPTEST_SEED, "1");
            }
            blank();
            // Every suite runs, also after one that failed.
            let outcome = step(name, || {
                let (kept, outcome) = run_keeping(&mut command, is_count);
                counts.extend(kept.into_iter().map(|line| format!("{name}: {line}")));
                outcome
            });
            failed.extend(outcome.err().map(|error| format!("{error:#}")));
        }
        blank();
        failed.extend(table::check(workspace, route).err().map(|error| format!("{error:#}")));
        blank();
        for line in &counts {
            println!("{line}");
        }
        if !failed.is_empty() {
            bail!("{}", failed.join("; "));
        }
        let whole = counts.first().map(String::as_str).unwrap_or_default();
        println!("cargo xtask test: every suite is green ({:.0} s); {whole}", start.elapsed().as_secs_f64());
        Ok(())
    }
}

/// What is run, the largest first.
fn suites(workspace: &Workspace, nextest: bool) -> Vec<(&'static str, Command)> {
    let mut sdk = workspace.cargo();
    sdk.args(["test", "--doc", "--release", "--package", "thimble-sdk"]);
    let mut solutions = workspace.cargo();
    solutions.current_dir(workspace.path(SOLUTIONS)).env("CARGO_TARGET_DIR", workspace.target("guests"));
    solutions.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    vec![
        ("workspace", workspace_tests(workspace, nextest)),
        ("sdk examples in docs", sdk),
        ("example solutions, native", solutions),
    ]
}

/// The workspace's own tests, by nextest where it is installed and wanted.
pub(crate) fn workspace_tests(workspace: &Workspace, nextest: bool) -> Command {
    let mut cargo = workspace.cargo();
    if nextest && succeeds(workspace.cargo().args(["nextest", "--version"])) {
        cargo.args(["nextest", "run", "--cargo-profile", "release", "--workspace", "--no-fail-fast"]);
    } else {
        cargo.args(["test", "--release", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]);
    }
    cargo
}

/// The line in which a runner counts its tests: nextest's `Summary […] 9 tests run: …`, libtest's `test result: …`
/// (libtest prints one per test binary; those without tests say nothing).
fn is_count(line: &str) -> bool {
    (line.starts_with("Summary [") && line.contains(" run: "))
        || (line.starts_with("test result: ") && !line.contains(" 0 passed; 0 failed; 0 ignored;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_both_runners_are_recognised() {
        assert!(is_count("Summary [   2.049s] 12 tests run: 12 passed, 0 skipped"));
        assert!(is_count(
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s"
        ));
        assert!(!is_count(
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s"
        ));
        assert!(!is_count("PASS [   0.004s] xtask tests::a"));
    }
}
