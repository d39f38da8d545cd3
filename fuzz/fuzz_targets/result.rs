//! A result file of another machine: what is read has one text, and can be shown in every shape.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use thimble_challenge::result::{AgenticsResult, Failure, Journal, Mode, Phase};
use thimble_challenge::{Challenge, EvaluationResult, Published, Verdict};
use thimble_fuzz::write_seeds;

/// A practice challenge with the ranking metric of the seeds.
static CHALLENGE: LazyLock<Challenge> = LazyLock::new(|| {
    let json = include_bytes!("../../examples/challenges/frugal-digits/challenge.json");
    Challenge::from_json(json).expect("the example is valid")
});

fn check(bytes: &[u8]) {
    let result = match EvaluationResult::from_json(bytes) {
        Ok(result) => result,
        Err(error) => {
            assert!(error.to_string().chars().count() < 5_000, "{error}");
            return;
        }
    };
    let json = result.to_json();
    let again = EvaluationResult::from_json(json.as_bytes()).expect("what was read is written readably");
    assert_eq!(again, result);
    assert_eq!(again.to_json(), json);

    // Figures of any size go into these; none may become a number that JSON does not have.
    let published = Published::of(&result.comparable, &CHALLENGE);
    if published.outcome != thimble_challenge::result::Outcome::Scored {
        assert!(published.metrics.is_empty() && published.flops_per_sample.is_none());
    }
    let agentics = AgenticsResult::of(&result, &CHALLENGE.ranking.metric).to_json();
    assert!(agentics.ends_with("}\n"));
}

/// A run on public data, an official one, and one that failed with words of the guest.
fn seeds() -> Vec<Vec<u8>> {
    let recorded = include_bytes!("../../host/cli/tests/data/result.json");
    let scored = EvaluationResult::from_json(recorded).expect("the recorded result is valid");
    let mut official = scored.clone();
    official.comparable.mode = Mode::Official;
    official.published = Some(Published::of(&official.comparable, &CHALLENGE));
    let mut failed = scored.clone();
    failed.comparable.verdict = Verdict::SolutionError;
    failed.comparable.score = None;
    failed.comparable.failure = Some(Failure {
        phase: Phase::Learn,
        rule: "solve_error".to_owned(),
        message: "solve returned an error".into(),
    });
    let error = Some("naïve \u{1b}[31m \"words\"".to_owned());
    failed.run.journal = Some(Journal { error, log: "line\n\ttab".to_owned(), ..Journal::default() });
    [scored, official, failed].map(|result| result.to_json().into_bytes()).into()
}

fuzz_target!(init: write_seeds(seeds), |bytes: &[u8]| check(bytes));
