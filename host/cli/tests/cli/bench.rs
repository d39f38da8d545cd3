//! A temporary directory to work in, and the command run in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::{Value, json};
use tempfile::TempDir;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::figures;
use thimble_datasets::imagenet_pareto::{Options, private};
use thimble_datasets::{Digest, OperatorSecret, Seed};

/// A working directory with nothing of this machine in sight.
pub(crate) struct Bench {
    directory: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    pub(crate) fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(relative), bytes).unwrap();
    }

    pub(crate) fn read(&self, relative: &str) -> String {
        std::fs::read_to_string(self.path(relative)).unwrap()
    }

    pub(crate) fn json(&self, relative: &str) -> Value {
        serde_json::from_str(&self.read(relative)).unwrap()
    }

    /// `thimble LINE`, words split at spaces, in this directory, its cache in `cache`.
    pub(crate) fn thimble(&self, line: &str) -> Ended {
        let output = self.command(line).output().unwrap();
        self.ended(&output)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thimble"));
        command.args(line.split_whitespace()).current_dir(self.directory.path()).env_clear();
        command.env("THIMBLE_CACHE", self.path("cache"));
        command
    }

    fn ended(&self, output: &Output) -> Ended {
        let text = |bytes: &[u8]| {
            String::from_utf8(bytes.to_vec()).unwrap().replace(&self.directory.path().display().to_string(), "[DIR]")
        };
        Ended {
            code: output.status.code().expect("it exits, nothing kills it"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// A dataset of four classes drawn from `seed`, with its operator's secret; returns its digest.
    pub(crate) fn dataset(&self, relative: &str, seed: u8) -> Digest {
        let seed = Seed::parse(&std::array::from_fn::<u8, 32, _>(|i| seed.wrapping_add(i as u8 * 7))).unwrap();
        let options = Options { classes: 4, train_per_class: 3, ..Options::default() };
        let path = self.path(relative);
        std::fs::create_dir_all(&path).unwrap();
        let dir = open(&path);
        OperatorSecret::from_seed(&seed).write(&dir).unwrap();
        thimble_datasets::write(&dir, &private(&seed, &options).unwrap()).unwrap()
    }

    /// The challenge `toy`, whose public data has four classes; `edit` changes its JSON.
    pub(crate) fn challenge(&self, edit: impl FnOnce(&mut Value)) {
        if !self.path("toy/public").exists() {
            self.dataset("toy/public", 1);
        }
        let digest = self.json("toy/public/dataset.json")["digest"].clone();
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/challenges/imagenet-pareto-500k");
        let text = std::fs::read(example.join("challenge.json")).unwrap();
        let mut challenge: Value = serde_json::from_slice(&text).unwrap();
        challenge["name"] = "toy".into();
        challenge["task"]["classes"] = 4.into();
        challenge["datasets"] = json!({
            "public": { "source": "directory", "digest": digest },
            "official_commitment": null
        });
        edit(&mut challenge);
        let text = challenge.to_string();
        let figures = Challenge::from_json(text.as_bytes()).map(|challenge| figures(&challenge)).unwrap_or_default();
        self.write("toy/statement.md", format!("# Toy\n\n{figures}"));
        self.write("toy/challenge.json", text);
    }
}

impl Ended {
    /// Nothing on stdout, and one error that says all of `words`.
    #[track_caller]
    pub(crate) fn assert_error(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        assert_eq!(self.stdout, "", "{self:#?}");
        assert!(self.stderr.starts_with("error: "), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word} is not in {self:#?}");
        }
    }

    /// Nothing on stderr.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: i32) {
        assert_eq!(self.code, code, "{self:#?}");
        assert_eq!(self.stderr, "", "{self:#?}");
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

pub(crate) fn open(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// `text` is what `golden/NAME.txt` holds.
#[track_caller]
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden").join(name).with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{} differs; BLESS=1 rewrites it", path.display());
}
