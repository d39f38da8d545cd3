//! Random WebAssembly in the language that admission allows: one generator for the corpus of fixed seeds and for the fuzzer.
//!
//! A module has one function `run` and a memory that it shares with whoever embeds it: `thimble_tests::smith` puts it into a
//! solution.

use anyhow::Result;
use arbitrary::Unstructured;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use wasm_smith::{Component, Config, InstructionKind, InstructionKinds, Module};

/// Bytes of randomness that shape one file of the corpus.
const BYTES: usize = 4096;

/// Calls and turns of loops after which a module that must end traps.
const STEPS: u32 = 1000;

/// What a module may import: the embedder's memory.
const IMPORTS: &str = r#"(module (import "solution" "memory" (memory 2)))"#;

/// What it exports. Every type of value comes back, so that no bit of a result is lost.
const EXPORTS: &str = r#"(module
    (func (export "run") (param i32 i64 f32 f64) (result i32 i64 f32 f64) unreachable))"#;

/// What a module may do beside coming back with its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// What its functions are made of.
    pub code: Code,
    /// Operators of a function, about, at most. The fewer come after a value, the more of it comes back.
    pub operators: usize,
    /// Its operators may trap.
    pub may_trap: bool,
    /// It may run for ever; otherwise it ends by itself.
    pub may_be_endless: bool,
}

/// What functions are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Everything; most of it is never reached, since a random branch leaves out what follows.
    Any,
    /// Everything but branches and calls, so that every operator of `run` runs, up to a trap.
    Straight,
    /// As straight, of 128-bit operators. The generator makes none where it has to see to it that nothing traps; among
    /// themselves they do not, unless there is a memory.
    Vectors,
}

/// The core module that `bytes` shape; the same for the same bytes.
///
/// # Errors
/// When no module can be made of them.
pub fn module(bytes: &[u8], shape: Shape) -> Result<Vec<u8>> {
    let mut module = Module::new(language(shape)?, &mut Unstructured::new(bytes))?;
    if !shape.may_be_endless {
        module.ensure_termination(STEPS)?;
    }
    Ok(module.to_bytes())
}

/// The component of any kind that `bytes` shape.
///
/// # Errors
/// When no component can be made of them.
pub fn component(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(Component::new(Config::default(), &mut Unstructured::new(bytes))?.to_bytes())
}

/// Bytes for either, from a seed.
pub fn random(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; BYTES];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}

/// The features of `thimble_admission::features`, everything else off.
fn language(shape: Shape) -> Result<Config> {
    let vectors = shape.code == Code::Vectors;
    let memory = shape.may_trap || !vectors;
    Ok(Config {
        available_imports: Some(wat::parse_str(if memory { IMPORTS } else { "(module)" })?),
        exports: Some(wat::parse_str(EXPORTS)?),
        disallow_traps: !shape.may_trap && !vectors,
        allowed_instructions: shape.code.instructions(),
        min_funcs: 2,
        max_funcs: if shape.code == Code::Any { 6 } else { 2 },
        max_instructions: shape.operators,
        max_type_size: 20,
        max_memories: usize::from(memory),
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

impl Code {
    fn instructions(self) -> InstructionKinds {
        use InstructionKind::{Memory, Numeric, Parametric, Reference, Table, Variable, Vector};
        match self {
            Self::Any => InstructionKinds::all(),
            Self::Straight => InstructionKinds::new(&[Memory, Numeric, Parametric, Reference, Table, Variable, Vector]),
            Self::Vectors => InstructionKinds::new(&[Memory, Parametric, Variable, Vector]),
        }
    }
}
