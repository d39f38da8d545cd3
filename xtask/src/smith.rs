//! Random guests of the determinism corpus.

use anyhow::Result;

use crate::step::{run, step};
use crate::workspace::Workspace;

/// The crate that writes them, a workspace of its own.
pub(crate) const SMITH: &str = "tests/smith";

/// Writes them to target/smith.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    step("random guests", || {
        let mut cargo = workspace.cargo();
        cargo.current_dir(workspace.path(SMITH)).env("CARGO_TARGET_DIR", workspace.target("smith-build"));
        run(cargo.args(["run", "--release", "--quiet", "--locked", "--"]).arg(workspace.target("smith")))
    })
}
