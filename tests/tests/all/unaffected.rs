//! The next evaluation in the same process is unaffected.

use thimble_challenge::Verdict;
use thimble_challenge::result::Mode;
use thimble_tests::case::Case;
use thimble_tests::evaluation::evaluate;
use thimble_tests::fixture;
use thimble_tests::template::Solution;

use crate::{abi, endless, kernels, memory, parameters, stack, state, world};

/// A case by name.
pub(crate) type Named = (&'static str, fn() -> Case);

/// Every hostile guest.
pub(crate) fn all() -> impl Iterator<Item = &'static Named> {
    let modules: [&[Named]; 8] =
        [abi::ALL, endless::ALL, kernels::ALL, memory::ALL, parameters::ALL, stack::ALL, state::ALL, world::ALL];
    modules.into_iter().flatten()
}

fn good(mode: Mode) -> String {
    let component = Solution::default().component();
    let evaluation = evaluate(&component, fixture::challenge(), mode);
    assert_eq!(evaluation.result.comparable.verdict, Verdict::Scored, "{:?}", evaluation.result.comparable);
    serde_json::to_string_pretty(&evaluation.result.comparable).expect("a result is JSON")
}

#[test]
fn a_good_evaluation_after_every_hostile_one_has_the_same_bytes() {
    let before = [good(Mode::Validation), good(Mode::Official)];
    for (name, case) in all() {
        // What must come of it is asserted by its own test.
        println!("{name}: {}", case().evaluate().result.comparable.verdict);
    }
    assert_eq!(before, [good(Mode::Validation), good(Mode::Official)]);
}
