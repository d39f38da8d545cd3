//! The order in which a split's rows are handed out.
//!
//! The runner and a guest's native tests both take it from here, so that a solution trains on the same batches in both: a
//! [`Cursor`] is the whole state of a loader.

mod cursor;
mod permutation;

pub use cursor::Cursor;
