//! `cargo xtask ci`: what must be green before a change lands.

use anyhow::Result;

use crate::fuzz::{FUZZ, KERNELS_FUZZ, RUNTIME_FUZZ};
use crate::guests::{HOSTILE, SOLUTIONS};
use crate::smith::SMITH;
use crate::step::{run, step};
use crate::test;
use crate::toolchain::{GUEST_TARGET, GuestToolchain, Route, guest_route};
use crate::workspace::Workspace;

/// Formatting, lints and all tests, with nothing left out.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Formatting and lints only
    #[arg(long)]
    no_tests: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        for directory in [".", SOLUTIONS, HOSTILE, SMITH, FUZZ, KERNELS_FUZZ, RUNTIME_FUZZ, "xtask/preview1"] {
            step(&format!("fmt {directory}"), || {
                let mut cargo = workspace.cargo();
                run(cargo.current_dir(workspace.path(directory)).args(["fmt", "--all", "--check"]))
            })?;
        }
        step("clippy", || {
            let mut cargo = workspace.cargo();
            run(cargo.args(["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]))
        })?;
        step(&format!("clippy {SMITH}"), || {
            let mut cargo = workspace.cargo();
            cargo.current_dir(workspace.path(SMITH)).env("CARGO_TARGET_DIR", workspace.target("smith-build"));
            run(cargo.args(["clippy", "--release", "--", "-D", "warnings"]))
        })?;
        let route = guest_route(workspace, choice)?;
        for directory in [SOLUTIONS, HOSTILE] {
            step(&format!("clippy {directory}"), || lint_guests(workspace, route, directory))?;
        }
        if self.no_tests { Ok(()) } else { test::Opts::ALL.run(workspace, choice) }
    }
}

/// Native code with its tests, then what is compiled for the guest target only.
fn lint_guests(workspace: &Workspace, route: Route, directory: &str) -> Result<()> {
    let guests = workspace.target("guests");
    let mut native = workspace.cargo();
    native.current_dir(workspace.path(directory)).env("CARGO_TARGET_DIR", &guests);
    run(native.args(["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]))?;
    if route == Route::BuildStd {
        eprintln!("   SKIPPED  clippy for {GUEST_TARGET}: Debian's compiler comes without it");
        return Ok(());
    }
    let mut wasm = route.cargo(workspace, &workspace.path(directory), "clippy", GUEST_TARGET);
    wasm.env("CARGO_TARGET_DIR", &guests);
    run(wasm.args(["--workspace", "--lib", "--", "-D", "warnings"]))
}
