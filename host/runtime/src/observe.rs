//! What someone may watch while an evaluation runs.

use thimble_challenge::Fuel;
use thimble_challenge::result::Phase;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A phase began.
    PhaseStarted(Phase),
    /// A phase ended.
    PhaseFinished {
        /// Which.
        phase: Phase,
        /// Wall time.
        seconds: f64,
    },
    /// Progress of a metered phase; a reading at most every 50 ms, true to within one yield interval.
    Fuel {
        /// Learn or predict.
        phase: Phase,
        /// Used so far.
        used: Fuel,
        /// The phase's budget.
        budget: Fuel,
    },
    /// Progress of a profile, between its replays.
    Replay {
        /// Replays that have ended.
        done: usize,
        /// All of them.
        of: usize,
    },
    /// Text of the guest, control characters removed. Never in an official run.
    Log(&'a str),
    /// A point of a curve of the guest. Never in an official run.
    Curve {
        /// The series.
        series: &'a str,
        /// As given.
        step: u64,
        /// As given.
        value: f64,
    },
}

/// Watches an evaluation.
pub trait Observer {
    /// Called on the evaluating thread; what it takes is wall time of the evaluation.
    fn event(&mut self, event: Event<'_>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn event(&mut self, _: Event<'_>) {}
}
