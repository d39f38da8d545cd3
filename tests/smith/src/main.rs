//! Writes random WebAssembly from fixed seeds: `smith DIRECTORY`.
//!
//! `module-000.wasm` to `module-199.wasm` are core modules in the language that admission allows, each with one function
//! `run` and a memory that it shares with whoever embeds it: the tests put them into a solution. `component-000.wasm` to
//! `component-031.wasm` are components of any kind, submitted as they are. The same files for the same lock file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use arbitrary::Unstructured;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use wasm_smith::{Component, Config, Module};

/// Core modules.
const MODULES: u64 = 200;

/// Components as they are.
const COMPONENTS: u64 = 32;

/// Bytes of randomness that shape one file.
const BYTES: usize = 4096;

/// What a module may import: the embedder's memory.
const IMPORTS: &str = r#"(module (import "solution" "memory" (memory 2)))"#;

/// What it exports. Every type of value comes back, so that no bit of a result is lost.
const EXPORTS: &str = r#"(module
    (func (export "run") (param i32 i64 f32 f64) (result i32 i64 f32 f64) unreachable))"#;

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from).context("usage: smith DIRECTORY")?;
    fs::create_dir_all(&directory).with_context(|| format!("cannot create {}", directory.display()))?;
    for seed in 0..MODULES {
        let wasm = module(seed).with_context(|| format!("module of seed {seed}"))?;
        write(&directory.join(format!("module-{seed:03}.wasm")), &wasm)?;
    }
    for seed in 0..COMPONENTS {
        let wasm = component(seed).with_context(|| format!("component of seed {seed}"))?;
        write(&directory.join(format!("component-{seed:03}.wasm")), &wasm)?;
    }
    Ok(())
}

/// In three modules of four no operator traps, so that `run` comes back with its values; in the rest anything may happen.
/// Every module ends by itself: an endless loop tells no more than that it is endless.
fn module(seed: u64) -> Result<Vec<u8>> {
    let bytes = random(seed);
    let mut module = Module::new(language(!seed.is_multiple_of(4))?, &mut Unstructured::new(&bytes))?;
    module.ensure_termination(1000)?;
    Ok(module.to_bytes())
}

fn component(seed: u64) -> Result<Vec<u8>> {
    // Another stream than that of the module of the same seed.
    let bytes = random(seed + MODULES);
    Ok(Component::new(Config::default(), &mut Unstructured::new(&bytes))?.to_bytes())
}

/// The features of `thimble_admission::features`, everything else off.
fn language(disallow_traps: bool) -> Result<Config> {
    Ok(Config {
        available_imports: Some(wat::parse_str(IMPORTS)?),
        exports: Some(wat::parse_str(EXPORTS)?),
        disallow_traps,
        min_funcs: 2,
        max_funcs: 6,
        max_instructions: 60,
        max_type_size: 20,
        max_memories: 1,
        // As much as the solution around it has: its memory takes the place of whatever the module declares.
        max_memory32_bytes: 2 << 16,
        max_table_elements: 64,
        table_max_size_required: true,
        max_data_segments: 4,
        allow_start_export: false,
        exceptions_enabled: false,
        gc_enabled: false,
        compact_imports_enabled: false,
        memory64_enabled: false,
        // References to anything but functions belong to GC.
        reference_types_enabled: false,
        shared_everything_threads_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    })
}

fn random(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; BYTES];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

fn write(path: &Path, wasm: &[u8]) -> Result<()> {
    fs::write(path, wasm).with_context(|| format!("cannot write {}", path.display()))
}
