//! The command line from outside: what it prints, where, and with which exit code.
//!
//! Golden texts are in `golden/`; `BLESS=1` rewrites them.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod bench;
mod challenge;
mod compare;
mod dataset;
mod doctor;
mod explore;
mod export;
mod metrics;
mod new;
mod official;
mod profile;
mod remote;
mod submission;
mod text;
