//! When a lease has run out: nothing new was heard of it for its length, by a clock of this process that does not jump.
//!
//! Times of the wall stand in the database for people. Whether a worker is alive is not read from them: they jump when a machine
//! sets its clock, forward past every lease or back to where none ends. Each process that looks remembers when it first saw the
//! last heartbeat of each lease, and compares that with its own steady clock. After a restart it waits for a whole lease again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use thimble_api::{SubmissionId, Timestamp};

/// Now, on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// What people read. It may jump.
    pub wall: Timestamp,
    /// What leases are measured by. It only goes forward, and means nothing to another process.
    pub steady: Instant,
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        Self { wall: Timestamp::now(), steady: Instant::now() }
    }
}

/// A lease as the database has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    pub(crate) submission: SubmissionId,
    pub(crate) attempt: u32,
    /// The worker's last sign of life. Only whether it changes matters.
    pub(crate) heartbeat_at: Timestamp,
    pub(crate) length: Duration,
}

/// The last sign of life of every lease, and when this process first saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<BTreeMap<SubmissionId, (Lease, Instant)>>>);

impl Heard {
    /// A lease that was just given.
    pub(crate) fn begin(&self, lease: Lease, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.submission, (lease, now));
    }

    /// Those of all current leases that have run out. What is not among `leases` is forgotten.
    pub(crate) fn run_out(&self, leases: &[Lease], now: Instant) -> Vec<SubmissionId> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *heard);
        let mut lost = Vec::new();
        for lease in leases {
            let since = match before.get(&lease.submission) {
                Some((seen, since)) if seen == lease => *since,
                _ => now,
            };
            if now.saturating_duration_since(since) > lease.length {
                lost.push(lease.submission);
            }
            heard.insert(lease.submission, (*lease, since));
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(10);

    fn lease(id: u8, attempt: u32, heartbeat: i64) -> Lease {
        let mut bytes = [id; 16];
        // A UUID of version 7.
        bytes[6] = 0x70;
        let submission = SubmissionId::from_bytes(bytes).expect("the version is right");
        Lease { submission, attempt, heartbeat_at: Timestamp::from_millis(heartbeat), length: LENGTH }
    }

    #[test]
    fn a_lease_runs_out_by_the_steady_clock_wherever_the_wall_clock_is() {
        let (heard, start) = (Heard::default(), Instant::now());
        // 1970, or next year: a value to compare and nothing more.
        for wall in [0, 40_000_000_000_000] {
            let held = lease(1, 1, wall);
            heard.begin(held, start);
            assert_eq!(heard.run_out(&[held], start + LENGTH), []);
            let late = LENGTH + Duration::from_millis(1);
            assert_eq!(heard.run_out(&[held], start + late), [held.submission]);
        }
    }

    #[test]
    fn every_sign_of_life_begins_a_lease_anew_and_another_attempt_is_another_lease() {
        let (heard, start) = (Heard::default(), Instant::now());
        heard.begin(lease(1, 1, 5), start);
        // The wall clock went back: it is still a sign of life.
        assert_eq!(heard.run_out(&[lease(1, 1, 3)], start + LENGTH * 2), []);
        assert_eq!(heard.run_out(&[lease(1, 2, 3)], start + LENGTH * 4), []);
        assert_eq!(heard.run_out(&[lease(1, 2, 3)], start + LENGTH * 6).len(), 1);
    }

    #[test]
    fn a_process_that_has_just_started_waits_for_a_whole_lease_and_remembers_no_more_than_there_is() {
        let (heard, start) = (Heard::default(), Instant::now());
        let held = [lease(1, 1, 0), lease(2, 1, 0)];
        assert_eq!(heard.run_out(&held, start), []);
        assert_eq!(heard.run_out(&held[..1], start + LENGTH), []);
        assert_eq!(heard.0.lock().map(|kept| kept.len()).ok(), Some(1));
    }
}
