//! `thimble invite`

use std::path::PathBuf;

use thimble_api::account::InviteRequest;
use thimble_api::id::ChallengeName;
use thimble_api::{Compute, Timestamp};
use thimble_store::Actor;

use crate::exit::{ExitStatus, Failure};
use crate::{output, service};

/// Invite someone to a challenge of a data directory; the code is printed this once and works once.
///
/// Nothing is sent: hand the code to the person, who gives it to `thimble login --invite` or to the page /join.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble invite imagenet-pareto-500k 'Ada, vision team' --budget 200PF --data /var/lib/thimble")]
pub(crate) struct Opts {
    /// Challenge
    challenge: ChallengeName,
    /// For whom, as you want to remember it
    label: String,
    /// Compute of the team of whoever accepts [default: the challenge's budget of a team]
    #[arg(long, value_name = "FLOPS")]
    budget: Option<Compute>,
    /// Days after which the code ends
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            let challenge = store.challenge(&self.challenge).await.map_err(service::failed)?;
            let challenge =
                challenge.ok_or_else(|| Failure::input(format!("there is no challenge {}", self.challenge)))?;
            let now = Timestamp::now();
            let request = InviteRequest {
                label: self.label,
                budget: self.budget,
                expires_at: Some(now.plus_millis(i64::from(self.days) * 86_400_000)),
            };
            let made = store.invite(challenge.id, &request, &Actor::Local, now).await.map_err(service::refused)?;
            output::print(&format!("{}\n", made.code))?;
            store.disconnect().await;
            Ok(ExitStatus::Success)
        })
    }
}
