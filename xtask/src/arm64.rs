//! `cargo xtask arm64`: the same runner for another processor.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::rebaseline;
use crate::step::{run, step};
use crate::toolchain::{ARM64_TARGET, GuestToolchain, arm64_route};
use crate::workspace::Workspace;

/// How a foreign binary is run, for tests that compare the two processors.
pub(crate) const QEMU: &str = "qemu-aarch64 -L /usr/aarch64-linux-gnu";

/// Builds target/aarch64-unknown-linux-gnu/release/thimble with a cross compiler.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Also set everything up and compare the whole determinism corpus with this processor (`cargo xtask test` compares one
    /// random guest in five, and everything else of it)
    #[arg(long)]
    corpus: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let binary = build(workspace)?;
        if self.corpus {
            return rebaseline::run_tests(workspace, choice, "determinism corpus", &["corpus::"], Some(&binary));
        }
        println!("{}", binary.display());
        println!("run it with: THIMBLE_CHILD_WRAPPER=\"{QEMU}\" {QEMU} {}", binary.display());
        Ok(())
    }
}

/// Builds the arm64 binary and says where it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    step("thimble for arm64", || run(cargo(workspace, "build")?.args(["--package", "thimble-cli"])))?;
    Ok(workspace.target(ARM64_TARGET).join("release/thimble"))
}

/// The tests of the host's matrix products, for which NEON is other code than AVX.
pub(crate) fn kernel_tests(workspace: &Workspace) -> Result<Command> {
    let mut cargo = cargo(workspace, "test")?;
    cargo.args(["--package", "thimble-kernels", "--tests"]).env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", QEMU);
    Ok(cargo)
}

/// `cargo` for the other processor.
fn cargo(workspace: &Workspace, task: &str) -> Result<Command> {
    let mut cargo = arm64_route(workspace)?.cargo(workspace, workspace.root(), task, ARM64_TARGET);
    cargo.env("CARGO_TARGET_DIR", workspace.target(""));
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc");
    Ok(cargo)
}
