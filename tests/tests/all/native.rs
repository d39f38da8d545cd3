//! A guest's own `cargo test` on exported public data does what the sandbox does, bit for bit.

use thimble_challenge::result::Mode;
use thimble_sdk::Solution;
use thimble_sdk::testing::PublicData;
use thimble_tests::evaluation::{evaluate, product};
use thimble_tests::{fixture, template};

use crate::end_to_end::{accuracy, validate};

/// The example `name` in the sandbox, and its crate in this process.
fn assert_same_natively<S: Solution>(name: &str) {
    let data = PublicData::open(product("datasets/export/imagenet-pareto-500k")).expect("the exported data opens");
    let native = data.evaluate::<S>().expect("the solution runs natively");
    let sandbox = validate(name, None);
    let digest = sandbox.run.parameters_digest.expect("a validation run that was counted has the digest");
    assert_eq!(native.parameters_digest, digest.to_string(), "{name}");
    assert_eq!(native.accuracy, accuracy(&sandbox), "{name}");
}

#[test]
fn centroid_has_the_same_parameters_natively_and_in_the_sandbox() {
    assert_same_natively::<centroid::Centroid>("centroid");
}

/// 50 epochs of Adam, each in an order of its own.
#[test]
fn mlp_has_the_same_parameters_natively_and_in_the_sandbox() {
    assert_same_natively::<mlp::Baseline>("mlp");
}

/// It would be a message of the guest's, 32 bytes long.
#[test]
fn an_official_run_keeps_no_digest_of_parameters() {
    let guest = template::Solution::default().component();
    let digest = |mode| evaluate(&guest, fixture::challenge(), mode).result.run.parameters_digest;
    assert!(digest(Mode::Validation).is_some());
    assert_eq!(digest(Mode::Official), None);
}
