//! What fuzz targets share: inputs to start from, made by the target that reads them.

use std::path::PathBuf;
use std::{env, fs};

/// Names the directory that a target fills with its seeds before libFuzzer reads it; without it a run starts from nothing.
pub const SEEDS: &str = "THIMBLE_FUZZ_SEEDS";

/// Writes the seeds that `make` gives into the directory that [`SEEDS`] names, if it does.
///
/// # Panics
/// When the directory cannot be written: a run without its seeds would look like one that found nothing.
pub fn write_seeds(make: impl FnOnce() -> Vec<Vec<u8>>) {
    let Some(directory) = env::var_os(SEEDS).map(PathBuf::from) else { return };
    for (number, seed) in make().into_iter().enumerate() {
        let file = directory.join(format!("seed-{number:02}"));
        fs::write(&file, seed).unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
    }
}
