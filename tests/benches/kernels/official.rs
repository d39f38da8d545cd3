//! The kernels in an official run, as a builder's submission would have them.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::{EvaluationResult, Phase};
use thimble_challenge::{Flops, Verdict};
use thimble_datasets::Dataset;
use thimble_runtime::{BoundData, Compiler, Request, Runner, Unobserved};
use thimble_tests::evaluation::{open_dataset, open_directory, product, thimble};
use thimble_tests::fixture;

use crate::{Kernel, best};

const CHALLENGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/imagenet-pareto-500k");

/// A runner, and the guest that it runs. Validation and official runs have the same code; only stacks differ.
pub(crate) struct Official {
    runner: Runner,
    component: Vec<u8>,
    challenge: LoadedChallenge,
    dataset: Arc<Dataset>,
    _cache: TempDir,
}

impl Official {
    pub(crate) fn new(component: &[u8]) -> Self {
        let cache = TempDir::new().expect("a temporary directory");
        let command = vec![OsString::from(thimble()), OsString::from("sandbox-child"), OsString::from("compile")];
        let compiler = Compiler { command, cache: Some(fixture::open(&cache)) };
        let mut challenge =
            LoadedChallenge::open(&open_directory(Path::new(CHALLENGE))).expect("the example challenge is valid");
        challenge.challenge.limits.training_flops = Flops(1 << 49);
        let dataset = Arc::new(open_dataset(&product("datasets/imagenet-pareto-canonical")));
        let runner = Runner::new(compiler).expect("the runner starts");
        Self { runner, component: component.to_vec(), challenge, dataset, _cache: cache }
    }

    fn run(&self, seed: u64) -> EvaluationResult {
        let mut challenge = self.challenge.clone();
        challenge.challenge.seed = seed;
        let data = BoundData::validation(&challenge, self.dataset.clone()).unwrap_or_else(|error| panic!("{error}"));
        let cancel = Arc::new(AtomicBool::new(false));
        let request = Request { submission: &self.component, challenge: &challenge, data: &data, cancel: &cancel };
        let result = self.runner.evaluate(&request, &mut Unobserved);
        assert_eq!(result.comparable.verdict, Verdict::Scored, "{:?}", result.comparable.failure);
        result
    }

    /// Seconds of one round.
    pub(crate) fn seconds(&self, kernel: Kernel, rounds: u64) -> f64 {
        let learn = |rounds| self.run(kernel.seed(rounds)).run.seconds[&Phase::Learn];
        learn(1);
        best(|| (learn(rounds + 1) - learn(1)) / rounds as f64)
    }

    /// Fuel of one round.
    pub(crate) fn fuel(&self, kernel: Kernel) -> f64 {
        let fuel = |rounds| self.run(kernel.seed(rounds)).comparable.compute.training_fuel.expect("scored").0;
        // The first rounds also grow buffers.
        (fuel(12) - fuel(2)) as f64 / 10.0
    }
}
