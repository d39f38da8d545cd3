//! One evaluation as the command line makes it, on this processor or another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::figures;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_tests::evaluation::{product, thimble};
use thimble_tests::fixture::StoredDataset;

/// Layers of the box that the emulator has no system calls for: Landlock's and seccomp's. An official run under it gives
/// them up by name, as an operator would.
const NOT_EMULATED: [&str; 4] = ["filesystem", "network", "scope", "syscalls"];

/// The `thimble` of a processor, and how it is started here.
#[derive(Debug)]
pub(crate) struct Processor {
    /// A program and its first arguments.
    command: Vec<String>,
    /// What starts its child processes.
    wrapper: Option<String>,
}

impl Processor {
    /// The one that this test runs on.
    pub(crate) fn here() -> Self {
        Self { command: vec![thimble().display().to_string()], wrapper: None }
    }

    /// arm64, under emulation; `None` only where it was left out on purpose.
    pub(crate) fn arm64() -> Option<Self> {
        let (binary, qemu) = (std::env::var("THIMBLE_ARM64_BIN"), std::env::var("THIMBLE_QEMU"));
        let (Ok(binary), Ok(qemu)) = (binary, qemu) else {
            assert_eq!(
                std::env::var("THIMBLE_NO_ARM64").as_deref(),
                Ok("1"),
                "the comparison with arm64 needs THIMBLE_ARM64_BIN and THIMBLE_QEMU, which `cargo xtask test` sets; \
                 `cargo xtask test --no-arm64` leaves it out"
            );
            eprintln!("SKIPPED: the comparison with arm64, as THIMBLE_NO_ARM64=1 asks");
            return None;
        };
        let mut command: Vec<String> = qemu.split_whitespace().map(str::to_owned).collect();
        command.push(binary);
        Some(Self { command, wrapper: Some(qemu) })
    }

    /// `thimble run` of a submission with a challenge, on the dataset `official` if that is the mode. Compiled anew each time.
    fn run(&self, submission: &Path, challenge: &Path, official: Option<&Path>) -> EvaluationResult {
        let mut process = Command::new(&self.command[0]);
        process.args(&self.command[1..]).arg("run").arg(submission).arg("--challenge").arg(challenge);
        process.args(["--json", "--no-cache"]);
        if let Some(dataset) = official {
            process.args(["--mode", "official", "--official"]).arg(dataset);
            let missing: &[&str] = if self.wrapper.is_some() { &NOT_EMULATED } else { &[] };
            process.args(missing.iter().flat_map(|layer| ["--without-layer", *layer]));
        }
        if let Some(wrapper) = &self.wrapper {
            process.env("THIMBLE_CHILD_WRAPPER", wrapper);
        }
        let output = process.output().expect("thimble starts");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{process:?} wrote no result: {error}\n{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

/// What every processor must agree in.
pub(crate) fn comparable_json(result: &EvaluationResult) -> String {
    serde_json::to_string_pretty(&result.comparable).expect("a result is JSON")
}

/// A submission and a challenge with its data, as files.
#[derive(Debug)]
pub(crate) struct Setting {
    submission: PathBuf,
    challenge: PathBuf,
    /// The operator's dataset, in an official run.
    official: Option<PathBuf>,
    /// Where the files are, if they are this setting's own.
    _directory: Option<TempDir>,
}

impl Setting {
    /// `data` is that of `mode`; it must outlive the setting.
    pub(crate) fn new(data: &StoredDataset, challenge: Challenge, mode: Mode, submission: &[u8]) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let package = directory.path().join("submission");
        fs::write(&package, submission).expect("the submission is written");
        let bound = data.bind(challenge, mode);
        let challenge = directory.path().join(&bound.name);
        fs::create_dir_all(challenge.join("public")).expect("a directory");
        fs::write(challenge.join("challenge.json"), bound.to_json()).expect("the challenge is written");
        fs::write(challenge.join("statement.md"), figures(&bound)).expect("the statement is written");
        let official = (mode == Mode::Official).then(|| data.path().to_owned());
        if official.is_none() {
            for file in ["dataset.json", "train.arrow", "validation.arrow", "test.arrow"] {
                fs::copy(data.path().join(file), challenge.join("public").join(file)).expect("the data is copied");
            }
        }
        Self { submission: package, challenge, official, _directory: Some(directory) }
    }

    /// An example package on an example challenge.
    pub(crate) fn example(package: &str, challenge: &str) -> Self {
        Self {
            submission: product(&format!("examples/{package}.zip")),
            challenge: Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/challenges").join(challenge),
            official: None,
            _directory: None,
        }
    }

    /// The result that `processor` writes.
    pub(crate) fn run(&self, processor: &Processor) -> EvaluationResult {
        processor.run(&self.submission, &self.challenge, self.official.as_deref())
    }
}
