//! Workers as processes of this program, one evaluation in each, started again when they die.
//!
//! A dataset file that is cut short under its map, an abort in the engine or the kernel's out-of-memory killer ends the worker that it
//! hits and nothing else. What the dead worker had is put back at once and counts as lost; after three losses a submission ends as
//! a fault of ours, so one that kills its worker every time keeps the others waiting for a few seconds.
//!
//! Each worker holds the reading end of a pipe whose other end only this process has. When this process ends, however it ends,
//! the worker sees that at once and puts back what it has. A death signal (`PR_SET_PDEATHSIG`) would end it before it could.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;
use rustix::process::{Pid, Signal, kill_process};
use thimble_api::Timestamp;
use thimble_store::Store;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::exit::{Blame as _, Failure};
use crate::log::LogFormat;
use crate::sandbox::LayerOpts;
use crate::service;

/// The pause after a worker's first death; each death after it doubles the pause.
const SHORTEST: Duration = Duration::from_millis(100);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);
/// A worker that lived for so long has nothing to do with the death of the one before.
const STEADY: Duration = Duration::from_secs(30);
/// Beyond its grace period, what a worker may need to stop an evaluation and to put it back.
const STOPPING: Duration = Duration::from_secs(30);

/// How workers are run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Data directory.
    pub(crate) data: PathBuf,
    /// Processes, with an evaluation each.
    pub(crate) workers: u16,
    /// Seconds without a sign of life after which another worker takes a submission.
    pub(crate) lease_seconds: u64,
    /// Seconds that running evaluations have to end once they are told to stop.
    pub(crate) grace_seconds: u64,
    /// How they write their log, to the standard error of this process.
    pub(crate) log: LogFormat,
    /// The layers of the box around guests.
    pub(crate) layers: LayerOpts,
}

/// Running worker processes. Dropped, it kills them.
#[derive(Debug)]
pub(crate) struct Workers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

/// One worker and those that come after it.
#[derive(Debug)]
struct Supervised {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    store: Store,
    grace: Duration,
    stop: watch::Receiver<bool>,
}

impl Workers {
    /// Starts the workers on the runtime that this is called on.
    ///
    /// # Errors
    ///
    /// This program's own file cannot be found.
    pub(crate) fn start(store: &Store, plan: &Plan) -> Result<Self, Failure> {
        let program = env::current_exe().context("cannot find this program's own file").or_internal()?;
        let (stop, stopped) = watch::channel(false);
        let process = service::process_name();
        let mut tasks = JoinSet::new();
        for index in 0..plan.workers {
            let name = format!("{process}/{index}");
            let worker = Supervised {
                arguments: plan.arguments(&name),
                name,
                program: program.clone(),
                store: store.clone(),
                grace: Duration::from_secs(plan.grace_seconds),
                stop: stopped.clone(),
            };
            tasks.spawn(worker.supervise());
        }
        Ok(Self { tasks, stop })
    }

    /// Tells them to stop, and returns when they have.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Plan {
    /// The command line of the worker called `name`.
    fn arguments(&self, name: &str) -> Vec<OsString> {
        let log = self.log.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
        let mut arguments: Vec<OsString> = vec!["worker-child".into(), "--data".into(), self.data.clone().into()];
        let options = [
            ("--name", name),
            ("--lease", &self.lease_seconds.to_string()),
            ("--grace", &self.grace_seconds.to_string()),
        ];
        for (option, value) in options.into_iter().chain([("--log", &*log)]) {
            arguments.extend([option.into(), value.into()]);
        }
        arguments.extend(self.layers.arguments());
        arguments
    }
}

impl Supervised {
    /// Keeps a worker running until all are told to stop.
    async fn supervise(mut self) {
        let mut pause = SHORTEST;
        loop {
            let started = Instant::now();
            match self.spawn() {
                Ok(child) => {
                    if self.watch(child).await {
                        return;
                    }
                }
                Err(error) => tracing::error!(worker = self.name, %error, "a worker cannot be started"),
            }
            if started.elapsed() >= STEADY {
                pause = SHORTEST;
            }
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.stop.wait_for(|stopped| *stopped) => return,
            }
            pause = (pause * 2).min(LONGEST);
        }
    }

    fn spawn(&self) -> std::io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }

    /// Waits for the end of a worker; true when it was told to stop.
    async fn watch(&mut self, mut child: Child) -> bool {
        // Held until the worker has ended: waiting would close it, and that tells the worker that this process is gone.
        let alive = child.stdin.take();
        let died = tokio::select! {
            ended = child.wait() => Some(ended),
            _ = self.stop.wait_for(|stopped| *stopped) => None,
        };
        if let Some(ended) = died {
            self.ended(ended).await;
            return false;
        }
        // Not waited for yet, so the number is the worker's still.
        if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let ended = match timeout(self.grace + STOPPING, child.wait()).await {
            Ok(ended) => ended,
            Err(_) => {
                tracing::warn!(worker = self.name, "the worker does not stop and is killed");
                let _ = child.start_kill();
                child.wait().await
            }
        };
        drop(alive);
        if !ended.as_ref().is_ok_and(ExitStatus::success) {
            self.ended(ended).await;
        }
        true
    }

    /// Puts back what a worker had that is gone.
    async fn ended(&self, ended: std::io::Result<ExitStatus>) {
        let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        tracing::error!(worker = self.name, status, "a worker has ended");
        if let Err(error) = self.store.lose_worker(&self.name, Timestamp::now()).await {
            tracing::warn!(worker = self.name, %error, "what it had is put back when its lease runs out");
        }
    }
}
