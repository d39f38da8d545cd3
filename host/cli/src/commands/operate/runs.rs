//! Submissions of everyone.

use thimble_api::id::ChallengeName;
use thimble_api::operator::SubmissionRecord;
use thimble_api::{Page, SubmissionId};
use thimble_client::{Answer, Client, ClientError};

use super::{Common, Listing};
use crate::exit::{ExitStatus, Failure};
use crate::remote::columns::Columns;
use crate::remote::submission::{mode_name, time};
use crate::remote::{more, terminal_width};
use crate::report::{self, Table};

/// List the submissions to a challenge, newest first.
#[derive(Debug, clap::Args)]
pub(super) struct SubmissionsOpts {
    /// Challenge
    challenge: ChallengeName,
    #[command(flatten)]
    listing: Listing,
}

impl SubmissionsOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let answer = self.listing.common.client()?.records(&self.challenge, &self.listing.query())?;
        self.listing.common.show(&answer, |page: &Page<SubmissionRecord>| {
            let mut table = Columns::default()
                .text("id", 0)
                .text("submitted", 3)
                .text("builder", 0)
                .text("team", 4)
                .text("mode", 1)
                .text("state", 0)
                .numbers("attempts", 5)
                .numbers("charged", 2);
            for record in &page.items {
                table.row(vec![
                    record.id.to_string(),
                    time(record.submitted_at),
                    record.builder.to_string(),
                    record.team.to_string(),
                    mode_name(record.mode).to_owned(),
                    state(record),
                    record.attempts.to_string(),
                    record.charged.to_string(),
                ]);
            }
            table.render(terminal_width()) + &more(page.next.as_deref())
        })
    }
}

/// The verdict, or the state until there is one.
fn state(record: &SubmissionRecord) -> String {
    let ended = record.finished_at.is_some();
    let state = match record.verdict {
        Some(verdict) => verdict.to_string(),
        None if ended => "cancelled".to_owned(),
        None => record.state.name().to_owned(),
    };
    if record.withdrawn { format!("{state}, withdrawn") } else { state }
}

/// Show everything that is known of a submission; --json has the whole result.
#[derive(Debug, clap::Args)]
pub(super) struct SubmissionOpts {
    /// Its id
    id: SubmissionId,
    #[command(flatten)]
    common: Common,
}

impl SubmissionOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        act(&self.common, |client| client.record(self.id))
    }
}

fn act(
    common: &Common,
    act: impl FnOnce(&Client) -> Result<Answer<SubmissionRecord>, ClientError>,
) -> Result<ExitStatus, Failure> {
    common.show(&act(&common.client()?)?, text)
}

fn text(record: &SubmissionRecord) -> String {
    let mut table = Table::default();
    table.row("id", record.id);
    table.row("challenge", format!("{} ({})", record.challenge, mode_name(record.mode)));
    table.row("builder", format!("{}, team {}", record.builder, record.team));
    table.row("state", state(record));
    let times = [
        ("submitted", Some(record.submitted_at)),
        ("started", record.started_at),
        ("heartbeat", record.heartbeat_at),
        ("finished", record.finished_at),
        ("released", record.released_at),
    ];
    for (what, at) in times {
        if let Some(at) = at {
            table.row(what, time(at));
        }
    }
    if let Some(worker) = &record.worker {
        table.row("worker", thimble_client::line(worker));
    }
    table.row("attempts", record.attempts);
    table.row("charged", record.charged);
    table.row("package", record.package);
    match &record.result {
        Some(result) => format!("{}\n{}", table.0, report::table(result)),
        None => table.0,
    }
}

/// Run a submission again, or all official ones of a challenge; the old results stand until the new ones are there.
#[derive(Debug, clap::Args)]
pub(super) struct RescoreOpts {
    /// Its id
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<SubmissionId>,
    /// All official submissions of this challenge
    #[arg(long, value_name = "CHALLENGE")]
    all: Option<ChallengeName>,
    #[command(flatten)]
    common: Common,
}

impl RescoreOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        match (self.id, &self.all) {
            (Some(id), _) => act(&self.common, |client| client.rescore(id)),
            (None, Some(challenge)) => {
                let answer = self.common.client()?.rescore_all(challenge)?;
                self.common.show(&answer, |requeued| format!("{} queued again\n", requeued.queued))
            }
            (None, None) => Err(Failure::usage("name a submission, or a challenge with --all")),
        }
    }
}

/// Take a submission off the leaderboard.
#[derive(Debug, clap::Args)]
pub(super) struct WithdrawOpts {
    /// Its id
    id: SubmissionId,
    #[command(flatten)]
    common: Common,
}

impl WithdrawOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        act(&self.common, |client| client.withdraw(self.id))
    }
}

/// Put a withdrawn submission back on the leaderboard.
#[derive(Debug, clap::Args)]
pub(super) struct ReinstateOpts {
    /// Its id
    id: SubmissionId,
    #[command(flatten)]
    common: Common,
}

impl ReinstateOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        act(&self.common, |client| client.reinstate(self.id))
    }
}

/// Cancel anyone's submission that has not ended.
#[derive(Debug, clap::Args)]
pub(super) struct CancelOpts {
    /// Its id
    id: SubmissionId,
    #[command(flatten)]
    common: Common,
}

impl CancelOpts {
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        act(&self.common, |client| client.cancel_any(self.id))
    }
}
