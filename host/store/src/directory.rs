//! The data directory: this user's alone, because what is in it are secrets.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::{Result, StoreError};

/// The database.
pub(crate) const DATABASE: &str = "thimble.sqlite";
/// What SQLite calls the log beside it. It takes over the database's permissions.
pub(crate) const WRITE_AHEAD_LOG: &str = "thimble.sqlite-wal";
/// Directory of artifacts.
pub(crate) const ARTIFACTS: &str = "artifacts";

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Makes what is missing, and gives back a lock: of several processes that start at once, one makes the tables.
pub(crate) fn prepare(directory: &Path) -> Result<File> {
    private_directory(directory)?;
    let artifacts = directory.join(ARTIFACTS);
    private_directory(&artifacts)?;
    keep_private(&artifacts, DIRECTORY_MODE)?;
    let database = directory.join(DATABASE);
    let file = OpenOptions::new().read(true).append(true).create(true).mode(FILE_MODE).open(&database);
    file.map_err(unusable(&database))?;
    keep_private(&database, FILE_MODE)?;
    let lock = File::open(directory).map_err(unusable(directory))?;
    lock.lock().map_err(unusable(directory))?;
    Ok(lock)
}

/// A new, empty file that nobody else can read.
pub(crate) fn new_private_file(path: &Path) -> Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path).map_err(unusable(path))
}

/// Makes `path` for this user alone; refuses one that others own or may write to.
fn private_directory(path: &Path) -> Result<()> {
    match DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(unusable(path)(error)),
        _ => {}
    }
    let metadata = fs::metadata(path).map_err(unusable(path))?;
    if !metadata.is_dir() {
        return Err(unusable(path)(ErrorKind::NotADirectory.into()));
    }
    // The owner of a process's own entry is its effective user.
    let user = fs::metadata("/proc/self").map_err(unusable(Path::new("/proc/self")))?.uid();
    if metadata.uid() != user || metadata.mode() & 0o022 != 0 {
        let reason = format!(
            "it holds what decides who may do what, so it must belong to this user (uid {user}, not {}) and be writable by \
             nobody else (mode {:04o}): chmod go-w it, or name another",
            metadata.uid(),
            metadata.mode() & 0o7777
        );
        return Err(StoreError::NotPrivate { path: path.to_owned(), reason });
    }
    Ok(())
}

/// Takes away what a copy or a restore gave others.
fn keep_private(path: &Path, mode: u32) -> Result<()> {
    let found = fs::metadata(path).map_err(unusable(path))?.mode();
    if found & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(unusable(path))
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path: PathBuf = path.to_owned();
    |source| StoreError::Directory { path, source }
}
