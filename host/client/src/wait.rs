//! How long to wait before trying again, and who is told.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use crate::error::ClientError;

/// The first wait between attempts; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait between attempts, unless the service asks for a longer one.
const LONGEST: Duration = Duration::from_secs(30);

/// All waits of one operation together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Default for Patience {
    /// Half a minute: a service that restarts, and no name that is mistyped.
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

/// Why there is a wait.
#[derive(Debug, Clone, Copy)]
pub enum Why<'a> {
    /// An attempt failed, and another can succeed.
    Retry {
        /// Attempts that failed, from 1.
        attempt: u32,
        /// How the last one did.
        error: &'a ClientError,
    },
    /// It goes on, and its state is asked for again.
    Poll,
}

/// Who waits, and can say so.
pub trait Waiter: fmt::Debug + Send + Sync {
    /// Returns after `duration`.
    fn wait(&self, duration: Duration, why: &Why<'_>);
}

/// Waits and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleeper;

impl Waiter for Sleeper {
    fn wait(&self, duration: Duration, _: &Why<'_>) {
        std::thread::sleep(duration);
    }
}

/// The wait after the `attempt`-th failure: twice the one before, between half of it and all of it by chance, so that those
/// who lost the service together do not come back together; or what the service asks for, where that is more.
pub(crate) fn backoff(attempt: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
    let wait = doubled.min(LONGEST).mul_f64(0.5 + chance() / 2.0);
    asked.map_or(wait, |asked| asked.max(wait))
}

/// 0 to 1, from the random end of a fresh UUID.
fn chance() -> f64 {
    let bytes = Uuid::now_v7().into_bytes();
    f64::from(u16::from_be_bytes([bytes[14], bytes[15]])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_respect_the_service() {
        for (attempt, most) in [(1, 500), (2, 1_000), (3, 2_000), (7, 30_000), (40, 30_000), (u32::MAX, 30_000)] {
            let wait = backoff(attempt, None);
            assert!(
                wait <= Duration::from_millis(most) && wait >= Duration::from_millis(most / 2),
                "{attempt} {wait:?}"
            );
        }
        assert_eq!(backoff(1, Some(Duration::from_secs(77))), Duration::from_secs(77));
        assert!(backoff(7, Some(Duration::from_secs(1))) >= Duration::from_secs(15));
    }
}
