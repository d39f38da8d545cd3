//! The engine configuration: one language, one tariff, the same bits everywhere.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use thimble_challenge::result::Mode;
use wasmtime::{Config, Engine, OperatorCost, WasmBacktraceDetails};

use crate::tariff::TARIFF;

/// The engine as it stands in every result.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// Stack beyond the guest's own, for host calls made on the same fibre.
const HOST_STACK_BYTES: usize = 4 << 20;

/// Stack of a guest. An official run has more than a validation run on every architecture, so that a recursion that
/// passed validation on one machine never overflows officially on another.
pub(crate) const fn guest_stack_bytes(mode: Mode) -> usize {
    match mode {
        Mode::Validation => 1 << 20,
        Mode::Official => 8 << 20,
    }
}

fn config(mode: Mode, prices: OperatorCost) -> Config {
    let allowed = thimble_admission::features();
    let stack = guest_stack_bytes(mode);
    let mut config = Config::new();
    // An allow-list: proposals that a later engine switches on stay off.
    config.wasm_features(!allowed, false).wasm_features(allowed, true);
    config.concurrency_support(false).gc_support(false).shared_memory(false);
    config.consume_fuel(true).operator_cost(prices);
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    // With copy-on-write images the fuel of instantiation differs from host to host.
    config.memory_init_cow(false);
    config.max_wasm_stack(stack).async_stack_size(stack + HOST_STACK_BYTES);
    // Backtraces and address maps would only serve text that nobody may see.
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable).wasm_backtrace_max_frames(None);
    config.generate_address_map(false).native_unwind_info(false);
    config
}

/// The engine for a mode. Modes differ in stack size only.
pub(crate) fn engine(mode: Mode) -> wasmtime::Result<Engine> {
    Engine::new(&config(mode, TARIFF.operator_cost()))
}

/// The same, which can only load what another has compiled.
pub(crate) fn engine_without_compiler(mode: Mode) -> wasmtime::Result<Engine> {
    Engine::new(config(mode, TARIFF.operator_cost()).enable_compiler(false))
}

/// The engine for a mode on another target, the same in everything else.
pub(crate) fn engine_for(mode: Mode, target: &str) -> wasmtime::Result<Engine> {
    Engine::new(config(mode, TARIFF.operator_cost()).target(target)?)
}

/// An engine under other prices, with the larger stack: probes need some of it.
pub(crate) fn engine_with_prices(prices: OperatorCost) -> wasmtime::Result<Engine> {
    Engine::new(&config(Mode::Official, prices))
}

/// What an artifact must agree in. A successful load proves nothing: the engine accepts code that was compiled without
/// NaN canonicalisation, so this hash is part of the cache key.
pub(crate) fn engine_hash(engine: &Engine) -> [u8; 32] {
    struct Sha(Sha256);

    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        /// Never asked for: the digest is taken from the inner hash.
        fn finish(&self) -> u64 {
            0
        }
    }

    let mut hasher = Sha(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    // The compatibility hash leaves this out, and an artifact must not outlive a change of it.
    hasher.0.update(ENGINE.as_bytes());
    hasher.0.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_name_is_the_locked_version() {
        let lock = include_str!("../../../Cargo.lock");
        let version = ENGINE.trim_start_matches("wasmtime ");
        assert!(
            lock.contains(&format!("name = \"wasmtime\"\nversion = \"{version}\"")),
            "{ENGINE} is not in Cargo.lock"
        );
    }

    #[test]
    fn artifacts_serve_both_modes_and_no_other_configuration() -> wasmtime::Result<()> {
        let hash = engine_hash(&engine(Mode::Official)?);
        assert_eq!(hash, engine_hash(&engine(Mode::Validation)?));
        let mut other = config(Mode::Official, TARIFF.operator_cost());
        other.cranelift_nan_canonicalization(false);
        assert_ne!(hash, engine_hash(&Engine::new(&other)?));
        Ok(())
    }
}
