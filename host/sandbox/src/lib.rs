//! The box around a child process that touches what strangers wrote.
//!
//! The engine keeps a guest in its memory; this crate assumes that one day it does not. A child process gives up, layer by
//! layer and before it reads a byte of the guest, everything but its pipes: see [`Layer`] for what each one takes away and
//! [`lock()`] for the order. The parent starts it and ends it ([`Child`]), speaks to it in bounded messages ([`frame`]) and
//! trusts nothing it says. That the box holds is shown by attacking it ([`probe`]). Linux on x86_64 and aarch64.

pub mod frame;
pub mod probe;

mod child;
mod descriptors;
mod kernel;
mod layer;
mod limits;
mod lock;
mod privileges;
mod raw;
mod syscalls;

pub use child::{Child, End, STDERR_BYTES, Spawn};
pub use descriptors::take_descriptor;
pub use kernel::Kernel;
pub use layer::{Layer, LayerError, Policy, PolicyError};
pub use limits::Limits;
pub use lock::{LockError, lock, seal_code};
pub use syscalls::Job;
