//! The service and its workers are killed again and again while submissions come in: nothing is lost, nothing is recorded
//! twice, everything ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use thimble_api::id::ChallengeName;
use thimble_api::page::PageQuery;
use thimble_api::submission::ListQuery;
use thimble_api::{Compute, SubmissionId};
use thimble_challenge::Verdict;
use thimble_challenge::result::Mode;
use thimble_client::{Client, IdempotencyKey, NewSubmission};

use super::site::{self, Site};

/// SIGKILLs, of the service and of the worker in turn at random.
const KILLS: u32 = 200;
/// Between two kills: an evaluation with its compilation takes about as long.
const PAUSE_MILLIS: std::ops::Range<u64> = 100..500;

#[test]
fn two_hundred_kills_lose_nothing_double_nothing_and_everything_ends() {
    let site = Site::new();
    let options = "--lease 1 --grace 0 --no-rate-limits";
    let mut served = site.serve_corners(options);
    let address = served.url.trim_start_matches("http://").to_owned();
    let (operator, builder) = (site.token("operator", "operator"), site.token("builder", "builder"));

    let done = Arc::new(AtomicBool::new(false));
    let submitter = {
        let (done, client) = (done.clone(), site::client(&served.url, &builder));
        thread::spawn(move || submit_until(&done, &client))
    };
    // The service is killed at any moment, the worker too; each comes back at once.
    let mut random = Random(7);
    let mut worker = site.worker("--workers 1 --lease 1 --grace 0");
    for _ in 0..KILLS {
        thread::sleep(Duration::from_millis(random.within(PAUSE_MILLIS)));
        if random.within(0..2) == 0 {
            worker.kill();
            worker = site.worker("--workers 1 --lease 1 --grace 0");
        } else {
            served.process.kill();
            served = site.serve_on(&address, options);
        }
    }
    done.store(true, Ordering::Relaxed);
    let accepted = submitter.join().expect("every submission was accepted in the end");

    let client = site::client(&served.url, &builder);
    let ended = wait_for_the_end(&client);
    let ids: BTreeSet<SubmissionId> = accepted.values().copied().collect();
    assert_eq!(ids.len(), accepted.len(), "two keys have one submission");
    assert_eq!(ended.keys().copied().collect::<BTreeSet<_>>(), ids, "what was accepted is what there is");

    let name: ChallengeName = site::CORNERS.parse().expect("a name");
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let query = PageQuery { after, limit: Some(200) };
        let page = site::client(&served.url, &operator).records(&name, &query).expect("the operator sees all").value;
        records.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let scored = records.iter().filter(|record| record.verdict == Some(Verdict::Scored)).count();
    let faults = records.iter().filter(|record| record.verdict == Some(Verdict::PlatformFault)).count();
    let attempts: u32 = records.iter().map(|record| record.attempts).sum();
    println!("{KILLS} kills: {} accepted, {scored} scored, {faults} platform faults, {attempts} attempts", ids.len());
    assert_eq!(scored + faults, ids.len(), "a kill is never the submission's fault");
    assert!(scored > ids.len() / 2, "{scored} of {}", ids.len());
    assert!(attempts >= ids.len() as u32 + KILLS / 20, "many kills hit an evaluation");
    // Each scored official run was published once.
    let board = client.distribution(&name, "accuracy").expect("there is a board").value;
    let official = records.iter().filter(|record| record.mode == Mode::Official);
    let official_scored = official.filter(|record| record.verdict == Some(Verdict::Scored)).count() as u64;
    assert_eq!(board.count, 1, "one builder");
    let rows = client.leaderboard(&name, &Default::default()).expect("there is a board").value.rows;
    assert_eq!(rows[0].submissions, official_scored);
    // Faults of ours cost nothing.
    for record in &records {
        if record.verdict == Some(Verdict::PlatformFault) {
            assert_eq!(record.charged, Compute::ZERO);
        }
    }
    let teams = site::client(&served.url, &operator).teams(&name, &PageQuery::default()).expect("teams").value;
    assert_eq!(teams.items[0].budget.reserved, Compute::ZERO, "nothing is held for runs that have ended");
    assert_eq!(teams.items[0].budget.used, records.iter().map(|record| record.charged).sum());
    worker.stop();
    served.process.stop();
}

/// Submits a new component each time, official and validation in turn, and keeps on until each is acknowledged.
fn submit_until(done: &AtomicBool, client: &Client) -> BTreeMap<String, SubmissionId> {
    let name: ChallengeName = site::CORNERS.parse().expect("a name");
    let mut accepted = BTreeMap::new();
    for index in 0_u32.. {
        if done.load(Ordering::Relaxed) {
            break;
        }
        let key = IdempotencyKey::fresh();
        let mode = if index.is_multiple_of(2) { Mode::Official } else { Mode::Validation };
        let package = site::corners_component(index);
        // The service may die before it accepts, after it has, and while it answers: the key makes them the same.
        let submission = loop {
            let new = NewSubmission { package: &package, mode, note: "", key: &key, again: false };
            match client.submit(&name, &new) {
                Ok(answer) => break answer.value.submission,
                Err(error) if error.refusal().is_some() => panic!("{error}"),
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        };
        accepted.insert(key.as_str().to_owned(), submission.id);
        thread::sleep(Duration::from_millis(50));
    }
    accepted
}

/// Every submission of the builder, once all have ended.
fn wait_for_the_end(client: &Client) -> BTreeMap<SubmissionId, bool> {
    let start = Instant::now();
    loop {
        let mut found = BTreeMap::new();
        let mut after = None;
        loop {
            let query = ListQuery { after, limit: Some(200), ..ListQuery::default() };
            let page = client.submissions(&query).expect("the service is there").value;
            found.extend(page.items.iter().map(|submission| (submission.id, submission.run.is_finished())));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if found.values().all(|finished| *finished) {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(240), "{found:?}");
        thread::sleep(Duration::from_millis(200));
    }
}

/// Numerical Recipes' linear congruential generator: the same kills in every run, at moments that the machine chooses.
struct Random(u32);

impl Random {
    fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        range.start + u64::from(self.0 >> 8) % (range.end - range.start)
    }
}
