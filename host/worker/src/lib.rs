//! Leases submissions, evaluates them, writes down how they ended.
//!
//! A [`Pool`] has a slot for each name. Each takes the next submission of the [`Store`](thimble_store::Store), evaluates it with `thimble-runtime` on a thread
//! of its own, says at a third of the lease that it is alive, and writes the end once. What it has when it is told to stop goes
//! back to the queue. `thimble serve` and `thimble worker` start processes that have a pool of one slot each: what ends such a process
//! disturbs no other evaluation.

mod challenge;
mod evaluate;
mod pool;
mod progress;

pub use challenge::{Data, OpenDirectory};
pub use pool::{Pool, Settings};
