//! How the service is set: limits, times, the price of compute.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use thimble_api::Price;

/// So many requests a period, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests in each `period`, at least 1.
    pub requests: u32,
    /// The period.
    pub period: Duration,
    /// The most at once after a pause, at least 1.
    pub burst: u32,
}

impl Rate {
    /// So many a second.
    pub const fn per_second(requests: u32, burst: u32) -> Self {
        Self { requests, period: Duration::from_secs(1), burst }
    }

    /// So many a minute.
    pub const fn per_minute(requests: u32, burst: u32) -> Self {
        Self { requests, period: Duration::from_secs(60), burst }
    }
}

/// Limits on requests; none where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// GETs of a token or session.
    pub token_reads: Option<Rate>,
    /// What changes something, of a token or session.
    pub token_writes: Option<Rate>,
    /// GETs without a token, of an address.
    pub address_reads: Option<Rate>,
    /// What changes something without a token (sign in, join), of an address.
    pub address_writes: Option<Rate>,
    /// Tokens, sessions and invitation codes that are not valid, of an address. Above it, the answer is 429 and not 401.
    pub failed_authentications: Option<Rate>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            token_reads: Some(Rate::per_second(50, 200)),
            token_writes: Some(Rate::per_second(2, 20)),
            address_reads: Some(Rate::per_second(50, 200)),
            address_writes: Some(Rate::per_second(1, 10)),
            failed_authentications: Some(Rate::per_minute(10, 20)),
        }
    }
}

impl Rates {
    /// No limits: for a service whose proxy has them, and for measuring.
    pub const NONE: Self = Self {
        token_reads: None,
        token_writes: None,
        address_reads: None,
        address_writes: None,
        failed_authentications: None,
    };
}

/// How the service is set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where it listens: for the log; [`serve`](crate::serve) is given its listener.
    pub listen: SocketAddr,
    /// Limits on requests.
    pub rates: Rates,
    /// Largest body of JSON or of a form, in bytes.
    pub max_json_bytes: usize,
    /// Largest body of a submission, in bytes: the package and what multipart adds.
    pub max_submission_bytes: usize,
    /// Largest body of a cover or an exploration, in bytes.
    pub max_upload_bytes: usize,
    /// Bodies of more than [`max_json_bytes`](Self::max_json_bytes) that are held at the same time.
    pub max_uploads: usize,
    /// How long the head of a request may take, and a connection be idle.
    pub header_timeout: Duration,
    /// How long a body may take, whatever its size.
    pub body_timeout: Duration,
    /// Beyond [`body_timeout`](Self::body_timeout), a second for each so many bytes that have arrived.
    pub body_bytes_per_second: u64,
    /// How long an answer may take to be made, and a reader to take some of it.
    pub answer_timeout: Duration,
    /// Connections at the same time; further ones wait to be accepted.
    pub max_connections: usize,
    /// Streams of events at the same time.
    pub max_streams: usize,
    /// Streams of events of an account, or of an address without one.
    pub max_streams_per_client: usize,
    /// Times between two looks at a submission that a stream is about.
    pub stream_poll: Duration,
    /// A proxy of one's own is in front: the last entry of `x-forwarded-for` is the address of the client.
    pub trusted_proxy: bool,
    /// The price of compute.
    pub price: Price,
    /// How old a status may be that is shown of a submission that has not ended.
    pub status_ttl: Duration,
    /// How old a leaderboard, a challenge or a list may be that is shown.
    pub board_ttl: Duration,
    /// How long connections have to end once the service is told to stop.
    pub grace: Duration,
}

/// What multipart adds to a package: boundaries, headers, the other fields.
const MULTIPART_BYTES: usize = 64 << 10;

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            rates: Rates::default(),
            max_json_bytes: 2 << 20,
            max_submission_bytes: thimble_challenge::package::MAX_PACKAGE_BYTES as usize + MULTIPART_BYTES,
            max_upload_bytes: thimble_api::draft::MAX_COVER_BYTES + MULTIPART_BYTES,
            max_uploads: 8,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            body_bytes_per_second: 16 << 10,
            answer_timeout: Duration::from_secs(60),
            max_connections: 1_024,
            max_streams: 512,
            max_streams_per_client: 16,
            stream_poll: Duration::from_millis(500),
            trusted_proxy: false,
            price: Price::default(),
            status_ttl: Duration::from_millis(200),
            board_ttl: Duration::from_millis(500),
            grace: Duration::from_secs(10),
        }
    }
}
