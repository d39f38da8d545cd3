//! The HTTP service: API, pages, tokens, limits and metrics.
//!
//! [`Service`] joins a [`Store`](thimble_store::Store) with a [`Config`], [`router`] answers requests, [`serve`] accepts
//! connections until it is told to stop. A request goes through `frame` (id, log, headers, the shape of errors) and, unless
//! it is about the process itself, through `auth` (who asks, and how often). What is done is in `operations`, once; `api` and
//! `pages` say it over HTTP. `project` decides who is told what of a submission.

mod answer;
mod api;
mod auth;
mod board;
mod body;
mod cache;
mod catalog;
mod config;
mod events;
mod extract;
mod failure;
mod frame;
mod metrics;
mod operations;
mod pages;
mod project;
mod publish;
mod ranking;
mod rate;
mod serve;
mod service;
mod stall;
mod status;
mod upload;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use config::{Config, Rate, Rates};
pub use serve::serve;
pub use service::Service;

/// Answers every request.
pub fn router(service: Service) -> Router {
    let (api, document) = described();
    let known =
        api.merge(pages::router()).merge(self::api::counted()).layer(from_fn_with_state(service.clone(), auth::access));
    known
        .merge(api::process(document))
        .fallback(async || failure::Failure::not_found())
        .layer(from_fn_with_state(service.clone(), frame::frame))
        .with_state(service)
}

/// The description of the interface, OpenAPI 3.1: the same bytes for the same version of the service.
pub fn openapi() -> String {
    described().1
}

fn described() -> (Router<Service>, String) {
    api::described(aide::axum::ApiRouter::new().nest("/api/v1", api::router()))
}
