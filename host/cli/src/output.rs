//! Writing to the terminal and to files.

use std::fs::Permissions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use crate::exit::{Blame as _, Failure};

/// Prints to stdout. A reader that stopped reading (`thimble tariff | head -1`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output").or_output()
        }
        _ => Ok(()),
    }
}

/// Prints a line to stderr; there is nobody to tell when that fails.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Pretty JSON with a final newline.
pub(crate) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).context("cannot write the result as JSON").or_internal()?;
    text.push('\n');
    Ok(text)
}

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the umask lets.
    Anyone,
    /// The one who runs the command: the figures of an official run.
    Owner,
}

/// Replaces `path` as a whole or not at all: a temporary file in the same directory, synced, then renamed.
pub(crate) fn write_file(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        let mode = Permissions::from_mode(match readers {
            // Less the umask, as for any file; a temporary file is otherwise private.
            Readers::Anyone => 0o666,
            Readers::Owner => 0o600,
        });
        let mut file = tempfile::Builder::new().prefix(".thimble-").permissions(mode).tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display())).or_output()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use super::*;
    use crate::exit::ExitStatus;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("result.json");
        write_file(&path, b"first", Readers::Anyone).unwrap();
        write_file(&path, b"second", Readers::Anyone).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_a_missing_directory_is_an_output_failure() {
        let directory = tempfile::tempdir().unwrap();
        let failure = write_file(&directory.path().join("missing/result.json"), b"", Readers::Anyone).unwrap_err();
        assert_eq!(failure.status, ExitStatus::Output);
    }
}
