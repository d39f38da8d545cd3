//! `thimble status`

use thimble_api::SubmissionId;

use crate::commands::submit;
use crate::exit::{self, ExitStatus, Failure};
use crate::remote::submission::table;
use crate::remote::{ENVIRONMENT, ServiceOpts, show};

/// Show where a submission stands, and how it ended.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}\n\n{}", exit::HELP))]
pub(crate) struct Opts {
    /// Its id, as `thimble submit` and `thimble list` print it
    id: SubmissionId,
    /// Wait until it has ended, and exit as `thimble submit` does
    #[arg(long)]
    wait: bool,
    /// Print the service's last answer, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceOpts,
}

const EXAMPLES: &str = "\
Examples:
  thimble status 01936b0e-7d1c-7a90-8a31-3c5d2c1f0b7e
  thimble status --wait 01936b0e-7d1c-7a90-8a31-3c5d2c1f0b7e

Without --wait the exit status is 0 whatever the submission's state is.";

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let client = self.service.client()?;
        // Also before a watch, which would wait for a service that is not there.
        let now = client.submission(self.id)?;
        if self.wait {
            return submit::wait(&client, self.id, self.json);
        }
        show(&now, self.json, table)
    }
}
