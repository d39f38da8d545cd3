//! `thimble serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use thimble_api::Price;
use thimble_server::{Config, Rates, Service};
use tokio::net::TcpListener;

use crate::exit::{Blame as _, ExitStatus, Failure};
use crate::log::{self, LogFormat};
use crate::output;
use crate::sandbox::LayerOpts;
use crate::service;
use crate::workers::{Plan, Workers};

/// Take submissions over HTTP, evaluate them, and show the leaderboard.
///
/// One directory holds everything: the database, what was submitted, every result. A first operator's token is made on this
/// machine, with `thimble token create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  thimble token create ada --scope operator --data /var/lib/thimble
  thimble serve --data /var/lib/thimble --listen 127.0.0.1:8080
  # Evaluate in another process, or on a machine that mounts the same directory
  thimble serve --data /var/lib/thimble --workers 0
  thimble worker --data /var/lib/thimble

Stops on SIGTERM and SIGINT: what runs may end within the grace period, the rest is queued again.")]
pub(crate) struct Opts {
    /// Data directory, made where there is none
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Address and port; put a proxy with TLS before anything but loopback
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    pool: PoolOpts,
    /// Price of compute in euros a petaFLOP
    #[arg(long, value_name = "EUROS", default_value = "0.025")]
    price: Price,
    /// A proxy of one's own is in front, which appends the client's address to x-forwarded-for
    #[arg(long)]
    behind_proxy: bool,
    /// No limits on the rate of requests: for measuring, or behind a proxy that has them
    #[arg(long)]
    no_rate_limits: bool,
    /// How the log is written to standard error
    #[arg(long, value_enum, default_value_t)]
    log: LogFormat,
}

/// How evaluations are run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PoolOpts {
    /// Evaluations at the same time, each in a process of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub(crate) workers: u16,
    /// Seconds without a sign of life after which another worker takes a submission
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    lease: u64,
    /// Seconds that running evaluations have to end once this is told to stop
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    grace: u64,
    #[command(flatten)]
    pub(crate) layers: LayerOpts,
}

impl PoolOpts {
    pub(crate) fn plan(&self, data: &Path, log: LogFormat) -> Plan {
        Plan {
            data: data.to_owned(),
            workers: self.workers,
            lease_seconds: self.lease,
            grace_seconds: self.grace,
            log,
            layers: self.layers.clone(),
        }
    }
}

impl Opts {
    pub(crate) fn run(self) -> Result<ExitStatus, Failure> {
        let _log = log::to_stderr(self.log);
        service::runtime()?.block_on(self.serve())
    }

    async fn serve(self) -> Result<ExitStatus, Failure> {
        let store = service::open(&self.data).await?;
        let listener = TcpListener::bind(self.listen).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", self.listen)).or_input()?;
        let listen = listener.local_addr().context("the listener has no address").or_internal()?;
        let workers = match self.pool.workers {
            0 => None,
            _ => {
                // What keeps every worker from starting is said once, here.
                service::runner(&self.data, self.pool.layers.required()?)?;
                Some(Workers::start(&store, &self.pool.plan(&self.data, self.log))?)
            }
        };
        let config = Config {
            listen,
            rates: if self.no_rate_limits { Rates::NONE } else { Rates::default() },
            trusted_proxy: self.behind_proxy,
            price: self.price,
            ..Config::default()
        };
        // Programs that start this one wait for the line.
        output::note(&format!("thimble listens on http://{listen}"));
        let reaper = tokio::spawn(service::reap(store.clone()));
        let served =
            thimble_server::serve(Service::new(store.clone(), config), listener, service::told_to_stop()).await;
        if let Some(workers) = workers {
            workers.stop().await;
        }
        reaper.abort();
        store.disconnect().await;
        served.context("the service failed").or_internal()?;
        Ok(ExitStatus::Success)
    }
}
