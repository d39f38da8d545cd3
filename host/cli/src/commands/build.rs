//! `thimble build`

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use thimble_challenge::challenge::Limits;
use thimble_challenge::{ParameterCount, package};

use crate::cache::CacheOpts;
use crate::cargo::Names;
use crate::commands::check::Report;
use crate::commands::pack::{self, Sources};
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::project::{Project, no_challenge};
use crate::{input, output, report};

/// Build a project, check it, count its parameters in a validation run, and pack it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Builds for wasm32-wasip2 in the release profile, stripped, with simd128 and relaxed-simd, whatever the project's \
configuration and RUSTFLAGS say of those. Name and version of the package are those in Cargo.toml.

Examples:
  # The project here, for the challenge that its Cargo.toml names; writes target/NAME.zip
  thimble build

  # Without the validation run
  thimble build my-solution --parameters 49280

  # With a feature of the crate
  thimble build -- --features train-only

Exit status: 0 when packed, 3 when cargo fails, 10 when admission would refuse it, or that of the validation
run's verdict.")]
pub(crate) struct Opts {
    /// Project directory
    #[arg(default_value = ".")]
    project: PathBuf,
    /// Challenge directory [default: the one that the project's Cargo.toml names]
    #[arg(long, value_name = "DIR")]
    challenge: Option<PathBuf>,
    /// Declare this count, or upper bound, instead of counting
    #[arg(long, value_name = "N")]
    parameters: Option<u64>,
    /// Declare no count
    #[arg(long, conflicts_with = "parameters")]
    no_run: bool,
    /// For people, at most 1,024 bytes
    #[arg(long, default_value = "")]
    note: String,
    /// Let others read the source: Cargo.toml, Cargo.lock, README.md, LICENSE, build.rs,
    /// rust-toolchain.toml, src/ go along
    #[arg(long)]
    source: bool,
    /// The package to write [default: target/NAME.zip]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheOpts,
    /// Options for cargo build
    #[arg(last = true, value_name = "CARGO OPTIONS")]
    cargo_options: Vec<OsString>,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let project = Project::open(&self.project)?;
        let challenge = self.challenge.clone().or_else(|| project.challenge());
        let counts = !self.no_run && self.parameters.is_none();
        if counts && challenge.is_none() {
            return Err(no_challenge());
        }
        let limits = match &challenge {
            Some(path) => Some(input::challenge(path)?.challenge.limits),
            None => None,
        };
        let sources = if self.source { Sources::read(project.path())? } else { Vec::new() };
        let component = project.build(Names::Stripped, &self.cargo_options)?;
        if let Some(refused) = self.findings(&component, limits.as_ref())? {
            return Ok(refused);
        }
        let mut score = String::new();
        let parameters = match &challenge {
            Some(challenge) if counts => {
                let result = pack::validate(challenge, &component, &self.cache)?;
                score = report::score_line(&result.comparable);
                Some(pack::counted(&result.comparable)?)
            }
            _ => self.parameters.map(ParameterCount),
        };
        let manifest = project.manifest(&self.note, parameters);
        let bytes = package::write(&manifest, &component, &sources).context("cannot make the package").or_input()?;
        let out = self.out.clone().unwrap_or_else(|| project.package_path());
        pack::write(&out, &bytes, parameters)?;
        output::print(&format!("{score}next        {}\n", next(&out, challenge.as_deref())))?;
        Ok(ExitStatus::Success)
    }

    /// Prints what admission would refuse.
    fn findings(&self, component: &[u8], limits: Option<&Limits>) -> Result<Option<ExitStatus>, Failure> {
        let report = Report::of(component, limits);
        if report.is_clean() {
            return Ok(None);
        }
        output::print(&report.text())?;
        Ok(Some(ExitStatus::Rejected))
    }
}

/// What to type now.
fn next(package: &Path, challenge: Option<&Path>) -> String {
    let challenge = challenge.map_or_else(|| "DIR".to_owned(), |path| path.display().to_string());
    format!("thimble run {} --challenge {challenge}", package.display())
}
