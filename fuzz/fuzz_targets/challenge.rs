//! `challenge.json` of a stranger: read strictly, written so that it reads back, and every figure that is derived of it.
#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{Disclosure, MAX_TEST_ROWS, figures};
use thimble_fuzz::write_seeds;

fn check(bytes: &[u8]) {
    let challenge = match Challenge::from_json(bytes) {
        Ok(challenge) => challenge,
        Err(errors) => {
            assert!(!errors.0.is_empty() && errors.0.iter().all(|fault| !fault.field.is_empty()), "{errors:?}");
            assert!(!errors.to_string().contains('\u{1b}'), "a terminal would obey {errors:?}");
            return;
        }
    };
    let json = challenge.to_json();
    let again = Challenge::from_json(json.as_bytes()).expect("what was accepted is written acceptably");
    assert_eq!(again, challenge);
    assert_eq!(again.to_json(), json);

    assert!(challenge.limits.prediction_fuel(MAX_TEST_ROWS).is_some());
    let disclosure = Disclosure::of(&challenge);
    assert!(disclosure.figures().all(|(_, values)| values >= 1.0), "{disclosure:?}");
    let bits = disclosure.bits_a_day(challenge.quotas.official_per_day, challenge.quotas.official_per_day);
    assert!(disclosure.bits() >= 0.0 && bits.is_finite(), "{bits} bits of {disclosure:?}");
    assert!(figures(&challenge).lines().count() > 5 && !challenge.outputs().is_empty());
}

/// The challenges of the examples: one of every task at least.
fn seeds() -> Vec<Vec<u8>> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/challenges");
    let entries = fs::read_dir(&examples).expect("the examples are there");
    // One directory is a family's, which holds a template.
    let files = entries.filter_map(|entry| fs::read(entry.expect("is readable").path().join("challenge.json")).ok());
    let seeds: Vec<Vec<u8>> = files.collect();
    assert!(seeds.len() >= 10 && seeds.iter().all(|seed| Challenge::from_json(seed).is_ok()));
    seeds
}

fuzz_target!(init: write_seeds(seeds), |bytes: &[u8]| check(bytes));
