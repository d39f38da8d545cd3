//! The browser in which the service's pages are tested.

use std::process::Command;

use anyhow::{Result, bail};

use crate::step::succeeds;
use crate::toolchain::apt_install;

/// Chromium and the program that drives it.
const DEBIAN_BROWSER_PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Finds or installs Chromium and chromedriver.
pub(crate) fn install() -> Result<()> {
    let there = || {
        succeeds(Command::new("chromium").arg("--version")) && succeeds(Command::new("chromedriver").arg("--version"))
    };
    if !there() {
        apt_install(&DEBIAN_BROWSER_PACKAGES, &[])?;
    }
    if !there() {
        bail!("chromium or chromedriver is still missing: {}", DEBIAN_BROWSER_PACKAGES.join(", "));
    }
    Ok(())
}
