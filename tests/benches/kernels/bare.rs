//! The same component in engines that lack the meter or canonical NaNs, which no run may have.

use std::time::Instant;

use wasmtime::component::{Component, Linker, Resource, ResourceType, bindgen};
use wasmtime::{Config, Engine, Store};

use crate::{Kernel, best};

bindgen!({
    path: "../wit",
    world: "solution",
    with: { "thimble:solution/data.loader": Unused, "thimble:solution/kernels.matrix": Unused },
});

/// A resource that the measured kernels do not touch.
#[expect(unreachable_pub, reason = "the generated contract re-exports it under the name of the resource")]
pub struct Unused;

/// Which of the two an engine has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Configuration {
    Bare,
    Fuel,
    FuelAndNan,
}

/// The guest in an engine of its own.
pub(crate) struct Bare {
    store: Store<()>,
    solution: Solution,
}

impl Bare {
    pub(crate) fn new(configuration: Configuration, component: &[u8]) -> Self {
        let mut config = Config::new();
        config.relaxed_simd_deterministic(true);
        config.consume_fuel(!matches!(configuration, Configuration::Bare));
        config.cranelift_nan_canonicalization(matches!(configuration, Configuration::FuelAndNan));
        let engine = Engine::new(&config).expect("an engine");
        let component = Component::new(&engine, component).expect("the guest compiles");
        let mut linker = Linker::new(&engine);
        linker.allow_shadowing(true);
        linker.define_unknown_imports_as_traps(&component).expect("a linker");
        let mut data = linker.instance("thimble:solution/data@0.1.0").expect("a linker");
        data.resource("loader", ResourceType::host::<Unused>(), |_, _| Ok(())).expect("a linker");
        for name in ["[method]loader.samples", "[method]loader.next", "[method]loader.rewind"] {
            data.func_new(name, |_, _, _, _| Err(wasmtime::Error::msg("no kernel reads data"))).expect("a linker");
        }
        let mut store = Store::new(&engine, ());
        if !matches!(configuration, Configuration::Bare) {
            store.set_fuel(u64::MAX).expect("fuel");
        }
        let solution = Solution::instantiate(&mut store, &component, &linker).expect("an instance");
        Self { store, solution }
    }

    /// Seconds of one round.
    pub(crate) fn seconds(&mut self, kernel: Kernel, rounds: u64) -> f64 {
        self.solve(kernel.seed(1));
        best(|| (self.solve(kernel.seed(rounds + 1)) - self.solve(kernel.seed(1))) / rounds as f64)
    }

    fn solve(&mut self, seed: u64) -> f64 {
        let metadata = thimble::solution::task::Metadata {
            kind: thimble::solution::task::Kind::TabularClassification,
            inputs: Vec::new(),
            targets: Vec::new(),
            num_classes: 2,
            input_dim: 1,
            param_limit: 1,
            baseline_accuracy: 0.0,
            train_samples: 0,
            val_samples: 0,
            test_samples: 0,
            device: "cpu".to_owned(),
            seed,
            outputs: Vec::new(),
            class_names: Vec::new(),
            metric: String::new(),
        };
        let (train, val) = (Resource::new_own(0), Resource::new_own(1));
        let start = Instant::now();
        let learner = self.solution.thimble_solution_learner();
        let solved = learner.call_solve(&mut self.store, train, val, &metadata).expect("the guest returns");
        let seconds = start.elapsed().as_secs_f64();
        assert!(solved.is_ok(), "{solved:?}");
        seconds
    }
}
