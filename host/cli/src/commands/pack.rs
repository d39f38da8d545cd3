//! `thimble pack`

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cap_std::fs::Dir;
use thimble_admission::{StaticLimits, inspect_all};
use thimble_challenge::challenge::grouped;
use thimble_challenge::package::{self, MAX_COMPONENT_BYTES, MAX_ENTRIES, MAX_EXPANDED_BYTES, ROOT_SOURCES};
use thimble_challenge::result::{Comparable, EvaluationResult};
use thimble_challenge::{Manifest, ParameterCount, Verdict};
use thimble_datasets::Digest;

use crate::cache::CacheOpts;
use crate::commands::check::Finding;
use crate::evaluate::{evaluate, public_data};
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::sandbox::LayerOpts;
use crate::{input, output, progress};

/// Make a package from a component.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # Let a validation run fill in the parameter count
  thimble pack target/wasm32-wasip2/release/mine.wasm --name mine --challenge DIR --out mine.zip

  # Declare an upper bound, and let others read the source
  thimble pack mine.wasm --name mine --version 0.2.0 --parameters 49280 --source . --out mine.zip

The same inputs give the same bytes. An official run may return at most the declared count, and publishes it.")]
pub(crate) struct Opts {
    /// The component
    component: PathBuf,
    /// 3 to 63 lower-case letters, digits and single hyphens
    #[arg(long)]
    name: String,
    /// MAJOR.MINOR.PATCH
    #[arg(long, default_value = "0.1.0")]
    version: String,
    /// For people, at most 1,024 bytes
    #[arg(long, default_value = "")]
    note: String,
    /// The parameter count, or an upper bound
    #[arg(long, value_name = "N", conflicts_with = "challenge")]
    parameters: Option<u64>,
    /// Run on this challenge's public data and declare what it returned
    #[arg(long, value_name = "DIR")]
    challenge: Option<PathBuf>,
    /// The package that this one was derived from
    #[arg(long, value_name = "DIGEST")]
    parent: Option<Digest>,
    /// Crate directory whose sources go along: Cargo.toml, Cargo.lock, README.md, LICENSE, build.rs,
    /// rust-toolchain.toml, src/
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// The package to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    cache: CacheOpts,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let component = input::file("component", &self.component, MAX_COMPONENT_BYTES)?;
        let findings: Vec<_> = inspect_all(&component, &StaticLimits::OFFICIAL)
            .refusals
            .iter()
            .map(|refusal| Finding::in_component(refusal).line())
            .collect();
        if !findings.is_empty() {
            let error = anyhow::anyhow!("{} would be rejected: {}", self.component.display(), findings.join("\n  "));
            return Err(Failure { status: ExitStatus::Rejected, error });
        }
        let sources = match &self.source {
            Some(path) => Sources::read(path)?,
            None => Vec::new(),
        };
        let parameters = match &self.challenge {
            Some(challenge) => Some(counted(&validate(challenge, &component, &self.cache)?.comparable)?),
            None => self.parameters.map(ParameterCount),
        };
        let manifest = Manifest {
            protocol: package::CONTRACT.to_owned(),
            name: self.name,
            version: self.version,
            note: self.note,
            parameters,
            parent: self.parent,
        };
        let bytes = package::write(&manifest, &component, &sources).context("cannot make the package").or_input()?;
        write(&self.out, &bytes, parameters)?;
        Ok(ExitStatus::Success)
    }
}

/// Writes a package, and says what it is.
pub(crate) fn write(out: &Path, package: &[u8], parameters: Option<ParameterCount>) -> Result<(), Failure> {
    output::write_file(out, package, output::Readers::Anyone)?;
    output::print(&format!(
        "{}\npackage     {}\nsize        {} bytes\nparameters  {}\n",
        out.display(),
        Digest::of(package),
        grouped(package.len() as u64),
        parameters.map_or_else(|| "not declared".to_owned(), |count| grouped(count.0)),
    ))
}

/// A validation run of a bare component.
pub(crate) fn validate(challenge: &Path, component: &[u8], cache: &CacheOpts) -> Result<EvaluationResult, Failure> {
    let loaded = input::challenge(challenge)?;
    let cache = cache.open()?;
    let data = public_data(challenge, &loaded, &cache)?.into();
    let sandbox = LayerOpts::default().preferred(false)?;
    evaluate(component, &loaded, &data, sandbox, &cache, progress::observer(true).as_mut())
}

/// The parameters of a run that was scored.
pub(crate) fn counted(comparable: &Comparable) -> Result<ParameterCount, Failure> {
    match (comparable.verdict, &comparable.parameters) {
        (Verdict::Scored, Some(parameters)) => Ok(parameters.counted),
        (verdict, _) => {
            let why = comparable.failure.as_ref().map(|failure| format!(": {}", failure.message)).unwrap_or_default();
            let error = anyhow::anyhow!("the validation run ended in {verdict}{why}; nothing was packed");
            Err(Failure { status: verdict.into(), error })
        }
    }
}

/// Sources by their path in the package.
pub(crate) struct Sources {
    files: Vec<(String, Vec<u8>)>,
    bytes_left: u64,
}

impl Sources {
    /// What a package may carry of a crate directory.
    pub(crate) fn read(path: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let dir = input::directory("source", path)?;
        let mut sources = Self { files: Vec::new(), bytes_left: MAX_EXPANDED_BYTES };
        let mut collect = || {
            for name in ROOT_SOURCES {
                if dir.try_exists(name)? {
                    sources.file(&dir, name, name.to_owned())?;
                }
            }
            if dir.try_exists("src")? { sources.directory(&dir.open_dir("src")?, "src") } else { Ok(()) }
        };
        collect().with_context(|| format!("cannot read the sources in {}", path.display())).or_input()?;
        Ok(sources.files)
    }

    fn directory(&mut self, dir: &Dir, prefix: &str) -> anyhow::Result<()> {
        for entry in dir.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { anyhow::bail!("{prefix}/{}: the name is not UTF-8", name.display()) };
            let path = format!("{prefix}/{name}");
            if entry.file_type()?.is_dir() {
                self.directory(&entry.open_dir()?, &path)?;
            } else {
                self.file(dir, name, path)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &Dir, name: &str, path: String) -> anyhow::Result<()> {
        use std::io::Read as _;

        if !dir.symlink_metadata(name)?.is_file() {
            anyhow::bail!("{path} is not a regular file");
        }
        if self.files.len() >= MAX_ENTRIES {
            anyhow::bail!("a package has at most {MAX_ENTRIES} entries, the component and its manifest included");
        }
        let mut content = Vec::new();
        dir.open(name)?.take(self.bytes_left + 1).read_to_end(&mut content)?;
        let Some(left) = self.bytes_left.checked_sub(content.len() as u64) else {
            anyhow::bail!("a package holds at most {MAX_EXPANDED_BYTES} bytes; {path} goes beyond");
        };
        self.bytes_left = left;
        self.files.push((path, content));
        Ok(())
    }
}
