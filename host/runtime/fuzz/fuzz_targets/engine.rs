//! Random solutions through admission, the compiler and the runtime: every end is the guest's, within its limits, and the
//! same the second time.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use thimble_admission::Rule;
use thimble_challenge::Verdict;
use thimble_challenge::result::EvaluationResult;
use thimble_fuzz::write_seeds;
use thimble_runtime::Runner;
use thimble_runtime_fuzz::{Arena, Submission, agreed};

static RUNNER: LazyLock<Runner> =
    LazyLock::new(|| Runner::without_children(None).expect("the engine starts on this machine"));

static ARENA: LazyLock<Arena> = LazyLock::new(Arena::new);

fn check(bytes: &[u8]) -> Corpus {
    let Some(Submission { component, edited }) = Submission::of(bytes) else { return Corpus::Reject };
    let result = ARENA.evaluate(&RUNNER, &component);
    check_end(&result, edited);
    check_limits(&result);
    assert_eq!(agreed(&result), agreed(&ARENA.evaluate(&RUNNER, &component)));
    Corpus::Keep
}

/// Refuses ends that are not the guest's, and those that say that generator, admission and engine speak different languages.
fn check_end(result: &EvaluationResult, edited: bool) {
    let failure = &result.comparable.failure;
    let rule = failure.as_ref().map(|failure| failure.rule.as_str());
    match result.comparable.verdict {
        Verdict::PlatformFault => panic!("a guest made a fault of the platform's: {failure:?}"),
        // The budgets are spent long before.
        Verdict::Deadline => panic!("a guest ran on without spending fuel: {failure:?}"),
        Verdict::Rejected => {
            assert_ne!(rule, Some("compile"), "the engine refused what was admitted: {failure:?}");
            // A random module may be over a limit; what is wrong with its shape would be wrong with the generator.
            let misshapen = rule == Some("contract") || Rule::ALL.iter().any(|broken| rule == Some(broken.id()));
            assert!(edited || !misshapen, "the generator must speak the language of admission: {failure:?}");
        }
        _ => {}
    }
}

fn check_limits(result: &EvaluationResult) {
    let compute = &result.comparable.compute;
    let budget = compute.training_fuel_budget;
    assert!(compute.training_fuel.is_none_or(|used| used < budget), "{compute:?}");
    assert!(compute.training_fuel_charged <= budget, "{compute:?}");
    let memory = result.run.peak_memory_bytes;
    assert!(memory.is_none_or(|bytes| bytes <= ARENA.memory_bytes()), "{memory:?}");
}

/// Seeds that all ended the same way would start nowhere.
fn seeds() -> Vec<Vec<u8>> {
    let seeds = thimble_runtime_fuzz::seeds();
    let end = |seed: &Vec<u8>| {
        let submission = Submission::of(seed).expect("a seed has a module");
        ARENA.evaluate(&RUNNER, &submission.component).comparable.verdict
    };
    let ends: Vec<_> = seeds.iter().map(end).collect();
    for (verdict, least) in [(Verdict::Scored, seeds.len() / 3), (Verdict::Trap, 1), (Verdict::OutOfFuel, 1)] {
        assert!(ends.iter().filter(|end| **end == verdict).count() >= least, "{verdict}: {ends:?}");
    }
    seeds
}

fuzz_target!(init: write_seeds(seeds), |bytes: &[u8]| -> Corpus { check(bytes) });
