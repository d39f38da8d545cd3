//! Connections: accepted, timed, counted, and ended in order.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::operations::drafts;
use crate::router;
use crate::service::Service;
use crate::stall::Patient;

/// Headers of a request at most.
const MAX_HEADERS: usize = 64;
/// Bytes of a request's head at most.
const MAX_HEAD_BYTES: usize = 32 << 10;
/// Pause after the system had no room for a connection.
const NO_ROOM: Duration = Duration::from_millis(50);
/// Pause between two looks for challenges whose time is over.
const BETWEEN_CLOSES: Duration = Duration::from_secs(5);

/// Serves `listener` until `shutdown` resolves, then takes no more connections, ends the streams of events, and waits for
/// the others at most [`Config::grace`](crate::Config::grace).
///
/// # Errors
/// The listener has no address any more.
pub async fn serve(service: Service, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let router = router(service.clone());
    let closing = tokio::spawn(close_in_time(service.clone()));
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(service.config.max_connections));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed; without a place nothing is accepted, and the system's queue fills.
            let place = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection accepted");
                tokio::time::sleep(NO_ROOM).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(&service, router.clone(), stream, peer));
        let service = service.clone();
        tokio::spawn(async move {
            service.metrics.connections.inc();
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
            service.metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    tracing::info!("stopping");
    service.stop();
    if tokio::time::timeout(service.config.grace, graceful.shutdown()).await.is_err() {
        tracing::warn!(grace = ?service.config.grace, "connections were cut off");
    }
    // It ends by itself at the next pause: a close that has begun is finished.
    if let Err(error) = closing.await {
        tracing::error!(%error, "the task that closes challenges failed");
    }
    Ok(())
}

/// Closes challenges at their deadline, until the service stops.
async fn close_in_time(service: Service) {
    let mut stopping = service.stopping();
    loop {
        if let Err(failure) = drafts::close_due(&service).await {
            tracing::error!(cause = failure.cause, "challenges whose time is over were not looked for");
        }
        let stopped = stopping.wait_for(|stopping| *stopping);
        if tokio::time::timeout(BETWEEN_CLOSES, stopped).await.is_ok() {
            return;
        }
    }
}

type Connection<S> = http1::Connection<TokioIo<Patient<TcpStream>>, S>;

fn connection(
    service: &Service,
    router: axum::Router,
    stream: TcpStream,
    peer: std::net::SocketAddr,
) -> Connection<
    impl hyper::service::Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + use<>,
> {
    let config = &service.config;
    // What is sent is sent at once: answers are small and whole.
    let _ = stream.set_nodelay(true);
    let answers = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .keep_alive(true)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream, config.answer_timeout)), answers)
}
