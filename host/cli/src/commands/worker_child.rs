//! `thimble worker-child`: what `serve` and `worker` start for each evaluation at the same time.

use std::fs;
use std::future::Future;
use std::io::Read as _;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use thimble_worker::{Pool, Settings};
use tokio::sync::oneshot;

use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::log::{self, LogFormat};
use crate::sandbox::LayerOpts;
use crate::service;

/// How long a worker lives on without the process that started it, to put back what it has.
const ORPHANED: Duration = Duration::from_secs(10);
/// The kernel's out-of-memory killer takes a worker before the process that answers requests. Of 1,000.
const OOM_SCORE: &str = "500";

/// Evaluates until standard input ends; not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Opts {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    name: String,
    #[arg(long)]
    lease: u64,
    #[arg(long)]
    grace: u64,
    #[arg(long, value_enum)]
    log: LogFormat,
    #[command(flatten)]
    layers: LayerOpts,
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let _log = log::to_stderr(self.log);
        let _ = fs::write("/proc/self/oom_score_adj", OOM_SCORE);
        let alone = alone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.context("cannot start a runtime").or_internal()?.block_on(self.work(alone))
    }

    async fn work(self, alone: impl Future<Output = ()>) -> Result<ExitStatus, Failure> {
        let store = service::open(&self.data).await?;
        let runner = service::runner(&self.data, self.layers.required()?)?;
        let settings = Settings { names: vec![self.name], lease: Duration::from_secs(self.lease) };
        let mut pool = Pool::start(&store, runner, service::open_dataset, &settings);
        tokio::pin!(alone);
        let orphaned = tokio::select! {
            () = service::told_to_stop() => false,
            () = &mut alone => true,
            () = pool.ended() => return Err(anyhow!("the worker ended by a defect")).or_internal(),
        };
        pool.stop(if orphaned { Duration::ZERO } else { Duration::from_secs(self.grace) });
        // Whoever started this may be gone before the grace period is over.
        let ended = tokio::select! {
            () = pool.ended() => true,
            () = alone, if !orphaned => false,
        };
        if !ended {
            pool.stop(Duration::ZERO);
            pool.ended().await;
        }
        store.disconnect().await;
        Ok(ExitStatus::Success)
    }
}

/// Returns when the process that started this one is gone: it alone has the other end of standard input. Some time later this
/// process ends, whatever it is doing.
fn alone() -> impl Future<Output = ()> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let mut bytes = [0; 64];
        while std::io::stdin().read(&mut bytes).is_ok_and(|read| read > 0) {}
        let _ = sender.send(());
        thread::sleep(ORPHANED);
        std::process::exit(ExitStatus::Internal as i32);
    });
    async move {
        // The thread ends the process before it ends itself.
        if receiver.await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("the process that started this worker is gone");
    }
}
