//! The service under load, from loopback, while an evaluation runs; and a store of 100,000 submissions.
//!
//! Run with `cargo xtask bench -p thimble-tests --bench service`. The clients share the machine's cores with the service and the
//! evaluation; figures are lower bounds of what the service does alone.

#![expect(clippy::panic, reason = "a bench that cannot be set up fails where it stands")]

mod load;
mod site;

use std::sync::Arc;
use std::time::{Duration, Instant};

use thimble_api::Timestamp;
use thimble_challenge::Verdict;
use thimble_challenge::result::Mode;
use thimble_datasets::Digest;
use thimble_leaderboard::{Board, Row};
use thimble_store::{Finish, Moment, NewSubmission, Publication, Store};

use crate::load::{Load, Request};
use crate::site::{FULL, Site, WIDE};

/// How long each request is asked for.
const SECONDS: u64 = 5;
/// Connections that ask at the same time, each for the next answer once it has the last.
const CONNECTIONS: usize = 16;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let site = runtime.block_on(Site::new());
    for (name, evaluating) in [("nothing else runs", false), ("an evaluation runs", true)] {
        println!("\n{name}; {CONNECTIONS} connections, {SECONDS} s each\n");
        println!("{:<44}{:>12}{:>10}{:>10}{:>10}", "", "requests/s", "p50", "p99", "max");
        let served = site.serve(evaluating);
        let evaluations = evaluating.then(|| site.keep_evaluating(&served));
        let ids = runtime.block_on(site.ids(WIDE, 1_000));
        let status = |token: Option<&str>| -> Vec<Request> {
            ids.iter().map(|id| Request::get(&format!("/api/v1/submissions/{id}"), token)).collect()
        };
        let page = |path: &str| vec![Request::get(path, None)];
        let board = format!("/challenges/{WIDE}");
        let rows = [
            ("status, anyone", status(None)),
            ("status, with a token", status(Some(&site.token))),
            ("leaderboard of 10,000, JSON", page(&format!("/api/v1{board}/leaderboard"))),
            ("leaderboard of 10,000, page", page(&board)),
            ("leaderboard of 100,000 submissions, page", page(&format!("/challenges/{FULL}"))),
        ];
        for (what, requests) in rows {
            let load = Load::run(&runtime, served.address(), &requests, CONNECTIONS, Duration::from_secs(SECONDS));
            println!("{what:<44}{load}");
        }
        if let Some(evaluations) = evaluations {
            println!("evaluations meanwhile: {}", evaluations.stop());
        }
    }
    println!("\n100,000 submissions in the store\n");
    runtime.block_on(publish_one_more(&site));
}

/// What a new result costs: its transactions, and the whole board computed anew; then a page that shows it.
async fn publish_one_more(site: &Site) {
    let store = Store::open(&site.data()).await.expect("the store opens");
    let challenge = store.challenge(&FULL.parse().expect("a name")).await.expect("read").expect("it is there");
    let rules = Arc::new(challenge.published.as_ref().expect("published").challenge.clone());
    let start = Instant::now();
    let mut board = Board::new(rules.clone(), None);
    let mut last = 0;
    loop {
        let part = store.publications(challenge.id, last, 10_000, Timestamp::now()).await.expect("read");
        let Some(end) = part.last() else { break };
        last = end.seq;
        board.extend(part.into_iter().map(row));
    }
    println!("{:<44}{:>9.1} ms", "read all publications, once at start", start.elapsed().as_secs_f64() * 1e3);

    let principal = store.authenticate(&site.token, Timestamp::now()).await.expect("read").expect("a token");
    let (mut inserts, mut scores) = (Vec::new(), Vec::new());
    for round in 0..20_u32 {
        let component = store.put_artifact(round.to_le_bytes().to_vec().into()).await.expect("written");
        let start = Instant::now();
        let new = NewSubmission {
            challenge: &challenge,
            principal: &principal,
            mode: Mode::Official,
            package: component,
            package_bytes: 1,
            component: Some(component),
            name: None,
            version: None,
            note: String::new(),
            idempotency_key: None,
            again: true,
        };
        store.submit(new, Timestamp::now()).await.expect("it is accepted");
        inserts.push(start.elapsed());
        let job = store.lease("bench", 60_000, Moment::now()).await.expect("written").expect("it is queued");
        let start = Instant::now();
        let end = Finish {
            verdict: Verdict::Scored,
            result: component,
            published: Some(site::published(f64::from(round) / 100.0, 1e6)),
            published_at_close: None,
            used: thimble_api::Compute::from_flops(1_000),
            challenge: &rules,
            failures_per_day: 0,
        };
        store.finish(&job, &end, Timestamp::now()).await.expect("written");
        let part = store.publications(challenge.id, last, 10, Timestamp::now()).await.expect("read");
        last = part.last().expect("it is published").seq;
        board.extend(part.into_iter().map(row));
        let computed = board.compute();
        scores.push(start.elapsed());
        assert!(!computed.standings.is_empty());
    }
    println!("{:<44}{:>9.1} ms median, {:.1} ms at most", "insert", median(&mut inserts), most(&inserts));
    println!(
        "{:<44}{:>9.1} ms median, {:.1} ms at most",
        "end, publish, rescore the field",
        median(&mut scores),
        most(&scores)
    );
    store.disconnect().await;
}

fn row(publication: Publication) -> Row {
    Row {
        key: publication.seq,
        builder: publication.builder.as_str().into(),
        team: publication.team.as_str().into(),
        component: publication.component.unwrap_or_else(|| Digest::of(b"")),
        submitted_ms: publication.submitted_at.millis().unsigned_abs(),
        published: publication.published,
        withdrawn: publication.withdrawn,
    }
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn most(times: &[Duration]) -> f64 {
    times.iter().max().map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
