//! Reading a challenge: strict JSON, then every rule, then the statement beside it.

use std::io::Read;

use cap_std::fs::Dir;
use thimble_datasets::Digest;

use super::check::{ChallengeErrors, Fault, check};
use super::{Challenge, figures};
use crate::name::excerpt;

/// Largest `challenge.json`.
pub const MAX_CHALLENGE_BYTES: u64 = 1 << 20;
/// Largest `statement.md`.
pub const MAX_STATEMENT_BYTES: u64 = 256 << 10;

const CHALLENGE: &str = "challenge.json";
const STATEMENT: &str = "statement.md";

/// Why a challenge directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is missing or could not be read.
    #[error("cannot read {file}: {source}")]
    Io {
        /// Name in the challenge directory.
        file: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A link, a directory, a device.
    #[error("{file} must be a regular file, not a link or anything else")]
    NotRegular {
        /// Name in the challenge directory.
        file: &'static str,
    },
    /// Over its cap.
    #[error("{file} must be at most {limit} bytes; found more")]
    TooLarge {
        /// Name in the challenge directory.
        file: &'static str,
        /// Cap in bytes.
        limit: u64,
    },
    /// The files are there and break rules.
    #[error(transparent)]
    Invalid(#[from] ChallengeErrors),
}

/// A challenge directory, read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedChallenge {
    /// The challenge.
    pub challenge: Challenge,
    /// SHA-256 of the bytes of `challenge.json`.
    pub digest: Digest,
    /// `statement.md`, for people.
    pub statement: String,
}

impl Challenge {
    /// Parses `challenge.json` and checks every rule.
    ///
    /// # Errors
    /// The first fault of the JSON itself (size, syntax, unknown field, type), or else every broken rule.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ChallengeErrors> {
        let challenge = parse(bytes).map_err(|fault| ChallengeErrors(vec![fault]))?;
        let faults = check(&challenge);
        if faults.is_empty() { Ok(challenge) } else { Err(ChallengeErrors(faults)) }
    }

    /// Pretty JSON with every field, also those at their default, and a final newline.
    pub fn to_json(&self) -> String {
        crate::json::pretty(self)
    }

    /// The JSON Schema of `challenge.json`: types and fields; the ranges are in `docs/challenge-format.md`.
    pub fn schema() -> String {
        crate::json::pretty(&schemars::schema_for!(Self))
    }
}

impl LoadedChallenge {
    /// Reads `challenge.json` and `statement.md` of `dir` and checks both.
    ///
    /// # Errors
    /// A file that is missing, not regular or too large, or every broken rule.
    pub fn open(dir: &Dir) -> Result<Self, LoadError> {
        Self::read(dir, None)
    }

    /// As [`open`](Self::open), and the challenge's name must be that of its directory.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_named(dir: &Dir, directory: &str) -> Result<Self, LoadError> {
        Self::read(dir, Some(directory))
    }

    fn read(dir: &Dir, directory: Option<&str>) -> Result<Self, LoadError> {
        let json = read_file(dir, CHALLENGE, MAX_CHALLENGE_BYTES)?;
        let text = read_file(dir, STATEMENT, MAX_STATEMENT_BYTES)?;
        let challenge = parse(&json).map_err(|fault| ChallengeErrors(vec![fault]))?;
        let mut faults = check(&challenge);
        if let Some(directory) = directory
            && challenge.name != directory
        {
            faults.push(Fault {
                field: "name".to_owned(),
                rule: format!("must be the name of its directory, \"{}\"", excerpt(directory)),
                found: format!("\"{}\"", excerpt(&challenge.name)),
            });
        }
        match String::from_utf8(text) {
            Ok(statement) => {
                faults.extend(figures::check(&statement, &challenge));
                if faults.is_empty() {
                    return Ok(Self { challenge, digest: Digest::of(&json), statement });
                }
            }
            Err(error) => faults.push(Fault {
                field: STATEMENT.to_owned(),
                rule: "must be UTF-8".to_owned(),
                found: format!("another byte at {}", error.utf8_error().valid_up_to()),
            }),
        }
        Err(ChallengeErrors(faults).into())
    }
}

fn parse(bytes: &[u8]) -> Result<Challenge, Fault> {
    crate::json::parse(bytes, MAX_CHALLENGE_BYTES).map_err(|error| Fault {
        field: error.path.unwrap_or_else(|| CHALLENGE.to_owned()),
        rule: error.message,
        found: String::new(),
    })
}

/// Reads a regular file of the directory itself; never more than `limit + 1` bytes.
fn read_file(dir: &Dir, file: &'static str, limit: u64) -> Result<Vec<u8>, LoadError> {
    let io = |source| LoadError::Io { file, source };
    // The kind is asked before opening: opening a pipe would wait for its writer.
    if !dir.symlink_metadata(file).map_err(io)?.is_file() {
        return Err(LoadError::NotRegular { file });
    }
    let opened = dir.open(file).map_err(io)?;
    if !opened.metadata().map_err(io)?.is_file() {
        return Err(LoadError::NotRegular { file });
    }
    let mut bytes = Vec::new();
    let read = opened.take(limit + 1).read_to_end(&mut bytes).map_err(io)? as u64;
    if read > limit {
        return Err(LoadError::TooLarge { file, limit });
    }
    Ok(bytes)
}
