//! A machine that runs out of disk, memory or patient readers: what is refused says so, and nothing is lost or wrong.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thimble_api::operator::RecordState;
use thimble_challenge::Verdict;
use thimble_challenge::result::Phase;
use thimble_client::Patience;
use thimble_tests::evaluation::thimble;
use thimble_tests::template::returns_parameters;

use super::processes::wait_for;
use super::running::{LONG, PATIENCE, Running, learns_for_long};
use super::site::{CORNERS, Process, Served, corners_component};

/// What the service's disk holds: its database, the artifacts of these tests, and some.
const DISK_MEBIBYTES: u32 = 24;

/// The disk is full from before an evaluation ends until after it has tried to write its result down. The same result
/// is written when there is room, by the attempt that computed it or by the next; what came in meanwhile was refused and left
/// nothing.
#[test]
fn a_full_disk_delays_a_result_and_loses_none() {
    let mut running = Running::new("--workers 0");
    running.served.process.ask_to_stop();
    // A disk of its own that ends with the service: in a mount namespace, for which one need not be root.
    let small = running.site.path("small");
    fs::create_dir(&small).expect("a directory");
    let script = format!(
        "mount -t tmpfs -o size={DISK_MEBIBYTES}m,mode=700 none small && cp -a data small/ && exec \"$0\" serve --data small/data \
         --listen 127.0.0.1:0 --workers 1 --lease 2 --grace 0 --no-rate-limits"
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-c", &script]).arg(thimble());
    running.site.place(&mut command);
    let served = running.site.serve_by(&mut command);
    running.reach(served);
    // A refusal for lack of room is not waited out.
    running.builder = running.served.client(running.token()).with_patience(Patience(Duration::ZERO));

    let guest = learns_for_long().component();
    let id = running.submit(LONG, &guest);
    running.wait_until_in(id, Phase::Learn);
    let inside = format!("/proc/{}/root{}", running.served.process.id(), small.display());
    let ballast = format!("{inside}/ballast");
    fill(&ballast);
    let refused = running.try_submit(CORNERS, &corners_component(1)).expect_err("there is no room");
    println!("with a full disk: {refused}");
    // Long enough for the evaluation to end and for several attempts to write that down, and longer than its lease.
    thread::sleep(Duration::from_secs(12));
    let record = running.record(id);
    assert_eq!((record.state, record.attempts), (RecordState::Running, 1), "{record:?}");
    assert!(running.builder.challenges(&Default::default()).is_ok(), "what is there is still read");
    fs::remove_file(&ballast).expect("there is room again");

    let (record, delayed) = running.scored(id);
    // Whoever is first when there is room: the worker with the result, or the service, to which it has been silent for longer
    // than its lease, and which then has the run repeated.
    assert!(record.attempts <= 2, "{record:?}");
    let (_, alone) = running.scored(running.submit(LONG, &guest));
    assert_eq!(delayed, alone);
    // The one that was refused is nowhere, and can be sent again.
    let all = running.builder.submissions(&Default::default()).expect("read").value.items;
    assert_eq!(all.len(), 2, "{all:?}");
    running.scored(running.submit(CORNERS, &corners_component(1)));
    running.served.process.stop();
}

/// Writes until there is no room at all.
fn fill(path: &str) {
    let mut file = File::create(path).expect("there is room");
    for size in [1 << 20, 4_096, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
}

/// A worker whose address space is too small for a guest's memory: ours, not the guest's. With a worker that has enough, the
/// same submission is scored.
#[test]
fn memory_that_the_machine_refuses_is_our_fault() {
    let running = Running::new("--workers 0");
    let limited = |kibibytes: u32| {
        let script = format!("ulimit -v {kibibytes} && exec \"$0\" worker --data data --workers 1 --lease 5 --grace 0");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(thimble());
        running.site.place(&mut command);
        Process::start(&mut command)
    };
    // Less than the 4 GiB that are reserved for a memory, and more than the program needs itself.
    let small = limited(2 << 20);
    let id = running.submit(CORNERS, &returns_parameters(4).component());
    let record = running.ends_as_our_fault(id);
    assert_eq!(record.attempts, 3);
    small.stop();

    running.operator.rescore(id).expect("it has ended");
    let worker = running.site.worker("--workers 1");
    let record = wait_for("the score", PATIENCE, || {
        Some(running.record(id)).filter(|record| record.verdict == Some(Verdict::Scored))
    });
    assert_eq!(record.attempts, 4);
    worker.stop();
    running.served.process.stop();
}

/// Whoever started the service reads its first line and then nothing: first the pipe is full, then it is closed.
#[test]
fn a_log_that_nobody_reads_stops_neither_service_nor_worker() {
    let mut running = Running::new("--workers 0");
    running.served.process.ask_to_stop();
    let mut command =
        running.site.command("serve --data data --listen 127.0.0.1:0 --workers 1 --grace 0 --no-rate-limits");
    // Far more than a pipe holds.
    let mut child = command.env("THIMBLE_LOG", "trace").stderr(Stdio::piped()).spawn().expect("it starts");
    let mut reader = BufReader::new(child.stderr.take().expect("it is piped"));
    let url = loop {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).expect("text"), 0, "it has ended");
        if let Some(url) = line.trim().strip_prefix("thimble listens on ") {
            break url.to_owned();
        }
    };
    running.reach(Served { process: Process::of(child), url });
    let used = |first: u32| {
        for _ in 0..500 {
            running.builder.challenges(&Default::default()).expect("it answers");
        }
        running.scored(running.submit(CORNERS, &corners_component(first)));
    };
    used(0);
    drop(reader);
    used(1);
    running.served.process.stop();
}

/// Readers of an event stream that never read, as many as one client may have, while the run tells more than their sockets hold.
#[test]
fn event_streams_that_nobody_reads_hold_up_nothing() {
    let running = Running::new("--workers 1 --lease 1 --grace 0");
    let id = running.submit(LONG, &learns_for_long().component());
    let address = running.served.url.trim_start_matches("http://");
    let token = running.token();
    let streams: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("it listens");
            let request = format!(
                "GET /api/v1/submissions/{id}/events HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
                 accept: text/event-stream\r\n\r\n"
            );
            stream.write_all(request.as_bytes()).expect("it is read");
            stream
        })
        .collect();
    running.wait_until_in(id, Phase::Learn);
    let mut slowest = Duration::ZERO;
    for _ in 0..200 {
        let start = Instant::now();
        running.builder.submission(id).expect("it answers");
        slowest = slowest.max(start.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let (record, _) = running.scored(id);
    assert_eq!(record.attempts, 1);
    println!("{} streams unread, slowest answer {slowest:?}", streams.len());
    drop(streams);
    running.served.process.stop();
}
