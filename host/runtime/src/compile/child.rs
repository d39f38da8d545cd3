//! What runs inside the compile child.

use std::io::{Read, Write};
use std::process::ExitCode;

use thimble_challenge::result::Mode;
use thimble_sandbox::{Job, Limits, Policy, PolicyError, lock};
use wasmtime::Engine;

use super::{ADDRESS_SPACE_BYTES, CPU_SECONDS};
use crate::engine;

/// Bytes before the payload of a reply: a tag and the payload's length, little-endian.
pub(super) const HEADER_BYTES: u64 = 9;
/// Characters of the engine's own message that are passed on.
const MESSAGE_CHARS: usize = 1000;

/// What the child answers. A child that was killed leaves no complete reply.
pub(super) enum Reply<'a> {
    Artifact(&'a [u8]),
    /// The engine does not take the component.
    Refused(&'a [u8]),
    /// Something here does not work, whatever the component.
    Fault(&'a [u8]),
}

impl<'a> Reply<'a> {
    /// `None` unless the reply is complete.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = bytes.split_first()?;
        let (len, payload) = rest.split_first_chunk::<8>()?;
        if u64::from_le_bytes(*len) != payload.len() as u64 {
            return None;
        }
        match tag {
            0 => Some(Self::Artifact(payload)),
            1 => Some(Self::Refused(payload)),
            2 => Some(Self::Fault(payload)),
            _ => None,
        }
    }

    fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        let (tag, payload) = match self {
            Self::Artifact(payload) => (0, payload),
            Self::Refused(payload) => (1, payload),
            Self::Fault(payload) => (2, payload),
        };
        out.write_all(&[tag])?;
        out.write_all(&(payload.len() as u64).to_le_bytes())?;
        out.write_all(payload)?;
        out.flush()
    }
}

/// Compiles the component on standard input and answers on standard output. The box is closed before any of its bytes is
/// read; `policy` is the argument that the parent gave.
pub fn compile_child(policy: &str) -> ExitCode {
    let engine = engine_of_child().and_then(|engine| close(policy).map(|()| engine));
    let answered = match engine {
        Ok(engine) => serve(&engine),
        Err(fault) => Reply::Fault(fault.as_bytes()).write(std::io::stdout()),
    };
    if answered.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn close(policy: &str) -> Result<(), String> {
    let policy: Policy = policy.parse().map_err(|error: PolicyError| error.to_string())?;
    let limits = Limits { address_space: ADDRESS_SPACE_BYTES, data: ADDRESS_SPACE_BYTES, cpu_seconds: CPU_SECONDS };
    lock(&policy, &limits, &[], Job::Compile).map(drop).map_err(|error| error.to_string())
}

fn engine_of_child() -> Result<Engine, String> {
    engine::engine(Mode::Official).map_err(|error| format!("{error:#}"))
}

fn serve(engine: &Engine) -> std::io::Result<()> {
    let mut component = Vec::new();
    let limit = thimble_admission::StaticLimits::OFFICIAL.component_bytes;
    std::io::stdin().take(limit + 1).read_to_end(&mut component)?;
    match engine.precompile_component(&component) {
        Ok(artifact) => Reply::Artifact(&artifact).write(std::io::stdout()),
        Err(error) => {
            let text: String = format!("{error:#}").chars().take(MESSAGE_CHARS).collect();
            Reply::Refused(text.as_bytes()).write(std::io::stdout())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_round_trip_and_incomplete_ones_are_none() {
        let mut bytes = Vec::new();
        Reply::Artifact(b"code").write(&mut bytes).expect("a vector takes everything");
        assert!(matches!(Reply::parse(&bytes), Some(Reply::Artifact(b"code"))));
        for cut in 0..bytes.len() {
            assert!(Reply::parse(&bytes[..cut]).is_none());
        }
        bytes.push(0);
        assert!(Reply::parse(&bytes).is_none());
        bytes[0] = 3;
        assert!(Reply::parse(&bytes[..bytes.len() - 1]).is_none());
    }
}
