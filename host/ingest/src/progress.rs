//! What a caller can show while an ingestion goes on.

use std::fmt;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Every file or row is looked at, and nothing written.
    Check,
    /// Rows go to their splits.
    Write,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Check => "check",
            Self::Write => "write",
        })
    }
}

/// Is told how far an ingestion has come.
pub trait Progress {
    /// A stage begins, of `bytes` bytes of input.
    fn begin(&mut self, stage: Stage, bytes: u64);

    /// Bytes and rows of the stage that are done; called often, so it should be cheap.
    fn done(&mut self, bytes: u64, rows: u64);
}

/// Tells no one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&mut self, _: Stage, _: u64) {}
    fn done(&mut self, _: u64, _: u64) {}
}
