//! `cargo xtask bench`

use anyhow::Result;

use crate::examples;
use crate::step::{run, step};
use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;

/// Sets up the examples and runs `cargo bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Passed on to `cargo bench`, for example `-p thimble-runtime` or `-- fixed_cost`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        examples::set_up(workspace, choice)?;
        step("benches", || {
            let mut cargo = workspace.cargo();
            cargo.arg("bench");
            if self.args.is_empty() {
                cargo.arg("--workspace");
            }
            run(cargo.args(&self.args))
        })
    }
}
