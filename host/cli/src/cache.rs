//! The cache directory: compiled components, and public data that is generated on first use.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cap_std::fs::Dir;
use tempfile::TempDir;
use thimble_datasets::{Dataset, PublicData};

use crate::exit::{Blame as _, Failure};
use crate::input;

/// Where the cache is.
#[derive(Debug, clap::Args)]
pub(crate) struct CacheOpts {
    /// Cache directory [default: $THIMBLE_CACHE, $XDG_CACHE_HOME/thimble or ~/.cache/thimble]
    #[arg(long, value_name = "DIR", conflicts_with = "no_cache")]
    cache: Option<PathBuf>,
    /// Compile and generate anew, and keep nothing
    #[arg(long)]
    no_cache: bool,
}

/// An opened cache. Compiled code in it is run without further checks, so it belongs to this user alone.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    /// Removed with everything in it when the cache is dropped (`--no-cache`).
    temporary: Option<TempDir>,
}

impl CacheOpts {
    /// Makes the directory if it is not there.
    pub(crate) fn open(&self) -> Result<Cache, Failure> {
        if self.no_cache {
            let temporary = tempfile::Builder::new().prefix("thimble-").tempdir();
            let temporary = temporary.context("cannot create a temporary directory").or_output()?;
            return Ok(Cache { directory: temporary.path().to_owned(), temporary: Some(temporary) });
        }
        let directory = match &self.cache {
            Some(directory) => directory.clone(),
            None => default_directory().or_input()?,
        };
        private_directory(&directory)
            .with_context(|| format!("cache directory {}", directory.display()))
            .or_output()?;
        Ok(Cache { directory, temporary: None })
    }
}

impl Cache {
    /// Where the engine keeps machine code; `None` under `--no-cache`.
    pub(crate) fn compiled(&self) -> Result<Option<Dir>, Failure> {
        if self.temporary.is_some() {
            return Ok(None);
        }
        let path = self.directory.join("compiled");
        private_directory(&path).with_context(|| format!("cache directory {}", path.display())).or_output()?;
        input::directory("cache", &path).map(Some)
    }

    /// Public data, generated unless it is there and whole.
    pub(crate) fn public_dataset(&self, data: PublicData) -> Result<Dataset, Failure> {
        let path = self.directory.join(data.name());
        if let Ok((_, dataset)) = input::dataset(&path)
            && dataset.digest() == data.digest()
        {
            return Ok(dataset);
        }
        let fresh = tempfile::Builder::new().prefix(".generating-").tempdir_in(&self.directory);
        let fresh = fresh.with_context(|| format!("cannot write to {}", self.directory.display())).or_output()?;
        let dir = input::directory("dataset", fresh.path())?;
        thimble_datasets::write(&dir, &data.tables())
            .with_context(|| format!("cannot write {}", data.name()))
            .or_output()?;
        // Opened before it is moved: a run beside this one may replace it again.
        let (_, dataset) = input::dataset(fresh.path())?;
        if path.exists() {
            let _ = fs::remove_dir_all(&path);
        }
        if fs::rename(fresh.path(), &path).is_ok() {
            // It lives under its own name now.
            let _ = fresh.keep();
        }
        Ok(dataset)
    }
}

fn default_directory() -> anyhow::Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("THIMBLE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("thimble")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/thimble")))
        .context("there is no cache directory: set THIMBLE_CACHE, or pass --cache DIR or --no-cache")
}

/// Creates `path` for this user alone; refuses one that others own or may write to.
pub(crate) fn private_directory(path: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).context("cannot create it"),
        _ => {}
    }
    let metadata = fs::metadata(path).context("cannot look at it")?;
    if !metadata.is_dir() {
        bail!("it is not a directory");
    }
    // The owner of a process's own entry is its effective user.
    let user = fs::metadata("/proc/self").context("cannot look at /proc/self")?.uid();
    if metadata.uid() != user || metadata.mode() & 0o022 != 0 {
        bail!(
            "it holds code that is run, so it must belong to this user (uid {user}, not {}) and be writable by nobody \
             else (mode {:04o}): chmod go-w it, or name another with --cache",
            metadata.uid(),
            metadata.mode() & 0o7777
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_private_directory_ok() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("a/b");
        private_directory(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        private_directory(&path).unwrap();
    }

    #[test]
    fn a_directory_that_others_may_write_to_err() {
        let base = tempfile::tempdir().unwrap();
        fs::set_permissions(base.path(), fs::Permissions::from_mode(0o770)).unwrap();
        let message = private_directory(base.path()).unwrap_err().to_string();
        assert!(message.contains("mode 0770"), "{message}");
    }

    #[test]
    fn a_file_err() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(private_directory(file.path()).is_err());
    }
}
