//! Leases submissions, evaluates them, writes down how they ended.
//!
//! A [`Pool`] has a number of slots. Each takes the next submission of the [`Store`](thimble_store::Store), evaluates it with `thimble-runtime` on a thread
//! of its own, says at a third of the lease that it is alive, and writes the end once. What it has when it is told to stop goes
//! back to the queue. `thimble serve` runs one in its process, `thimble worker` runs one alone against the same directory.

mod challenge;
mod evaluate;
mod pool;
mod progress;

pub use challenge::{Data, OpenDirectory};
pub use pool::{Pool, Settings};
