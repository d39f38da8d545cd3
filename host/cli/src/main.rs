//! The `thimble` command: the only place with ambient authority.

mod cache;
mod cargo;
mod commands;
mod comparison;
mod evaluate;
mod exit;
mod flame_graph;
mod given;
mod input;
mod log;
mod npy;
mod output;
mod profile_report;
mod progress;
mod project;
mod remote;
mod report;
mod sandbox;
mod service;
mod target;
mod vendor;
mod workers;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    backup, build, cancel, challenge, check, compare, dataset, doctor, invite, leaderboard, list, login, logout, logs,
    metrics, new, operate, pack, profile, retain, run, sandbox_child, serve, status, submit, tariff, token, whoami,
    worker, worker_child,
};
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
    New(new::Opts),
    Build(build::Opts),
    Check(check::Opts),
    Run(run::Opts),
    Profile(profile::Opts),
    Compare(compare::Opts),
    Pack(pack::Opts),
    Challenge(challenge::Opts),
    Dataset(dataset::Opts),
    Metrics(metrics::Opts),
    Tariff(tariff::Opts),
    Login(login::Opts),
    Logout(logout::Opts),
    Whoami(whoami::Opts),
    Submit(submit::Opts),
    Status(status::Opts),
    List(list::Opts),
    Logs(logs::Opts),
    Cancel(cancel::Opts),
    Leaderboard(leaderboard::Opts),
    Operate(operate::Opts),
    Serve(serve::Opts),
    Worker(worker::Opts),
    Token(token::Opts),
    Invite(invite::Opts),
    Backup(backup::Opts),
    Retain(retain::Opts),
    Doctor(doctor::Opts),
    #[command(hide = true)]
    SandboxChild(sandbox_child::Opts),
    #[command(hide = true)]
    WorkerChild(worker_child::Opts),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::New(opts) => opts.run(),
        Command::Build(opts) => opts.run(),
        Command::Check(opts) => opts.run(),
        Command::Run(opts) => opts.run(),
        Command::Profile(opts) => opts.run(),
        Command::Compare(opts) => opts.run(),
        Command::Pack(opts) => opts.run(),
        Command::Challenge(opts) => opts.run(),
        Command::Dataset(opts) => opts.run(),
        Command::Metrics(opts) => opts.run(),
        Command::Tariff(opts) => opts.run(),
        Command::Login(opts) => opts.run(),
        Command::Logout(opts) => opts.run(),
        Command::Whoami(opts) => opts.run(),
        Command::Submit(opts) => opts.run(),
        Command::Status(opts) => opts.run(),
        Command::List(opts) => opts.run(),
        Command::Logs(opts) => opts.run(),
        Command::Cancel(opts) => opts.run(),
        Command::Leaderboard(opts) => opts.run(),
        Command::Operate(opts) => opts.run(),
        Command::Serve(opts) => opts.run(),
        Command::Worker(opts) => opts.run(),
        Command::Token(opts) => opts.run(),
        Command::Invite(opts) => opts.run(),
        Command::Backup(opts) => opts.run(),
        Command::Retain(opts) => opts.run(),
        Command::Doctor(opts) => opts.run(),
        Command::WorkerChild(opts) => opts.run(),
        // Its status is the engine's own protocol.
        Command::SandboxChild(opts) => return opts.run(),
    };
    outcome.unwrap_or_else(report_failure).into()
}

fn report_failure(failure: Failure) -> ExitStatus {
    output::note(&format!("error: {:#}", failure.error));
    failure.status
}
