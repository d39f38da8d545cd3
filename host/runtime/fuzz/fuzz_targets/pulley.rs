//! Random solutions as machine code and in the engine's interpreter: the same outputs, the same fuel, the same end.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use thimble_challenge::Verdict;
use thimble_fuzz::write_seeds;
use thimble_runtime::Runner;
use thimble_runtime_fuzz::{Arena, Submission, agreed, seeds};

static MACHINE: LazyLock<Runner> =
    LazyLock::new(|| Runner::without_children(None).expect("the engine starts on this machine"));

static INTERPRETER: LazyLock<Runner> =
    LazyLock::new(|| Runner::without_children(Some("pulley64")).expect("the engine has its interpreter"));

static ARENA: LazyLock<Arena> = LazyLock::new(Arena::new);

fn check(bytes: &[u8]) -> Corpus {
    let Some(Submission { component, .. }) = Submission::of(bytes) else { return Corpus::Reject };
    let [machine, interpreter] = [&MACHINE, &INTERPRETER].map(|runner| ARENA.evaluate(runner, &component));
    // Frames have other sizes in each, so that a recursion may overflow one stack and not the other.
    let overflowed = |verdict| verdict == Verdict::StackOverflow;
    if ![&machine, &interpreter].iter().any(|result| overflowed(result.comparable.verdict)) {
        assert_eq!(agreed(&machine), agreed(&interpreter), "machine code left, interpreter right");
    }
    Corpus::Keep
}

fuzz_target!(init: write_seeds(seeds), |bytes: &[u8]| -> Corpus { check(bytes) });
