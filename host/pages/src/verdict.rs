//! Verdicts in words.

use thimble_challenge::Verdict;
use thimble_challenge::result::{Outcome, Phase};

/// What pages call a verdict.
pub(crate) const fn title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Scored => "Scored",
        Verdict::Rejected => "Rejected",
        Verdict::OverParameterLimit => "Over the parameter limit",
        Verdict::OutOfFuel => "Out of fuel",
        Verdict::OutOfMemory => "Out of memory",
        Verdict::StackOverflow => "Stack overflow",
        Verdict::Deadline => "Out of time",
        Verdict::Trap => "Trap",
        Verdict::SolutionError => "Error of the solution",
        Verdict::InvalidOutput => "Invalid output",
        Verdict::PlatformFault => "Fault of the service",
    }
}

/// What happened.
pub(crate) const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Scored => "It was evaluated to the end, and has a score.",
        Verdict::Rejected => "It was refused before anything of it ran.",
        Verdict::OverParameterLimit => {
            "What it learned, and what is embedded in it, holds more numbers than the challenge allows. Its score is 0."
        }
        Verdict::OutOfFuel => "It used up its budget of FLOPs.",
        Verdict::OutOfMemory => "It asked for more memory than the challenge allows.",
        Verdict::StackOverflow => "It recursed past the limit of the stack.",
        Verdict::Deadline => "It ran into the wall clock.",
        Verdict::Trap => {
            "It stopped at an instruction that cannot continue: a panic, an access out of bounds, a division by zero."
        }
        Verdict::SolutionError => "It returned an error of its own.",
        Verdict::InvalidOutput => "It returned something that is not what the challenge asks for.",
        Verdict::PlatformFault => "The service failed, not the submission. Neither quota nor budget was charged.",
    }
}

/// `good`, `warn` or `bad`.
pub(crate) const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Scored => "good",
        Verdict::OverParameterLimit | Verdict::PlatformFault => "warn",
        _ => "bad",
    }
}

/// The same for what is published of an official run.
pub(crate) const fn of_outcome(outcome: Outcome) -> (&'static str, &'static str, &'static str) {
    match outcome {
        Outcome::Scored => ("good", "Scored", meaning(Verdict::Scored)),
        Outcome::OverParameterLimit => {
            ("warn", title(Verdict::OverParameterLimit), meaning(Verdict::OverParameterLimit))
        }
        Outcome::Failed => (
            "bad",
            "Failed",
            "It did not end in a score. How is not said where it ran on private data: a validation run of the same package says it.",
        ),
    }
}

/// The steps of an evaluation, in order, with what pages call them.
pub(crate) const PHASES: [(Phase, &str); 6] = [
    (Phase::Admit, "Admit"),
    (Phase::Compile, "Compile"),
    (Phase::Learn, "Learn"),
    (Phase::Count, "Count"),
    (Phase::Predict, "Predict"),
    (Phase::Score, "Score"),
];

/// What pages call a step.
pub(crate) fn phase(phase: Phase) -> &'static str {
    PHASES.iter().find(|(one, _)| *one == phase).map_or("", |(_, name)| name)
}
