//! `thimble backup`

use std::path::PathBuf;

use crate::exit::{ExitStatus, Failure};
use crate::{output, service};

/// Write a consistent copy of a service's database to a new file, while the service runs.
///
/// Copy the directory `artifacts` afterwards: artifacts are never changed, so the copy refers to nothing that is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble backup /backup/thimble.sqlite --data /var/lib/thimble
  rsync -a /var/lib/thimble/artifacts/ /backup/artifacts/")]
pub(crate) struct Opts {
    /// New file
    to: PathBuf,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            store.backup(&self.to).await.map_err(service::failed)?;
            store.disconnect().await;
            output::print(&format!("{}\n", self.to.display()))?;
            Ok(ExitStatus::Success)
        })
    }
}
