//! The promises of admission, checked from outside: every limit at its value and one above, every structural rule, and
//! a corpus of components made to harm the host.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod all_refusals;
mod bounded_time;
mod components;
mod documented;
mod guests;
mod hostile;
mod limits;
mod mutations;
mod rules;
