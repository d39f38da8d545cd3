//! `thimble worker`

use std::path::PathBuf;

use super::serve::PoolOpts;
use crate::exit::{ExitStatus, Failure};
use crate::log::{self, LogFormat};
use crate::service;
use crate::workers::Workers;

/// Evaluate submissions of a data directory that another process serves.
///
/// Each evaluation at the same time has a process of its own, which is started again when it dies.
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
        let _log = log::to_stderr(self.log);
        service::runtime()?.block_on(async {
            let store = service::open(&self.data).await?;
            // What keeps every worker from starting is said once, here.
            service::runner(&self.data, self.pool.layers.required()?)?;
            let plan = self.pool.plan(&self.data, self.log);
            let workers = Workers::start(&store, &plan)?;
            tracing::info!(workers = plan.workers, "evaluating");
            service::told_to_stop().await;
            workers.stop().await;
            store.disconnect().await;
            Ok(ExitStatus::Success)
        })
    }
}
