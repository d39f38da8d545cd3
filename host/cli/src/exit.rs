//! Exit codes: published, and stable from one version to the next.

use std::process::ExitCode;

use thimble_challenge::Verdict;

/// How the command ended, as other programs see it.
///
/// 0 to 9 say whether the command did its work; 10 to 29 are the verdicts other than `scored`, in the order of
/// [`Verdict::ALL`]; 30 and above are ends of a submission to a service that are no verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    /// Done; for `run`: the submission was scored; for `check`: nothing was found.
    Success = 0,
    /// A defect of this program or of the machine.
    Internal = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A file that was named is unreadable, malformed or not allowed here; the service refused what was asked for.
    Input = 3,
    /// The result could not be written.
    Output = 4,
    /// The service wants a token, another one, or one that may do more.
    Access = 5,
    /// The service cannot be reached, or failed.
    Service = 6,
    /// A quota, a budget or a rate is used up.
    Limit = 7,
    /// This machine cannot hold a guest in, or lacks what evaluations need.
    Unfit = 8,
    /// Verdict `rejected`; also `check` with a finding.
    Rejected = 10,
    /// Verdict `over_parameter_limit`.
    OverParameterLimit = 11,
    /// Verdict `out_of_fuel`.
    OutOfFuel = 12,
    /// Verdict `out_of_memory`.
    OutOfMemory = 13,
    /// Verdict `stack_overflow`.
    StackOverflow = 14,
    /// Verdict `deadline`.
    Deadline = 15,
    /// Verdict `trap`.
    Trap = 16,
    /// Verdict `solution_error`.
    SolutionError = 17,
    /// Verdict `invalid_output`.
    InvalidOutput = 18,
    /// Verdict `platform_fault`.
    PlatformFault = 19,
    /// An official run failed; with which verdict is not published.
    Failed = 30,
    /// The submission was cancelled.
    Cancelled = 31,
}

/// The list as help texts show it.
pub(crate) const HELP: &str = "\
Exit status:
   0  done; run, submit: scored; check: nothing found
   1  unexpected failure of this program
   2  wrong command line
   3  a file is unreadable, malformed or not allowed here, or the service refused the request
   4  the output could not be written
   5  the service wants a token, another one, or one that may do more
   6  the service cannot be reached, or failed
   7  a quota, a budget or a rate limit is used up
   8  doctor: this machine lacks a layer of the sandbox, or fused multiply-add
  10  rejected (also: check found something)
  11  over_parameter_limit
  12  out_of_fuel
  13  out_of_memory
  14  stack_overflow
  15  deadline
  16  trap
  17  solution_error
  18  invalid_output
  19  platform_fault
  30  an official run failed; its verdict is not published
  31  the submission was cancelled";

impl From<Verdict> for ExitStatus {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Scored => Self::Success,
            Verdict::Rejected => Self::Rejected,
            Verdict::OverParameterLimit => Self::OverParameterLimit,
            Verdict::OutOfFuel => Self::OutOfFuel,
            Verdict::OutOfMemory => Self::OutOfMemory,
            Verdict::StackOverflow => Self::StackOverflow,
            Verdict::Deadline => Self::Deadline,
            Verdict::Trap => Self::Trap,
            Verdict::SolutionError => Self::SolutionError,
            Verdict::InvalidOutput => Self::InvalidOutput,
            Verdict::PlatformFault => Self::PlatformFault,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status as u8)
    }
}

/// Why the command did not do its work, and the status that says so.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: ExitStatus,
    pub(crate) error: anyhow::Error,
}

impl Failure {
    /// A file is wrong.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Input, error: anyhow::Error::msg(message.into()) }
    }

    /// The service answers what it should not.
    pub(crate) fn from_service(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Service, error: anyhow::Error::msg(message.into()) }
    }

    /// Options do not go together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { status: ExitStatus::Usage, error: anyhow::Error::msg(message.into()) }
    }
}

/// Says whose failure an error is; an error that nobody claimed is [`ExitStatus::Internal`].
pub(crate) trait Blame<T> {
    /// An unreadable, malformed or forbidden input.
    fn or_input(self) -> Result<T, Failure>;
    /// An output that could not be written.
    fn or_output(self) -> Result<T, Failure>;
    /// A defect of ours.
    fn or_internal(self) -> Result<T, Failure>;
}

impl<T> Blame<T> for anyhow::Result<T> {
    fn or_input(self) -> Result<T, Failure> {
        self.map_err(|error| Failure { status: ExitStatus::Input, error })
    }

    fn or_output(self) -> Result<T, Failure> {
        self.map_err(|error| Failure { status: ExitStatus::Output, error })
    }

    fn or_internal(self) -> Result<T, Failure> {
        self.map_err(|error| Failure { status: ExitStatus::Internal, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_other_than_scored_count_from_10_in_their_order() {
        assert_eq!(ExitStatus::from(Verdict::Scored) as u8, 0);
        for (verdict, code) in Verdict::ALL[1..].iter().zip(10_u8..) {
            assert_eq!(ExitStatus::from(*verdict) as u8, code, "{verdict}");
        }
    }

    #[test]
    fn help_lists_every_verdict_with_its_code() {
        for verdict in &Verdict::ALL[1..] {
            let line = format!("{:>4}  {verdict}", ExitStatus::from(*verdict) as u8);
            assert!(HELP.lines().any(|l| l == line || l.starts_with(&format!("{line} "))), "{line}");
        }
    }
}
