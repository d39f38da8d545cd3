//! `thimble sandbox-child`: the processes that this program starts to touch what strangers wrote.

use std::process::ExitCode;

/// What an evaluation starts; not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, clap::Subcommand)]
enum Job {
    /// Compiles the component on stdin and writes the artifact to stdout.
    Compile {
        /// Layers, as their text form
        policy: String,
    },
    /// Runs the guest that comes on stdin.
    Run {
        /// Layers and limits, as JSON
        settings: String,
    },
}

impl Opts {
    pub(crate) fn run(self) -> ExitCode {
        match self.job {
            Job::Compile { policy } => thimble_runtime::compile_child(&policy),
            Job::Run { settings } => thimble_runtime::run_child(&settings),
        }
    }
}
