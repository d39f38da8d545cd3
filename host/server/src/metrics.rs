//! What the service counts of itself, in the text format of Prometheus.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;
use thimble_api::operator::{Capacity, VerdictCount};

/// A request by its route, never by its path: addresses cannot multiply the series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// Counters and gauges of the process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Streams of events that are open.
    pub(crate) streams: Gauge,
    /// Connections that are open.
    pub(crate) connections: Gauge,
    /// Tokens, sessions and codes that were not valid.
    pub(crate) failed_authentications: Counter,
    /// Requests that were refused with 429 by a rate limit.
    pub(crate) limited: Counter,
    /// Handlers that panicked.
    pub(crate) panics: Counter,
}

/// 0.5 ms to 8 s.
fn latencies() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 15))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            requests: Family::default(),
            latency: Family::new_with_constructor(latencies),
            streams: Gauge::default(),
            connections: Gauge::default(),
            failed_authentications: Counter::default(),
            limited: Counter::default(),
            panics: Counter::default(),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests by route", metrics.requests.clone());
        registry.register("http_request_seconds", "Seconds until the answer began", metrics.latency.clone());
        registry.register("http_streams", "Open streams of events", metrics.streams.clone());
        registry.register("http_connections", "Open connections", metrics.connections.clone());
        let failed = "Tokens, sessions and codes that were not valid";
        registry.register("failed_authentications", failed, metrics.failed_authentications.clone());
        registry.register("rate_limited", "Requests above a rate limit", metrics.limited.clone());
        registry.register("panics", "Requests whose handling panicked", metrics.panics.clone());
        Self { registry, ..metrics }
    }

    pub(crate) fn request(&self, route: &str, method: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), method, status }).inc();
        self.latency.get_or_create(&RouteLabels { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// The process's own, then what the store says.
    pub(crate) fn text(&self, capacity: &Capacity, verdicts: &[VerdictCount]) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        // The store's figures come after; the line that ends the text moves behind them.
        let mut text = text.trim_end_matches("# EOF\n").to_owned();
        let gauges = [
            ("queued_official", "Official submissions that wait", capacity.queued_official),
            ("queued_validation", "Validation submissions that wait", capacity.queued_validation),
            ("running", "Submissions that run", capacity.running),
            ("workers", "Workers heard within their lease", capacity.workers.len() as u64),
            ("database_bytes", "Size of the database", capacity.database_bytes),
            ("artifact_bytes", "Size of all artifacts", capacity.artifact_bytes),
        ];
        for (name, help, value) in gauges {
            let _ = writeln!(text, "# HELP {name} {help}.\n# TYPE {name} gauge\n{name} {value}");
        }
        let _ = writeln!(text, "# HELP submissions Submissions that have ended, by verdict.\n# TYPE submissions gauge");
        for VerdictCount { verdict, count } in verdicts {
            let verdict = verdict.map_or("cancelled", thimble_challenge::Verdict::name);
            let _ = writeln!(text, "submissions{{verdict=\"{verdict}\"}} {count}");
        }
        text + "# EOF\n"
    }
}
