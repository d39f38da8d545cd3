//! Why a guest call did not return, and whose fault that is.
//!
//! The guest's fault is the default. Ours is only what carries one of our own error types.

use rustix::io::Errno;
use thimble_challenge::Verdict;
use thimble_kernels::MatrixError;
use wasmtime::{OutOfMemory, Trap};

use crate::limiter::LimitExceeded;

/// Our own failure: the closed list behind the verdict `platform_fault`.
#[derive(Debug, thiserror::Error)]
pub enum PlatformFault {
    /// The operating system refused memory that the limit allows.
    #[error("the host is short of memory: {0}")]
    HostMemory(String),
    /// The compile child could not be started or spoken to.
    #[error("the compile child failed: {0}")]
    CompileChild(#[source] std::io::Error),
    /// An artifact from our own compile child was not accepted.
    #[error("the compiled artifact was not accepted: {0}")]
    Artifact(String),
    /// The engine or its linker could not be set up.
    #[error("the engine could not be set up: {0}")]
    Engine(String),
    /// Fuel accounting failed.
    #[error("the meter failed: {0}")]
    Meter(String),
    /// The dataset does not hold what the challenge binds.
    #[error("the dataset does not fit the challenge: {0}")]
    Dataset(String),
    /// The metric could not be computed.
    #[error("the metric could not be computed: {0}")]
    Metric(String),
    /// A boxed child could not be started, or ended or spoke as none should.
    #[error("the sandbox failed: {0}")]
    Sandbox(String),
    /// The run was cancelled from outside.
    #[error("the run was cancelled")]
    Cancelled,
}

impl PlatformFault {
    /// A stable identifier for the result file.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::HostMemory(_) => "host_memory",
            Self::CompileChild(_) => "compile_child",
            Self::Artifact(_) => "artifact",
            Self::Engine(_) => "engine",
            Self::Meter(_) => "meter",
            Self::Dataset(_) => "dataset",
            Self::Metric(_) => "metric",
            Self::Sandbox(_) => "sandbox",
            Self::Cancelled => "cancelled",
        }
    }

    /// What happened, without [`Self::rule`]'s words.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::HostMemory(text)
            | Self::Artifact(text)
            | Self::Engine(text)
            | Self::Meter(text)
            | Self::Dataset(text)
            | Self::Metric(text)
            | Self::Sandbox(text) => text.clone(),
            Self::CompileChild(error) => error.to_string(),
            Self::Cancelled => String::new(),
        }
    }

    /// What a boxed child says of itself.
    pub(crate) fn of_child(rule: &str, detail: String) -> Self {
        match rule {
            "host_memory" => Self::HostMemory(detail),
            "artifact" => Self::Artifact(detail),
            "engine" => Self::Engine(detail),
            "meter" => Self::Meter(detail),
            "dataset" => Self::Dataset(detail),
            _ => Self::Sandbox(detail),
        }
    }
}

/// The wall clock ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the wall clock limit of {limit_seconds} s was reached")]
pub(crate) struct DeadlineReached {
    /// The challenge's limit.
    pub limit_seconds: u64,
}

/// A guest broke a rule of an import.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImportMisuse {
    /// `exit` was called.
    #[error("the guest called exit")]
    Exit,
    /// A stream write was longer than the permit.
    #[error("a write of {value} bytes is over the permit of {limit}")]
    StreamWrite {
        /// Bytes the guest may write at once.
        limit: u64,
        /// Bytes it wrote.
        value: u64,
    },
    /// Too many random bytes at once.
    #[error("a request for {value} random bytes is over the limit of {limit}")]
    RandomBytes {
        /// Bytes a guest may ask for at once.
        limit: u64,
        /// Bytes it asked for.
        value: u64,
    },
    /// `fuel-left` was called outside `solve`.
    #[error("fuel-left is for the learner only")]
    FuelLeft,
    /// Too many values of a matrix at once.
    #[error("a write of {value} values is over the limit of {limit}")]
    MatrixWrite {
        /// Values a guest may write at once.
        limit: usize,
        /// Values it wrote.
        value: usize,
    },
    /// A matrix without rows or columns, or values beyond its end.
    #[error("{0}")]
    Matrix(#[from] MatrixError),
    /// Operands of a product that do not fit together, or a C that is A or B.
    #[error("{orientation} of a {a} and a {b} matrix into a {c} one is no product")]
    Product {
        /// As in the contract.
        orientation: &'static str,
        /// Rows × columns of A.
        a: String,
        /// Of B.
        b: String,
        /// Of C, or that C is one of the operands.
        c: String,
    },
    /// A file operation: no descriptor can exist.
    #[error("there are no files here")]
    Files,
}

/// Why a guest call did not return.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The submission's doing.
    Guest { verdict: Verdict, rule: &'static str, message: String },
    /// Ours.
    Platform(PlatformFault),
}

impl From<PlatformFault> for Stop {
    fn from(fault: PlatformFault) -> Self {
        Self::Platform(fault)
    }
}

impl Stop {
    /// `solve`, `load` or `predict` said no. The message is the guest's until [`Self::without_guest_text`].
    pub(crate) fn solution_error(text: String) -> Self {
        Self::guest(Verdict::SolutionError, "solution_error", text)
    }

    /// The guest's own words go to the journal and no further.
    pub(crate) fn without_guest_text(self) -> Self {
        match self {
            Self::Guest { verdict: Verdict::SolutionError, rule, .. } => {
                Self::guest(Verdict::SolutionError, rule, "the solution returned an error")
            }
            other => other,
        }
    }

    /// The rule by which a guest call ended with a verdict; `None` of what ends none.
    pub(crate) fn rule_of_guest(verdict: Verdict, rule: &str) -> Option<&'static str> {
        let rules: &[&'static str] = match verdict {
            Verdict::Rejected => &["contract"],
            Verdict::OutOfFuel => &["fuel"],
            Verdict::OutOfMemory => &["memory_bytes", "table_elements"],
            Verdict::StackOverflow => &["stack"],
            Verdict::Deadline => &["wall_seconds"],
            Verdict::Trap => &["trap", "import_misuse"],
            Verdict::SolutionError => &["solution_error"],
            Verdict::InvalidOutput => &["canonical_abi"],
            Verdict::Scored | Verdict::OverParameterLimit | Verdict::PlatformFault => &[],
        };
        rules.iter().find(|known| **known == rule).copied()
    }

    pub(crate) fn guest(verdict: Verdict, rule: &'static str, message: impl Into<String>) -> Self {
        Self::Guest { verdict, rule, message: message.into() }
    }
}

/// Sorts an error of a guest call.
pub(crate) fn classify(error: wasmtime::Error) -> Stop {
    let error = match error.downcast::<PlatformFault>() {
        Ok(fault) => return Stop::Platform(fault),
        Err(error) => error,
    };
    if let Some(limit) = error.downcast_ref::<LimitExceeded>() {
        return Stop::guest(Verdict::OutOfMemory, limit.rule(), limit.to_string());
    }
    if let Some(deadline) = error.downcast_ref::<DeadlineReached>() {
        return Stop::guest(Verdict::Deadline, "wall_seconds", deadline.to_string());
    }
    if let Some(misuse) = error.downcast_ref::<ImportMisuse>() {
        return Stop::guest(Verdict::Trap, "import_misuse", misuse.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => classify_trap(*trap),
        // A guest cannot make these: the operating system or the allocator refuses the host something.
        None if error.is::<Errno>() || error.is::<OutOfMemory>() || error.is::<std::io::Error>() => {
            Stop::Platform(PlatformFault::HostMemory(error.to_string()))
        }
        // Bad UTF-8, lists outside memory, more bytes than one call may carry: the engine has no public type for them,
        // and its text may hold guest bytes, so the message is ours.
        None => Stop::guest(
            Verdict::InvalidOutput,
            "canonical_abi",
            "a value that the guest passed to the host could not be read: bad UTF-8, a list outside memory, too many handles, or more bytes than one call may carry",
        ),
    }
}

fn classify_trap(trap: Trap) -> Stop {
    let (verdict, rule) = match trap {
        Trap::OutOfFuel => (Verdict::OutOfFuel, "fuel"),
        Trap::StackOverflow => (Verdict::StackOverflow, "stack"),
        Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::InvalidChar => (Verdict::InvalidOutput, "canonical_abi"),
        _ => (Verdict::Trap, "trap"),
    };
    // The engine's words for a trap are a closed list that holds nothing of the guest.
    Stop::guest(verdict, rule, trap.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(error: impl Into<wasmtime::Error>) -> Option<Verdict> {
        match classify(error.into()) {
            Stop::Guest { verdict, .. } => Some(verdict),
            Stop::Platform(_) => None,
        }
    }

    /// Every trap of the engine with its verdict; a trap that an upgrade adds fails here.
    #[test]
    fn every_trap_is_classified() {
        let mut counts = std::collections::BTreeMap::new();
        for trap in (0..=u8::MAX).filter_map(Trap::from_u8) {
            *counts.entry(verdict(trap)).or_insert(0) += 1;
        }
        let expected = [
            (Some(Verdict::OutOfFuel), 1),
            (Some(Verdict::StackOverflow), 1),
            (Some(Verdict::InvalidOutput), 5),
            (Some(Verdict::Trap), 43),
        ];
        assert_eq!(counts, expected.into(), "look at the engine's list of traps, then at classify_trap");
    }

    #[test]
    fn what_the_engine_does_not_type_is_the_guests() {
        assert_eq!(verdict(wasmtime::Error::msg("invalid utf-8")), Some(Verdict::InvalidOutput));
    }

    #[test]
    fn only_our_own_types_are_platform_faults() {
        assert_eq!(verdict(PlatformFault::Cancelled), None);
        // How the engine reports a mapping that the system refuses.
        assert_eq!(verdict(wasmtime::Error::new(Errno::NOMEM).context("failed to map")), None);
        assert_eq!(verdict(DeadlineReached { limit_seconds: 1 }), Some(Verdict::Deadline));
        assert_eq!(verdict(ImportMisuse::Exit), Some(Verdict::Trap));
    }
}
