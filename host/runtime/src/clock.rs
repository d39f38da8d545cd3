//! The wall clock of one evaluation, seen by the poller and by every host call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::stop::{DeadlineReached, PlatformFault};

/// When to stop, whatever the guest does.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// `None` before any of the guest runs, and for a limit past the end of time.
    deadline: Option<Instant>,
    limit_seconds: u64,
    cancel: Arc<AtomicBool>,
    /// Fuel left at the last host call of the call under way.
    pub(crate) fuel_seen: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new(limit_seconds: u64, cancel: Arc<AtomicBool>) -> Self {
        Self { deadline: None, limit_seconds, cancel, fuel_seen: Arc::default() }
    }

    /// Starts the guest's time. Compilation has limits of its own: whether its artifact was cached must not decide
    /// between two verdicts.
    pub(crate) fn start(&mut self) {
        self.deadline = Instant::now().checked_add(Duration::from_secs(self.limit_seconds));
    }

    /// Starts it with what is left of it.
    pub(crate) fn start_with(&mut self, left: Duration) {
        self.deadline = Instant::now().checked_add(left);
    }

    /// What is left of the guest's time; all of it before it was started.
    pub(crate) fn left(&self) -> Duration {
        let whole = Duration::from_secs(self.limit_seconds);
        self.deadline.map_or(whole, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether it has been cancelled from outside.
    pub(crate) fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Why a guest that ran into the deadline was stopped.
    pub(crate) const fn reached(&self) -> DeadlineReached {
        DeadlineReached { limit_seconds: self.limit_seconds }
    }

    /// Ends the guest's time: from here on only cancellation stops it.
    pub(crate) fn stop(&mut self) {
        self.deadline = None;
    }

    pub(crate) fn check(&self) -> wasmtime::Result<()> {
        if self.cancelled() {
            return Err(PlatformFault::Cancelled.into());
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(self.reached().into());
        }
        Ok(())
    }
}
