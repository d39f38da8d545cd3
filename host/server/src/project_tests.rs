#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use proptest::prelude::*;
use serde_json::Value;
use thimble_api::Compute;
use thimble_challenge::ParameterCount;
use thimble_challenge::result::{Failure, Phase};
use thimble_datasets::Digest;
use thimble_metrics::MetricValue;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn row(mode: Mode, state: RecordState) -> SubmissionRow {
    SubmissionRow {
        id: thimble_api::SubmissionId::fresh(),
        challenge_id: 1,
        challenge: "open".repeat(2).parse().unwrap(),
        account_id: 1,
        builder: "bob".parse().unwrap(),
        team_id: 1,
        team: "team".parse().unwrap(),
        mode,
        state,
        submitted_at: NOW.plus_millis(-100_000),
        started_at: None,
        heartbeat_at: None,
        finished_at: None,
        released_at: None,
        worker: None,
        attempts: 0,
        losses: 0,
        verdict: None,
        cancelled: false,
        improved: true,
        withdrawn: false,
        rescoring: false,
        name: None,
        version: None,
        note: String::new(),
        component: Some(Digest::of(b"component")),
        package: Digest::of(b"package"),
        package_bytes: 7,
        duplicate_of: None,
        reserved: Compute::from_flops(1_000),
        charged: Compute::from_flops(987_654_321),
        progress: None,
        result: Some(Digest::of(b"result")),
        published: None,
        revision: 3,
        release_tick_seconds: 900,
    }
}

fn published(outcome: Outcome, refused: bool) -> Published {
    Published {
        outcome,
        failure: refused.then(|| Failure {
            phase: Phase::Admit,
            rule: "component_bytes".to_owned(),
            message: "at most 4194304 bytes; found 4194305".to_owned(),
        }),
        metrics: [("accuracy".to_owned(), MetricValue::Value(0.9123))].into(),
        score: Some(0.9123),
        parameters: Some(ParameterCount(500)),
        flops_per_sample: Some(1_230.0),
        gco2e_per_sample: Some(1e-9),
        component_bytes: Some(4_096),
        transductive: Some(false),
        practice: false,
    }
}

/// What a worker knows while it runs, in figures that stand nowhere else.
fn progress() -> Progress {
    let point = thimble_challenge::result::CurvePoint { step: 424_242, value: Some(0.131_313) };
    Progress {
        heartbeat_at: NOW,
        phase: Some(Phase::Learn),
        fuel_used: Some(Fuel(55_667_788)),
        fuel_budget: Some(Fuel(99_887_766)),
        curves: [("secret-curve".to_owned(), vec![point])].into(),
    }
}

prop_compose! {
    /// Rows of official runs in every state that the store can hold, and others.
    fn officials()(
        state in prop_oneof![Just(RecordState::Queued), Just(RecordState::Running), Just(RecordState::Finished)],
        verdict in prop::option::of(prop::sample::select(Verdict::ALL.to_vec())),
        outcome in prop::option::of(prop_oneof![Just(Outcome::Scored), Just(Outcome::OverParameterLimit), Just(Outcome::Failed)]),
        flags in any::<[bool; 8]>(),
        released in prop::option::of(-10_000_i64..10_000),
        attempts in 0_u32..4,
    ) -> SubmissionRow {
        let [cancelled, improved, withdrawn, rescoring, refused, ended, running, heard] = flags;
        SubmissionRow {
            verdict,
            cancelled,
            improved,
            withdrawn,
            rescoring,
            attempts,
            published: outcome.map(|outcome| published(outcome, refused).into()),
            released_at: released.map(|millis| NOW.plus_millis(millis)),
            finished_at: (ended || state == RecordState::Finished).then_some(NOW.plus_millis(-31_313)),
            heartbeat_at: heard.then_some(NOW),
            progress: running.then(progress),
            worker: Some("host-of-the-operator".to_owned()),
            ..row(Mode::Official, state)
        }
    }
}

/// Every name of a field, at any depth.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.push(name.clone());
            names(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

proptest! {
    /// DESIGN §7: no live progress, exact fuel, times, memory or words of the guest leave an official run, whatever its row holds.
    #[test]
    fn an_official_run_tells_nothing_of_how_it_runs(row in officials()) {
        let told = builder(&row, Known::default(), NOW);
        let json = serde_json::to_value(&told).unwrap();
        let mut found = Vec::new();
        names(&json["run"], &mut found);
        let allowed = row.published.as_ref().is_some_and(|published| published.failure.is_some());
        for hidden in [
            "fuel", "fuel_used", "fuel_budget", "curves", "seconds", "peak_memory_bytes", "log", "cost", "training_flops",
            "worker", "finished_at", "verdict", "baseline", "independence", "progress", "result", "withdrawn",
        ] {
            prop_assert!(!found.iter().any(|name| name == hidden), "{hidden} in {json}");
        }
        // Only a refusal before any data was touched names its step.
        prop_assert!(allowed || !found.iter().any(|name| name == "phase"), "{json}");
        let text = json.to_string();
        for secret in ["55667788", "99887766", "424242", "secret-curve", "host-of-the-operator", "987654321F"] {
            prop_assert!(!text.contains(secret), "{secret} in {text}");
        }
        // When it ended is not told before its figures, and what it used never.
        prop_assert!(!text.contains(&NOW.plus_millis(-31_313).to_string()) || row.released_at.is_none(), "{text}");
        prop_assert_eq!(told.charged, None);
    }

    /// Where results wait for a grid, a run that has ended looks like one that is alive until its release.
    #[test]
    fn that_a_run_has_ended_is_not_told_before_its_release(ended in officials(), later in 1_i64..1_000_000, heard in 0_i64..59_000) {
        let waiting = SubmissionRow {
            state: RecordState::Finished,
            rescoring: false,
            released_at: Some(NOW.plus_millis(later)),
            finished_at: Some(NOW.plus_millis(-1)),
            release_tick_seconds: 900,
            ..ended
        };
        let running = SubmissionRow {
            state: RecordState::Running,
            released_at: None,
            finished_at: None,
            heartbeat_at: Some(NOW.plus_millis(-heard)),
            ..waiting.clone()
        };
        prop_assert_eq!(builder(&waiting, Known::default(), NOW), builder(&running, Known::default(), NOW));
    }

    /// Of a verdict only the published outcome, a cancellation and a fault of the service are told.
    #[test]
    fn verdicts_that_publish_the_same_tell_the_same(row in officials()) {
        let of = |verdict| serde_json::to_string(&builder(&SubmissionRow { verdict: Some(verdict), ..row.clone() }, Known::default(), NOW));
        let others: Vec<_> = Verdict::ALL.into_iter().filter(|verdict| *verdict != Verdict::PlatformFault).collect();
        let first = of(others[0]).unwrap();
        for verdict in others {
            prop_assert_eq!(&of(verdict).unwrap(), &first);
        }
    }

    #[test]
    fn figures_are_told_from_their_release_on(row in officials()) {
        let told = |now| match builder(&row, Known::default(), now).run {
            BuilderRun::Official(OfficialState::Finished(outcome)) => matches!(outcome.ending, OfficialEnding::Published(_)),
            _ => false,
        };
        if let Some(released_at) = row.released_at {
            prop_assert!(!told(released_at.plus_millis(-1)));
            let everyone = public(&row, released_at.plus_millis(-1));
            prop_assert_eq!(everyone, None);
        }
        if let Some(shown) = public(&row, NOW) {
            prop_assert!(told(NOW) && shown.released_at <= NOW && !row.withdrawn && row.improved && !row.cancelled);
        }
    }
}

#[test]
fn what_is_not_better_than_before_says_only_that() {
    let row = SubmissionRow {
        verdict: Some(Verdict::Scored),
        improved: false,
        finished_at: Some(NOW),
        released_at: Some(NOW),
        published: Some(published(Outcome::Scored, false).into()),
        ..row(Mode::Official, RecordState::Finished)
    };
    let json = serde_json::to_value(builder(&row, Known::default(), NOW)).unwrap();
    assert_eq!(json["run"]["status"]["ending"], "not_improved");
    assert!(!json.to_string().contains("0.9123"));
    assert_eq!(public(&row, NOW), None);
}

#[test]
fn a_result_stands_until_another_evaluation_has_ended() {
    let row = SubmissionRow {
        verdict: Some(Verdict::Scored),
        rescoring: true,
        finished_at: Some(NOW),
        released_at: Some(NOW),
        published: Some(published(Outcome::Scored, false).into()),
        ..row(Mode::Official, RecordState::Queued)
    };
    assert!(builder(&row, Known::default(), NOW).run.is_finished());
    assert!(public(&row, NOW).is_some());
}

#[test]
fn a_validation_run_without_its_result_says_how_it_ended() {
    let row = SubmissionRow {
        verdict: Some(Verdict::OutOfFuel),
        finished_at: Some(NOW),
        ..row(Mode::Validation, RecordState::Finished)
    };
    let BuilderRun::Validation(ValidationState::Finished(end)) = builder(&row, Known::default(), NOW).run else {
        unreachable!("it has ended")
    };
    assert_eq!((end.verdict, end.remedy.as_deref()), (Some(Verdict::OutOfFuel), remedy(Verdict::OutOfFuel)));
    assert_eq!(log(&row, None), Log::NotKept);
    let cancelled = SubmissionRow { cancelled: true, ..row };
    let BuilderRun::Validation(ValidationState::Finished(end)) = builder(&cancelled, Known::default(), NOW).run else {
        unreachable!("it has ended")
    };
    assert_eq!((end.verdict, end.remedy), (None, None));
}
