//! The life of a submission: accepted, leased, ended once, charged once.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod service;

use service::{Service, at, kept, moment};
use thimble_api::operator::{BudgetRequest, RecordState, WorkerView};
use thimble_api::{Compute, ErrorCode};
use thimble_challenge::Verdict;
use thimble_challenge::result::Mode;
use thimble_store::{Actor, Answer, Filter, MAX_LOSSES, Moment, Recorded, Store};

const LEASE: u32 = 10_000;

#[tokio::test]
async fn a_submission_is_leased_heard_and_ended_once() {
    let service = Service::new().await;
    let submitted = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap();
    assert_eq!(submitted.row.state, RecordState::Queued);
    assert_eq!(submitted.quota.left, 4);
    assert_eq!(service.store.place(&submitted.row, at(0)).await.unwrap().position, 1);

    let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
    assert_eq!(job.submission.id, submitted.row.id);
    assert!(service.store.lease("w/1", LEASE, moment(1)).await.unwrap().is_none());
    assert_eq!(service.store.heartbeat(&job, None, LEASE, at(2)).await.unwrap(), Answer::Continue);

    assert_eq!(service.finish(&job, Verdict::Scored, Some(0.9), at(3)).await, Recorded::Finished);
    assert_eq!(service.finish(&job, Verdict::Scored, Some(0.9), at(4)).await, Recorded::Lost);
    let row = service.store.submission(job.submission.id).await.unwrap().unwrap();
    assert_eq!((row.state, row.verdict, row.finished_at), (RecordState::Finished, Some(Verdict::Scored), Some(at(3))));
    assert_eq!(service.publications(at(2_000)).await.len(), 1);
}

#[tokio::test]
async fn who_has_lost_the_lease_writes_nothing() {
    let service = Service::new().await;
    service.submit("ada", Mode::Official, "one", at(0)).await.unwrap();
    let first = service.store.lease("w/0", LEASE, moment(0)).await.unwrap().unwrap();
    // The lease has run out: the next worker takes it, under the same name even.
    let second = service.store.lease("w/0", LEASE, moment(11)).await.unwrap().unwrap();
    assert_eq!(second.submission.id, first.submission.id);
    assert!(second.attempt > first.attempt);
    assert_eq!(service.store.heartbeat(&first, None, LEASE, at(12)).await.unwrap(), Answer::Lost);
    assert_eq!(service.finish(&first, Verdict::Scored, Some(0.9), at(12)).await, Recorded::Lost);
    assert_eq!(service.store.release(&first).await.unwrap(), Recorded::Lost);
    assert_eq!(service.finish(&second, Verdict::Scored, Some(0.8), at(13)).await, Recorded::Finished);
    assert_eq!(service.publications(at(2_000)).await.len(), 1);
}

#[tokio::test]
async fn a_submission_whose_workers_die_ends_as_our_fault_and_costs_nothing() {
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    for loss in 0..MAX_LOSSES {
        let now = moment(i64::from(loss) * 100);
        assert_eq!(service.store.lease("w/0", LEASE, now).await.unwrap().unwrap().submission.id, id);
    }
    service.store.reap(moment(10_000)).await.unwrap();
    let row = service.store.submission(id).await.unwrap().unwrap();
    assert_eq!(
        (row.state, row.verdict, row.charged),
        (RecordState::Finished, Some(Verdict::PlatformFault), Compute::ZERO)
    );
    let budget = service.budget("ada").await;
    assert_eq!((budget.used, budget.reserved), (Compute::ZERO, Compute::ZERO));
    // Told on the grid of 900 seconds, as every end is.
    let left = service.quota("ada", Mode::Official, at(10_800)).await.left;
    assert_eq!(left, 5, "a fault of ours takes no quota");
}

#[tokio::test]
async fn a_worker_that_is_known_to_be_dead_gives_back_at_once_what_it_had() {
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    for loss in 1..=MAX_LOSSES {
        let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
        assert_eq!((job.submission.id, job.attempt), (id, loss));
        // The death of another takes nothing from it.
        service.store.lose_worker("w/1", at(1)).await.unwrap();
        assert_eq!(service.store.heartbeat(&job, None, LEASE, at(1)).await.unwrap(), Answer::Continue);
        service.store.lose_worker("w/0", at(2)).await.unwrap();
        assert_eq!(service.finish(&job, Verdict::Scored, Some(0.9), at(2)).await, Recorded::Lost);
    }
    let row = service.store.submission(id).await.unwrap().unwrap();
    assert_eq!(
        (row.verdict, row.losses, row.charged),
        (Some(Verdict::PlatformFault), MAX_LOSSES - 1, Compute::ZERO),
        "the last loss is its end"
    );
    assert_eq!(service.quota("ada", Mode::Official, at(900)).await.left, 5);
    assert_eq!(service.store.capacity(at(3)).await.unwrap().workers, []);

    // A worker that dies with nothing, or after it has written its end down, loses nothing.
    let other = service.submit("ada", Mode::Official, "two", at(4)).await.unwrap().row.id;
    let job = service.store.lease("w/0", LEASE, moment(4)).await.unwrap().unwrap();
    assert_eq!(service.finish(&job, Verdict::Scored, Some(0.9), at(5)).await, Recorded::Finished);
    service.store.lose_worker("w/0", at(5)).await.unwrap();
    let row = service.store.submission(other).await.unwrap().unwrap();
    assert_eq!((row.verdict, row.losses), (Some(Verdict::Scored), 0));
}

/// The clock on the wall, moved by NTP, by hand or with a machine that slept, years forward and back while workers live.
#[tokio::test]
async fn a_clock_that_jumps_takes_no_lease_away_and_keeps_none_for_ever() {
    const JUMPS: [i64; 6] = [0, 3_600, -3_600, 40_000_000, -1_000_000_000, 86_400];
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    let jumped = |seconds: i64, jump: i64| Moment { wall: at(seconds + jump), ..moment(seconds) };
    let job = service.store.lease("w/0", LEASE, moment(0)).await.unwrap().unwrap();
    // Heard every four seconds of ten, whatever the wall says: nobody else gets it.
    let mut now = 0;
    for jump in JUMPS {
        for _ in 0..4 {
            now += 4;
            let heard = service.store.heartbeat(&job, None, LEASE, jumped(now, jump).wall).await.unwrap();
            assert_eq!(heard, Answer::Continue, "{jump}");
            assert_eq!(service.store.lease("w/1", LEASE, jumped(now + 3, jump)).await.unwrap(), None, "{jump}");
        }
    }
    // Then it dies, and the clock goes back a year: it is taken from it after one lease, once.
    let back = -31_536_000;
    service.store.reap(jumped(now + 9, back)).await.unwrap();
    assert_eq!(service.store.submission(id).await.unwrap().unwrap().losses, 0);
    let next = service.store.lease("w/1", LEASE, jumped(now + 14, back)).await.unwrap().unwrap();
    assert_eq!((next.submission.id, next.submission.losses), (id, 1));
    assert_eq!(service.store.lease("w/2", LEASE, jumped(now + 15, back)).await.unwrap(), None);
    let names = |workers: Vec<WorkerView>| workers.into_iter().map(|worker| worker.name).collect::<Vec<_>>();
    let workers = service.store.capacity(at(now + 15 + back)).await.unwrap().workers;
    assert_eq!(names(workers), ["w/1", "w/2"], "the dead one is not listed for a year");
    assert_eq!(service.finish(&job, Verdict::Scored, Some(0.9), at(now + 15)).await, Recorded::Lost);
    assert_eq!(service.finish(&next, Verdict::Scored, Some(0.9), at(now + 15)).await, Recorded::Finished);
    assert_eq!(service.publications(at(now + 2_000)).await.len(), 1);
}

/// Two processes look at the same leases, each with its own steady clock and its own start.
#[tokio::test]
async fn a_process_that_starts_later_waits_for_a_lease_and_no_longer() {
    let service = Service::new().await;
    service.submit("ada", Mode::Official, "one", at(0)).await.unwrap();
    service.store.lease("w/0", LEASE, moment(0)).await.unwrap().unwrap();
    let other = Store::open(service.store.directory()).await.unwrap();
    // It knows of no heartbeat yet, however old the one in the database is.
    assert_eq!(other.lease("w/1", LEASE, moment(9_000)).await.unwrap(), None);
    assert_eq!(other.lease("w/1", LEASE, moment(9_010)).await.unwrap(), None);
    let job = other.lease("w/1", LEASE, moment(9_011)).await.unwrap().unwrap();
    assert_eq!((job.attempt, job.submission.losses), (2, 1));
}

#[tokio::test]
async fn a_fault_of_ours_is_tried_again_and_then_refunded() {
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    for attempt in 1..=MAX_LOSSES {
        let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
        let expected = if attempt == MAX_LOSSES { Recorded::Finished } else { Recorded::Requeued };
        assert_eq!(service.finish(&job, Verdict::PlatformFault, None, at(2)).await, expected);
    }
    let row = service.store.submission(id).await.unwrap().unwrap();
    assert_eq!((row.verdict, row.charged), (Some(Verdict::PlatformFault), Compute::ZERO));
    assert_eq!(service.quota("ada", Mode::Official, at(900)).await.left, 5);
}

#[tokio::test]
async fn official_runs_before_validation_and_no_builder_takes_all_workers() {
    let service = Service::new().await;
    for name in ["v1", "v2", "v3"] {
        service.submit("ada", Mode::Validation, name, at(0)).await.unwrap();
    }
    service.submit("bob", Mode::Validation, "v4", at(5)).await.unwrap();
    service.submit("ada", Mode::Official, "o1", at(9)).await.unwrap();
    let mut order = Vec::new();
    while let Some(job) = service.store.lease(&format!("w/{}", order.len()), LEASE, moment(10)).await.unwrap() {
        order.push(job.submission.note.clone());
    }
    // The challenge lets two of a builder run at once in a mode: ada's third waits although a worker is free.
    assert_eq!(order, ["o1", "v1", "v2", "v4"]);
}

#[tokio::test]
async fn the_same_key_is_the_same_submission() {
    let service = Service::new().await;
    let mut ids = Vec::new();
    for now in [at(0), at(1)] {
        let submitted = service.submit_with("ada", Mode::Validation, "one", Some("key"), false, now).await.unwrap();
        assert_eq!(submitted.repeated, now == at(1));
        ids.push(submitted.row.id);
    }
    assert_eq!(ids[0], ids[1]);
    let other = service.submit_with("ada", Mode::Validation, "two", Some("key"), false, at(2)).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::Conflict);
    // Another builder's key is another key.
    service.submit_with("bob", Mode::Validation, "two", Some("key"), false, at(2)).await.unwrap();
}

#[tokio::test]
async fn a_duplicate_component_is_pointed_to_its_result() {
    let service = Service::new().await;
    let first = service.submit("ada", Mode::Validation, "one", at(0)).await.unwrap().row.id;
    let refused = service.submit("ada", Mode::Validation, "one", at(1)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    assert_eq!((&*refused.details[0].field, &*refused.details[0].message), ("duplicate_of", &*first.to_string()));
    let again = service.submit_with("ada", Mode::Validation, "one", None, true, at(2)).await.unwrap();
    assert_eq!(again.row.duplicate_of, Some(first));
    // Another mode, and another team, are another matter.
    service.submit("ada", Mode::Official, "one", at(3)).await.unwrap();
    service.submit("bob", Mode::Validation, "one", at(3)).await.unwrap();
}

#[tokio::test]
async fn a_day_has_five_official_submissions_and_the_sixth_says_when() {
    let service = Service::new().await;
    for hour in 0..5 {
        service.submit("ada", Mode::Official, &format!("c{hour}"), at(hour * 3_600)).await.unwrap();
    }
    let refused = service.submit("ada", Mode::Official, "c5", at(20 * 3_600)).await.unwrap_err();
    assert_eq!((refused.code, refused.retry_after_seconds), (ErrorCode::QuotaExhausted, Some(4 * 3_600)));
    // A refused submission counts for nothing, and another mode and another builder have quotas of their own.
    service.submit("ada", Mode::Validation, "c5", at(20 * 3_600)).await.unwrap();
    service.submit("bob", Mode::Official, "c5", at(20 * 3_600)).await.unwrap();
    service.submit("ada", Mode::Official, "c5", at(24 * 3_600 + 1)).await.unwrap();
}

#[tokio::test]
async fn concurrent_submissions_cannot_pass_the_quota() {
    let service = Service::new().await;
    let tries = (0..20).map(|index| {
        let service = service.clone();
        tokio::spawn(async move { service.submit("ada", Mode::Official, &format!("c{index}"), at(0)).await.is_ok() })
    });
    let mut accepted = 0;
    for one in tries.collect::<Vec<_>>() {
        accepted += usize::from(one.await.unwrap());
    }
    assert_eq!(accepted, 5);
}

#[tokio::test]
async fn failures_have_an_allowance_of_their_own() {
    // The challenge forgives 2 failures a day.
    let service = Service::new().await;
    for index in 0..3 {
        service.submit("ada", Mode::Official, &format!("c{index}"), at(index)).await.unwrap();
        let job = service.store.lease("w/0", LEASE, moment(10)).await.unwrap().unwrap();
        service.finish(&job, Verdict::Trap, None, at(11)).await;
    }
    let quota = service.quota("ada", Mode::Official, at(900)).await;
    assert_eq!((quota.left, quota.failures_left), (4, 0), "two forgiven, the third counts");
}

#[tokio::test]
async fn a_budget_is_held_then_taken_and_never_exceeded() {
    let service = Service::new().await;
    let estimate = service.estimate(Mode::Validation).await;
    let set = |granted, revoked| BudgetRequest { granted, revoked };
    service.set_budget("ada", set(estimate.times(2), false)).await;
    service.submit("ada", Mode::Validation, "one", at(0)).await.unwrap();
    service.submit("ada", Mode::Validation, "two", at(0)).await.unwrap();
    let refused = service.submit("ada", Mode::Validation, "three", at(0)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::BudgetExhausted);

    let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
    service.finish(&job, Verdict::Scored, Some(0.5), at(2)).await;
    let budget = service.budget("ada").await;
    assert_eq!((budget.used, budget.reserved), (service::USED, estimate));
    assert_eq!(budget.left, estimate.minus(service::USED));

    service.set_budget("ada", set(estimate.times(3), false)).await;
    service.submit("ada", Mode::Validation, "three", at(3)).await.unwrap();
    service.set_budget("ada", set(estimate.times(9), true)).await;
    let revoked = service.submit("ada", Mode::Validation, "four", at(3)).await.unwrap_err();
    assert_eq!(revoked.code, ErrorCode::BudgetExhausted);
}

#[tokio::test]
async fn neither_quota_nor_budget_tells_a_builder_that_an_official_run_has_ended() {
    // The challenge releases results every 900 seconds.
    let service = Service::new().await;
    let estimate = service.estimate(Mode::Official).await;
    service.submit("ada", Mode::Official, "one", at(0)).await.unwrap();
    let running = (service.quota("ada", Mode::Official, at(1)).await, service.visible_budget("ada", at(1)).await);
    let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
    service.finish(&job, Verdict::Trap, None, at(2)).await;
    for now in [at(2), at(899)] {
        let waiting = (service.quota("ada", Mode::Official, now).await, service.visible_budget("ada", now).await);
        assert_eq!(waiting, running);
    }
    assert_eq!(running.1.reserved, estimate);
    let (quota, budget) =
        (service.quota("ada", Mode::Official, at(900)).await, service.visible_budget("ada", at(900)).await);
    assert_eq!((quota.left, quota.failures_left), (5, 1), "a failure that is forgiven");
    // 200 PF in hundredths.
    assert_eq!((budget.used, budget.reserved), ("2PF".parse().unwrap(), Compute::ZERO));
    assert_eq!(service.budget("ada").await.used, service::USED, "the operator sees it all");
}

#[tokio::test]
async fn what_is_cancelled_in_the_queue_costs_nothing_and_what_runs_stops() {
    let service = Service::new().await;
    let queued = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    let row = service.store.cancel(queued, &Actor::Local, at(1)).await.unwrap();
    assert!(row.cancelled && row.state == RecordState::Finished);
    assert_eq!(service.quota("ada", Mode::Official, at(2)).await.left, 5);
    assert!(service.store.cancel(queued, &Actor::Local, at(2)).await.is_err());

    let running = service.submit("ada", Mode::Official, "two", at(3)).await.unwrap().row.id;
    let job = service.store.lease("w/0", LEASE, moment(3)).await.unwrap().unwrap();
    service.store.cancel(running, &Actor::Local, at(4)).await.unwrap();
    assert_eq!(service.store.heartbeat(&job, None, LEASE, at(5)).await.unwrap(), Answer::Cancel);
    let used = Compute::from_flops(7);
    assert_eq!(service.store.finish_cancelled(&job, used, at(6)).await.unwrap(), Recorded::Finished);
    let row = service.store.submission(running).await.unwrap().unwrap();
    assert_eq!((row.cancelled, row.verdict, row.charged), (true, None, used));
    assert_eq!(service.quota("ada", Mode::Official, at(7)).await.left, 4, "it had begun");
}

#[tokio::test]
async fn cancelling_does_not_tell_whether_an_official_run_has_ended() {
    // The challenge releases results every 900 seconds.
    let service = Service::new().await;
    let mut rows = Vec::new();
    for ended in [false, true] {
        let id = service.submit("ada", Mode::Official, &format!("{ended}"), at(0)).await.unwrap().row.id;
        let job = service.store.lease("w/0", LEASE, moment(1)).await.unwrap().unwrap();
        if ended {
            service.finish(&job, Verdict::Scored, Some(0.5), at(2)).await;
        }
        service.store.cancel(id, &Actor::Local, at(3)).await.expect("it looks alive");
        if !ended {
            service.store.finish_cancelled(&job, Compute::ZERO, at(4)).await.unwrap();
        }
        service.store.cancel(id, &Actor::Local, at(5)).await.expect("it looks alive still");
        rows.push(service.store.submission(id).await.unwrap().unwrap());
        assert!(service.store.cancel(id, &Actor::Local, at(900)).await.is_err(), "its end is told");
    }
    assert!(rows.iter().all(|row| row.released_at == Some(at(900))), "{rows:?}");
    assert_eq!((rows[0].cancelled, rows[1].cancelled), (true, false), "what came too late changed nothing");
    assert_eq!(service.publications(at(900)).await.len(), 1);
}

/// How long official runs take is told to operators only: a guest chooses it.
#[tokio::test]
async fn the_expected_wait_is_of_validation_runs() {
    let service = Service::new().await;
    let mut waits = Vec::new();
    for (index, mode) in [(0, Mode::Official), (100, Mode::Validation)] {
        service.submit("ada", mode, &format!("{mode:?}"), at(index)).await.unwrap();
        let job = service.store.lease("w/0", LEASE, moment(index)).await.unwrap().unwrap();
        service.finish(&job, Verdict::Scored, Some(0.5), at(index + 7 + index / 10)).await;
        let waiting = service.submit("bob", Mode::Validation, &format!("{index}"), at(index + 20)).await.unwrap().row;
        service.store.lease("w/0", LEASE, moment(index + 20)).await.unwrap();
        waits.push(service.store.place(&waiting, at(index + 20)).await.unwrap().expected_wait_seconds);
    }
    assert_eq!(waits, [None, Some(17)]);
    let capacity = service.store.capacity(at(120)).await.unwrap();
    assert_eq!(capacity.mean_run_seconds, Some(12.0), "7 s and 17 s");
}

#[tokio::test]
async fn results_wait_for_their_tick_and_come_in_order() {
    // The challenge releases results every 900 seconds.
    let service = Service::new().await;
    for (index, now) in [(0, moment(100)), (1, moment(1_000))] {
        service.submit("ada", Mode::Official, &format!("c{index}"), now.wall).await.unwrap();
        let job = service.store.lease("w/0", LEASE, now).await.unwrap().unwrap();
        service.finish(&job, Verdict::Scored, Some(0.5), now.wall).await;
    }
    assert_eq!(service.publications(at(899)).await.len(), 0);
    assert_eq!(service.publications(at(900)).await.len(), 1);
    assert_eq!(service.publications(at(1_799)).await.len(), 1);
    let both = service.publications(at(1_800)).await;
    assert!(both.len() == 2 && both[0].seq < both[1].seq);
}

#[tokio::test]
async fn a_rescored_result_stands_until_the_new_one_is_there() {
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    let job = service.store.lease("w/0", LEASE, moment(0)).await.unwrap().unwrap();
    service.finish(&job, Verdict::Scored, Some(0.5), at(0)).await;
    let used = service.budget("ada").await.used;

    service.store.rescore(id, &Actor::Local, at(901)).await.unwrap();
    assert_eq!(service.publications(at(901)).await.len(), 1);
    let job = service.store.lease("w/0", LEASE, moment(902)).await.unwrap().unwrap();
    service.finish(&job, Verdict::Scored, Some(0.7), at(902)).await;
    let events = service.publications(at(2_000)).await;
    assert_eq!(events.iter().map(|event| event.submission).collect::<Vec<_>>(), [id, id]);
    assert_eq!(service.budget("ada").await.used, used, "the operator's doing is charged to nobody");

    // Scored again, and cancelled: the result it had stands.
    service.store.rescore(id, &Actor::Local, at(2_001)).await.unwrap();
    let row = service.store.cancel(id, &Actor::Local, at(2_002)).await.unwrap();
    assert_eq!((row.cancelled, row.verdict), (false, Some(Verdict::Scored)));
}

#[tokio::test]
async fn withdrawing_and_reinstating_are_events_of_their_own() {
    let service = Service::new().await;
    let id = service.submit("ada", Mode::Official, "one", at(0)).await.unwrap().row.id;
    let job = service.store.lease("w/0", LEASE, moment(0)).await.unwrap().unwrap();
    service.finish(&job, Verdict::Scored, Some(0.5), at(0)).await;
    for withdrawn in [true, true, false] {
        service.store.withdraw(id, withdrawn, &Actor::Local, at(1)).await.unwrap();
    }
    let events = service.publications(at(2_000)).await;
    assert_eq!(events.iter().map(|event| event.withdrawn).collect::<Vec<_>>(), [false, true, false]);
}

#[tokio::test]
async fn only_an_improvement_is_published_where_the_challenge_says_so() {
    let service = Service::with(|challenge| challenge.release.improvement = Some(0.1)).await;
    // By exactly η is not by more than η, though the doubles 0.7 + 0.1 are a little below 0.8.
    let steps = [(0, 0.5, true), (1, 0.6, false), (2, 0.7, true), (3, 0.8, false), (4, 0.801, true)];
    for (index, metric, improved) in steps {
        let row = service.submit("ada", Mode::Official, &format!("c{index}"), at(index)).await.unwrap().row;
        let job = service.store.lease("w/0", LEASE, moment(index)).await.unwrap().unwrap();
        service.finish(&job, Verdict::Scored, Some(metric), at(index)).await;
        assert_eq!(service.store.submission(row.id).await.unwrap().unwrap().improved, improved, "{metric}");
    }
    assert_eq!(service.publications(at(2_000)).await.len(), 3);
}

#[tokio::test]
async fn the_close_publishes_the_figures_that_were_kept() {
    let service = Service::with(|challenge| {
        challenge.release.shown_share = Some(0.3);
        challenge.release.improvement = Some(0.1);
        challenge.release.tick_seconds = 900;
    })
    .await;
    let accuracy = |event: &thimble_store::Publication| event.published.metrics["accuracy"].value().unwrap();
    let mut ids = Vec::new();
    let run = async |name: &str, metric, seconds| {
        let id = service.submit("ada", Mode::Official, name, at(seconds)).await.unwrap().row.id;
        let job = service.store.lease("w/0", LEASE, moment(seconds)).await.unwrap().unwrap();
        service.finish(&job, Verdict::Scored, Some(metric), at(seconds)).await;
        id
    };
    for (seconds, metric) in [(0, 0.5), (1, 0.55), (2_000, 0.875)] {
        ids.push(run(&format!("c{seconds}"), metric, seconds).await);
    }
    // It waits for a worker while the challenge closes.
    let late = service.submit("bob", Mode::Official, "late", at(2_001)).await.unwrap().row.id;
    assert_eq!(service.publications(at(10_000)).await.iter().map(accuracy).collect::<Vec<_>>(), [0.5, 0.875]);
    let row = service.challenge().await;
    assert_eq!(service.store.kept_figures(row.id).await.unwrap().len(), 3);

    service.store.close(row.id, None, None, &Actor::Local, at(2_010)).await.unwrap();
    // What was not shown stays unshown, and nothing kept is told before the figure that it replaces.
    let now = service.publications(at(2_010)).await;
    assert_eq!(now.iter().map(accuracy).collect::<Vec<_>>(), [0.5]);
    let all = service.publications(at(10_000)).await;
    assert_eq!(all.iter().map(accuracy).collect::<Vec<_>>(), [0.5, 0.875, kept(0.5), kept(0.875)]);
    assert_eq!(all.iter().map(|event| event.submission).collect::<Vec<_>>(), [ids[0], ids[2], ids[0], ids[2]]);
    assert!(service.store.kept_figures(row.id).await.unwrap().is_empty());

    let job = service.store.lease("w/0", LEASE, moment(2_020)).await.unwrap().unwrap();
    assert_eq!(job.submission.id, late);
    service.finish(&job, Verdict::Scored, Some(0.25), at(2_020)).await;
    let all = service.publications(at(10_000)).await;
    assert_eq!(all.last().map(accuracy), Some(kept(0.25)));
}

#[tokio::test]
async fn a_closed_challenge_takes_nothing() {
    let service = Service::new().await;
    let row = service.challenge().await;
    service.store.close(row.id, None, None, &Actor::Local, at(1)).await.unwrap();
    assert_eq!(service.submit("ada", Mode::Official, "one", at(2)).await.unwrap_err().code, ErrorCode::Conflict);
}

#[tokio::test]
async fn lists_come_newest_first_in_parts() {
    let service = Service::new().await;
    let mut ids = Vec::new();
    for index in 0..7 {
        ids.push(service.submit("ada", Mode::Validation, &format!("c{index}"), at(index)).await.unwrap().row.id);
    }
    service.submit("bob", Mode::Validation, "other", at(9)).await.unwrap();
    ids.reverse();
    let account_id = Some(service.principal("ada").await.account_id);
    let filter = Filter { account_id, ..Filter::default() };
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = service.store.submissions(filter, after.as_deref(), Some(3)).await.unwrap();
        seen.extend(page.items.iter().map(|row| row.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    assert!(service.store.submissions(filter, Some("' OR 1=1"), Some(3)).await.is_err());
}

#[tokio::test]
async fn what_is_retained_is_what_may_be_needed() {
    let service = Service::new().await;
    let mut packages = Vec::new();
    for (mode, component, now) in [
        (Mode::Validation, "old", moment(0)),
        (Mode::Official, "both", moment(0)),
        (Mode::Validation, "new", moment(9_000)),
    ] {
        packages.push(service.submit("ada", mode, component, now.wall).await.unwrap().row.package);
        let job = service.store.lease("w/0", LEASE, now).await.unwrap().unwrap();
        service.finish(&job, Verdict::Scored, Some(0.5), now.wall).await;
    }
    // Every run here has the same result bytes: the new one still needs them.
    let retained = service.store.retain(at(5_000), &Actor::Local, at(10_000)).await.unwrap();
    assert_eq!((retained.results, retained.artifacts), (2, 1));
    let kept = [service.kept(&packages[0]).await, service.kept(&packages[1]).await, service.kept(&packages[2]).await];
    assert_eq!(kept, [false, true, true], "an official run may be scored again while its challenge is open");
    assert_eq!(service.publications(at(10_000)).await.len(), 1, "published figures stay");

    // Nothing is removed twice, and the same component can be sent again.
    let retained = service.store.retain(at(5_000), &Actor::Local, at(10_000)).await.unwrap();
    assert_eq!((retained.results, retained.artifacts), (0, 0));
    service.submit_with("ada", Mode::Validation, "old", None, true, at(10_000)).await.unwrap();
}
