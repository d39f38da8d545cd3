//! A service of canned answers: one connection each, in order.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use thimble_client::{Client, Patience, Waiter, Why};

/// What happens to one connection.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// These bytes, after the request was read; then the connection is closed.
    Bytes(Vec<u8>),
    /// Nothing, after the request was read.
    Nothing,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// Method and path with query.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Arrived {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A service that gives its answers and ends.
#[derive(Debug)]
pub(crate) struct Canned {
    address: String,
    thread: JoinHandle<Vec<Arrived>>,
}

impl Canned {
    pub(crate) fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let answers = answers.into_iter();
            answers.map(|answer| answer_one(&listener.accept().unwrap().0, &answer)).collect()
        });
        Self { address, thread }
    }

    /// A client with a token and its waits, which take no time.
    pub(crate) fn client(&self) -> (Client, Waits) {
        let waits = Waits::default();
        let client = Client::new(self.address.parse().unwrap())
            .with_token("thb_test".parse().unwrap())
            .with_patience(Patience(Duration::from_secs(60)))
            .with_waiter(Box::new(waits.clone()));
        (client, waits)
    }

    /// What arrived, once every answer was given.
    pub(crate) fn arrived(self) -> Vec<Arrived> {
        self.thread.join().unwrap()
    }
}

fn answer_one(mut stream: &TcpStream, answer: &Answer) -> Arrived {
    let arrived = read_request(&mut BufReader::new(stream));
    if let Answer::Bytes(bytes) = answer {
        // A client that has read enough may be gone.
        let _ = stream.write_all(bytes);
    }
    arrived
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Arrived {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let mut arrived = Arrived { line: lines[0].trim_end_matches(" HTTP/1.1").to_owned(), headers, body: Vec::new() };
    let length = arrived.header("content-length").map_or(0, |length| length.parse().unwrap());
    arrived.body = vec![0; length];
    reader.read_exact(&mut arrived.body).unwrap();
    arrived
}

/// An answer with a status, further headers (each ends in a line end) and a body.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Bytes(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes())
}

pub(crate) fn json(status: u16, body: &str) -> Answer {
    answer(status, "content-type: application/json\r\n", body)
}

/// An error of the service.
pub(crate) fn error(status: u16, code: &str, retry_after: Option<u64>) -> Answer {
    let retry = retry_after.map(|seconds| format!(", \"retry_after_seconds\": {seconds}")).unwrap_or_default();
    json(status, &format!(r#"{{"error": {{"code": "{code}", "message": "no", "request_id": "r-7"{retry}}}}}"#))
}

/// A stream of events, which ends where the text ends.
pub(crate) fn stream(events: &str) -> Answer {
    Answer::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{events}").into_bytes())
}

/// The waits that there would have been, and whether each was after a failure.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waits(Arc<Mutex<Vec<(Duration, bool)>>>);

impl Waits {
    pub(crate) fn all(&self) -> Vec<(Duration, bool)> {
        self.0.lock().unwrap().clone()
    }
}

impl Waiter for Waits {
    fn wait(&self, duration: Duration, why: &Why<'_>) {
        self.0.lock().unwrap().push((duration, matches!(why, Why::Retry { .. })));
    }
}

/// A submission as its builder sees it, in a state of a validation run.
pub(crate) fn submission(state: &str) -> String {
    format!(
        r#"{{"audience": "builder", "submission": {{
            "id": "018bcfe5-687b-7000-8000-000000000001", "challenge": "toy", "builder": "ada", "team": "ada",
            "submitted_at": "2026-11-22T10:00:00Z", "name": "mlp", "version": "0.1.0", "note": "",
            "component": null, "package": "sha256:{digest}", "package_bytes": 3, "duplicate_of": null, "charged": "7F",
            "run": {{"mode": "validation", "status": {state}}}}}}}"#,
        digest = "0".repeat(64)
    )
    .replace('\n', " ")
}

pub(crate) const QUEUED: &str = r#"{"state": "queued", "position": 1, "expected_wait_seconds": null, "attempt": 1}"#;

/// Cancelled: the end with the fewest figures.
pub(crate) const ENDED: &str = r#"{"state": "finished", "finished_at": "2026-11-22T10:01:00Z", "verdict": null, "remedy": null,
    "failure": null, "metrics": {}, "baseline": null, "score": null, "parameters": null, "independence": null,
    "cost": {"training_flops": null, "training_flops_budget": 1.0, "flops_per_sample": null, "training_gco2e": null,
    "gco2e_per_sample": null, "test_rows": 1}, "seconds": {}, "peak_memory_bytes": null, "curves": {}}"#;

pub(crate) const ID: &str = "018bcfe5-687b-7000-8000-000000000001";
