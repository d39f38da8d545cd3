//! Programs from crates.io that only some tasks need, under target/tools.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::step::{capture, run, step, succeeds};
use crate::workspace::Workspace;

/// A subcommand of cargo at the one version that this project was tried with.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The crate and its binary.
    name: &'static str,
    version: &'static str,
    /// What makes it print its version.
    ask: &'static [&'static str],
}

/// Licences, duplicates, sources and advisories of dependencies.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2", ask: &["--version"] };

/// A bill of materials in the form of CycloneDX.
pub(crate) const CYCLONEDX: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.9", ask: &["cyclonedx", "--version"] };

impl Tool {
    /// A command that runs it; installed on first use, which takes some minutes.
    pub(crate) fn command(&self, workspace: &Workspace) -> Result<Command> {
        let own = workspace.target("tools/bin").join(self.name);
        let found = [PathBuf::from(self.name), own.clone()].into_iter().find(|path| self.is(path));
        let program = match found {
            Some(program) => program,
            None => {
                step(&format!("install {} {}", self.name, self.version), || self.install(workspace))?;
                own
            }
        };
        let mut command = Command::new(program);
        command.current_dir(workspace.root());
        Ok(command)
    }

    /// Whether `path` is this tool at this version.
    fn is(&self, path: &Path) -> bool {
        let ask = || {
            let mut command = Command::new(path);
            command.args(self.ask);
            command
        };
        succeeds(&mut ask())
            && capture(&mut ask()).is_ok_and(|text| text.split_whitespace().last() == Some(self.version))
    }

    fn install(&self, workspace: &Workspace) -> Result<()> {
        let mut cargo = workspace.cargo();
        // Built in a temporary directory: what it is made of is nothing that this workspace uses.
        cargo.env_remove("CARGO_TARGET_DIR").args(["install", "--locked", "--quiet", "--root"]);
        cargo.arg(workspace.target("tools")).args([self.name, "--version", self.version]);
        run(&mut cargo).with_context(|| format!("{} comes from the registry, which must be reachable", self.name))
    }
}
