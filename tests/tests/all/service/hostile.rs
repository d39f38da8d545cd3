//! Everything hostile that these tests know, sent to one service while others use it: each ends as it must, honest
//! submissions beside it have the bytes that they have alone, and memory stays bounded.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use thimble_api::SubmissionId;
use thimble_api::id::ChallengeName;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::{Quotas, Visibility};
use thimble_challenge::result::Mode;
use thimble_client::{Client, IdempotencyKey, NewSubmission};
use thimble_tests::case::Case;
use thimble_tests::hostile::{Expected, Hostile, packages};
use thimble_tests::template::Solution;

use super::processes::{descendants, peak_bytes, started_with};
use super::running::Running;
use super::site::{self, CORNERS};
use crate::{abi, endless, memory, parameters, stack, state, world};

/// The most memory that the process may ever have had that answers requests, whatever is sent to it.
const SERVER_BYTES: u64 = 256 << 20;
/// The same of any process that evaluates: a guest's 64 MiB twice, values on their way, code, the compiler at its dearest.
const EVALUATION_BYTES: u64 = 768 << 20;
/// An honest submission after so many hostile ones.
const HONEST_EVERY: usize = 8;
/// The longest that anyone may wait for an answer while all this runs.
const ANSWER: Duration = Duration::from_secs(5);

#[test]
fn every_hostile_submission_ends_as_it_must_and_disturbs_nobody() {
    let running = Running::new("--workers 2 --lease 10");
    let honest = Solution::default().component();
    let alone = running.scored(running.submit(CORNERS, &honest)).1;
    let workers = running.workers();
    let challenges = publish_all(&running, &corpus());

    let done = AtomicBool::new(false);
    let start = Instant::now();
    let (outcomes, honest_ids, load, peaks) = thread::scope(|scope| {
        let load = scope.spawn(|| use_until(&done, &running));
        let peaks = scope.spawn(|| watch_until(&done, &running));
        let mut sent = Vec::new();
        let mut honest_ids = Vec::new();
        for (index, hostile) in corpus().into_iter().enumerate() {
            if index.is_multiple_of(HONEST_EVERY) {
                honest_ids.push(running.submit(CORNERS, &honest));
            }
            let name = &challenges[&rules_of(&hostile.challenge)];
            sent.push((send(&running.builder, name, &hostile), hostile));
        }
        let outcomes: Vec<(String, bool)> = sent.iter().map(|(sent, hostile)| judge(&running, sent, hostile)).collect();
        let ended: Vec<_> = honest_ids.iter().map(|id| running.scored(*id)).collect();
        done.store(true, Ordering::Relaxed);
        (outcomes, ended, load.join().expect("no answer fails"), peaks.join().expect("it watches"))
    });

    for (line, _) in &outcomes {
        println!("{line}");
    }
    let as_expected = outcomes.iter().filter(|(_, right)| *right).count();
    let (answers, slowest) = load;
    println!(
        "{as_expected} of {} as they must, {} honest beside them, in {:.0} s; {answers} answers, the slowest after {slowest:.2?}",
        outcomes.len(),
        honest_ids.len(),
        start.elapsed().as_secs_f64(),
    );
    let server = peak_bytes(running.served.process.id()).expect("it runs");
    for (what, bytes) in std::iter::once((&"serve", &server)).chain(&peaks) {
        println!("peak memory of {what}: {} MiB", bytes >> 20);
    }

    assert!(outcomes.len() >= 60, "{}", outcomes.len());
    let wrong: Vec<&String> = outcomes.iter().filter(|(_, right)| !right).map(|(line, _)| line).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (record, comparable) in &honest_ids {
        assert_eq!((record.attempts, *comparable == alone), (1, true), "{record:?}");
    }
    assert_eq!(running.workers(), workers, "no worker died");
    assert!(server < SERVER_BYTES, "{server}");
    assert!(peaks.values().all(|bytes| *bytes < EVALUATION_BYTES), "{peaks:?}");
    assert!(answers > 100 && slowest < ANSWER, "{answers} answers, the slowest after {slowest:?}");
    running.served.process.stop();
}

/// Every hostile package and guest.
fn corpus() -> Vec<Hostile> {
    type Named = (&'static str, fn() -> Case);
    let guests: [&[Named]; 7] =
        [abi::ALL, endless::ALL, memory::ALL, parameters::ALL, stack::ALL, state::ALL, world::ALL];
    let guests = guests.into_iter().flatten().map(|(name, case)| case().hostile(name));
    packages().into_iter().chain(guests).collect()
}

/// What tells one challenge from another.
fn rules_of(challenge: &Challenge) -> String {
    serde_json::to_string(challenge).expect("JSON")
}

/// Publishes each challenge of the corpus under a name of its own.
fn publish_all(running: &Running, corpus: &[Hostile]) -> BTreeMap<String, ChallengeName> {
    let mut published = BTreeMap::new();
    for hostile in corpus {
        let rules = rules_of(&hostile.challenge);
        if published.contains_key(&rules) {
            continue;
        }
        let name = format!("hostile-{}", published.len());
        let datasets = ("corners-public", "corners-official");
        site::publish(&running.operator, &name, &hostile.challenge, datasets, Visibility::Public, |draft| {
            draft.quotas = Quotas { official_per_day: 1_000, validation_per_day: 10_000 };
            draft.rules.concurrency = 4;
            draft.rules.failures_per_day = 1_000;
            // Some of these challenges allow so much compute that a run is ended by the clock alone.
            draft.rules.team_budget = "1EF".parse().expect("an amount");
            draft.practice = true;
        });
        let name: ChallengeName = name.parse().expect("a name");
        published.insert(rules, name);
    }
    published
}

/// What the service says to a submission: its number, or why not.
fn send(builder: &Client, challenge: &ChallengeName, hostile: &Hostile) -> Result<SubmissionId, String> {
    let key = IdempotencyKey::fresh();
    let new =
        NewSubmission { package: &hostile.submission, mode: hostile.mode, note: &hostile.name, key: &key, again: true };
    match builder.submit(challenge, &new) {
        Ok(answer) => Ok(answer.value.submission.id),
        Err(error) => Err(error.to_string()),
    }
}

/// A line about a submission, and whether it ended as it must.
fn judge(running: &Running, sent: &Result<SubmissionId, String>, hostile: &Hostile) -> (String, bool) {
    let (outcome, right) = match (sent, hostile.expected) {
        (Err(refusal), Expected::NoPackage { rule }) => {
            (format!("refused: {rule}"), refusal.contains(&format!("the rule `{rule}`")))
        }
        (Ok(id), Expected::Ends { verdict, phase, rule }) => {
            let record = running.ended(*id);
            let failure = record.result.as_ref().and_then(|result| result.comparable.failure.as_ref());
            let right = record.verdict == Some(verdict)
                && failure.map(|failure| failure.phase) == phase
                && failure.map(|failure| failure.rule.as_str()) == rule
                && record.attempts == 1;
            let found = record.verdict.map_or("none", |verdict| verdict.name());
            (format!("{found} {} in attempt {}", failure.map_or("", |failure| &failure.rule), record.attempts), right)
        }
        (Ok(id), Expected::NoPackage { .. }) => (format!("accepted as {id}"), false),
        // What is no package at all need not wait for a worker either.
        (Err(refusal), Expected::Ends { rule, .. }) => {
            let right = rule.is_some_and(|rule| refusal.contains(&format!("the rule `{rule}`")));
            (format!("refused: {refusal}"), right)
        }
    };
    let mode = if hostile.mode == Mode::Official { " (official)" } else { "" };
    let mark = if right { "as it must" } else { "WRONG" };
    (format!("{:70} {outcome}, {mark}", format!("{}{mode}", hostile.name)), right)
}

/// What people do meanwhile: answers, and how long the slowest took.
fn use_until(done: &AtomicBool, running: &Running) -> (u32, Duration) {
    let client = running.served.client(running.token());
    let name: ChallengeName = CORNERS.parse().expect("a name");
    let (mut answers, mut slowest) = (0, Duration::ZERO);
    while !done.load(Ordering::Relaxed) {
        let start = Instant::now();
        match answers % 4 {
            0 => drop(client.leaderboard(&name, &Default::default()).expect("the leaderboard")),
            1 => drop(client.submissions(&Default::default()).expect("one's submissions")),
            2 => drop(client.challenge(&name).expect("a challenge")),
            _ => drop(client.challenges(&Default::default()).expect("the list")),
        }
        slowest = slowest.max(start.elapsed());
        answers += 1;
        thread::sleep(Duration::from_millis(20));
    }
    (answers, slowest)
}

/// The most memory that any process of each kind has had.
fn watch_until(done: &AtomicBool, running: &Running) -> BTreeMap<&'static str, u64> {
    let server = running.served.process.id();
    let mut peaks = BTreeMap::new();
    while !done.load(Ordering::Relaxed) {
        let (workers, compilers) = (started_with(server, "worker-child"), started_with(server, "compile"));
        for pid in descendants(server) {
            let kind = if workers.contains(&pid) {
                "a worker"
            } else if compilers.contains(&pid) {
                "a compile child"
            } else {
                "an evaluation"
            };
            let peak = peaks.entry(kind).or_insert(0);
            *peak = peak_bytes(pid).unwrap_or(0).max(*peak);
        }
        thread::sleep(Duration::from_millis(25));
    }
    peaks
}
