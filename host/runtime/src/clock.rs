//! The wall clock of one evaluation, seen by the poller and by every host call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::stop::{DeadlineReached, PlatformFault};

/// When to stop, whatever the guest does.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    deadline: Option<Instant>,
    limit_seconds: u64,
    cancel: Arc<AtomicBool>,
    /// Fuel left at the last host call of the call under way.
    pub(crate) fuel_seen: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn start(limit_seconds: u64, cancel: Arc<AtomicBool>) -> Self {
        // A limit past the end of time is none.
        let deadline = Instant::now().checked_add(Duration::from_secs(limit_seconds));
        Self { deadline, limit_seconds, cancel, fuel_seen: Arc::default() }
    }

    pub(crate) fn check(&self) -> wasmtime::Result<()> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(PlatformFault::Cancelled.into());
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(DeadlineReached { limit_seconds: self.limit_seconds }.into());
        }
        Ok(())
    }
}
