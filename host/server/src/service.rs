//! What every request shares.

use std::sync::Arc;

use thimble_store::Store;
use tokio::sync::{Semaphore, watch};

use crate::auth::Sessions;
use crate::board::Boards;
use crate::cache::Cache;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::events::Streams;
use crate::metrics::Metrics;
use crate::operations::running::Counted;
use crate::rate::Limits;
use crate::status::Statuses;

/// The service: its store, its settings and what it remembers for a moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

#[derive(Debug)]
/// What is behind a [`Service`].
pub struct Shared {
    pub(crate) store: Store,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) limits: Limits,
    pub(crate) sessions: Sessions,
    pub(crate) catalog: Catalog,
    pub(crate) statuses: Statuses,
    pub(crate) boards: Boards,
    pub(crate) streams: Streams,
    /// What the store counts of itself: every artifact is looked at.
    pub(crate) counted: Cache<(), Arc<Counted>>,
    /// Large bodies that may be held at the same time.
    pub(crate) uploads: Arc<Semaphore>,
    stopping: watch::Sender<bool>,
}

impl std::ops::Deref for Service {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Service {
    /// A service over `store`.
    pub fn new(store: Store, config: Config) -> Self {
        let shared = Shared {
            metrics: Metrics::new(),
            limits: Limits::new(&config.rates),
            sessions: Sessions::new(),
            catalog: Catalog::new(),
            statuses: Statuses::new(),
            boards: Boards::new(),
            streams: Streams::new(config.max_streams, config.max_streams_per_client),
            counted: Cache::new(1, usize::MAX),
            uploads: Arc::new(Semaphore::new(config.max_uploads)),
            stopping: watch::Sender::new(false),
            store,
            config,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Ends the streams of events, and says so to whoever asks whether it is ready.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Resolves once the service stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}
