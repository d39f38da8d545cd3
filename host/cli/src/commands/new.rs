//! `thimble new`

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use thimble_challenge::{LoadedChallenge, NAME_RULE, is_name};
use toml_edit::{DocumentMut, value};

use crate::cache::CacheOpts;
use crate::commands::export;
use crate::evaluate::public_data;
use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::{input, output, vendor};

/// Start a solution: a crate that compiles, passes its tests and scores above the baseline.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Makes NAME/ with a linear classifier to change, a native test on the challenge's public data (exported to NAME/data), \
and a copy of the SDK (NAME/sdk). The project is a workspace of its own, its dependencies are locked.

Examples:
  thimble new my-solution --challenge examples/challenges/imagenet-pareto-500k
  cd my-solution && cargo test && thimble run")]
pub(crate) struct Opts {
    /// 3 to 63 lower-case letters, digits and single hyphens, a letter first: also the submission's name
    name: String,
    /// Challenge directory
    #[arg(long, value_name = "DIR")]
    challenge: PathBuf,
    /// Directory to make it in
    #[arg(long = "in", value_name = "PARENT", default_value = ".")]
    parent: PathBuf,
    #[command(flatten)]
    cache: CacheOpts,
}

/// What a project starts with, besides what depends on its name and challenge.
const FILES: [(&str, &str); 4] = [
    (".cargo/config.toml", include_str!("../../template/config.toml")),
    (".gitignore", include_str!("../../template/gitignore")),
    ("src/lib.rs", include_str!("../../template/lib.rs")),
    ("tests/public_data.rs", include_str!("../../template/tests/public_data.rs")),
];
const MANIFEST: &str = include_str!("../../template/Cargo.toml");
const README: &str = include_str!("../../template/README.md");

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let name = &self.name;
        if !is_name(name) || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Err(Failure::usage(format!("`{name}` cannot be a project's name: {NAME_RULE}, a letter first")));
        }
        let challenge = input::challenge(&self.challenge)?;
        let target = if self.parent == Path::new(".") { PathBuf::from(name) } else { self.parent.join(name) };
        refuse_occupied(&target)?;
        let files = self.files(&challenge)?;
        let data = public_data(&self.challenge, &challenge, &self.cache.open()?)?.into();

        // Made beside its place and renamed: it is there as a whole, or not at all.
        let cannot = || format!("cannot write {}", target.display());
        let beside = tempfile::Builder::new().prefix(".thimble-new-").tempdir_in(&self.parent);
        let beside = beside.with_context(cannot).or_output()?;
        let fresh = beside.path().join(name);
        for (place, text) in files {
            write_file(&fresh.join(place), &text).with_context(cannot).or_output()?;
        }
        let exported = fresh.join("data");
        fs::create_dir(&exported).with_context(cannot).or_output()?;
        export::write(&exported, &challenge, &data)?;
        fs::rename(&fresh, &target).with_context(cannot).or_output()?;

        output::print(&format!(
            "{target}: a linear classifier for {challenge}, to change\n\nnext:\n  cd {target}\n  cargo test       natively, \
             on the public data in data/\n  thimble run      build it, then train, count, predict and score in the \
             sandbox\n  thimble build    build, check and pack it\n",
            target = target.display(),
            challenge = challenge.challenge.name,
        ))?;
        Ok(ExitStatus::Success)
    }

    /// Every text file of the project, by its place.
    fn files(&self, challenge: &LoadedChallenge) -> Result<Vec<(PathBuf, String)>, Failure> {
        let parent = fs::canonicalize(&self.parent)
            .with_context(|| format!("cannot open the directory {}", self.parent.display()))
            .or_output()?;
        let directory = fs::canonicalize(&self.challenge)
            .with_context(|| format!("cannot open the challenge directory {}", self.challenge.display()))
            .or_input()?;
        let reference = reference(&directory, &parent.join(&self.name));
        let reference = reference.to_str().context("the challenge's path is not UTF-8").or_input()?;

        let manifest = self.manifest(reference).context("the template's manifest").or_internal()?;
        let readme = README
            .replace("{name}", &self.name)
            .replace("{challenge-name}", &challenge.challenge.name)
            .replace("{challenge}", reference)
            .replace("{version}", env!("CARGO_PKG_VERSION"));
        let lock = vendor::lockfile(&self.name).with_context(|| format!("project {}", self.name)).or_input()?;
        let mut files: Vec<_> = [("Cargo.toml", manifest), ("README.md", readme), ("Cargo.lock", lock)]
            .into_iter()
            .chain(FILES.map(|(place, text)| (place, text.to_owned())))
            .map(|(place, text)| (PathBuf::from(place), text))
            .collect();
        let sdk = vendor::files().context("the embedded SDK").or_internal()?;
        files.extend(sdk.into_iter().map(|(place, text)| (Path::new("sdk").join(place), text)));
        Ok(files)
    }

    fn manifest(&self, challenge: &str) -> anyhow::Result<String> {
        let mut manifest: DocumentMut = MANIFEST.parse()?;
        manifest["package"]["name"] = value(&self.name);
        manifest["package"]["metadata"]["thimble"]["challenge"] = value(challenge);
        Ok(manifest.to_string())
    }
}

/// Only an empty directory is replaced.
fn refuse_occupied(target: &Path) -> Result<(), Failure> {
    let what = match fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
        Ok(true) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Ok(false) => "is there, and not empty",
        Err(_) => "is there, and no directory to write to",
    };
    Err(Failure::input(format!("{} {what}; choose another name", target.display())))
}

fn write_file(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
}

/// How a file in `project` names `challenge`, both canonical: relative where they have a directory in common, so that
/// the two may move together; absolute where only the root is common.
fn reference(challenge: &Path, project: &Path) -> PathBuf {
    let common = challenge.components().zip(project.components()).take_while(|(a, b)| a == b).count();
    if common <= 1 {
        return challenge.to_owned();
    }
    let up = project.components().skip(common).map(|_| Component::ParentDir);
    up.chain(challenge.components().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_named_relative_where_that_means_something() {
        for (challenge, project, expected) in [
            ("/base/u/thimble/challenges/c", "/base/u/mine", "../thimble/challenges/c"),
            ("/base/u/c", "/base/u/work/mine", "../../c"),
            ("/srv/challenges/c", "/base/u/mine", "/srv/challenges/c"),
        ] {
            assert_eq!(reference(Path::new(challenge), Path::new(project)), Path::new(expected));
        }
    }

    #[test]
    fn the_template_has_the_places_that_are_filled_in() {
        for place in ["{name}", "{challenge-name}", "{challenge}", "{version}"] {
            assert!(README.contains(place), "{place}");
        }
        assert!(MANIFEST.contains("\"NAME\"") && MANIFEST.contains("\"CHALLENGE\""));
    }
}
