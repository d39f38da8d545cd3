//! `thimble cancel`

use thimble_api::SubmissionId;
use thimble_api::submission::SubmissionView;

use crate::exit::{ExitStatus, Failure};
use crate::remote::submission::table;
use crate::remote::{ENVIRONMENT, ServiceOpts, show};

/// Cancel a submission of yours that has not ended.
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
        let answer = self.service.client()?.cancel(self.id)?;
        show(&answer, self.json, |submission| table(&SubmissionView::Builder(submission.clone())))
    }
}
