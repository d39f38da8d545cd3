//! `cargo xtask supply`: what this project depends on, and whether it may.

use anyhow::{Result, bail};

use crate::dependency_list::{self, Graph, List};
use crate::fuzz::{FUZZ, KERNELS_FUZZ, RUNTIME_FUZZ};
use crate::guests::{HOSTILE, SOLUTIONS};
use crate::smith::SMITH;
use crate::step::{run, step};
use crate::tools::DENY;
use crate::workspace::Workspace;

/// Workspaces of which nothing is shipped: held to licences and sources; what deny.toml says of duplicates is of the main one.
const OTHER_WORKSPACES: [&str; 6] = [SOLUTIONS, HOSTILE, SMITH, FUZZ, KERNELS_FUZZ, RUNTIME_FUZZ];

/// Holds dependencies against supply-chain/dependencies.toml and deny.toml; installs cargo-deny on first use.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// Only supply-chain/dependencies.toml, which needs neither a tool nor the network
    #[arg(long)]
    list: bool,
    /// Succeed although no advisory database is at hand
    #[arg(long, conflicts_with = "list")]
    without_advisories: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        step("supply-chain/dependencies.toml", || listed(workspace))?;
        if self.list {
            return Ok(());
        }
        step("licences, duplicates, sources", || {
            let mut deny = DENY.command(workspace)?;
            // An exception that excepts nothing would except the next thing of that name.
            deny.args(["check", "-D", "unnecessary-skip", "-D", "unmatched-skip"]);
            run(deny.args(["-A", "license-exception-not-encountered", "bans", "licenses", "sources"]))?;
            OTHER_WORKSPACES.iter().try_for_each(|directory| {
                let mut deny = DENY.command(workspace)?;
                deny.arg("--manifest-path").arg(workspace.path(directory).join("Cargo.toml"));
                deny.arg("--config").arg(workspace.path("deny.toml"));
                // A smaller workspace has fewer licences than the list, which is no fault.
                deny.args(["check", "-A", "license-not-encountered", "-A", "license-exception-not-encountered"]);
                run(deny.args(["licenses", "sources"]))
            })
        })?;
        self.advisories(workspace)
    }

    /// Known vulnerabilities, unsound and unmaintained crates, yanked versions. Without the database nothing is known, and
    /// that is an error unless it was asked for.
    fn advisories(&self, workspace: &Workspace) -> Result<()> {
        let fetched = step("advisory database", || run(DENY.command(workspace)?.args(["fetch", "db"])));
        let Err(error) = fetched else {
            return step("advisories", || run(DENY.command(workspace)?.args(["check", "advisories"])));
        };
        eprintln!("NOT CHECKED  advisories and yanked versions: {error:#}");
        if !self.without_advisories {
            bail!(
                "advisories were NOT checked, since their database cannot be had here; run this where github.com can be \
                 reached, or say --without-advisories and have it run elsewhere"
            );
        }
        Ok(())
    }
}

/// Every complaint about the graph that the lock file gives.
fn listed(workspace: &Workspace) -> Result<()> {
    let list = List::read(&workspace.path(dependency_list::PATH))?;
    let complaints = list.complaints(&Graph::locked(workspace)?);
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}
