//! Admission of any bytes: both of its readers agree, and every byte of what is admitted is counted.
#![no_main]

#[path = "../../host/admission/tests/admission/components.rs"]
#[expect(dead_code, reason = "the tests of admission, whose components these are, need more of it")]
mod components;

use libfuzzer_sys::fuzz_target;
use thimble_admission::required_features;
use thimble_fuzz::write_seeds;

fn check(bytes: &[u8]) {
    match components::inspect(bytes) {
        Ok(facts) => {
            assert_eq!(facts.total_bytes, bytes.len() as u64);
            assert_eq!(facts.counted_bytes + facts.custom_bytes, facts.total_bytes);
            assert!(facts.limits.iter().all(|entry| entry.used <= entry.limit), "{:?}", facts.limits);
        }
        Err(refusal) => assert!(!refusal.rule().is_empty() && refusal.to_string().len() < 2_000, "{refusal}"),
    }
    required_features(bytes);
}

/// The plainest submission and one for each kind of thing that admission counts, all of them admitted.
fn seeds() -> Vec<Vec<u8>> {
    let extras = [
        "",
        "(data (i32.const 16) \"weights\") (data \"passive\")",
        "(table 4 9 funcref) (elem (i32.const 0) func $probe $probe)",
        "(global v128 (v128.const i64x2 1 2)) (global (mut f64) (f64.const -0))",
        "(func $s (loop (br 0))) (start $s)",
        "(func (param i32) (result i32) (local i64 f32 v128)
           (block (block (block (br_table 0 1 2 1 (local.get 0))))) (i32.const 1))",
        "(func (param v128) (result v128) (f32x4.abs (local.get 0)))",
        "(type $t (func (param i32 i64) (result i32 i32)))
           (func (type $t) (if (result i32 i32) (local.get 0) (then (i32.const 1) (i32.const 2))
             (else (i32.const 3) (i32.const 4))))",
    ];
    let mut seeds: Vec<Vec<u8>> = extras.into_iter().map(components::guest).collect();
    seeds.push([components::plain(), &components::custom_section(64)].concat());
    for seed in &seeds {
        components::inspect(seed).expect("seeds are admitted");
    }
    seeds
}

fuzz_target!(init: write_seeds(seeds), |bytes: &[u8]| check(bytes));
