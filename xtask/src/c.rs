//! Guests written in C.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::guests::SOLUTIONS;
use crate::step::{run, succeeds};
use crate::toolchain::apt_install;
use crate::workspace::Workspace;

/// A compiler that knows WebAssembly, and its linker `wasm-ld`.
const DEBIAN_C_PACKAGES: [&str; 2] = ["clang", "lld"];

/// Builds the component of `examples/solutions/NAME` with the program `c-guest` and says where it is.
pub(crate) fn build(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    install_clang()?;
    let build = workspace.target("guests/c").join(name);
    let component = build.join(name).with_extension("wasm");
    let sources = workspace.path(SOLUTIONS).join(name);
    let mut guest = Command::new(workspace.target("release/c-guest"));
    guest.args(["src", "libc"].map(|part| sources.join(part)));
    guest.arg("--contract").arg(workspace.path("wit/thimble.wit"));
    run(guest.arg("--build").arg(build).arg("--out").arg(&component))?;
    Ok(component)
}

/// Finds or installs clang and its linker.
pub(crate) fn install_clang() -> Result<()> {
    let tools =
        || succeeds(Command::new("clang").arg("--version")) && succeeds(Command::new("wasm-ld").arg("--version"));
    if !tools() {
        apt_install(&DEBIAN_C_PACKAGES, &[])?;
    }
    if !tools() {
        bail!("clang or wasm-ld is still missing: {}", DEBIAN_C_PACKAGES.join(", "));
    }
    Ok(())
}
