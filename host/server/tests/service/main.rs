//! What the service promises over HTTP, seen from outside: requests in, answers out, over a store in a directory of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where it stands")]

mod access;
mod accounts;
mod connections;
mod document;
mod errors;
mod hostile;
mod leaderboard;
mod operators;
mod pages;
mod submissions;
mod world;
