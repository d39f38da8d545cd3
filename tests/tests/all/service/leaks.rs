//! What the service shows of official runs is the same whatever message they found in the private data.
//!
//! Two challenges have official data that differs in a message of 4,096 bits and in nothing else. The same component sends the
//! message through one channel in both, and everything that each audience can fetch of one run is compared with what it
//! fetches of the other.

use std::collections::BTreeMap;

use serde_json::Value;
use thimble_api::id::ChallengeName;
use thimble_challenge::Challenge;
use thimble_challenge::challenge::Visibility;
use thimble_tests::fixture;
use thimble_tests::guests::guest;
use thimble_tests::message::Message;

use super::site::{self, Served, Site};

/// Channels of the guest `message-sender` that should carry nothing, with the outcome of the run: its log, its curves, three
/// texts of errors, a panic, names of parameters, values of outputs, memory, training fuel.
const CHANNELS: [(u64, &str); 10] = [
    (1, "scored"),
    (2, "scored"),
    (3, "failed"),
    (4, "failed"),
    (5, "failed"),
    (6, "failed"),
    (7, "scored"),
    (12, "scored"),
    (13, "scored"),
    (14, "scored"),
];

/// Answers with a status are compared too, so that a page that is not there is not taken for a page without a message.
struct Fetched {
    status: u16,
    text: String,
}

struct Audiences {
    site: Site,
    served: Served,
    operator: String,
    /// Who reads, with a token; none for anyone.
    readers: Vec<(&'static str, Option<String>)>,
    messages: [Message; 2],
}

impl Audiences {
    fn new() -> Self {
        let site = Site::new();
        let messages = [Message::random(1), Message::random(2)];
        site::write_tables(&site, "open", &fixture::tables(), false);
        for (name, message) in ["first", "second"].into_iter().zip(&messages) {
            let mut tables = message.tables(40);
            tables.name = "private".into();
            site::write_tables(&site, name, &tables, true);
        }
        let operator = site.token("olga", "operator");
        let (owner, other) = (site.token("ada", "builder"), site.token("bob", "builder"));
        let served = site.serve("--workers 1 --no-rate-limits");
        let readers = vec![
            ("owner", Some(owner)),
            ("other builder", Some(other)),
            ("anyone", None),
            ("operator", Some(operator.clone())),
        ];
        Self { site, served, operator, readers, messages }
    }

    /// Publishes a challenge on each message, runs the guest in both, and gives their names and the submissions' ids.
    fn run(&self, channel: u64) -> [(String, String); 2] {
        ["first", "second"].map(|data| {
            let name = format!("leak-{channel:02}-{data}");
            let rules = Challenge { seed: channel, ..fixture::challenge() };
            let operator = self.served.client(&self.operator);
            site::publish(&operator, &name, &rules, ("open", data), Visibility::Public, |_| ());
            let mut submit =
                self.site.command(&format!("submit sender.wasm --challenge {name} --mode official --json"));
            let owner = self.readers[0].1.as_ref().expect("the owner has a token");
            submit.env("THIMBLE_SERVER", &self.served.url).env("THIMBLE_TOKEN", owner);
            // A run that fails has an exit status of its own.
            let output = submit.output().expect("thimble starts");
            let answer: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{name}: {}", String::from_utf8_lossy(&output.stderr)));
            let id = answer["submission"]["id"].as_str().expect("an id").to_owned();
            assert!(name.parse::<ChallengeName>().is_ok());
            (name, id)
        })
    }

    fn fetch(&self, path: &str, token: Option<&str>) -> Fetched {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = agent.get(format!("{}{path}", self.served.url));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().expect("the service answers");
        let status = response.status().as_u16();
        Fetched { status, text: response.body_mut().read_to_string().expect("text") }
    }
}

/// Everything that is shown of a run, or of a challenge with one run.
fn paths(name: &str, id: &str) -> Vec<String> {
    let challenge = format!("/api/v1/challenges/{name}");
    let mut paths: Vec<String> = ["", "/log", "/context", "/events"]
        .into_iter()
        .map(|part| format!("/api/v1/submissions/{id}{part}"))
        .chain(["/leaderboard", "/leaderboard.csv"].map(|part| format!("{challenge}{part}")))
        .chain(
            ["accuracy", "flops_per_sample", "score", "parameters"].map(|of| format!("{challenge}/distribution/{of}")),
        )
        .chain(["", "/training", "/submissions"].map(|tab| format!("/challenges/{name}{tab}")))
        .collect();
    paths.push(format!("/api/v1/submissions?challenge={name}"));
    paths.push(format!("/submissions/{id}"));
    paths
}

/// A text without what names a run or tells the time: ids, digests of events with a time in them, instants, and versions of
/// boards, which count what the whole service published.
fn redacted(text: &str, name: &str, id: &str) -> String {
    let short = id.get(id.len() - 8..).unwrap_or(id);
    // As it is, and as it stands in an address.
    let text = text
        .replace(name, "NAME")
        .replace(&name.replace('-', "%2D"), "NAME")
        .replace(id, "ID")
        .replace(short, "SHORT")
        .replace('\r', "");
    // `leaderboard?version=17` is a word that ends with its version.
    let text = text.replace("?version=", " Version ");
    let ends = ['"', ' ', '>', '<', ',', '\n', '(', ')'];
    let (mut words, mut after_version) = (Vec::new(), false);
    for word in text.split_inclusive(ends) {
        let bare = word.trim_end_matches(ends);
        let digits = bare.bytes().filter(u8::is_ascii_digit).count();
        let all_digits = digits > 0 && digits == bare.len();
        // 2026-11-22T10:11:12.345Z, 2026-11-22, 10:11, and milliseconds; figures have neither dashes nor colons, nor 13 digits.
        let of_time = |byte: u8| byte.is_ascii_digit() || b"-:.TZ".contains(&byte);
        let instant = digits >= 4 && bare.contains(['-', ':']) && bare.bytes().all(of_time);
        let millis = all_digits && digits == 13;
        // `"version":17`, `Version 17`, and the last column of a CSV.
        let last_column = all_digits && word.ends_with('\n');
        let counter =
            (bare.starts_with(':') && digits + 1 == bare.len()) || (all_digits && after_version) || last_column;
        let event = bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        words.push(if instant || millis || counter || event { "TIME" } else { word });
        after_version = bare == "Version";
    }
    words.concat()
}

#[test]
fn nobody_but_the_operator_can_tell_two_messages_apart() {
    let audiences = Audiences::new();
    std::fs::write(audiences.site.path("sender.wasm"), guest("message-sender")).expect("written");
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut fetched = 0;
    for (channel, outcome) in CHANNELS {
        let runs = audiences.run(channel);
        for (reader, token) in &audiences.readers {
            let [first, second] = [0, 1].map(|i| {
                let (name, id) = &runs[i];
                let mut seen = Vec::new();
                let mut all = paths(name, id);
                if *reader == "operator" {
                    all.push(format!("/api/v1/operator/submissions/{id}"));
                    all.push(format!("/challenges/{name}/monitor"));
                }
                for path in all {
                    let answer = audiences.fetch(&path, token.as_deref());
                    let traces = audiences.messages[i].traces(answer.text.as_bytes());
                    assert!(traces.is_empty(), "{reader} reads {traces:?} at {path}: {}", answer.text);
                    fetched += 1;
                    seen.push((
                        path.replace(name, "NAME").replace(id, "ID"),
                        answer.status,
                        redacted(&answer.text, name, id),
                    ));
                }
                seen
            });
            if *reader == "owner" {
                assert!(first[0].1 == 200 && first[0].2.contains(outcome), "channel {channel}: {}", first[0].2);
            }
            let different: Vec<_> = first.iter().zip(&second).filter(|(first, second)| first != second).collect();
            *told.entry(reader).or_default() += usize::from(!different.is_empty());
            assert!(*reader == "operator" || different.is_empty(), "{reader} of channel {channel}: {different:#?}");
        }
    }
    eprintln!("{:<16}channels of {} that tell two messages apart", "audience", CHANNELS.len());
    for (reader, channels) in &told {
        eprintln!("{reader:<16}{channels}");
    }
    // The comparison can fail: operators see exact fuel and memory.
    assert!(told["operator"] > 0, "{told:?}");
    assert!(fetched > 900, "{fetched}");
    audiences.served.process.stop();
}
