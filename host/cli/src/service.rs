//! What the commands share that work on a service's data directory.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use thimble_runtime::Runner;
use thimble_store::{Moment, RefusedOr, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cache;
use crate::evaluate;
use crate::exit::{Blame as _, Failure};
use crate::sandbox::Sandbox;

/// How often leases are looked through that have run out, also where no worker does it.
const REAP: Duration = Duration::from_secs(5);

/// What tells workers of different processes apart.
pub(crate) fn process_name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(char::is_ascii_graphic).take(63).collect();
    format!("{host}/{}", std::process::id())
}

/// A runtime with a thread for each core.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().context("cannot start threads").or_internal()
}

/// The store of a data directory.
pub(crate) async fn open(data: &Path) -> Result<Store, Failure> {
    Store::open(data).await.map_err(failed)
}

/// The runner, with compiled components kept in the data directory.
pub(crate) fn runner(data: &Path, sandbox: Sandbox) -> Result<Arc<Runner>, Failure> {
    let path = data.join("compiled");
    cache::private_directory(&path).with_context(|| format!("cache directory {}", path.display())).or_output()?;
    let compiled = crate::input::directory("cache", &path)?;
    evaluate::runner_with(sandbox, Some(compiled)).map(Arc::new)
}

/// A registered dataset's directory.
pub(crate) fn open_dataset(path: &Path) -> io::Result<Dir> {
    Dir::open_ambient_dir(path, ambient_authority())
}

/// Puts back what workers have lost, again and again.
pub(crate) async fn reap(store: Store) {
    loop {
        if let Err(error) = store.reap(Moment::now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "leases cannot be looked through");
        }
        tokio::time::sleep(REAP).await;
    }
}

/// Returns when the process is asked to end. Where signals cannot be heard, never: the default then ends it at once.
pub(crate) async fn told_to_stop() {
    let heard = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::interrupt()) => {}
    }
    tracing::info!("stopping");
}

/// What the store says of a user's mistake, or of its own fault.
pub(crate) fn refused(error: RefusedOr) -> Failure {
    match error {
        RefusedOr::Refused(refusal) => Failure::input(refusal.message),
        RefusedOr::Failed(error) => failed(error),
    }
}

/// A fault of the store.
pub(crate) fn failed(error: StoreError) -> Failure {
    Failure { status: crate::exit::ExitStatus::Input, error: error.into() }
}
