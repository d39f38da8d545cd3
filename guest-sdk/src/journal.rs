//! What a solution says while it runs. Shown in validation, dropped in an official run; the fuel is the same in both.
//!
//! Natively, in `cargo test`: [`log`] writes to standard error, [`record`] does nothing, [`fuel_left`] knows nothing.

#[cfg(target_family = "wasm")]
use crate::bindings::thimble::solution::journal as host;

/// Writes a line of text. The runner keeps the first 64 KiB of a phase.
pub fn log(message: impl AsRef<str>) {
    let message = message.as_ref();
    #[cfg(target_family = "wasm")]
    host::log(message);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{message}");
}

/// Adds a point to a curve. The runner keeps 64 series (names of at most 64 bytes) and 10,000 points of a phase.
pub fn record(series: &str, step: u64, value: f64) {
    #[cfg(target_family = "wasm")]
    host::record(series, step, value);
    #[cfg(not(target_family = "wasm"))]
    let _ = (series, step, value);
}

/// Fuel left of the training budget (16 fuel are one FLOP); `None` natively. Traps when predicting.
pub fn fuel_left() -> Option<u64> {
    #[cfg(target_family = "wasm")]
    return Some(host::fuel_left());
    #[cfg(not(target_family = "wasm"))]
    None
}
