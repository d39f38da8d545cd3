//! The HTTP service: API, pages, tokens, limits and metrics.
//!
//! [`Service`] joins a [`Store`](thimble_store::Store) with a [`Config`], [`router`] answers requests, [`serve`] accepts
//! connections until it is told to stop. A request goes through [`frame`] (id, log, headers, the shape of errors) and, unless
//! it is about the process itself, `auth` (who asks, and how often). What is done is in `operations`, once; `api` and `pages`
//! say it over HTTP.

mod answer;
mod cache;
mod config;
mod failure;
mod frame;
mod metrics;
mod page;
mod rate;
mod serve;
mod service;
mod stall;

pub use config::{Config, Rate, Rates};
pub use serve::serve;
pub use service::Service;

/// Answers every request.
pub fn router(service: Service) -> axum::Router {
    axum::Router::new().layer(axum::middleware::from_fn_with_state(service.clone(), frame::frame)).with_state(())
}
