//! Meter against clock: what a metered FLOP of prediction takes in time, over all example solutions.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use thimble_challenge::challenge::{LoadedChallenge, RowRule};
use thimble_challenge::result::Phase;
use thimble_runtime::{BoundData, Compiler, Request, Runner, Unobserved};
use thimble_tests::evaluation::{open_dataset, open_directory, product, thimble};
use thimble_tests::fixture;

const CHALLENGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/frugal-digits");

/// One prediction of the whole test split by each package of `target/examples`, without the replay of rows.
pub(crate) fn print() {
    let cache = TempDir::new().expect("a temporary directory");
    let command = vec![OsString::from(thimble()), OsString::from("sandbox-child"), OsString::from("compile")];
    let runner = Runner::new(Compiler { command, cache: Some(fixture::open(&cache)) }).expect("the runner starts");
    let mut challenge =
        LoadedChallenge::open(&open_directory(Path::new(CHALLENGE))).expect("the example challenge is valid");
    challenge.challenge.rows = RowRule::Transductive;
    let dataset = Arc::new(open_dataset(&product("datasets/frugal-digits-public")));

    println!("\nmeter against clock: prediction of frugal-digits");
    println!("{:<24} {:>14} {:>10} {:>12}", "solution", "FLOPs/sample", "ms", "ns per FLOP");
    let mut slowest = (0.0, String::new());
    let mut fastest = (f64::INFINITY, String::new());
    let mut packages: Vec<_> = fs::read_dir(product("examples")).expect("packages").flatten().collect();
    packages.sort_by_key(std::fs::DirEntry::file_name);
    for package in packages {
        let name = package.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = fs::read(package.path()).expect("the package is readable");
        let data = BoundData::validation(&challenge, dataset.clone()).expect("public data");
        let cancel = Arc::new(AtomicBool::new(false));
        let request = Request { submission: &bytes, challenge: &challenge, data: &data, cancel: &cancel };
        let result = runner.evaluate(&request, &mut Unobserved);
        let Some(flops) = result.comparable.compute.flops_per_sample else { continue };
        let seconds = result.run.seconds[&Phase::Predict];
        let per_flop = seconds * 1e9 / (flops * result.comparable.compute.test_rows as f64);
        println!("{name:<24} {flops:>14.0} {:>10.2} {per_flop:>12.3}", seconds * 1e3);
        if per_flop > slowest.0 {
            slowest = (per_flop, name.clone());
        }
        if per_flop < fastest.0 {
            fastest = (per_flop, name);
        }
    }
    let ratio = slowest.0 / fastest.0;
    println!("largest ÷ smallest: {ratio:.1} ({} ÷ {})  <= 8", slowest.1, fastest.1);
}
