//! The promises of Thimble, one module a theme. One binary: linking the engine is what takes time.

#![expect(clippy::panic, reason = "tests fail by panicking")]

mod abi;
mod boxed;
mod builders_loop;
mod compile_bombs;
mod composite;
mod corpus;
mod end_to_end;
mod endless;
mod golden_meter;
mod kernels;
mod leaks;
mod memory;
mod native;
mod parameters;
mod parts;
mod processors;
mod profile;
mod service;
mod stack;
mod state;
mod tasks;
mod unaffected;
mod world;
