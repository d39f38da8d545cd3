//! The client against a service of canned answers: what is sent, what is sent again, and what is believed.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod canned;
mod refusing;
mod requests;
mod watching;
