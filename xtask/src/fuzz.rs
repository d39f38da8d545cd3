//! `cargo xtask fuzz`: libFuzzer on the compiler at hand.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::step::{capture, run, step};
use crate::workspace::Workspace;

/// What cargo-fuzz passes for coverage, without the sanitizers, which want a nightly compiler.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// The directory of each fuzz crate and its targets.
const TARGETS: [(&str, &str); 1] = [("host/kernels/fuzz", "gemm")];

/// Builds every fuzz target and runs each for some time. Wants a C++ compiler.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        let host = host_target(workspace)?;
        for (directory, target) in TARGETS {
            step(&format!("fuzz {target}"), || {
                let mut cargo = workspace.cargo();
                cargo.current_dir(workspace.path(directory)).env("CARGO_TARGET_DIR", workspace.target("fuzz"));
                // A target of its own keeps the flags from build scripts.
                cargo.args(["run", "--release", "--target", &host, "--bin", target, "--"]);
                cargo.arg(format!("-max_total_time={}", self.seconds)).arg("-print_final_stats=1");
                run(cargo.env("RUSTFLAGS", COVERAGE))
            })?;
        }
        Ok(())
    }
}

/// The target of the compiler itself.
fn host_target(workspace: &Workspace) -> Result<String> {
    let version = capture(Command::new("rustc").current_dir(workspace.root()).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc -vV names no host")?.to_owned())
}
