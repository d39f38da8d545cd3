//! Writes random WebAssembly from fixed seeds: `smith DIRECTORY`.
//!
//! `module-000.wasm` to `module-199.wasm` are core modules in the language that admission allows, each with one function
//! `run` and a memory that it shares with whoever embeds it: the tests put them into a solution. `component-000.wasm` to
//! `component-031.wasm` are components of any kind, submitted as they are. The same files for the same lock file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use smith::{Code, Shape, component, module, random};

/// Core modules.
const MODULES: u64 = 200;

/// Components as they are.
const COMPONENTS: u64 = 32;

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from).context("usage: smith DIRECTORY")?;
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for seed in 0..MODULES {
        let wasm = module(&random(seed), shape(seed)).with_context(|| format!("module of seed {seed}"))?;
        write(&directory.join(format!("module-{seed:03}.wasm")), &wasm)?;
    }
    for seed in 0..COMPONENTS {
        // Another stream than that of the module of the same seed.
        let wasm = component(&random(seed + MODULES)).with_context(|| format!("component of seed {seed}"))?;
        write(&directory.join(format!("component-{seed:03}.wasm")), &wasm)?;
    }
    Ok(())
}

/// In three modules of four no operator traps, so that `run` comes back with its values; in the rest anything may happen.
/// Every module ends by itself: an endless loop tells no more than that it is endless.
fn shape(seed: u64) -> Shape {
    Shape { code: Code::Any, operators: 60, may_trap: seed.is_multiple_of(4), may_be_endless: false }
}

fn write(path: &Path, wasm: &[u8]) -> Result<()> {
    fs::write(path, wasm).with_context(|| format!("cannot write {}", path.display()))
}
