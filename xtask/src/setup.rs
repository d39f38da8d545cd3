//! `cargo xtask setup`

use anyhow::Result;

use crate::browser;
use crate::c;
use crate::step::step;
use crate::toolchain::{self, GuestToolchain};
use crate::workspace::Workspace;

/// Installs what is missing: the guest target, a C compiler for one example and, unless left out, the arm64 cross tools and the
/// browser of the tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Leave out the arm64 cross compiler and emulator
    #[arg(long)]
    no_arm64: bool,
    /// Leave out the browser
    #[arg(long)]
    no_browser: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let route = toolchain::guest_route(workspace, choice)?;
        println!("guests: {route:?}");
        step("clang", c::install_clang)?;
        if !self.no_arm64 {
            println!("arm64: {:?}", toolchain::arm64_route(workspace)?);
        }
        if !self.no_browser {
            step("chromium", browser::install)?;
        }
        Ok(())
    }
}
