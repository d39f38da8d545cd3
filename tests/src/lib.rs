//! End-to-end tests of the promises: hostile guests, golden values, determinism.
//!
//! This library is what they share: guests written by hand in core WebAssembly ([`template`], [`component`]),
//! programs that are dear to compile ([`bombs`]), guests built from Rust ([`guests`]), random ones ([`smith`]), small
//! challenges and datasets ([`fixture`]), the evaluation of one against the other in this process ([`evaluation`]), what must
//! come of it ([`case`]), hostile submissions for whoever runs them somewhere else ([`hostile`]), and what a child process used
//! ([`child`]).

#![expect(clippy::panic, reason = "a test that cannot be set up fails where it stands")]

pub mod bombs;
pub mod case;
pub mod child;
pub mod component;
pub mod evaluation;
pub mod fixture;
pub mod guests;
pub mod hostile;
pub mod kernels;
pub mod message;
pub mod products;
pub mod rss;
pub mod smith;
pub mod snippets;
pub mod template;
