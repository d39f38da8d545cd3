//! Slots that take submissions until they are told to stop.

use std::error::Error;
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use thimble_api::{Compute, Timestamp};
use thimble_challenge::result::Mode;
use thimble_runtime::Runner;
use thimble_store::{Answer, Job, Moment, Recorded, Store, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until, timeout};

use crate::challenge::{Data, OpenDirectory};
use crate::evaluate::{Evaluated, Evaluator, Fault};
use crate::progress::Seen;

/// How often an idle slot looks for work that another process accepted.
const IDLE: Duration = Duration::from_millis(250);
/// How long a slot waits after the store failed.
const FAILED: Duration = Duration::from_secs(1);
/// The longest pause between attempts to write an end down.
const LONGEST: Duration = Duration::from_secs(4);
/// How long a cancelled evaluation may take to stop: it looks at least once a second.
const STOPPING: Duration = Duration::from_secs(20);

/// How a pool works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the workers are called, each by another name: as many evaluations at the same time. Names tell workers of different
    /// processes and machines apart.
    pub names: Vec<String>,
    /// A worker that was not heard for so long has lost its submission; it is heard at a third of it.
    pub lease: Duration,
}

/// Running slots.
#[derive(Debug)]
pub struct Pool {
    slots: JoinSet<()>,
    /// Until when what runs may go on, once it is told to stop.
    stop: watch::Sender<Option<Instant>>,
}

#[derive(Debug)]
struct Slot {
    name: String,
    lease: Duration,
    evaluator: Evaluator,
    stop: watch::Receiver<Option<Instant>>,
}

impl Pool {
    /// Starts the slots on the runtime that this is called on.
    pub fn start(store: &Store, runner: Arc<Runner>, open: OpenDirectory, settings: &Settings) -> Self {
        let (stop, stopped) = watch::channel(None);
        let evaluator = Evaluator { store: store.clone(), runner, data: Arc::new(Mutex::new(Data::new(open))) };
        let mut slots = JoinSet::new();
        for name in &settings.names {
            let slot =
                Slot { name: name.clone(), lease: settings.lease, evaluator: evaluator.clone(), stop: stopped.clone() };
            slots.spawn(slot.work());
        }
        Self { slots, stop }
    }

    /// Takes nothing more, and puts back what still runs after `grace`. May be said again with less patience.
    pub fn stop(&self, grace: Duration) {
        self.stop.send_replace(Some(Instant::now() + grace));
    }

    /// Returns when no slot works any more: none does once it is told to stop, and before that only by a defect.
    pub async fn ended(&mut self) {
        while self.slots.join_next().await.is_some() {}
    }
}

impl Slot {
    async fn work(mut self) {
        while self.stop.borrow().is_none() {
            match self.evaluator.store.lease(&self.name, self.lease_millis(), Moment::now()).await {
                Ok(Some(job)) => self.run(&job).await,
                Ok(None) => self.idle().await,
                Err(error) => {
                    tracing::error!(worker = self.name, error = &error as &dyn Error, "no submission can be taken");
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
            () = stopped(&mut self.stop) => Ending::Stopped,
        };
        if !matches!(ending, Ending::Evaluated(_)) {
            cancel.store(true, Ordering::Relaxed);
            if timeout(STOPPING, &mut evaluation).await.is_err() {
                tracing::warn!(submission = %id, "the evaluation does not stop");
            }
        }
        match self.record(job, &ending, &seen).await {
            Ok(recorded) => tracing::info!(submission = %id, ?recorded, "evaluation ended"),
            Err(error) => {
                tracing::error!(submission = %id, error = &error as &dyn Error, "the end could not be written down")
            }
        }
    }

    /// Writes the end of a job down. What took hours to compute is not thrown away because the disk is full: while the lease
    /// can be kept it is tried again, until it is written or the pool stops.
    async fn record(&self, job: &Job, ending: &Ending, seen: &Seen) -> Result<Recorded, StoreError> {
        let store = &self.evaluator.store;
        let mut patience = FAILED;
        loop {
            let now = Timestamp::now();
            let recorded = match ending {
                Ending::Evaluated(evaluated) => match &**evaluated {
                    Ok(evaluated) => self.evaluator.finish(job, evaluated).await,
                    Err(fault) => {
                        tracing::error!(submission = %job.submission.id, error = %fault, "the evaluation failed by our fault");
                        store.finish_faulty(job, now).await
                    }
                },
                Ending::Cancelled => store.finish_cancelled(job, Compute::of_fuel(seen.fuel()), now).await,
                Ending::Stopped => store.release(job).await,
                Ending::Lost => return Ok(Recorded::Lost),
            };
            let Err(error) = recorded else { return recorded };
            if self.stop.borrow().is_some() {
                return Err(error);
            }
            tracing::error!(submission = %job.submission.id, error = &error as &dyn Error, "the end could not be written down yet");
            sleep(patience).await;
            patience = (patience * 2).min(LONGEST);
            // Whoever took the submission meanwhile evaluates it again; an error says nothing about that.
            if let Ok(Answer::Lost) = store.heartbeat(job, None, self.lease_millis(), Timestamp::now()).await {
                return Ok(Recorded::Lost);
            }
        }
    }

    fn lease_millis(&self) -> u32 {
        u32::try_from(self.lease.as_millis()).unwrap_or(u32::MAX)
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

/// Returns when the pool has been told to stop and what runs has no more time.
async fn stopped(stop: &mut watch::Receiver<Option<Instant>>) {
    loop {
        let until = *stop.borrow_and_update();
        let over = async {
            match until {
                Some(until) => sleep_until(until.into()).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = over => return,
            // An error: the pool itself is gone.
            changed = stop.changed() => if changed.is_err() { return },
        }
    }
}
