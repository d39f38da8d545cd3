//! Small rules for files in a dataset's directory: only regular ones are read, and never more than a limit; what is written
//! appears whole or not at all, and only its owner may read it.

use std::io::{self, Read as _, Write};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("{file}: cannot be read: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A directory, a link, a pipe, a device.
    #[error("{file}: not a regular file")]
    NotRegular {
        /// The file's name.
        file: String,
    },
    /// Too long.
    #[error("{file}: {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// The file's name.
        file: String,
        /// Its length, as far as it was looked at.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
}

/// Opens a regular file of at most `limit` bytes; gives its length.
///
/// The kind is looked at before the file is opened, because opening a pipe waits for a writer, and again after.
pub(crate) fn open_regular(dir: &Dir, name: &str, limit: u64) -> Result<(File, u64), FileError> {
    let io = |source| FileError::Io { file: name.into(), source };
    let not_regular = || FileError::NotRegular { file: name.into() };
    if !dir.symlink_metadata(name).map_err(io)?.is_file() {
        return Err(not_regular());
    }
    let file = dir.open(name).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(not_regular());
    }
    match metadata.len() {
        bytes if bytes > limit => Err(FileError::TooLarge { file: name.into(), bytes, limit }),
        bytes => Ok((file, bytes)),
    }
}

/// Reads a regular file of at most `limit` bytes.
pub(crate) fn read(dir: &Dir, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
    let (file, _) = open_regular(dir, name, limit)?;
    let mut bytes = Vec::new();
    // The file may have grown since its length was looked at.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|source| FileError::Io { file: name.into(), source })?;
    match bytes.len() as u64 {
        bytes if bytes > limit => Err(FileError::TooLarge { file: name.into(), bytes, limit }),
        _ => Ok(bytes),
    }
}

/// Writes a file under a temporary name, makes it durable and renames it.
///
/// Mode 0600: a dataset may be private, and the writer of a file cannot know. An owner may open it to others.
pub(crate) fn write_whole<E: From<io::Error>>(
    dir: &Dir,
    name: &str,
    content: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let partial = format!(".{name}.{}.partial", std::process::id());
    let written = write_partial(dir, &partial, content).and_then(|()| Ok(dir.rename(&partial, dir, name)?));
    if written.is_err() {
        // The first error is the one to report.
        let _ = dir.remove_file(&partial);
    }
    written
}

fn write_partial<E: From<io::Error>>(
    dir: &Dir,
    partial: &str,
    content: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    // A process with this id may have died in the middle of it.
    if let Err(error) = dir.remove_file(partial)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error.into());
    }
    let file = dir.open_with(partial, OpenOptions::new().write(true).create_new(true).mode(0o600))?;
    let mut writer = io::BufWriter::with_capacity(1 << 16, file);
    content(&mut writer)?;
    writer.flush()?;
    Ok(writer.get_ref().sync_all()?)
}
