//! The builder's and the operator's side of the HTTP API: a blocking client with the types of `thimble-api`.
//!
//! [`Client`] has a method per operation ([`builder`], [`operator`]); each answers with an [`Answer`], the typed value and the
//! JSON as it came. Requests that can be repeated without harm are repeated while the service is away or asks for patience,
//! and whoever watches is told through [`Waiter`]. [`Client::watch`] follows a submission to its end. A token goes over TLS or
//! to this machine and nowhere else; a redirect is an error; every body that is read has a limit.

mod address;
mod answer;
mod builder;
mod client;
mod error;
mod events;
mod exchange;
mod operator;
mod secret;
mod text;
mod wait;
mod watch;

pub use address::{AddressError, Server};
pub use answer::Answer;
pub use builder::{IdempotencyKey, NewSubmission};
pub use client::Client;
pub use error::{ClientError, Kind, Refusal};
pub use operator::{Image, Requeued};
pub use secret::{Token, TokenError};
pub use text::{line, lines};
pub use wait::{Patience, Sleeper, Waiter, Why};
