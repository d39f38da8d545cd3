//! A hostile guest and what must come of it.

use thimble_challenge::result::{Comparable, Mode, Phase};
use thimble_challenge::{Challenge, Verdict};

use crate::evaluation::{Evaluation, evaluate, evaluate_boxed};
use crate::fixture;
use crate::hostile::{Expected, Hostile};

/// Beyond the guest's memories, what one evaluation may add to the process: code, copies of values on the way, pages
/// that the allocator keeps.
const MEMORY_SLACK: u64 = 192 << 20;

/// Wall time of any case that does not wait for the wall clock; a busy machine included.
const SECONDS: f64 = 10.0;

type Check = Box<dyn Fn(&Evaluation)>;

/// A hostile guest and what must come of it.
#[expect(missing_debug_implementations, reason = "holds closures; the tests print the result instead")]
pub struct Case {
    guest: Vec<u8>,
    challenge: Challenge,
    mode: Mode,
    verdict: Verdict,
    phase: Option<Phase>,
    rule: Option<&'static str>,
    seconds: f64,
    checks: Vec<Check>,
}

/// A case for `guest` against the small challenge; without further calls it must be scored.
pub fn case(guest: Vec<u8>) -> Case {
    Case {
        guest,
        challenge: fixture::challenge(),
        mode: Mode::Validation,
        verdict: Verdict::Scored,
        phase: None,
        rule: None,
        seconds: SECONDS,
        checks: Vec::new(),
    }
}

impl Case {
    /// Changes the challenge.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Challenge)) -> Self {
        change(&mut self.challenge);
        self
    }

    /// Runs officially.
    #[must_use]
    pub fn official(mut self) -> Self {
        self.mode = Mode::Official;
        self
    }

    /// The run ends in `verdict`, in `phase`, by the rule `rule`.
    #[must_use]
    pub fn ends(mut self, verdict: Verdict, phase: Phase, rule: &'static str) -> Self {
        (self.verdict, self.phase, self.rule) = (verdict, Some(phase), Some(rule));
        self
    }

    /// Ends within `seconds`.
    #[must_use]
    pub fn within(mut self, seconds: f64) -> Self {
        self.seconds = seconds;
        self
    }

    /// Holds for the result.
    #[must_use]
    pub fn and(mut self, check: impl Fn(&Comparable) + 'static) -> Self {
        self.checks.push(Box::new(move |evaluation| check(&evaluation.result.comparable)));
        self
    }

    /// Holds for the whole evaluation.
    #[must_use]
    pub fn and_run(mut self, check: impl Fn(&Evaluation) + 'static) -> Self {
        self.checks.push(Box::new(check));
        self
    }

    /// The message of the failure contains each of `parts`.
    #[must_use]
    pub fn says(self, parts: &'static [&'static str]) -> Self {
        self.and(move |comparable| {
            let failure = comparable.failure.as_ref().expect("a failure");
            for part in parts {
                assert!(failure.message.contains(part), "`{part}` is missing: {}", failure.message);
            }
        })
    }

    /// The training budget is charged in full and what was used is not known.
    #[must_use]
    pub fn charged_in_full(self) -> Self {
        self.and(|comparable| {
            let compute = &comparable.compute;
            assert_eq!((compute.training_fuel, compute.training_flops), (None, None));
            assert_eq!(compute.training_fuel_charged, compute.training_fuel_budget);
            assert_ne!(compute.training_fuel_budget.0, 0);
        })
    }

    /// The submission, its challenge and the mode: what another process needs to evaluate it.
    pub fn parts(&self) -> (&[u8], &Challenge, Mode) {
        (&self.guest, &self.challenge, self.mode)
    }

    /// The verdict that must come of it.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The guest with what must come of it, for whoever runs it somewhere else than in this process.
    pub fn hostile(self, name: &str) -> Hostile {
        Hostile {
            name: name.to_owned(),
            submission: self.guest,
            challenge: self.challenge,
            mode: self.mode,
            expected: Expected::Ends { verdict: self.verdict, phase: self.phase, rule: self.rule },
        }
    }

    /// Evaluates the guest.
    pub fn evaluate(&self) -> Evaluation {
        evaluate(&self.guest, self.challenge.clone(), self.mode)
    }

    /// Evaluates the guest and asserts everything, and that in boxed children it comes to the same bytes.
    ///
    /// # Panics
    /// When something does not hold.
    pub fn check(&self) {
        let evaluation = self.evaluate();
        let comparable = &evaluation.result.comparable;
        let boxed = evaluate_boxed(&self.guest, self.challenge.clone(), self.mode);
        assert_eq!(boxed.comparable.to_json(), comparable.to_json(), "{:?}", boxed.run.isolation);
        assert_eq!(boxed.run.parameters_digest, evaluation.result.run.parameters_digest);
        // How much is said before the clock runs out is no promise.
        if self.verdict != Verdict::Deadline {
            assert!(boxed.run.journal == evaluation.result.run.journal, "the journals differ");
        }
        let failure = comparable.failure.as_ref();
        assert_eq!(comparable.verdict, self.verdict, "{failure:?} {:?}", evaluation.result.run.journal);
        if let Some(phase) = self.phase {
            assert_eq!(failure.map(|failure| failure.phase), Some(phase), "{failure:?}");
        }
        if let Some(rule) = self.rule {
            assert_eq!(failure.map(|failure| failure.rule.as_str()), Some(rule), "{failure:?}");
        }
        assert_eq!(comparable.score.is_some(), matches!(self.verdict, Verdict::Scored | Verdict::OverParameterLimit));
        assert!(evaluation.seconds <= self.seconds, "took {} s, at most {} s", evaluation.seconds, self.seconds);
        let memory = self.challenge.limits.memory_bytes + MEMORY_SLACK;
        assert!(evaluation.grown_bytes <= memory, "grew by {} bytes, at most {memory}", evaluation.grown_bytes);
        for check in &self.checks {
            check(&evaluation);
        }
    }
}

/// Declares tests from cases, and the list `ALL` of them for the test that runs every one in a row.
#[macro_export]
macro_rules! hostile {
    ($($(#[$about:meta])* $name:ident => $case:expr;)*) => {
        mod cases {
            use super::*;

            $($(#[$about])* pub(super) fn $name() -> $crate::case::Case { $case })*
        }

        $($(#[$about])* #[test] fn $name() { cases::$name().check(); })*

        /// Every case of this module by name.
        pub(crate) const ALL: &[(&str, fn() -> $crate::case::Case)] = &[$((stringify!($name), cases::$name)),*];
    };
}
