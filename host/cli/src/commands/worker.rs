//! `thimble worker`

use std::path::PathBuf;

use thimble_worker::Pool;

use super::serve::PoolOpts;
use crate::exit::{ExitStatus, Failure};
use crate::service::{self, LogFormat};

/// Evaluate submissions of a data directory that another process serves.
///
/// Any number of workers may share a directory, on machines that see it as a local disk: the database does not work over
/// a network file system.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble worker --data /var/lib/thimble --workers 4

Stops on SIGTERM and SIGINT: what runs may end within the grace period, the rest is queued again.")]
pub(crate) struct Opts {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    pool: PoolOpts,
    /// How the log is written to standard error
    #[arg(long, value_enum, default_value_t)]
    log: LogFormat,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        service::log_to_stderr(self.log);
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            let runner = service::runner(&self.data, self.pool.layers.required()?)?;
            let pool = Pool::start(&store, runner, service::open_dataset, &self.pool.settings());
            tracing::info!(workers = self.pool.settings().slots, "evaluating");
            service::told_to_stop().await;
            pool.stop().await;
            store.disconnect().await;
            Ok(ExitStatus::Success)
        })
    }
}
