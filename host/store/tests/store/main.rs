//! What the store promises of accounts, tokens, invitations, challenges, artifacts and the audit log.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails where it stands")]

mod artifacts;
mod audit;
mod challenges;
mod directory;
mod fixture;
mod invites;
mod lists;
mod sessions;
mod tokens;
