//! Slots that take submissions until they are told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use thimble_api::{Compute, Timestamp};
use thimble_challenge::result::Mode;
use thimble_runtime::Runner;
use thimble_store::{Answer, Job, Recorded, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::challenge::{Data, OpenDirectory};
use crate::evaluate::{Evaluated, Evaluator, Fault};
use crate::progress::Seen;

/// How often an idle slot looks for work that another process accepted.
const IDLE: Duration = Duration::from_millis(250);
/// How long a slot waits after the store failed.
const FAILED: Duration = Duration::from_secs(1);
/// How long a cancelled evaluation may take to stop: it looks at least once a second.
const STOPPING: Duration = Duration::from_secs(20);

/// How a pool works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Evaluations at the same time.
    pub slots: usize,
    /// A worker that was not heard for so long has lost its submission; it is heard at a third of it.
    pub lease: Duration,
    /// How long a running evaluation may go on once the pool is told to stop, before it is put back.
    pub grace: Duration,
    /// Tells workers of different processes and machines apart.
    pub name: String,
}

/// Running slots.
#[derive(Debug)]
pub struct Pool {
    slots: JoinSet<()>,
    stop: watch::Sender<bool>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    settings: Settings,
    evaluator: Evaluator,
    stop: watch::Receiver<bool>,
}

impl Pool {
    /// Starts the slots on the runtime that this is called on.
    pub fn start(store: &Store, runner: Arc<Runner>, open: OpenDirectory, settings: &Settings) -> Self {
        let (stop, stopped) = watch::channel(false);
        let evaluator = Evaluator { store: store.clone(), runner, data: Arc::new(Mutex::new(Data::new(open))) };
        let mut slots = JoinSet::new();
        for index in 0..settings.slots {
            let slot = Slot {
                name: format!("{}/{index}", settings.name),
                settings: settings.clone(),
                evaluator: evaluator.clone(),
                stop: stopped.clone(),
            };
            slots.spawn(slot.work());
        }
        Self { slots, stop }
    }

    /// Takes nothing more, lets what runs end within the grace period, and puts the rest back.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.slots.join_next().await.is_some() {}
    }
}

impl Slot {
    async fn work(mut self) {
        while !*self.stop.borrow() {
            match self.evaluator.store.lease(&self.name, self.lease_millis(), Timestamp::now()).await {
                Ok(Some(job)) => self.run(&job).await,
                Ok(None) => self.idle().await,
                Err(error) => {
                    tracing::error!(worker = self.name, %error, "no submission can be taken");
                    sleep(FAILED).await;
                }
            }
        }
        if let Err(error) = self.evaluator.store.forget_worker(&self.name).await {
            tracing::warn!(worker = self.name, %error, "the worker is still listed");
        }
    }

    async fn idle(&mut self) {
        tokio::select! {
            () = self.evaluator.store.wait_for_submission() => {}
            () = sleep(IDLE) => {}
            _ = self.stop.changed() => {}
        }
    }

    /// Evaluates a job and writes its end down. Whatever fails here, the lease runs out and another takes it.
    async fn run(&mut self, job: &Job) {
        let id = job.submission.id;
        tracing::info!(submission = %id, worker = self.name, attempt = job.attempt, "evaluation begins");
        let (seen, cancel) = (Seen::default(), Arc::new(AtomicBool::new(false)));
        let evaluation = self.evaluator.evaluate(job, seen.clone(), cancel.clone());
        tokio::pin!(evaluation);
        let ending = tokio::select! {
            evaluated = &mut evaluation => Ending::Evaluated(Box::new(evaluated)),
            ending = heartbeats(&self.evaluator.store, job, &seen, self.lease_millis()) => ending,
            () = stopped(&mut self.stop, self.settings.grace) => Ending::Stopped,
        };
        if !matches!(ending, Ending::Evaluated(_)) {
            cancel.store(true, Ordering::Relaxed);
            if timeout(STOPPING, &mut evaluation).await.is_err() {
                tracing::warn!(submission = %id, "the evaluation does not stop");
            }
        }
        let store = &self.evaluator.store;
        let recorded = match ending {
            Ending::Evaluated(evaluated) => match *evaluated {
                Ok(evaluated) => self.evaluator.finish(job, evaluated).await,
                Err(fault) => {
                    tracing::error!(submission = %id, error = %fault, "the evaluation failed by our fault");
                    store.finish_faulty(job, Timestamp::now()).await
                }
            },
            Ending::Cancelled => store.finish_cancelled(job, Compute::of_fuel(seen.fuel()), Timestamp::now()).await,
            Ending::Stopped => store.release(job).await,
            Ending::Lost => Ok(Recorded::Lost),
        };
        match recorded {
            Ok(recorded) => tracing::info!(submission = %id, ?recorded, "evaluation ended"),
            Err(error) => tracing::error!(submission = %id, %error, "the end could not be written down"),
        }
    }

    fn lease_millis(&self) -> u32 {
        u32::try_from(self.settings.lease.as_millis()).unwrap_or(u32::MAX)
    }
}

/// Why an evaluation goes on no more.
#[derive(Debug)]
enum Ending {
    Evaluated(Box<Result<Evaluated, Fault>>),
    Cancelled,
    Stopped,
    Lost,
}

/// Says that the job is alive until it should not go on.
async fn heartbeats(store: &Store, job: &Job, seen: &Seen, lease_millis: u32) -> Ending {
    let mut ticks = interval(Duration::from_millis(u64::from(lease_millis / 3).max(50)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = Timestamp::now();
        // Of an official run, nothing is told but that it lives.
        let progress = if job.submission.mode == Mode::Validation { seen.at(now) } else { None };
        match store.heartbeat(job, progress.as_ref(), lease_millis, now).await {
            Ok(Answer::Continue) => {}
            Ok(Answer::Cancel) => return Ending::Cancelled,
            Ok(Answer::Lost) => return Ending::Lost,
            Err(error) => tracing::warn!(submission = %job.submission.id, %error, "a heartbeat was not heard"),
        }
    }
}

/// Returns when the pool has been told to stop and the grace period is over.
async fn stopped(stop: &mut watch::Receiver<bool>, grace: Duration) {
    // An error: the pool itself is gone.
    let _ = stop.wait_for(|stopped| *stopped).await;
    sleep(grace).await;
}
