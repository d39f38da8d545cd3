//! Promises of the box, seen from outside: this program is the parent and, started with a role, its own locked child.

#![expect(clippy::panic, reason = "tests fail by panicking")]

mod child;
mod life;
mod probes;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    // Before anything else makes a thread: a child locks itself in.
    if let Some(code) = child::play_role() {
        return code;
    }
    let trials = life::TESTS.iter().chain(probes::TESTS).map(|&(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
