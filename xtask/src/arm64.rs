//! `cargo xtask arm64`: the same runner for another processor.

use std::path::PathBuf;

use anyhow::Result;

use crate::step::{run, step};
use crate::toolchain::{ARM64_TARGET, arm64_route};
use crate::workspace::Workspace;

/// How a foreign binary is run, for tests that compare the two processors.
pub(crate) const QEMU: &str = "qemu-aarch64 -L /usr/aarch64-linux-gnu";

/// Builds target/aarch64-unknown-linux-gnu/release/thimble with a cross compiler.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        let binary = build(workspace)?;
        println!("{}", binary.display());
        println!("run it with: THIMBLE_CHILD_WRAPPER=\"{QEMU}\" {QEMU} {}", binary.display());
        Ok(())
    }
}

/// Builds the arm64 binary and says where it is.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    let route = arm64_route(workspace)?;
    step("thimble for arm64", || {
        let mut cargo = route.cargo(workspace, workspace.root(), "build", ARM64_TARGET);
        cargo.args(["--package", "thimble-cli"]).env("CARGO_TARGET_DIR", workspace.target(""));
        run(cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc"))
    })?;
    Ok(workspace.target(ARM64_TARGET).join("release/thimble"))
}
