//! A directory that a command makes: whole, or not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use thimble_datasets::limits::OPERATOR_SECRET_FILE;

use crate::exit::{Blame as _, Failure};

/// A directory that may be made, or replaced.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    path: &'a Path,
    /// The file without which the directory is not what it is.
    marker: &'a str,
    /// One is there, to be replaced.
    occupied: bool,
}

impl<'a> Target<'a> {
    /// `what` the directory will be ("a dataset") and is, if it holds `marker`. One with an operator's secret is never
    /// touched.
    pub(crate) fn check(path: &'a Path, what: &str, marker: &'a str, overwrite: bool) -> Result<Self, Failure> {
        let occupied = path.join(marker).exists();
        if occupied && !overwrite {
            return Err(Failure::input(format!("{} holds {what}; say --overwrite to replace it", path.display())));
        }
        if path.join(OPERATOR_SECRET_FILE).exists() {
            return Err(Failure::input(format!(
                "{} holds {OPERATOR_SECRET_FILE}, which a published commitment may depend on: it is not replaced; remove \
                 the directory yourself or choose another",
                path.display()
            )));
        }
        Ok(Self { path, marker, occupied })
    }

    /// Lets `work` fill a directory beside the target, then moves it into place: whoever opens the target sees the old,
    /// nothing, or the new. What is replaced is the marker and the files `names`.
    pub(crate) fn write<T>(
        &self,
        names: &[impl AsRef<Path>],
        work: impl FnOnce(&Path) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let cannot = || format!("cannot write {}", self.path.display());
        let parent = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let fresh = tempfile::Builder::new().prefix(".thimble-").tempdir_in(parent).with_context(cannot).or_output()?;
        let made = work(fresh.path())?;
        if self.occupied {
            // The marker first: without it the directory is nothing. Anything else that is there stays, and makes the move
            // fail.
            for name in [Path::new(self.marker)].into_iter().chain(names.iter().map(AsRef::as_ref)) {
                match fs::remove_file(self.path.join(name)) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(error).with_context(cannot).or_output();
                    }
                    _ => {}
                }
            }
        }
        fs::rename(fresh.path(), self.path).with_context(cannot).or_output()?;
        // It lives under its own name now.
        let _ = fresh.keep();
        Ok(made)
    }
}
