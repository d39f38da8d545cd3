//! `thimble run`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use thimble_challenge::LoadedChallenge;
use thimble_challenge::result::{AgenticsResult, EvaluationResult};
use thimble_datasets::Digest;
use thimble_runtime::BoundData;

use crate::cache::{Cache, CacheOpts};
use crate::cargo::Names;
use crate::evaluate::{evaluate, official_data, public_data};
use crate::exit::{self, ExitStatus, Failure};
use crate::output::Readers;
use crate::project::SubmissionOpts;
use crate::sandbox::LayerOpts;
use crate::{input, output, progress, report};

/// Run a submission on a challenge: train, count, predict, score.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct Opts {
    #[command(flatten)]
    submission: SubmissionOpts,
    /// On the challenge's public data, or on the operator's
    #[arg(long, value_enum, default_value_t)]
    mode: RunMode,
    /// Official dataset directory, with its operator-secret.json
    #[arg(long, value_name = "DATASET", required_if_eq("mode", "official"))]
    official: Option<PathBuf>,
    /// Another seed than the challenge's, to see the spread (validation only)
    ///
    /// The result names the digest of the challenge as changed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=1 << 53))]
    seed: Option<u64>,
    /// Print only the result, as JSON
    #[arg(long)]
    json: bool,
    /// Write the result to a file, as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The shape of JSON results
    #[arg(long, value_enum, default_value_t)]
    result_format: ResultFormat,
    /// Run the submission in this process: for your own, on a machine that lacks the layers of the box
    #[arg(long)]
    in_process: bool,
    #[command(flatten)]
    layers: LayerOpts,
    #[command(flatten)]
    cache: CacheOpts,
}

const EXAMPLES: &str = "\
Examples:
  # Score a package on the challenge's public data
  thimble run target/examples/centroid.zip --challenge examples/challenges/imagenet-pareto-500k

  # The project here, built first, for the challenge that its Cargo.toml names
  thimble run --out first.json

  # The operator's run: its table may be published; the file, --json, the exit status and the
  # progress may not
  thimble run centroid.zip --challenge DIR --mode official --official DATASET --out result.json

Environment:
  THIMBLE_CACHE          The cache directory
  THIMBLE_CHILD_WRAPPER  Put before the command of child processes, split at spaces, for a foreign
                         binary: qemu-aarch64 -L /usr/aarch64-linux-gnu";

/// Where a run gets its data, and what may be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum RunMode {
    /// Public data; curves, log and every figure are shown.
    #[default]
    Validation,
    /// The operator's data; no text of the submission is shown or kept.
    Official,
}

/// The shape of JSON results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum ResultFormat {
    /// docs/result-format.md.
    #[default]
    Thimble,
    /// The result of an Agentics evaluator; of an official run only what is published.
    Agentics,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let found = self.submission.find()?;
        let challenge_directory = found.challenge()?;
        if self.mode == RunMode::Official && self.seed.is_some() {
            return Err(Failure::usage("--seed is for validation: official runs use the challenge's own"));
        }
        if self.mode == RunMode::Validation && self.official.is_some() {
            return Err(Failure::usage("--official needs --mode official"));
        }
        if self.mode == RunMode::Official && found.is_project() {
            return Err(Failure::usage(
                "official runs take a package, not a project: building one runs its code on this machine",
            ));
        }
        if self.mode == RunMode::Official && self.in_process {
            return Err(Failure::usage(
                "official runs are boxed: give up the layers that this machine lacks by name, with --without-layer",
            ));
        }
        let mut challenge = input::challenge(challenge_directory)?;
        if let Some(seed) = self.seed {
            challenge.challenge.seed = seed;
            challenge.digest = Digest::of(challenge.challenge.to_json().as_bytes());
        }
        let submission = found.read(Names::Stripped)?;
        let cache = self.cache.open()?;
        let data = self.data(challenge_directory, &challenge, &cache)?;
        let sandbox = self.layers.sandbox(data.mode(), self.in_process)?;
        let mut observer = progress::observer(!self.json);
        let result = evaluate(&submission, &challenge, &data, sandbox, &cache, observer.as_mut())?;
        drop(observer);
        let json = self.encode(&result, &challenge);
        if let Some(path) = &self.out {
            let readers = if self.mode == RunMode::Official { Readers::Owner } else { Readers::Anyone };
            output::write_file(path, json.as_bytes(), readers)?;
        }
        output::print(&if self.json { json } else { report::table(&result) })?;
        Ok(result.comparable.verdict.into())
    }

    fn data(&self, directory: &Path, challenge: &LoadedChallenge, cache: &Cache) -> Result<BoundData, Failure> {
        match &self.official {
            Some(dataset) => official_data(dataset, challenge),
            None => public_data(directory, challenge, cache).map(BoundData::from),
        }
    }

    fn encode(&self, result: &EvaluationResult, challenge: &LoadedChallenge) -> String {
        match self.result_format {
            ResultFormat::Thimble => result.to_json(),
            ResultFormat::Agentics => AgenticsResult::of(result, &challenge.challenge.ranking.metric).to_json(),
        }
    }
}
