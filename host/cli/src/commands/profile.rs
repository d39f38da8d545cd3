//! `thimble profile`

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;
use thimble_challenge::LoadedChallenge;
use thimble_runtime::profile::{Profile, ROWS, Subject};

use crate::cache::CacheOpts;
use crate::cargo::Names;
use crate::evaluate::{profile, public_data};
use crate::exit::{self, Blame as _, ExitStatus, Failure};
use crate::output::{self, Readers};
use crate::project::SubmissionOpts;
use crate::{flame_graph, input, profile_report, progress, report};

/// Show where a submission's FLOPs go, and where the next saving is.
///
/// Runs the submission on the challenge's public data, then replays prediction (or training) under other prices and with
/// probes in its functions. The figures add up to what was metered, to the unit.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}", exit::HELP))]
pub(crate) struct Opts {
    #[command(flatten)]
    submission: SubmissionOpts,
    /// What to profile
    #[arg(long, value_enum, default_value_t)]
    phase: PhaseChoice,
    /// Test rows to predict, at most all
    #[arg(long, value_name = "N", default_value_t = ROWS as u64, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// Write profile.json, flamegraph.svg and stacks.folded into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print only the profile, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cache: CacheOpts,
}

const EXAMPLES: &str = "\
Examples:
  thimble profile target/examples/centroid.zip --challenge examples/challenges/imagenet-pareto-500k
  thimble profile mine.wasm --challenge DIR --phase learn --out target/profile

A submission that does not get through `thimble run` has no profile: its result is printed, and
its verdict is the exit status.";

/// A part of an evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum PhaseChoice {
    /// Prediction: FLOPs per sample.
    #[default]
    Predict,
    /// Training, which is repeated once for each of the tables.
    Learn,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let named = self.submission.find()?;
        let directory = named.challenge()?;
        let challenge = input::challenge(directory)?;
        let cache = self.cache.open()?;
        let data = public_data(directory, &challenge, &cache)?;
        let submission = named.read(Names::Kept)?;
        let subject = match self.phase {
            PhaseChoice::Predict => Subject::Prediction { rows: usize::try_from(self.rows).unwrap_or(usize::MAX) },
            PhaseChoice::Learn => Subject::Training,
        };
        let mut observer = progress::observer(!self.json);
        let outcome = profile(&submission, &challenge, &data, subject, &cache, observer.as_mut())?;
        drop(observer);
        match outcome {
            Ok(profile) => self.show(&profile, &challenge),
            Err(result) => {
                output::print(&if self.json { result.to_json() } else { report::table(&result) })?;
                Ok(result.comparable.verdict.into())
            }
        }
    }

    fn show(&self, profile: &Profile, challenge: &LoadedChallenge) -> Result<ExitStatus, Failure> {
        let name = challenge.challenge.name.as_str();
        let json = output::json(&profile_report::json(profile, name))?;
        if let Some(directory) = &self.out {
            write(directory, profile, &json)?;
        }
        output::print(&if self.json { json } else { profile_report::text(profile, name) })?;
        Ok(ExitStatus::Success)
    }
}

fn write(directory: &Path, profile: &Profile, json: &str) -> Result<(), Failure> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display())).or_output()?;
    let files = [
        ("profile.json", json.to_owned()),
        ("flamegraph.svg", flame_graph::svg(profile)),
        ("stacks.folded", flame_graph::folded(profile)),
    ];
    for (name, text) in files {
        output::write_file(&directory.join(name), text.as_bytes(), Readers::Anyone)?;
    }
    Ok(())
}
