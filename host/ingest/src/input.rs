//! What is read: a directory or one file of one, through a handle, and never through a link.

use std::fs::File;
use std::io::Read as _;

use cap_std::fs::Dir;

use crate::finding::{Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::wording::Quoted;

/// What is ingested.
#[derive(Debug)]
pub struct Input {
    dir: Dir,
    file: Option<String>,
}

/// A regular file below the input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Listed {
    /// Relative to the input, with `/`.
    pub(crate) path: String,
    /// The last part of it.
    pub(crate) name: String,
    /// Its length when it was listed.
    pub(crate) bytes: u64,
}

impl Listed {
    /// The name up to its last dot, and what comes after.
    pub(crate) fn stem(&self) -> (&str, &str) {
        self.name.rsplit_once('.').unwrap_or((&self.name, ""))
    }
}

impl Input {
    /// A directory, in which the task's files are looked for.
    pub const fn directory(dir: Dir) -> Self {
        Self { dir, file: None }
    }

    /// One file of a directory.
    pub fn file(dir: Dir, name: impl Into<String>) -> Self {
        Self { dir, file: Some(name.into()) }
    }

    /// The one file, where only one was given.
    pub(crate) fn only(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// Whether there is such a directory.
    pub(crate) fn has_directory(&self, path: &str) -> bool {
        self.file.is_none() && self.dir.symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
    }

    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.file.is_none() && self.dir.symlink_metadata(path).is_ok()
    }

    /// The one file that was given, or of a directory (`.` is the input itself) those whose names `wanted` is true of, by
    /// name. What is a link or no regular file is a finding, and so are too many.
    pub(crate) fn list(&self, path: &str, wanted: impl Fn(&str) -> bool, findings: &mut Findings) -> Vec<Listed> {
        let mut listed = Vec::new();
        let below = |name: &str| if path == "." { name.to_owned() } else { format!("{path}/{name}") };
        for name in self.names(path, findings).into_iter().filter(|name| wanted(name)) {
            let path = below(&name);
            match self.dir.symlink_metadata(&path) {
                Ok(metadata) if metadata.is_file() => listed.push(Listed { path, name, bytes: metadata.len() }),
                Ok(metadata) if metadata.is_symlink() => findings.error(Place::file(path), Problem::Symlink),
                Ok(_) => findings.error(Place::file(path), Problem::NotRegular),
                Err(error) => findings.error(Place::file(path), Problem::Unreadable { reason: error.to_string() }),
            }
        }
        listed
    }

    /// The directories in a directory, by name; a link to one is a finding.
    pub(crate) fn directories(&self, path: &str, findings: &mut Findings) -> Vec<String> {
        let below = |name: &str| if path == "." { name.to_owned() } else { format!("{path}/{name}") };
        let mut names = self.names(path, findings);
        names.retain(|name| match self.dir.symlink_metadata(below(name)) {
            Ok(metadata) if metadata.is_symlink() => {
                let leads_to_directory = self.dir.metadata(below(name)).map_or(true, |metadata| metadata.is_dir());
                if leads_to_directory {
                    findings.error(Place::file(below(name)), Problem::Symlink);
                }
                false
            }
            Ok(metadata) => metadata.is_dir(),
            Err(_) => false,
        });
        names
    }

    /// What is in a directory, sorted, without names that begin with a dot.
    fn names(&self, path: &str, findings: &mut Findings) -> Vec<String> {
        if let Some(file) = &self.file {
            return if path == "." { vec![file.clone()] } else { Vec::new() };
        }
        let mut names = Vec::new();
        let entries = match self.dir.read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                findings.error(Place::file(path), Problem::Unreadable { reason: error.to_string() });
                return names;
            }
        };
        for entry in entries {
            let name = match entry {
                Ok(entry) => entry.file_name().into_string().map_err(|name| name.to_string_lossy().into_owned()),
                Err(error) => Err(error.to_string()),
            };
            match name {
                Ok(name) if name.starts_with('.') => {}
                Ok(name) => names.push(name),
                Err(name) => {
                    let reason = "its name is not UTF-8".to_owned();
                    findings.error(Place::file(format!("{path}/{name}")), Problem::Unreadable { reason });
                }
            }
            if names.len() > limits::FILES {
                findings.error(Place::file(path), Problem::TooManyFiles { limit: limits::FILES });
                break;
            }
        }
        names.sort_unstable();
        names
    }

    /// Opens a regular file; no part of its path may be a link.
    pub(crate) fn open(&self, path: &str) -> Result<(File, u64), Problem> {
        let mut end = 0;
        for part in path.split('/') {
            end += part.len();
            match self.dir.symlink_metadata(&path[..end]) {
                Ok(metadata) if metadata.is_symlink() => return Err(Problem::Symlink),
                Ok(metadata) if end == path.len() && !metadata.is_file() => return Err(Problem::NotRegular),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Problem::FileMissing),
                Err(error) => return Err(Problem::Unreadable { reason: error.to_string() }),
            }
            end += 1;
        }
        let open = || {
            let file = self.dir.open(path)?;
            let bytes = file.metadata()?.len();
            std::io::Result::Ok((file.into_std(), bytes))
        };
        open().map_err(|error| Problem::Unreadable { reason: error.to_string() })
    }

    /// Reads a regular file of 1 to `limit` bytes.
    pub(crate) fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Problem> {
        let (file, bytes) = self.open(path)?;
        if bytes == 0 {
            return Err(Problem::ZeroBytes);
        }
        let mut contents = Vec::new();
        if bytes <= limit {
            let read = file.take(limit + 1).read_to_end(&mut contents);
            read.map_err(|error| Problem::Unreadable { reason: error.to_string() })?;
        }
        match bytes.max(contents.len() as u64) {
            bytes if bytes > limit => Err(Problem::TooManyBytes { bytes, limit }),
            _ => Ok(contents),
        }
    }
}

/// A file name out of a table: relative, and down only.
pub(crate) fn plain(name: &str) -> Result<&str, Problem> {
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let legal = !name.contains(['\\', '\0', ':']) && name.split('/').all(plain);
    if legal { Ok(name) } else { Err(Problem::Traversal { name: Quoted::new(name) }) }
}
