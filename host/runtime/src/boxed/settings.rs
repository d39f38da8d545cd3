//! What a child is told before it closes its box, as one argument; and how long messages may be.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thimble_challenge::result::Mode;
use thimble_sandbox::{Limits, Policy};

use crate::compile::ARTIFACT_BYTES;

/// Bytes of a [`super::message::Job`].
pub(super) const JOB_FRAME: u64 = 16 << 20;
/// Bytes of machine code.
pub(super) const ARTIFACT_FRAME: u64 = ARTIFACT_BYTES;
/// Bytes of a command: parameters, or a batch. Nothing larger fits in a guest's memory.
pub(super) const COMMAND_FRAME: u64 = (4 << 30) + FRAME_SLACK;
/// Bytes of an answer, as a child sees it. Its parent takes less.
pub(super) const REPLY_FRAME: u64 = (8 << 30) + FRAME_SLACK;
/// Bytes of names, curves and log beside what is asked for.
pub(super) const FRAME_SLACK: u64 = 64 << 20;

/// The engine reserves so much for one memory, and its guards.
const RESERVATION_BYTES: u64 = (4 << 30) + (64 << 20);
/// Code, stacks, the allocator and everything that does not grow with a challenge.
const BASE_BYTES: u64 = 1 << 30;
/// Processor time beyond the wall time, which a single thread cannot use up before.
const CPU_SLACK_SECONDS: u64 = 30;

/// What a child is told before it closes its box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    /// As text: see [`Policy`].
    policy: String,
    address_space: u64,
    data: u64,
    cpu_seconds: u64,
    /// Whether there are descriptors of the training data.
    pub(super) learns: bool,
}

impl Settings {
    /// For a challenge that allows so much memory and wall time; `file_bytes` is the length of the files that are mapped, where
    /// there are any.
    pub(super) fn new(
        mode: Mode,
        policy: &Policy,
        (memory_bytes, wall_seconds): (u64, u64),
        artifact_bytes: u64,
        file_bytes: Option<u64>,
    ) -> Self {
        // What a guest has, what it hands over, that as a list, and that as a message.
        let data = memory_bytes.saturating_mul(4).saturating_add(artifact_bytes * 3 + BASE_BYTES);
        Self {
            mode,
            policy: policy.to_string(),
            address_space: data.saturating_add(RESERVATION_BYTES).saturating_add(file_bytes.unwrap_or(0)),
            data,
            cpu_seconds: wall_seconds.saturating_add(CPU_SLACK_SECONDS),
            learns: file_bytes.is_some(),
        }
    }

    pub(super) fn policy(&self) -> Result<Policy, String> {
        self.policy.parse::<Policy>().map_err(|error| error.to_string())
    }

    pub(super) const fn limits(&self) -> Limits {
        Limits { address_space: self.address_space, data: self.data, cpu_seconds: self.cpu_seconds }
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        formatter.write_str(&json)
    }
}

impl FromStr for Settings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| format!("the settings of a sandbox child cannot be read: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_back_from_their_argument() {
        let settings = Settings::new(Mode::Official, &Policy::default(), (4 << 30, 60), 1 << 20, Some(5));
        assert_eq!(settings.to_string().parse(), Ok(settings.clone()));
        assert!(settings.limits().address_space > settings.limits().data + (4 << 30));
        assert!("{}".parse::<Settings>().is_err());
    }
}
