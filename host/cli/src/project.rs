//! What a command line calls a submission: a package, a component, or a project that is built first.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use thimble_challenge::package::{self, MAX_COMPONENT_BYTES};
use thimble_challenge::{Manifest, ParameterCount};

use crate::cargo::{CargoPackage, Names};
use crate::exit::{Blame as _, Failure};
use crate::input;

/// A submission and its challenge, as `run`, `check` and `profile` take them.
#[derive(Debug, clap::Args)]
pub(crate) struct SubmissionOpts {
    /// A package (.zip), a component (.wasm), or a project directory, which is built first
    /// [default: the project in the current directory]
    submission: Option<PathBuf>,
    /// Challenge directory [default: the one that the project's Cargo.toml names]
    #[arg(long, value_name = "DIR")]
    challenge: Option<PathBuf>,
}

/// A submission that has been found, and neither built nor read.
#[derive(Debug)]
pub(crate) struct Submission {
    source: Source,
    challenge: Option<PathBuf>,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Project(Box<Project>),
}

/// A crate that builds to a component.
#[derive(Debug)]
pub(crate) struct Project {
    /// As named on the command line.
    path: PathBuf,
    package: CargoPackage,
}

impl SubmissionOpts {
    /// As if `path` had been named, and no challenge.
    pub(crate) const fn of(path: Option<PathBuf>) -> Self {
        Self { submission: path, challenge: None }
    }

    /// Finds it, and the challenge that it is for.
    pub(crate) fn find(&self) -> Result<Submission, Failure> {
        let here = Path::new(".");
        let path = match &self.submission {
            Some(path) => path,
            None if is_project(here) => here,
            None => {
                return Err(Failure::usage(
                    "name a submission: a package, a component or a project directory; there is no Cargo.toml here",
                ));
            }
        };
        if path.is_dir() {
            let project = Project::open(path)?;
            let challenge = self.challenge.clone().or_else(|| project.challenge());
            return Ok(Submission { source: Source::Project(Box::new(project)), challenge });
        }
        let challenge = match &self.challenge {
            None if is_project(here) => Project::open(here)?.challenge(),
            named => named.clone(),
        };
        Ok(Submission { source: Source::File(path.to_owned()), challenge })
    }
}

impl Submission {
    /// The challenge, which this command cannot do without.
    pub(crate) fn challenge(&self) -> Result<&Path, Failure> {
        self.challenge.as_deref().ok_or_else(no_challenge)
    }

    /// The challenge, if one is named.
    pub(crate) fn challenge_if_named(&self) -> Option<&Path> {
        self.challenge.as_deref()
    }

    /// Whether reading it runs code of the project (build scripts, macros) on this machine.
    pub(crate) fn is_project(&self) -> bool {
        matches!(self.source, Source::Project(_))
    }

    /// The bytes of a package or component. A project is built, and packed without a declared count.
    pub(crate) fn read(&self, names: Names) -> Result<Vec<u8>, Failure> {
        match &self.source {
            Source::File(path) => input::submission(path),
            Source::Project(project) => {
                let component = project.build(names, &[])?;
                if component.len() as u64 > MAX_COMPONENT_BYTES {
                    // No package holds it: admission says so.
                    return Ok(component);
                }
                let manifest = project.manifest("", None);
                package::write(&manifest, &component, &[]).with_context(|| project.named("cannot pack")).or_input()
            }
        }
    }
}

impl Project {
    /// Reads what cargo knows of the project in `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        if !is_project(path) {
            return Err(Failure::input(format!("{} is no project: it has no Cargo.toml", path.display())));
        }
        let package = CargoPackage::open(path).with_context(|| format!("project {}", path.display())).or_input()?;
        Ok(Self { path: path.to_owned(), package })
    }

    /// The component of a release build. It may be larger than admission lets through.
    pub(crate) fn build(&self, names: Names, cargo_options: &[OsString]) -> Result<Vec<u8>, Failure> {
        let path = self.package.build(names, cargo_options).with_context(|| self.named("project")).or_input()?;
        input::submission(&path)
    }

    /// The challenge that `[package.metadata.thimble]` names, relative to the manifest.
    pub(crate) fn challenge(&self) -> Option<PathBuf> {
        let challenge = self.package.challenge.clone()?;
        Some(if self.path == Path::new(".") { challenge } else { self.path.join(challenge) })
    }

    /// Where the package goes unless another place is named: `target/NAME.zip`, as seen from the current directory.
    pub(crate) fn package_path(&self) -> PathBuf {
        let path = self.package.target_directory.join(self.name()).with_extension("zip");
        let here = env::current_dir().and_then(|here| here.canonicalize());
        let relative = here.ok().and_then(|here| path.strip_prefix(here).map(Path::to_owned).ok());
        relative.unwrap_or(path)
    }

    /// Name and version of the crate. Underscores become hyphens, as submissions have them.
    pub(crate) fn manifest(&self, note: &str, parameters: Option<ParameterCount>) -> Manifest {
        Manifest {
            protocol: package::CONTRACT.to_owned(),
            name: self.name(),
            version: self.package.version.clone(),
            note: note.to_owned(),
            parameters,
            parent: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn name(&self) -> String {
        self.package.name.replace('_', "-")
    }

    fn named(&self, what: &str) -> String {
        format!("{what} {}", self.path.display())
    }
}

/// What to do when no challenge is named.
pub(crate) fn no_challenge() -> Failure {
    Failure::usage(
        "name the challenge: --challenge DIR, or in the project's Cargo.toml [package.metadata.thimble] challenge = \
         \"DIR\"",
    )
}

fn is_project(directory: &Path) -> bool {
    directory.join("Cargo.toml").is_file()
}
