//! Workers and services that die, at moments that are chosen: nothing is lost, nothing is wrong, and nobody else notices.

use std::env;
use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use thimble_api::operator::RecordState;
use thimble_api::{SubmissionId, Timestamp};
use thimble_challenge::LoadedChallenge;
use thimble_challenge::result::Phase;
use thimble_runtime::{BoundData, Event, Observer};
use thimble_store::{Answer, Job, Moment, Store};
use thimble_tests::evaluation::{evaluate_watched, open_dataset};
use thimble_tests::template::returns_parameters;

use super::processes::{descendants, kill, runs, started_with, wait_for};
use super::running::{LONG, PATIENCE, Running, learns_for_long, predicts_for_long, reads_for_long};
use super::site::{self, CORNERS, numbered};
use crate::world;

/// How long a worker may be silent in these tests. Deaths are noticed long before.
const LEASE: Duration = Duration::from_secs(3);
const OPTIONS: &str = "--workers 1 --lease 3 --grace 0";

/// The result is the one of a run that nobody disturbed, byte for byte.
#[test]
fn a_worker_killed_while_it_learns_predicts_or_compiles_is_replaced_at_once_and_loses_nothing() {
    let running = Running::new(OPTIONS);
    let compiles = |running: &Running| {
        wait_for("a compile child", PATIENCE, || started_with(running.served.process.id(), "compile").pop());
    };
    let guests = [
        ("learn", learns_for_long().component()),
        ("predict", predicts_for_long().component()),
        ("compile", world::dear_functions(2)),
    ];
    for (phase, guest) in guests {
        // Its code is not kept from another run: an artifact is found by the component's bytes.
        let id = running.submit(LONG, &guest);
        match phase {
            "learn" => running.wait_until_in(id, Phase::Learn),
            "predict" => running.wait_until_in(id, Phase::Predict),
            _ => compiles(&running),
        }
        let workers = running.workers();
        assert_eq!(workers.len(), 1);
        kill(workers[0]);
        let killed = Instant::now();
        wait_for("another worker", PATIENCE, || {
            let record = running.record(id);
            (record.attempts == 2 && record.state == RecordState::Running).then_some(())
        });
        let waited = killed.elapsed();
        assert!(waited < LEASE, "{phase}: {waited:?}");
        let (record, disturbed) = running.scored(id);
        assert_eq!(record.attempts, 2, "{phase}");
        let (_, alone) = running.scored(running.submit(LONG, &guest));
        assert_eq!(disturbed, alone, "{phase}");
        println!("{phase}: taken again after {:.2} s", waited.as_secs_f64());
    }
    running.served.process.stop();
}

#[test]
fn a_submission_that_loses_three_workers_is_our_fault_and_the_next_one_is_not_affected() {
    let running = Running::new(OPTIONS);
    let id = running.submit(LONG, &learns_for_long().component());
    for attempt in 1..=3 {
        wait_for("an attempt", PATIENCE, || {
            let record = running.record(id);
            (record.attempts == attempt && record.state == RecordState::Running).then_some(())
        });
        kill(wait_for("a worker", PATIENCE, || running.workers().pop()));
    }
    let record = running.ends_as_our_fault(id);
    assert_eq!((record.attempts, record.result), (3, None));
    let next = running.submit(CORNERS, &returns_parameters(4).component());
    assert_eq!(running.scored(next).0.attempts, 1);
    running.served.process.stop();
}

/// Nothing of a dead service goes on, and what it had goes on under the next one.
#[test]
fn a_killed_service_takes_its_workers_with_it_and_they_put_back_what_they_have() {
    let mut running = Running::new("--workers 2 --lease 600 --grace 0");
    let ids = [0, 1].map(|index| running.submit(LONG, &numbered(learns_for_long().component(), index)));
    for id in ids {
        wait_for("a worker", PATIENCE, || (running.record(id).state == RecordState::Running).then_some(()));
    }
    let address = running.served.url.trim_start_matches("http://").to_owned();
    let processes = descendants(running.served.process.id());
    assert!(processes.len() >= 2, "{processes:?}");
    let killed = Instant::now();
    kill(running.served.process.id());
    wait_for("the end of the workers", Duration::from_secs(15), || {
        (!processes.iter().any(|pid| runs(*pid))).then_some(())
    });
    println!("{} processes ended {:.2} s after their service", processes.len(), killed.elapsed().as_secs_f64());
    let next = running.site.serve_on(&address, "--workers 2 --lease 600 --grace 0 --no-rate-limits");
    running.reach(next);
    for id in ids {
        wait_for("a worker", Duration::from_secs(30), || (running.record(id).attempts == 2).then_some(()));
        running.scored(id);
    }
    // No lease was waited for, and no loss was counted.
    assert_eq!(ids.map(|id| losses(&running, id)), [0, 0]);
    running.served.process.stop();
}

/// Told to stop, a service gives its workers the grace period, and then they put back what they have.
#[test]
fn a_stopped_service_leaves_no_process_and_no_lease() {
    let running = Running::new("--workers 2 --lease 60 --grace 1");
    let id = running.submit(LONG, &learns_for_long().component());
    wait_for("a worker", PATIENCE, || (running.record(id).state == RecordState::Running).then_some(()));
    let processes = descendants(running.served.process.id());
    running.served.process.stop();
    assert_eq!(processes.iter().filter(|pid| runs(**pid)).count(), 0);
    let row = in_store(&running.site.path("data"), async |store: &Store| store.submission(id).await);
    let row = row.expect("read").expect("it is kept");
    assert_eq!((row.state, row.losses), (RecordState::Queued, 0));
}

/// The file is mapped by the worker that reads it: what is gone of it is a SIGBUS there.
#[test]
fn a_dataset_cut_short_while_it_is_read_is_our_fault_and_other_data_is_served_on() {
    let running = Running::new(OPTIONS);
    // A second challenge on data of its own.
    let directory = running.site.path("fragile");
    fs::create_dir(&directory).expect("a directory");
    let tables = thimble_tests::fixture::tables();
    thimble_datasets::write(&thimble_tests::evaluation::open_directory(&directory), &tables).expect("written");
    running.site.thimble("dataset register fragile --name fragile --data data");
    let mut rules = thimble_tests::fixture::challenge();
    rules.limits.training_flops.0 = 100_000_000_000;
    rules.limits.wall_seconds = 300;
    let visible = thimble_challenge::challenge::Visibility::Public;
    site::publish(&running.operator, "fragile", &rules, ("fragile", "corners-official"), visible, |draft| {
        draft.practice = true;
    });
    let id = running.submit("fragile", &reads_for_long().component());
    running.wait_until_in(id, Phase::Learn);
    let honest = running.submit(CORNERS, &returns_parameters(4).component());
    for entry in fs::read_dir(&directory).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.extension().is_some_and(|extension| extension == "arrow") {
            OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(0)).expect("truncated");
        }
    }
    let record = running.ends_as_our_fault(id);
    assert_eq!(record.attempts, 3, "it is tried again, in case the file comes back");
    assert_eq!(running.scored(honest).0.attempts, 1);
    running.served.process.stop();
}

/// Where the process that stands in for a worker dies: at the start of each phase, and around the write of the end.
const MOMENTS: [&str; 8] = ["admit", "compile", "learn", "count", "predict", "score", "evaluated", "half-written"];
const DIES: &str = "THIMBLE_TEST_DIES";
const DATA: &str = "THIMBLE_TEST_DATA";

/// A process that evaluates as a worker does is killed at the very beginning of every phase, and between the two writes of
/// its end. Each time the next worker brings the submission to the result of a run that nobody disturbed.
#[test]
fn a_worker_that_dies_at_any_moment_of_an_evaluation_loses_nothing() {
    if let (Ok(moment), Some(data)) = (env::var(DIES), env::var_os(DATA)) {
        return evaluate_and_die(&moment, Path::new(&data));
    }
    let running = Running::new("--workers 0");
    let data = running.site.path("data");
    let guest = returns_parameters(4).component();
    let finish = |id: SubmissionId| {
        let worker = running.site.worker("--workers 1");
        let scored = running.scored(id);
        worker.stop();
        scored
    };
    let (_, alone) = finish(running.submit(CORNERS, &guest));
    for moment in MOMENTS {
        let id = running.submit(CORNERS, &guest);
        let this = env::current_exe().expect("the path of this test");
        let name = "service::deaths::a_worker_that_dies_at_any_moment_of_an_evaluation_loses_nothing";
        let mut command = Command::new(this);
        command.args(["--exact", name]).env(DIES, moment).env(DATA, &data).stdout(Stdio::null());
        let status = command.status().expect("it starts");
        assert_eq!(status.signal(), Some(9), "{moment}: {status}");
        let left = in_store(&data, async |store: &Store| {
            store.lose_worker(moment, Timestamp::now()).await?;
            store.submission(id).await
        });
        let left = left.expect("read").expect("it is kept");
        assert_eq!((left.state, left.losses, left.result), (RecordState::Queued, 1, None), "{moment}");
        let (record, comparable) = finish(id);
        assert_eq!((record.attempts, comparable == alone), (2, true), "{moment}");
    }
    running.served.process.stop();
}

/// Takes the next submission and evaluates it, up to a moment.
fn evaluate_and_die(moment: &str, data: &Path) {
    in_store(data, async |store: &Store| {
        let job = store.lease(moment, 60_000, Moment::now()).await?.expect("a submission waits");
        let heard = store.heartbeat(&job, None, 60_000, Timestamp::now()).await?;
        assert_eq!(heard, Answer::Continue);
        evaluate_until(store, &job, moment).await;
        Ok::<(), thimble_store::StoreError>(())
    })
    .expect("the store works");
}

async fn evaluate_until(store: &Store, job: &Job, moment: &str) {
    let challenge = store.challenge_by_id(job.submission.challenge_id).await.expect("read").expect("it is there");
    let published = challenge.published.expect("it is published");
    let package = store.artifact(&job.submission.package).await.expect("read").expect("it is kept");
    let challenge = LoadedChallenge {
        challenge: published.challenge.clone(),
        digest: published.digest,
        statement: published.statement.clone(),
    };
    let dataset = Arc::new(open_dataset(&published.public_path));
    let data = BoundData::validation(&challenge, dataset).expect("it fits");
    let result = evaluate_watched(&data, &package, &challenge, &mut DiesIn(moment));
    if moment == "half-written" {
        store.put_artifact(result.to_json().into_bytes().into()).await.expect("written");
    }
    die();
}

/// Kills its own process when a phase begins.
struct DiesIn<'a>(&'a str);

impl Observer for DiesIn<'_> {
    fn event(&mut self, event: Event<'_>) {
        if let Event::PhaseStarted(phase) = event {
            let name = serde_json::to_value(phase).expect("a phase has a name");
            if name == self.0 {
                die();
            }
        }
    }
}

fn die() {
    kill(std::process::id());
    // The signal may come a moment after `kill` has returned.
    std::thread::sleep(PATIENCE);
}

/// Leases that were lost of a submission.
fn losses(running: &Running, id: SubmissionId) -> u32 {
    let row = in_store(&running.site.path("data"), async |store: &Store| store.submission(id).await);
    row.expect("read").expect("it is kept").losses
}

/// Asks the store of a data directory, beside the processes that have it open.
fn in_store<T>(data: &Path, ask: impl AsyncFnOnce(&Store) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let store = Store::open(data).await.expect("it opens");
        let answer = ask(&store).await;
        store.disconnect().await;
        answer
    })
}
