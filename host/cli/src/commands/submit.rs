//! `thimble submit`

use std::path::PathBuf;

use clap::ValueEnum;
use thimble_api::SubmissionId;
use thimble_api::id::ChallengeName;
use thimble_api::submission::{Accepted, MAX_NOTE_BYTES, QuotaLeft, SubmissionView};
use thimble_challenge::package::MAX_PACKAGE_BYTES;
use thimble_challenge::result::Mode;
use thimble_client::{Client, ClientError, IdempotencyKey, NewSubmission, line};

use crate::cargo::Names;
use crate::exit::{self, ExitStatus, Failure};
use crate::project::{Submission, SubmissionOpts};
use crate::remote::live::Live;
use crate::remote::submission::{exit_status, mode_name, table, time};
use crate::remote::{ServiceOpts, print_json, print_text};
use crate::{input, output};

/// Submit to a service, and wait for the result.
///
/// Whatever is lost on the way is sent again, and is one submission however often it arrives. Waiting has no time limit:
/// when the connection breaks it is taken up again, and `thimble status --wait ID` continues after an interrupt.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{}\n\n{}", crate::remote::ENVIRONMENT, exit::HELP))]
pub(crate) struct Opts {
    /// A package (.zip), a component (.wasm), or a project directory, which is built first
    /// [default: the project in the current directory]
    submission: Option<PathBuf>,
    /// Challenge, as the service calls it [default: the name of the one in the project's Cargo.toml]
    #[arg(long, value_name = "NAME")]
    challenge: Option<ChallengeName>,
    /// On public or on private data
    #[arg(long, value_enum, default_value_t)]
    mode: SubmitMode,
    /// The same as --mode official
    #[arg(long, conflicts_with = "mode")]
    official: bool,
    /// For yourself, at most 1,024 bytes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// Run it although the team has submitted the same component before, and will get the same result
    #[arg(long)]
    again: bool,
    /// Do not wait for the result
    #[arg(long)]
    no_wait: bool,
    /// Print the service's last answer, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceOpts,
}

const EXAMPLES: &str = "\
Examples:
  # The project here, on the challenge that its Cargo.toml names
  thimble submit --note 'no training at all'

  # A package with a declared parameter count, on the private data
  thimble submit target/mine.zip --challenge imagenet-pareto-500k --official

  # From a script
  id=$(thimble submit mine.zip --challenge NAME --no-wait)
  thimble status --wait $id --json";

/// What it runs on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum SubmitMode {
    /// The challenge's public data; you see every figure, curves and log.
    #[default]
    Validation,
    /// The operator's data; you see what the challenge publishes.
    Official,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let official = self.official || self.mode == SubmitMode::Official;
        let mode = if official { Mode::Official } else { Mode::Validation };
        if self.note.len() > MAX_NOTE_BYTES {
            let bytes = self.note.len();
            return Err(Failure::usage(format!("--note has {bytes} bytes; at most {MAX_NOTE_BYTES} are sent")));
        }
        let found = SubmissionOpts::of(self.submission.clone()).find()?;
        if official && found.is_project() {
            return Err(Failure::usage(
                "an official run takes a package with a declared parameter count: `thimble build`, then submit the package \
                 that it names",
            ));
        }
        let challenge = self.challenge(&found)?;
        // Before a build: without a login it would be for nothing.
        let client = self.service.patient_client()?;
        let package = found.read(Names::Stripped)?;
        if package.len() as u64 > MAX_PACKAGE_BYTES {
            return Err(Failure::input(format!(
                "the submission must be at most {MAX_PACKAGE_BYTES} bytes; it has more"
            )));
        }
        let key = IdempotencyKey::fresh();
        let new = NewSubmission { package: &package, mode, note: &self.note, key: &key, again: self.again };
        let accepted = client.submit(&challenge, &new).map_err(pointed_to_result)?;
        announce(&accepted.value);
        let id = accepted.value.submission.id;
        if !self.no_wait {
            return wait(&client, id, self.json);
        }
        if self.json {
            print_json(&accepted.json)?
        } else {
            output::print(&format!("{id}\n"))?
        }
        Ok(ExitStatus::Success)
    }

    /// The name on the command line, or that of the project's challenge.
    fn challenge(&self, found: &Submission) -> Result<ChallengeName, Failure> {
        if let Some(name) = &self.challenge {
            return Ok(name.clone());
        }
        let directory = found.challenge_if_named().ok_or_else(|| {
            Failure::usage("name the challenge as the service calls it: --challenge NAME; the project names none")
        })?;
        let name = input::challenge(directory)?.challenge.name;
        name.parse().map_err(|error| Failure::input(format!("challenge {}: name {error}", directory.display())))
    }
}

/// A component that the team has submitted before: where its result is.
fn pointed_to_result(error: ClientError) -> Failure {
    let details = error.refusal().map(|refusal| refusal.body.details.as_slice()).unwrap_or_default();
    let earlier = details.iter().find(|detail| detail.field == "duplicate_of").map(|detail| line(&detail.message));
    let mut failure = Failure::from(error);
    if let Some(earlier) = earlier {
        let advice = format!("`thimble status {earlier}` shows its result; --again runs it all the same");
        failure.error = anyhow::anyhow!("{}\n  {advice}", failure.error);
    }
    failure
}

/// What was accepted, on stderr: the id outlives an interrupt.
fn announce(accepted: &Accepted) {
    let submission = &accepted.submission;
    let again = if accepted.repeated { ", which had arrived before" } else { "" };
    output::note(&format!("submitted {}{again}", submission.id));
    if let Some(earlier) = submission.duplicate_of {
        output::note(&format!("  the same component as {earlier}"));
    }
    output::note(&format!("  can be charged {} at most; {}", accepted.estimate.shown(), quota(&accepted.quota)));
}

fn quota(quota: &QuotaLeft) -> String {
    let mode = mode_name(quota.mode);
    let next = quota.next_at.map(|at| format!(", the next {}", time(at))).unwrap_or_default();
    let lifetime = quota.lifetime_left.map(|left| format!(", {left} in all")).unwrap_or_default();
    format!("{} of {} {mode} submissions left in 24 hours{next}{lifetime}", quota.left, quota.per_day)
}

/// Follows a submission to its end, and ends as it did.
pub(super) fn wait(client: &Client, id: SubmissionId, json: bool) -> Result<ExitStatus, Failure> {
    let mut live = Live::new(true);
    let last = client.watch(id, &mut |view: &SubmissionView| live.show(view));
    drop(live);
    let last = last.map_err(|error| {
        let mut failure = Failure::from(error);
        failure.error =
            anyhow::anyhow!("{}\n  the submission goes on without you: `thimble status --wait {id}`", failure.error);
        failure
    })?;
    if json {
        print_json(&last.json)?
    } else {
        print_text(&table(&last.value))?
    }
    Ok(exit_status(&last.value))
}
