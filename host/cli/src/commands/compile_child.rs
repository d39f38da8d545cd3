//! `thimble compile-child`: what `run` starts to compile a component under limits of its own.

use std::process::ExitCode;

/// Compiles the component on stdin and writes the artifact to stdout; not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {}

impl Opts {
    pub(crate) fn run(self) -> ExitCode {
        thimble_runtime::compile_child()
    }
}
