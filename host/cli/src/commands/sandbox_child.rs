//! `thimble sandbox-child`: this program as the child that it starts and that locks itself in.

use std::process::ExitCode;

/// The word that starts a child; the next says what it is for.
pub(crate) const NAME: &str = "sandbox-child";

/// What this program starts to do the work that strangers' bytes are part of; not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[command(subcommand)]
    work: Work,
}

#[derive(Debug, clap::Subcommand)]
enum Work {
    /// Compile the component on stdin and write the artifact to stdout
    Compile {
        /// Layers, as their text form, which may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        policy: String,
    },
    /// Run the guest that comes on stdin
    Run {
        /// Layers and limits, as JSON
        settings: String,
    },
    /// Attack the box from inside and tell the outcomes on stdout
    Probe {
        // A policy may begin with a hyphen.
        #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
        arguments: Vec<String>,
    },
}

impl Opts {
    /// The status is the protocol's, not one of the published ones.
    pub(crate) fn run(self) -> ExitCode {
        match self.work {
            Work::Compile { policy } => thimble_runtime::compile_child(&policy),
            Work::Run { settings } => thimble_runtime::run_child(&settings),
            Work::Probe { arguments } => thimble_sandbox::probe::child(&arguments),
        }
    }
}
