//! Hostile guests written in Rust (`tests/guests`), built by `cargo xtask test`.

use std::path::PathBuf;

use crate::evaluation::product;

/// The component `name`, from the directory in the variable `THIMBLE_GUESTS` or else from `target/guests`.
///
/// # Panics
/// When it is not built.
pub fn guest(name: &str) -> Vec<u8> {
    let file = format!("{}.wasm", name.replace('-', "_"));
    let path = match std::env::var_os("THIMBLE_GUESTS") {
        Some(directory) => PathBuf::from(directory).join(file),
        None => product(&format!("guests/wasm32-wasip2/release/{file}")),
    };
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
