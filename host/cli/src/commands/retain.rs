//! `thimble retain`

use std::path::PathBuf;

use thimble_api::Timestamp;
use thimble_store::Actor;

use crate::exit::{ExitStatus, Failure};
use crate::{output, service};

/// Remove logs, curves and unpublished figures of runs that ended long ago, while the service runs.
///
/// Packages of validation runs go too, and those of official runs once their challenge is closed. Verdicts, charges, published
/// figures and the audit log stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  # Every night
  thimble retain --days 90 --data /var/lib/thimble")]
pub(crate) struct Opts {
    /// Keep what ended within so many days
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            let now = Timestamp::now();
            let before = now.plus_millis(-i64::from(self.days) * 86_400_000);
            let retained = store.retain(before, &Actor::Local, now).await.map_err(service::failed)?;
            store.disconnect().await;
            output::print(&format!("results {}\nfiles   {}\n", retained.results, retained.artifacts))?;
            Ok(ExitStatus::Success)
        })
    }
}
