//! `cargo xtask release`: the binary, proved to be what anyone gets from the same commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::step::{capture, run, step};
use crate::tools::CYCLONEDX;
use crate::workspace::Workspace;

/// Directories of unlike length and depth, below target/: a path that leaks into the binary changes its digest.
const PLACES: [&str; 2] = ["reproducible/first", "reproducible/the/second"];

/// Where sources and dependencies are said to be, in panics and debug information.
const SOURCES: &str = "/thimble";
const CARGO: &str = "/cargo";

/// Builds the committed sources twice, in two directories, compares the SHA-256 of both binaries, and leaves the binary, its
/// digest and its bill of materials in target/release-files and target/sbom.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    /// The package that is built
    #[arg(long, default_value = "thimble-cli")]
    package: String,
    /// Its binary
    #[arg(long, default_value = "thimble")]
    binary: String,
    /// Leave out the bill of materials, for which cargo-cyclonedx is installed on first use
    #[arg(long)]
    no_sbom: bool,
}

impl Opts {
    pub(crate) fn run(self, workspace: &Workspace) -> Result<()> {
        let commit = Commit::head(workspace)?;
        let mut binaries = Vec::new();
        for place in PLACES {
            let directory = workspace.target(place);
            step(&format!("sources of {} in {place}", commit.id), || unpack(workspace, &commit, &directory))?;
            let binary = step(&format!("build in {place}"), || self.build(workspace, &commit, &directory))?;
            let digest = sha256(&binary)?;
            println!("{digest}  {place}");
            binaries.push((binary, digest));
        }
        let [(binary, first), (other, second)] = binaries.as_slice() else { bail!("not built twice") };
        if first != second {
            bail!(
                "two builds of {} differ; what differs is shown by: diffoscope {} {}",
                commit.id,
                binary.display(),
                other.display()
            );
        }
        let files = workspace.target("release-files");
        fs::create_dir_all(&files).with_context(|| format!("cannot create {}", files.display()))?;
        let released = files.join(&self.binary);
        fs::copy(binary, &released).with_context(|| format!("cannot write {}", released.display()))?;
        let sums = files.join("SHA256SUMS");
        fs::write(&sums, format!("{first}  {}\n", self.binary))
            .with_context(|| format!("cannot write {}", sums.display()))?;
        if !self.no_sbom {
            let sbom = step("bill of materials", || self.sbom(workspace, &commit))?;
            println!("{}", sbom.display());
        }
        println!("{} of {}: two builds, one digest\n{first}  {}", self.binary, commit.id, released.display());
        let kept = workspace.target("reproducible");
        fs::remove_dir_all(&kept).with_context(|| format!("cannot remove {}", kept.display()))
    }

    /// `cargo build` with everything fixed that would tell one machine or day from another.
    fn build(&self, workspace: &Workspace, commit: &Commit, directory: &Path) -> Result<PathBuf> {
        let mut cargo = workspace.cargo();
        let target = directory.join("target");
        cargo.current_dir(directory).env("CARGO_TARGET_DIR", &target);
        cargo.args(["build", "--release", "--locked", "--package", &self.package, "--bin", &self.binary]);
        let home = cargo_home()?;
        let remaps = [(directory, SOURCES), (home.as_path(), CARGO)];
        let flags = |name: &str| remaps.map(|(from, to)| format!("{name}={}={to}", from.display()));
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags("--remap-path-prefix").join("\u{1f}")).env_remove("RUSTFLAGS");
        // SQLite and ring are C, in which a path stands wherever an assertion does.
        cargo.env("CFLAGS", flags("-ffile-prefix-map").join(" "));
        commit.fix(&mut cargo);
        run(&mut cargo)?;
        Ok(target.join("release").join(&self.binary))
    }

    /// What the binary is made of, as CycloneDX JSON, from the unpacked sources: the tool writes beside each manifest.
    fn sbom(&self, workspace: &Workspace, commit: &Commit) -> Result<PathBuf> {
        let directory = workspace.target(PLACES[0]);
        let mut tool = CYCLONEDX.command(workspace)?;
        tool.current_dir(&directory).args(["cyclonedx", "--format", "json", "--describe", "binaries"]);
        tool.args(["--spec-version", "1.5", "--quiet"]);
        commit.fix(&mut tool);
        run(&mut tool)?;
        let name = format!("{}_bin.cdx.json", self.binary);
        let written = find(&directory, &name)?.with_context(|| format!("the tool wrote no {name}"))?;
        let sboms = workspace.target("sbom");
        fs::create_dir_all(&sboms).with_context(|| format!("cannot create {}", sboms.display()))?;
        let sbom = sboms.join(format!("{}.cdx.json", self.binary));
        // The tool names packages by where they lie; where that was is nobody's business.
        let text = fs::read_to_string(&written).with_context(|| format!("cannot read {}", written.display()))?;
        let text = text.replace(&directory.display().to_string(), SOURCES);
        fs::write(&sbom, text).with_context(|| format!("cannot write {}", sbom.display()))?;
        Ok(sbom)
    }
}

/// What is released.
#[derive(Debug)]
struct Commit {
    id: String,
    /// Seconds since 1970 of the commit, as `SOURCE_DATE_EPOCH` wants them.
    seconds: String,
}

impl Commit {
    fn head(workspace: &Workspace) -> Result<Self> {
        let git = |arguments: &[&str]| {
            let text = capture(Command::new("git").current_dir(workspace.root()).args(arguments))?;
            Ok::<_, anyhow::Error>(text.trim().to_owned())
        };
        if !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty() {
            eprintln!("   WARNING  changes that are not committed are not in what is built");
        }
        Ok(Self { id: git(&["rev-parse", "HEAD"])?, seconds: git(&["log", "-1", "--format=%ct"])? })
    }

    /// Time, place, language, and the one number that a macro below arrow draws while it is compiled.
    fn fix(&self, command: &mut Command) {
        command.env("SOURCE_DATE_EPOCH", &self.seconds).env("CONST_RANDOM_SEED", &self.id);
        command.env("LC_ALL", "C").env("TZ", "UTC");
    }
}

/// The files of `commit`, and nothing else, in `directory`.
fn unpack(workspace: &Workspace, commit: &Commit, directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let archive = directory.with_extension("tar");
    let mut git = Command::new("git");
    run(git.current_dir(workspace.root()).args(["archive", "--format=tar", "-o"]).arg(&archive).arg(&commit.id))?;
    run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(directory))?;
    fs::remove_file(&archive).with_context(|| format!("cannot remove {}", archive.display()))
}

/// Where cargo keeps the sources of dependencies.
fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::var_os("HOME").context("neither CARGO_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

fn sha256(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The file `name` beside a manifest below `directory`; what cargo built is not looked at.
fn find(directory: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|found| found == name) {
            return Ok(Some(path));
        }
        if path.is_dir()
            && !path.ends_with("target")
            && let Some(found) = find(&path, name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_places_differ_in_length_and_depth() {
        let [first, second] = PLACES.map(|place| (place.len(), Path::new(place).components().count()));
        assert!(first.0 != second.0 && first.1 != second.1);
    }

    #[test]
    fn the_digest_is_that_of_sha256sum() {
        let directory = std::env::temp_dir().join(format!("thimble-release-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory");
        let path = directory.join("abc");
        fs::write(&path, "abc").expect("written");
        // FIPS 180-4, appendix of examples.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).expect("readable"), expected);
        assert_eq!(find(&directory, "abc").expect("readable"), Some(path));
        assert_eq!(find(&directory, "abd").expect("readable"), None);
        fs::remove_dir_all(&directory).expect("removed");
    }
}
