//! `cargo xtask guests`: guest workspaces, built to components.

use std::path::PathBuf;

use anyhow::Result;

use crate::step::{run, step};
use crate::toolchain::{GUEST_TARGET, GuestToolchain, Route, guest_route};
use crate::workspace::Workspace;

/// The example solutions.
pub(crate) const SOLUTIONS: &str = "examples/solutions";

/// The hostile guests and other fixtures of the tests.
pub(crate) const HOSTILE: &str = "tests/guests";

/// Builds every guest of tests/guests into target/guests/wasm32-wasip2/release.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace, choice: GuestToolchain) -> Result<()> {
        let route = guest_route(workspace, choice)?;
        build_hostile(workspace, route)
    }
}

/// Guests that ask for what Debian's WASI libc, of the first preview, does not have: sockets and threads.
const NOT_WITH_DEBIAN: [&str; 2] = ["socket-opener", "std-user"];

/// Every member of the workspace of hostile guests.
pub(crate) fn build_hostile(workspace: &Workspace, route: Route) -> Result<()> {
    let mut args = vec!["--workspace"];
    if route == Route::BuildStd {
        eprintln!("   SKIPPED  {}: Debian's libc cannot link them; their tests will FAIL", NOT_WITH_DEBIAN.join(", "));
        args.extend(NOT_WITH_DEBIAN.iter().flat_map(|name| ["--exclude", name]));
    }
    step("hostile guests", || build(workspace, route, HOSTILE, &args))
}

/// `cargo build` in a guest workspace.
pub(crate) fn build(workspace: &Workspace, route: Route, directory: &str, args: &[&str]) -> Result<()> {
    let mut cargo = route.cargo(workspace, &workspace.path(directory), "build", GUEST_TARGET);
    run(cargo.args(args).env("CARGO_TARGET_DIR", workspace.target("guests")))
}

/// Where cargo puts the component of a guest crate.
pub(crate) fn component(workspace: &Workspace, crate_name: &str) -> PathBuf {
    workspace.target("guests").join(GUEST_TARGET).join("release").join(format!("{}.wasm", crate_name.replace('-', "_")))
}
