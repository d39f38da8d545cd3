//! `thimble run --mode official`: what it refuses, and what it shows.

use crate::bench::Bench;

const RUN: &str = "run garbage.wasm --challenge toy --mode official --official";

/// The challenge `toy`, data in `official`, and a submission that is refused before it touches either.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.challenge(|_| ());
    bench.dataset("official", 2);
    bench.write("garbage.wasm", "not a component, MARKER");
    bench
}

#[test]
fn official_needs_a_dataset_and_a_dataset_needs_official() {
    let bench = bench();
    assert_eq!(bench.thimble("run garbage.wasm --challenge toy --mode official").code, 2);
    bench.thimble("run garbage.wasm --challenge toy --official official").assert_error(2, &["--mode official"]);
    bench.thimble(&format!("{RUN} official --seed 1")).assert_error(2, &["--seed is for validation"]);
}

#[test]
fn no_commitment_no_run() {
    bench().thimble(&format!("{RUN} official")).assert_error(3, &["official_commitment", "thimble challenge commit"]);
}

#[test]
fn other_data_than_committed_to_is_refused() {
    let bench = bench();
    bench.thimble("challenge commit toy --official official").assert_code(0);
    bench.dataset("other", 3);
    bench.thimble(&format!("{RUN} other")).assert_error(3, &["dataset other", "official_commitment"]);
}

#[test]
fn public_data_is_refused_unless_the_challenge_is_practice() {
    let bench = bench();
    bench.thimble(&format!("{RUN} toy/public")).assert_error(3, &["dataset toy/public", "is public", "practice"]);
    bench.challenge(|challenge| challenge["practice"] = true.into());
    bench.thimble("challenge commit toy --official toy/public").assert_code(0);
    bench.thimble(&format!("{RUN} toy/public")).assert_code(10);
}

#[test]
fn data_without_a_secret_is_refused() {
    let bench = bench();
    std::fs::remove_file(bench.path("official/operator-secret.json")).unwrap();
    bench.thimble(&format!("{RUN} official")).assert_error(3, &["dataset official", "operator-secret.json"]);
}

#[test]
fn only_the_published_block_is_shown_and_the_guest_says_nothing() {
    let bench = bench();
    bench.thimble("challenge commit toy --official official").assert_code(0);
    let ended = bench.thimble(&format!("{RUN} official --out result.json"));
    ended.assert_code(10);
    let labels: Vec<_> = ended.stdout.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(labels, ["challenge", "outcome", "why"], "{ended:#?}");

    let result = bench.json("result.json");
    assert_eq!(result["comparable"]["mode"], "official");
    assert_eq!(result["published"]["outcome"], "failed");
    assert!(result["run"]["journal"].is_null());
    let digest = bench.json("official/dataset.json")["digest"].as_str().unwrap().to_owned();
    for text in [ended.stdout, bench.read("result.json")] {
        assert!(!text.contains("MARKER") && !text.contains(&digest), "{text}");
    }
}
