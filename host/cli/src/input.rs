//! Opening what the command line names. The only place where a path of this machine becomes a handle.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::challenge::{ChallengeErrors, LoadError};
use thimble_challenge::package::MAX_PACKAGE_BYTES;
use thimble_datasets::Dataset;

use crate::exit::{Blame as _, Failure};

/// A directory, as a handle.
pub(crate) fn directory(what: &str, path: &Path) -> Result<Dir, Failure> {
    Dir::open_ambient_dir(path, ambient_authority())
        .with_context(|| format!("cannot open the {what} directory {}", path.display()))
        .or_input()
}

/// A challenge directory, read and checked.
pub(crate) fn challenge(path: &Path) -> Result<LoadedChallenge, Failure> {
    let dir = directory("challenge", path)?;
    LoadedChallenge::open(&dir).map_err(|error| faults(path, &error))
}

/// Every fault of a challenge, one a line.
pub(crate) fn faults(path: &Path, error: &LoadError) -> Failure {
    match error {
        LoadError::Invalid(ChallengeErrors(faults)) => {
            let lines: Vec<_> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
            Failure::input(format!(
                "challenge {} breaks {} of the rules:{}",
                path.display(),
                lines.len(),
                lines.concat()
            ))
        }
        other => Failure::input(format!("challenge {}: {other}", path.display())),
    }
}

/// A dataset directory, opened and checked.
pub(crate) fn dataset(path: &Path) -> Result<(Dir, Dataset), Failure> {
    let dir = directory("dataset", path)?;
    let dataset = Dataset::open(&dir).with_context(|| format!("dataset {}", path.display())).or_input()?;
    Ok((dir, dataset))
}

/// The bytes of a submission. One that is too large is cut one byte past the limit, and refused by admission, which
/// makes a verdict of it.
pub(crate) fn submission(path: &Path) -> Result<Vec<u8>, Failure> {
    read("submission", path, MAX_PACKAGE_BYTES)
}

/// The bytes of a file of at most `limit` bytes.
pub(crate) fn file(what: &str, path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let bytes = read(what, path, limit)?;
    if bytes.len() as u64 > limit {
        return Err(Failure::input(format!(
            "the {what} {} must be at most {limit} bytes; it has more",
            path.display()
        )));
    }
    Ok(bytes)
}

/// At most `limit + 1` bytes of a file. Its length in the metadata is a promise; what is read is counted.
fn read(what: &str, path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        std::io::Result::Ok(bytes)
    };
    read().with_context(|| format!("cannot read the {what} {}", path.display())).or_input()
}
