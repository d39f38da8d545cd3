//! Limits on requests by who makes them.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use thimble_api::ErrorCode;

use crate::config::{Rate, Rates};
use crate::failure::Failure;

/// Clients that are remembered at most; when there are more, those at rest are forgotten, and while all are busy new ones
/// share one allowance.
const MOST_CLIENTS: usize = 100_000;

/// An address as it is limited: of IPv6 the network of 64 bits, of which a client has all addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
            }
            address => Self(address),
        }
    }
}

/// A limit for each of many.
#[derive(Debug)]
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    limiter: Option<DefaultKeyedRateLimiter<Option<K>>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limit<K> {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        let quota = rate.and_then(|rate| {
            let each = rate.period.checked_div(rate.requests.max(1))?;
            let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
            Quota::with_period(each).map(|quota| quota.allow_burst(burst))
        });
        Self { limiter: quota.map(RateLimiter::dashmap), clock: DefaultClock::default() }
    }

    /// Counts one; when there were too many, the seconds after which the next one passes.
    pub(crate) fn check(&self, key: K) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > MOST_CLIENTS {
            limiter.retain_recent();
        }
        // `None` is the allowance that new ones share.
        let key = (limiter.len() <= MOST_CLIENTS).then_some(key);
        limiter.check_key(&key).map_err(|until| {
            let wait = until.wait_time_from(self.clock.now());
            wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
        })
    }
}

/// Every limit of the service.
#[derive(Debug)]
pub(crate) struct Limits {
    token_reads: Limit<i64>,
    token_writes: Limit<i64>,
    address_reads: Limit<Network>,
    address_writes: Limit<Network>,
    failed: Limit<Network>,
}

impl Limits {
    pub(crate) fn new(rates: &Rates) -> Self {
        Self {
            token_reads: Limit::new(rates.token_reads),
            token_writes: Limit::new(rates.token_writes),
            address_reads: Limit::new(rates.address_reads),
            address_writes: Limit::new(rates.address_writes),
            failed: Limit::new(rates.failed_authentications),
        }
    }

    /// Counts a request of a token, or of an address without one.
    pub(crate) fn request(&self, token: Option<i64>, address: Network, writes: bool) -> Result<(), Failure> {
        let checked = match (token, writes) {
            (Some(token), false) => self.token_reads.check(token),
            (Some(token), true) => self.token_writes.check(token),
            (None, false) => self.address_reads.check(address),
            (None, true) => self.address_writes.check(address),
        };
        checked.map_err(|seconds| limited("too many requests: wait before the next one", seconds))
    }

    /// Counts a secret that is not valid.
    pub(crate) fn failed_authentication(&self, address: Network) -> Result<(), Failure> {
        let checked = self.failed.check(address);
        checked
            .map_err(|seconds| limited("too many tokens or codes that are not valid came from this address", seconds))
    }
}

fn limited(message: &str, seconds: u64) -> Failure {
    Failure { retry_after_seconds: Some(seconds), ..Failure::new(ErrorCode::RateLimited, message) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

    use std::time::Duration;

    use super::*;

    #[test]
    fn after_the_burst_the_next_one_waits_and_others_do_not() {
        let rate = Rate { requests: 1, period: Duration::from_secs(3_600), burst: 3 };
        let limit = Limit::new(Some(rate));
        assert!((0..3).all(|_| limit.check(1).is_ok()));
        let seconds = limit.check(1).unwrap_err();
        assert!((3_590..=3_600).contains(&seconds), "{seconds}");
        assert_eq!(limit.check(2), Ok(()));
        assert!((0..1_000).all(|_| Limit::new(None).check(1).is_ok()));
    }

    #[test]
    fn clients_are_remembered_up_to_a_number() {
        let rate = Rate { requests: 1, period: Duration::from_secs(3_600), burst: 1 };
        let limit = Limit::new(Some(rate));
        let refused = (0..MOST_CLIENTS + 10).filter(|client| limit.check(*client).is_err()).count();
        // Of those beyond the number one passes, and the others share what it left.
        assert_eq!(refused, 8);
        assert!(limit.limiter.as_ref().unwrap().len() <= MOST_CLIENTS + 2);
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
