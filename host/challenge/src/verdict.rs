//! How an evaluation can end.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The closed list of ends. Only [`PlatformFault`](Self::PlatformFault) is ours; every other end is the submission's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Evaluated to the end; there is a score.
    Scored,
    /// Refused before anything of it ran: package, static limits, imports, types, compilation.
    Rejected,
    /// More parameters than the challenge's limit; score 0.
    OverParameterLimit,
    /// Used up a fuel budget.
    OutOfFuel,
    /// Asked for more memory or table elements than the limit.
    OutOfMemory,
    /// Recursed past the stack limit. Not reproducible across architectures.
    StackOverflow,
    /// Ran into the wall clock. Not reproducible.
    Deadline,
    /// Stopped by an instruction that cannot continue: unreachable, out-of-bounds access, division by zero, exit.
    Trap,
    /// `solve`, `load` or `predict` returned an error.
    SolutionError,
    /// Returned something that is not what the contract asks for.
    InvalidOutput,
    /// Our own failure. Never charged, at most one retry.
    PlatformFault,
}

impl Verdict {
    /// Every verdict, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::Scored,
        Self::Rejected,
        Self::OverParameterLimit,
        Self::OutOfFuel,
        Self::OutOfMemory,
        Self::StackOverflow,
        Self::Deadline,
        Self::Trap,
        Self::SolutionError,
        Self::InvalidOutput,
        Self::PlatformFault,
    ];

    /// The name used in every file and message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::Rejected => "rejected",
            Self::OverParameterLimit => "over_parameter_limit",
            Self::OutOfFuel => "out_of_fuel",
            Self::OutOfMemory => "out_of_memory",
            Self::StackOverflow => "stack_overflow",
            Self::Deadline => "deadline",
            Self::Trap => "trap",
            Self::SolutionError => "solution_error",
            Self::InvalidOutput => "invalid_output",
            Self::PlatformFault => "platform_fault",
        }
    }

    /// Whether the same inputs end in this verdict on every machine (`docs/determinism.md`).
    pub const fn is_reproducible(self) -> bool {
        match self {
            Self::Scored
            | Self::Rejected
            | Self::OverParameterLimit
            | Self::OutOfFuel
            | Self::SolutionError
            | Self::InvalidOutput => true,
            Self::OutOfMemory | Self::StackOverflow | Self::Deadline | Self::Trap | Self::PlatformFault => false,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
