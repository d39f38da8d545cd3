//! The next evaluation in the same process is unaffected.

use thimble_challenge::Verdict;
use thimble_challenge::result::Mode;
use thimble_tests::case::Case;
use thimble_tests::evaluation::evaluate;
use thimble_tests::fixture;
use thimble_tests::template::Solution;

use crate::{abi, endless, memory, parameters, stack, state, world};

/// A case by name.
type Named = (&'static str, fn() -> Case);

fn good(mode: Mode) -> String {
    let component = Solution::default().component();
    let evaluation = evaluate(&component, fixture::challenge(), mode);
    assert_eq!(evaluation.result.comparable.verdict, Verdict::Scored, "{:?}", evaluation.result.comparable);
    serde_json::to_string_pretty(&evaluation.result.comparable).expect("a result is JSON")
}

#[test]
fn a_good_evaluation_after_every_hostile_one_has_the_same_bytes() {
    let before = [good(Mode::Validation), good(Mode::Official)];
    let all: [&[Named]; 7] = [abi::ALL, endless::ALL, memory::ALL, parameters::ALL, stack::ALL, state::ALL, world::ALL];
    for (name, case) in all.into_iter().flatten() {
        // What must come of it is asserted by its own test.
        println!("{name}: {}", case().evaluate().result.comparable.verdict);
    }
    assert_eq!(before, [good(Mode::Validation), good(Mode::Official)]);
}
