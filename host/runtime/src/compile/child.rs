//! What runs inside the compile child.

use std::io::{Read, Write};
use std::process::ExitCode;

use thimble_challenge::result::Mode;

use super::{ADDRESS_SPACE_BYTES, CPU_SECONDS};
use crate::engine;

/// Bytes before the payload of a reply: a tag and the payload's length, little-endian.
pub(super) const HEADER_BYTES: u64 = 9;
/// Characters of the engine's own message that are passed on.
const MESSAGE_CHARS: usize = 1000;

/// What the child answers. A child that was killed leaves no complete reply.
pub(super) enum Reply<'a> {
    Artifact(&'a [u8]),
    Refused(&'a [u8]),
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
            _ => None,
        }
    }

    fn write(&self, mut out: impl Write) -> std::io::Result<()> {
        let (tag, payload) = match self {
            Self::Artifact(payload) => (0, payload),
            Self::Refused(payload) => (1, payload),
        };
        out.write_all(&[tag])?;
        out.write_all(&(payload.len() as u64).to_le_bytes())?;
        out.write_all(payload)?;
        out.flush()
    }
}

/// Compiles the component on standard input and answers on standard output. Limits come first, before any of its bytes.
pub fn compile_child() -> ExitCode {
    match limit().and_then(|()| serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn limit() -> std::io::Result<()> {
    use rlimit::Resource;
    for (resource, value) in
        [(Resource::AS, ADDRESS_SPACE_BYTES), (Resource::CPU, CPU_SECONDS), (Resource::FSIZE, 0), (Resource::CORE, 0)]
    {
        resource.set(value, value)?;
    }
    Ok(())
}

fn serve() -> std::io::Result<()> {
    let mut component = Vec::new();
    let limit = thimble_admission::StaticLimits::OFFICIAL.component_bytes;
    std::io::stdin().take(limit + 1).read_to_end(&mut component)?;
    let compiled = engine::engine(Mode::Official).and_then(|engine| engine.precompile_component(&component));
    match compiled {
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
        bytes[0] = 2;
        assert!(Reply::parse(&bytes[..bytes.len() - 1]).is_none());
    }
}
