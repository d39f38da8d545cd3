//! `cargo xtask challenges`

use anyhow::Result;

use crate::step::{run, step};
use crate::workspace::Workspace;

/// Writes the example challenges from their family, and the JSON Schemas from the types.
///
/// The test that does it is the one that fails when the committed files are not current.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        step("challenges and schemas", || {
            let mut cargo = workspace.cargo();
            cargo.args(["test", "--release", "--package", "thimble-challenge", "--test", "generated"]);
            run(cargo.env("BLESS", "1"))
        })
    }
}
