//! Streams of events: the status of a submission as it changes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use thimble_api::SubmissionId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior};

use crate::auth::Caller;
use crate::failure::{Failure, Result};
use crate::rate::Network;
use crate::service::Service;
use crate::status;

/// After so long without an event, a comment says that the stream is alive.
const SILENCE: Duration = Duration::from_secs(15);
/// A stream ends after so long, and its client comes back with its token: one that was revoked shows nothing more.
const LONGEST: Duration = Duration::from_secs(600);

/// Whose stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Client {
    Account(i64),
    Address(Network),
}

/// Open streams, of all and of each client.
#[derive(Debug)]
pub(crate) struct Streams {
    room: Arc<Semaphore>,
    most_each: usize,
    open: Arc<Mutex<HashMap<Client, usize>>>,
}

/// A place among the open streams, given back when it is dropped.
struct Place {
    open: Arc<Mutex<HashMap<Client, usize>>>,
    client: Client,
    _room: OwnedSemaphorePermit,
    service: Service,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.service.metrics.streams.dec();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

impl Streams {
    pub(crate) fn new(most: usize, most_each: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(most)), most_each, open: Arc::default() }
    }

    fn enter(&self, service: &Service, caller: &Caller) -> Result<Place> {
        let full =
            |whose| Failure::unavailable(&format!("too many open streams {whose}: ask for the status instead"), 10);
        let client = caller.principal().map_or(Client::Address(caller.address), |p| Client::Account(p.account_id));
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| full("of all clients"))?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(client).or_default();
        if *count >= self.most_each {
            return Err(full("of yours"));
        }
        *count += 1;
        service.metrics.streams.inc();
        Ok(Place { open: Arc::clone(&self.open), client, _room: room, service: service.clone() })
    }
}

/// Where a stream is.
struct Watching {
    service: Service,
    caller: Caller,
    id: SubmissionId,
    /// The entity tag of the last event: also its id.
    last: Option<Bytes>,
    begun: Instant,
    heard: Instant,
    ended: bool,
    _place: Place,
}

/// The events of a submission, until it has ended or the service stops. `last` is the id of an event that the client has.
pub(crate) async fn events(
    service: &Service,
    caller: Caller,
    id: SubmissionId,
    last: Option<&str>,
) -> Result<Response> {
    // What cannot be seen has no stream.
    status::status(service, &caller, id).await?;
    let place = service.streams.enter(service, &caller)?;
    let last = last.map(|last| Bytes::copy_from_slice(last.as_bytes()));
    let watching = Watching {
        service: service.clone(),
        caller,
        id,
        last,
        begun: Instant::now(),
        heard: Instant::now(),
        ended: false,
        _place: place,
    };
    let body = Body::from_stream(stream::unfold(watching, |watching| async {
        watching.next().await.map(|(event, watching)| (Ok::<_, Infallible>(event), watching))
    }));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects an answer before it passes it on would keep the events.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

impl Watching {
    /// Waits for the next event or comment; none at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.ended {
            return None;
        }
        let mut stopping = self.service.stopping();
        let mut look = tokio::time::interval(self.service.config.stream_poll);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = look.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
            if self.begun.elapsed() >= LONGEST {
                return None;
            }
            let (prepared, ended) = status::status(&self.service, &self.caller, self.id).await.ok()?;
            let tag = tag(&prepared.etag);
            if self.last.as_ref() != Some(&tag) {
                let event = [b"id: ", &*tag, b"\nevent: status\ndata: ", &*prepared.bytes, b"\n\n"].concat();
                (self.last, self.heard, self.ended) = (Some(tag), Instant::now(), ended);
                return Some((event.into(), self));
            }
            if ended {
                return None;
            }
            if self.heard.elapsed() >= SILENCE {
                self.heard = Instant::now();
                return Some((Bytes::from_static(b": alive\n\n"), self));
            }
        }
    }
}

/// The tag without its quotes.
fn tag(etag: &HeaderValue) -> Bytes {
    let tag = etag.as_bytes();
    let inner = tag.strip_prefix(b"\"").and_then(|tag| tag.strip_suffix(b"\"")).unwrap_or(tag);
    Bytes::copy_from_slice(inner)
}
