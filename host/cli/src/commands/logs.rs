//! `thimble logs`

use thimble_api::SubmissionId;
use thimble_api::submission::Log;
use thimble_client::line;

use crate::exit::{ExitStatus, Failure};
use crate::output;
use crate::remote::{ENVIRONMENT, ServiceOpts, print_json, print_text};

/// Print what a submission said in its validation run.
///
/// Control characters are removed. Of an official run nothing that the submission says is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = ENVIRONMENT)]
pub(crate) struct Opts {
    /// Its id
    id: SubmissionId,
    /// Print the service's answer, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceOpts,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.service.client()?.log(self.id)?;
        if self.json {
            print_json(&answer.json)?;
            return Ok(ExitStatus::Success);
        }
        let why = match &answer.value {
            Log::Available { text, dropped_bytes, error } => {
                print_log(text, *dropped_bytes, error.as_deref())?;
                return Ok(ExitStatus::Success);
            }
            Log::NotYet => "it has not ended: `thimble status --wait` waits for it",
            Log::Withheld => "it was an official run, and what a submission says never leaves one",
            Log::NotKept => "nothing ran, or the log is no longer kept",
        };
        Err(Failure::input(format!("there is no log of {}: {why}", self.id)))
    }
}

/// The log on stdout; what is said about it on stderr.
fn print_log(text: &str, dropped_bytes: u64, error: Option<&str>) -> Result<(), Failure> {
    print_text(text)?;
    if !text.is_empty() && !text.ends_with('\n') {
        output::print("\n")?;
    }
    if dropped_bytes > 0 {
        output::note(&format!("{dropped_bytes} bytes beyond the limit were not kept"));
    }
    if let Some(error) = error {
        output::note(&format!("it returned the error: {}", line(error)));
    }
    Ok(())
}
