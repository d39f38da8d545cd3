//! Loading machine code.
#![expect(unsafe_code, reason = "the engine cannot prove that bytes are its own machine code; see the argument below")]

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::compile::Artifact;
use crate::stop::PlatformFault;

/// Loads the artifact that a boxed child was sent.
pub(crate) fn load_from_parent(engine: &Engine, bytes: &[u8]) -> Result<Component, PlatformFault> {
    // SAFETY: as in `load`. A boxed child reads its standard input from the process that started it, which sends the bytes of
    // an `Artifact`; and whoever could start this program with other bytes could start any other program.
    let component = unsafe { Component::deserialize(engine, bytes) };
    component.map_err(|error| PlatformFault::Artifact(format!("{error:#}")))
}

/// Loads an artifact.
pub(crate) fn load(engine: &Engine, artifact: &Artifact) -> Result<Component, PlatformFault> {
    // SAFETY: `deserialize` runs whatever code the bytes hold, so they must come from `Engine::precompile_component`.
    // An `Artifact` is made in `compile` only: from the pipe of a child that runs our own `compile_child`, or from the
    // cache directory, which only the operator can write, under a key that holds the component's digest and the hash of
    // this very engine configuration, and with a digest that shows damage; for fuzzing, from that function itself.
    let component = unsafe { Component::deserialize(engine, &artifact.bytes) };
    component.map_err(|error| PlatformFault::Artifact(format!("{error:#}")))
}
