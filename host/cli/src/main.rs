//! The `thimble` command: the only place with ambient authority.

mod cache;
mod commands;
mod evaluate;
mod exit;
mod flame_graph;
mod input;
mod output;
mod profile_report;
mod progress;
mod report;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{challenge, check, compile_child, dataset, pack, profile, run, tariff};
use crate::exit::{ExitStatus, Failure};

/// Run untrusted machine-learning submissions on private data, with every FLOP metered.
#[derive(Debug, Parser)]
#[command(name = "thimble", version, after_help = exit::HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Opts),
    Check(check::Opts),
    Profile(profile::Opts),
    Pack(pack::Opts),
    Challenge(challenge::Opts),
    Dataset(dataset::Opts),
    Tariff(tariff::Opts),
    #[command(hide = true)]
    CompileChild(compile_child::Opts),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(opts) => opts.run(),
        Command::Check(opts) => opts.run(),
        Command::Profile(opts) => opts.run(),
        Command::Pack(opts) => opts.run(),
        Command::Challenge(opts) => opts.run(),
        Command::Dataset(opts) => opts.run(),
        Command::Tariff(opts) => opts.run(),
        // Its status is the engine's own protocol.
        Command::CompileChild(opts) => return opts.run(),
    };
    outcome.unwrap_or_else(report_failure).into()
}

fn report_failure(failure: Failure) -> ExitStatus {
    output::note(&format!("error: {:#}", failure.error));
    failure.status
}
