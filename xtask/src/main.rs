//! Project tasks: `cargo xtask setup|examples|guests|demo|table|test|arm64|rebaseline|challenges|bench|fuzz|
//! schemathesis|supply|release|ci`.
//!
//! One file per task. A task does its own set-up, prints one line per step with the time it took, and leaves
//! everything it makes under `target/`.

mod arm64;
mod bench;
mod browser;
mod c;
mod challenges;
mod ci;
mod demo;
mod dependency_list;
mod examples;
mod fuzz;
mod guests;
mod rebaseline;
mod release;
mod rights;
mod schemathesis;
mod setup;
mod smith;
mod step;
mod supply;
mod table;
mod test;
mod toolchain;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::toolchain::GuestToolchain;
use crate::workspace::Workspace;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo, tests, benches and CI of Thimble")]
struct Cli {
    /// Where the guest target comes from. `auto` takes what is installed, then rustup, then (Debian, as root) apt
    #[arg(long, value_enum, default_value_t, global = true)]
    guest_toolchain: GuestToolchain,
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    Setup(setup::Opts),
    Examples(examples::Opts),
    Guests(guests::Opts),
    Demo(demo::Opts),
    Table(table::Opts),
    Test(test::Opts),
    Arm64(arm64::Opts),
    Rebaseline(rebaseline::Opts),
    Challenges(challenges::Opts),
    Bench(bench::Opts),
    Fuzz(fuzz::Opts),
    Schemathesis(schemathesis::Opts),
    Supply(supply::Opts),
    Release(release::Opts),
    Ci(ci::Opts),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match Workspace::locate().and_then(|workspace| run(cli, &workspace)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli, workspace: &Workspace) -> anyhow::Result<()> {
    let toolchain = cli.guest_toolchain;
    match cli.task {
        Task::Setup(opts) => opts.run(workspace, toolchain),
        Task::Examples(opts) => opts.run(workspace, toolchain),
        Task::Guests(opts) => opts.run(workspace, toolchain),
        Task::Demo(opts) => opts.run(workspace, toolchain),
        Task::Table(opts) => opts.run(workspace, toolchain),
        Task::Test(opts) => opts.run(workspace, toolchain),
        Task::Arm64(opts) => opts.run(workspace, toolchain),
        Task::Rebaseline(opts) => opts.run(workspace, toolchain),
        Task::Challenges(opts) => opts.run(workspace),
        Task::Bench(opts) => opts.run(workspace, toolchain),
        Task::Fuzz(opts) => opts.run(workspace),
        Task::Schemathesis(opts) => opts.run(workspace, toolchain),
        Task::Supply(opts) => opts.run(workspace),
        Task::Release(opts) => opts.run(workspace),
        Task::Ci(opts) => opts.run(workspace, toolchain),
    }
}
