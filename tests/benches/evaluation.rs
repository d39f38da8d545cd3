//! What an evaluation costs beside the guest's own work.
//!
//! Run with `cargo xtask bench`. Figures are medians; compare them within one run only, for machines differ.

#![expect(clippy::panic, reason = "a bench that cannot be set up fails where it stands")]

use std::ffi::OsString;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use thimble_admission::{StaticLimits, inspect};
use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::{EvaluationResult, Mode, Phase};
use thimble_challenge::{Package, Verdict};
use thimble_datasets::Dataset;
use thimble_runtime::{BoundData, Compiler, Request, Runner, Unobserved};
use thimble_tests::evaluation::{open_dataset, open_directory, product, thimble};
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::template::Solution;

const ROUNDS: usize = 30;
const CHALLENGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/imagenet-pareto-500k");

fn main() {
    let centroid = fs::read(product("examples/centroid.zip")).expect("the package is readable");
    let canonical = product("datasets/imagenet-pareto-canonical");
    let smallest = Solution::default().component();
    let small_data = StoredDataset::new(&fixture::tables());
    let (small_challenge, small_bound) = small_data.load(fixture::challenge(), Mode::Validation);

    let cache = TempDir::new().expect("a temporary directory");
    let cached = runner(Some(&cache));
    let uncached = runner(None);

    println!("median of {ROUNDS} rounds\n");
    fixed_cost(&cached, &smallest, &small_challenge, &small_bound);
    steps(&centroid, &canonical);
    compile(&uncached, &centroid);
    real_run(&cached, &centroid);
}

fn runner(cache: Option<&TempDir>) -> Runner {
    let command = vec![OsString::from(thimble()), OsString::from("sandbox-child"), OsString::from("compile")];
    Runner::new(Compiler { command, cache: cache.map(fixture::open) }).expect("the runner starts")
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

fn measure<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut once = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed()
    };
    once();
    median((0..ROUNDS).map(|_| once()).collect())
}

fn show(what: &str, time: Duration) {
    println!("{what:<64} {:>9.3} ms", time.as_secs_f64() * 1e3);
}

fn evaluate(runner: &Runner, submission: &[u8], challenge: &LoadedChallenge, data: &BoundData) -> EvaluationResult {
    let cancel = Arc::new(AtomicBool::new(false));
    let result = runner.evaluate(&Request { submission, challenge, data, cancel: &cancel }, &mut Unobserved);
    assert_eq!(result.comparable.verdict, Verdict::Scored, "{:?}", result.comparable.failure);
    result
}

/// A guest that does nothing, on 120 rows: what is left is ours.
fn fixed_cost(runner: &Runner, guest: &[u8], challenge: &LoadedChallenge, data: &BoundData) {
    show("evaluation of the smallest guest, artifact cached", measure(|| evaluate(runner, guest, challenge, data)));
}

fn steps(package: &[u8], dataset: &Path) {
    let component = Package::read(package).expect("the package is good").component;
    show("read the centroid package", measure(|| Package::read(package)));
    show("static rules on the centroid component", measure(|| inspect(&component, &StaticLimits::OFFICIAL)));
    show("open and verify the canonical dataset", measure(|| open_dataset(dataset)));
}

/// The compile phase with a child process of its own each time.
fn compile(runner: &Runner, package: &[u8]) {
    let (challenge, data) = canonical();
    let samples: Vec<_> = (0..5)
        .map(|_| {
            let result = evaluate(runner, package, &challenge, &data);
            assert_eq!(result.run.compile_cached, Some(false));
            Duration::from_secs_f64(result.run.seconds[&Phase::Compile])
        })
        .collect();
    show("compile the centroid component in a child, median of 5", median(samples));
}

/// Everything, on the canonical data.
fn real_run(runner: &Runner, package: &[u8]) {
    let (challenge, data) = canonical();
    evaluate(runner, package, &challenge, &data);
    let result = evaluate(runner, package, &challenge, &data);
    assert_eq!(result.run.compile_cached, Some(true));
    for (phase, seconds) in &result.run.seconds {
        show(&format!("centroid on imagenet-pareto-500k, {phase:?}"), Duration::from_secs_f64(*seconds));
    }
}

fn canonical() -> (LoadedChallenge, BoundData) {
    let challenge =
        LoadedChallenge::open(&open_directory(Path::new(CHALLENGE))).expect("the example challenge is valid");
    let dataset: Arc<Dataset> = Arc::new(open_dataset(&product("datasets/imagenet-pareto-canonical")));
    let data = BoundData::validation(&challenge, dataset).unwrap_or_else(|error| panic!("{error}"));
    (challenge, data)
}
