//! Commands that ask a service, against canned answers: what they print, where, and with which exit code.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::bench::Bench;

const ID: &str = "018bcfe5-687b-7000-8000-000000000001";

/// A request: first line, `authorization`, body.
type Asked = (String, Option<String>, Vec<u8>);

/// Gives its answers, one a connection, and returns the requests.
struct Service {
    address: String,
    thread: JoinHandle<Vec<Asked>>,
}

impl Service {
    fn new(answers: Vec<(u16, Value)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let serve = move |(status, body): (u16, Value)| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let mut head = Vec::new();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim_end().is_empty() {
                    break;
                }
                head.push(line.trim_end().to_owned());
            }
            let header = |name: &str| {
                let mut headers = head.iter().filter_map(|line| line.split_once(": "));
                headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
            };
            let mut sent = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut sent).unwrap();
            let body = body.to_string();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            (head[0].clone(), header("authorization"), sent)
        };
        let thread = std::thread::spawn(move || answers.into_iter().map(serve).collect());
        Self { address, thread }
    }

    /// `thimble LINE` with a token for this service.
    fn command(&self, bench: &Bench, line: &str) -> Command {
        let mut command = bench.command(line);
        command.env("THIMBLE_SERVER", &self.address).env("THIMBLE_TOKEN", "thb_test");
        command
    }

    fn arrived(self) -> Vec<Asked> {
        self.thread.join().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits, nothing kills it")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn submission(mode: &str, status: &Value) -> Value {
    json!({"id": ID, "challenge": "toy", "builder": "ada", "team": "ada", "submitted_at": "2026-11-22T10:00:00Z",
        "name": null, "version": null, "note": "", "component": null, "package": format!("sha256:{}", "0".repeat(64)),
        "package_bytes": 3, "duplicate_of": null, "charged": null, "run": {"mode": mode, "status": status}})
}

fn view(mode: &str, status: &Value) -> Value {
    json!({"audience": "builder", "submission": submission(mode, status)})
}

fn official(ending: &str) -> Value {
    json!({"state": "finished", "released_at": "2026-11-22T10:15:00Z", "remedy": null, "ending": ending})
}

fn refusal(code: &str) -> Value {
    json!({"error": {"code": code, "message": "no \u{1b}[2J", "request_id": "r-7",
        "details": [{"field": "title", "message": "too long"}]}})
}

#[test]
fn a_submission_is_sent_and_ends_as_its_run_did() {
    let queued = json!({"state": "queued", "position": 1, "expected_wait_seconds": null, "attempt": 1});
    let accepted = json!({"submission": submission("official", &queued), "estimate": "1PF", "repeated": false,
        "quota": {"mode": "official", "per_day": 5, "left": 4, "next_at": null, "lifetime": null,
            "lifetime_left": null, "failures_per_day": 10, "failures_left": 10}});
    for (ending, expected) in [("not_improved", 0), ("platform_fault", 19), ("cancelled", 31)] {
        let bench = Bench::new();
        bench.write("mine.zip", "zip");
        // The second answer is no stream, so that it is asked.
        let ended = view("official", &official(ending));
        let service = Service::new(vec![(202, accepted.clone()), (200, ended.clone()), (200, ended)]);
        let line = "submit mine.zip --challenge toy --official --json";
        let output = service.command(&bench, line).output().unwrap();
        assert_eq!(code(&output), expected, "{output:?}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["submission"]["run"]["status"]["ending"], ending);
        assert!(text(&output.stderr).contains("4 of 5 official submissions left"), "{output:?}");
        let arrived = service.arrived();
        assert_eq!(arrived[0].0, "POST /api/v1/challenges/toy/submissions HTTP/1.1");
        assert_eq!(arrived[0].1.as_deref(), Some("Bearer thb_test"));
        assert!(text(&arrived[0].2).contains("official"));
    }
}

#[test]
fn a_component_that_was_submitted_before_is_pointed_to_its_result() {
    let bench = Bench::new();
    bench.write("mine.zip", "zip");
    let conflict = json!({"error": {"code": "conflict", "message": "submitted before", "request_id": "r-7",
        "details": [{"field": "duplicate_of", "message": ID}]}});
    let service = Service::new(vec![(409, conflict)]);
    let output = service.command(&bench, "submit mine.zip --challenge toy").output().unwrap();
    assert_eq!(code(&output), 3, "{output:?}");
    assert!(text(&output.stderr).contains(&format!("`thimble status {ID}`")), "{output:?}");
}

#[test]
fn every_kind_of_refusal_has_its_exit_code_and_shows_no_control_characters() {
    let bench = Bench::new();
    for (status, error, expected) in [
        (404, "not_found", 3),
        (401, "unauthorized", 5),
        (403, "forbidden", 5),
        (500, "internal", 6),
        (402, "budget_exhausted", 7),
        (429, "quota_exhausted", 7),
    ] {
        let service = Service::new(vec![(status, refusal(error))]);
        let output = service.command(&bench, "whoami").output().unwrap();
        assert_eq!(code(&output), expected, "{error}");
        let shown = text(&output.stderr);
        assert!(shown.starts_with(&format!("error: no [2J ({error}, request r-7)\n  title: too long\n")), "{shown}");
        assert_eq!(service.arrived().len(), 1);
    }
}

#[test]
fn a_login_is_read_from_stdin_saved_and_used_for_its_service_alone() {
    let bench = Bench::new();
    let who = json!({"account": "ada", "team": "ada", "scope": "builder", "expires_at": null});
    let service = Service::new(vec![(200, who.clone()), (200, who)]);
    let at_home = |line: &str| {
        let mut command = bench.command(line);
        command.env("XDG_CONFIG_HOME", bench.path("config"));
        command
    };
    let mut login = at_home("login --server");
    let login = login.arg(&service.address).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut login = login.spawn().unwrap();
    login.stdin.take().unwrap().write_all(b"thb_saved\n").unwrap();
    let output = login.wait_with_output().unwrap();
    assert_eq!(code(&output), 0, "{output:?}");
    assert!(!text(&output.stdout).contains("thb_saved") && output.stderr.is_empty(), "{output:?}");
    assert_eq!(code(&at_home("whoami").output().unwrap()), 0);
    let tokens: Vec<_> = service.arrived().into_iter().map(|(_, token, _)| token).collect();
    assert_eq!(tokens, [const { "Bearer thb_saved" }; 2].map(|token| Some(token.to_owned())));
    // Nothing listens there, and nothing is asked: there is no token for it.
    assert_eq!(code(&at_home("whoami --server http://127.0.0.1:1").output().unwrap()), 5);
    assert_eq!(code(&at_home("logout").output().unwrap()), 0);
    assert_eq!(code(&at_home("whoami").output().unwrap()), 2);
}

#[test]
fn a_token_is_not_sent_in_clear_text_nor_taken_from_the_command_line() {
    let bench = Bench::new();
    let mut command = bench.command("whoami --server http://192.0.2.1");
    let output = command.env("THIMBLE_TOKEN", "thb_test").output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("not encrypted"), "{output:?}");
    bench.thimble("login --server http://192.0.2.1").assert_error(2, &["not encrypted"]);
    assert_eq!(bench.thimble("login thb_test --server https://192.0.2.1").code, 2);
}

#[test]
fn an_official_run_takes_a_package_and_a_service_has_a_name() {
    let bench = Bench::new();
    bench.write("mine.zip", "zip");
    bench.thimble("submit mine.zip --challenge toy").assert_error(2, &["--server URL", "THIMBLE_SERVER"]);
    bench.thimble("submit mine.zip --server http://127.0.0.1:1").assert_error(2, &["--challenge NAME"]);
    assert_eq!(bench.thimble("submit mine.zip --challenge Toy").code, 2);
}
