//! End-to-end tests of the promises: hostile guests, golden values, determinism.
//!
//! This library is what they share: guests written by hand in core WebAssembly ([`template`], [`component`]),
//! programs that are dear to compile ([`bombs`]), guests built from Rust ([`guests`]), small challenges and datasets ([`fixture`]), the evaluation of one against the
//! other in this process ([`evaluation`]), and what must come of it ([`case`]).

#![expect(clippy::panic, reason = "a test that cannot be set up fails where it stands")]

pub mod bombs;
pub mod case;
pub mod child;
pub mod component;
pub mod evaluation;
pub mod fixture;
pub mod guests;
pub mod kernels;
pub mod products;
pub mod rss;
pub mod snippets;
pub mod template;
