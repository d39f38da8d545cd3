//! The promises of Thimble, one module a theme. One binary: linking the engine is what takes time.

#![expect(clippy::panic, reason = "tests fail by panicking")]

mod abi;
mod composite;
mod end_to_end;
mod endless;
mod golden_meter;
mod leaks;
mod memory;
mod parameters;
mod stack;
mod state;
mod unaffected;
mod world;
