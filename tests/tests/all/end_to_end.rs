//! The figures that this project is judged by, and the same bytes on every run.
//!
//! Golden values: the statement's data (Frontier-CS) evaluated by its original evaluator. Nearest centroid: 1004 of
//! 1024 rows from the training split, 1014 from training and validation; the MLP 0.9014.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use thimble_challenge::challenge::LoadedChallenge;
use thimble_challenge::result::EvaluationResult;
use thimble_datasets::Dataset;
use thimble_runtime::BoundData;
use thimble_tests::evaluation::{evaluate_bound, open_dataset, open_directory, product};

use crate::processors::comparable_json;

const CHALLENGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/challenges/imagenet-pareto-500k");

fn canonical() -> Arc<Dataset> {
    Arc::new(open_dataset(&product("datasets/imagenet-pareto-canonical")))
}

fn challenge() -> LoadedChallenge {
    LoadedChallenge::open(&open_directory(Path::new(CHALLENGE))).expect("the example challenge is valid")
}

fn example(name: &str) -> Vec<u8> {
    fs::read(product(&format!("examples/{name}.zip"))).expect("the package is readable")
}

/// An example's result in validation, with another seed if one is given.
pub(crate) fn validate(name: &str, seed: Option<u64>) -> EvaluationResult {
    let mut challenge = challenge();
    if let Some(seed) = seed {
        challenge.challenge.seed = seed;
    }
    let data = BoundData::validation(&challenge, canonical()).expect("the canonical data fits");
    let result = evaluate_bound(&data, &example(name), &challenge).result;
    assert_eq!(result.comparable.failure, None, "{name}");
    result
}

pub(crate) fn accuracy(result: &EvaluationResult) -> f64 {
    result.comparable.metrics["accuracy"].value().expect("defined")
}

fn parameters(result: &EvaluationResult) -> u64 {
    result.comparable.parameters.as_ref().expect("counted").counted.0
}

#[test]
fn centroid_of_train_and_validation_has_1014_of_1024_rows() {
    let result = validate("centroid", None);
    assert_eq!(accuracy(&result), 1014.0 / 1024.0);
    assert_eq!(accuracy(&result), 0.990_234_375);
    assert_eq!(parameters(&result), 49_280);
    // (0.990234375 − 0.72) / (1 − 0.72) × 100
    let score = result.comparable.score.expect("scored");
    assert!((score.value - 96.512_276_785_714_29).abs() < 1e-9, "{score:?}");
    assert_eq!(score.unclamped, Some(score.value));
}

#[test]
fn centroid_of_train_only_has_1004_of_1024_rows() {
    let result = validate("centroid-train-only", None);
    assert_eq!(accuracy(&result), 1004.0 / 1024.0);
    assert_eq!(accuracy(&result), 0.980_468_75);
    assert_eq!(parameters(&result), 49_280);
}

/// The original reached 0.9014.
#[test]
fn mlp_is_within_the_spread_of_the_original_over_3_seeds() {
    for seed in [1, 2, 3] {
        let result = validate("mlp", Some(seed));
        let accuracy = accuracy(&result);
        println!("seed {seed}: accuracy {accuracy}, {:?}", result.comparable.compute);
        assert!((0.88..=0.92).contains(&accuracy), "seed {seed}: {accuracy}");
        assert_eq!(parameters(&result), 197_120);
    }
}

#[test]
fn the_same_evaluation_twice_has_the_same_bytes() {
    let first = comparable_json(&validate("centroid", None));
    assert_eq!(first, comparable_json(&validate("centroid", None)));
}
