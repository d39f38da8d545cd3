//! How many bits of a message in the private data reach whom, channel by channel.
//!
//! A guest sends the message through one channel at a time, and the messages are as many as the channel could carry or, where
//! that is thousands of bits, a sample. What an audience sees of all of them is collected: `n` different sights are
//! log2 `n` bits. What a builder may see is measured against the count of the challenge, and that against the threat
//! model. What the service adds to the published block is measured in `service::leaks`.

use std::collections::BTreeSet;

use thimble_challenge::Challenge;
use thimble_challenge::challenge::Disclosure;
use thimble_challenge::result::{EvaluationResult, Mode};
use thimble_tests::evaluation::evaluate_on;
use thimble_tests::fixture::{self, StoredDataset};
use thimble_tests::guests::guest;
use thimble_tests::message::Message;

/// What the guest `message-sender` sends nothing of to a builder through, with its number there.
const CLOSED: [(&str, u64); 15] = [
    ("log, stdout, stderr", 1),
    ("curve names, steps and values", 2),
    ("error of solve", 3),
    ("error of load", 4),
    ("error of predict", 5),
    ("panic", 6),
    ("tensor names", 7),
    ("tensor shapes", 8),
    ("parameter values", 9),
    ("parameter count", 10),
    ("output name", 11),
    ("output values", 12),
    ("memory", 13),
    ("training fuel and time", 14),
    ("kind of failure", 15),
];
/// Channels whose message the host moves into `load`, which costs FLOPs by their size: what arrives by those is measured
/// where FLOPs are the channel.
const MOVED: [u64; 2] = [8, 10];
const OUTCOME: u64 = 16;
const TRANSDUCTION: u64 = 17;
const FLOPS: u64 = 18;
const METRIC: u64 = 19;

/// Messages of 4,096 bits that a closed channel is tried with.
const SAMPLE: u32 = 8;
/// Test rows where the number of right answers is the message: a thousandth is the published place.
const ROWS: u32 = 1_000;
/// Test rows of every other channel.
const FEW_ROWS: u32 = 40;

/// The different sights of an audience.
#[derive(Debug, Default)]
struct Seen {
    messages: u32,
    builder: BTreeSet<String>,
    operator: BTreeSet<String>,
}

impl Seen {
    fn bits(sights: &BTreeSet<String>) -> f64 {
        (sights.len() as f64).log2()
    }

    fn row(&self, channel: &str) -> String {
        let [builder, operator] = [&self.builder, &self.operator].map(Self::bits);
        format!("{channel:<32}{:>9}{builder:>10.2}{operator:>10.2}\n", self.messages)
    }
}

fn challenge(channel: u64) -> Challenge {
    Challenge { seed: channel, ..fixture::challenge() }
}

fn run(channel: u64, message: &Message, rows: u32, mode: Mode) -> (EvaluationResult, String) {
    let data = StoredDataset::new(&message.tables(rows as usize));
    let evaluation = evaluate_on(&data, &guest("message-sender"), challenge(channel), mode);
    (evaluation.result, evaluation.events)
}

/// Sends every message through a channel of official runs.
fn send(channel: u64, rows: u32, messages: impl IntoIterator<Item = Message>) -> Seen {
    let mut seen = Seen::default();
    for message in messages {
        let (result, events) = run(channel, &message, rows, Mode::Official);
        let mut published = result.published.clone().expect("official runs publish");
        if MOVED.contains(&channel) {
            (published.flops_per_sample, published.gco2e_per_sample) = (None, None);
        }
        let published = serde_json::to_string(&published).expect("a result is JSON");
        // Not the commitment: it is another for each data, and tells nothing of it.
        let mut comparable = result.comparable.clone();
        comparable.dataset = thimble_datasets::Digest::of(b"");
        comparable.challenge.digest = comparable.dataset;
        for (text, place) in
            [(&published, "what is published"), (&result.to_json(), "the result"), (&events, "the events")]
        {
            let traces = message.traces(text.as_bytes());
            assert!(traces.is_empty(), "channel {channel}: {place} holds {traces:?}: {text}");
        }
        seen.messages += 1;
        seen.builder.insert(published);
        seen.operator.insert(comparable.to_json());
    }
    seen
}

/// The search finds what is there: in validation the guest's words are shown.
#[test]
fn a_message_is_found_where_the_guest_may_speak() {
    let message = Message::random(0);
    for (name, channel) in [CLOSED[0], CLOSED[2], CLOSED[3], CLOSED[4]] {
        let (result, _) = run(channel, &message, FEW_ROWS, Mode::Validation);
        assert!(!message.traces(result.to_json().as_bytes()).is_empty(), "{name}: {}", result.to_json());
    }
}

/// The number in bold after `what` in the threat model.
fn promised(what: &str) -> f64 {
    let model = include_str!("../../../../docs/threat-model.md");
    let (_, rest) = model.split_once(what).expect("the threat model says so");
    let number = rest.split("**").nth(1).and_then(|bold| bold.split(' ').next());
    number.and_then(|number| number.parse().ok()).expect("a number in bold")
}

#[test]
fn no_more_bits_reach_a_builder_than_the_threat_model_says() {
    let mut table = format!("{:<32}{:>9}{:>10}{:>10}\n", "channel", "messages", "builder", "operator");
    for (name, channel) in CLOSED {
        let seen = send(channel, FEW_ROWS, (0..SAMPLE).map(Message::random));
        table += &seen.row(name);
        assert_eq!(seen.builder.len(), 1, "{name}: {:#?}", seen.builder);
    }
    let outcome = send(OUTCOME, FEW_ROWS, (0..6).map(Message::number));
    let transduction = send(TRANSDUCTION, FEW_ROWS, (0..4).map(Message::number));
    let metric = send(METRIC, ROWS, (0..=ROWS).step_by(10).map(Message::number));
    // 1 to 4,095 in steps of 5 %: each is told from the next in three digits.
    let next = |&number: &u32| (number < 4_095).then(|| (number + number.div_ceil(20)).min(4_095));
    let flops = send(FLOPS, FEW_ROWS, std::iter::successors(Some(1), next).map(Message::number));
    for (name, seen) in
        [("outcome", &outcome), ("transductive", &transduction), ("ranking metric", &metric), ("FLOPs a row", &flops)]
    {
        table += &seen.row(name);
    }

    let disclosure = Disclosure::of(&challenge(METRIC));
    let counted = |seen: &Seen| seen.builder.len() as f64;
    // These are channels, and every message of the sample arrives. How many values there are in all is counted exactly where
    // they are rounded (`thimble_challenge::challenge::Disclosure`).
    assert_eq!((counted(&outcome), counted(&transduction), counted(&metric)), (3.0, 2.0, 101.0), "{table}");
    assert!(counted(&flops) >= 50.0, "{table}");
    assert!(counted(&outcome) - 1.0 <= disclosure.endings, "{table}");
    assert!(counted(&transduction) <= disclosure.transductive, "{table}");
    assert!(counted(&metric) <= disclosure.metrics[0].1, "{table}");
    assert!(counted(&flops) <= disclosure.flops, "{table}");
    let together = (counted(&metric) * counted(&flops) * counted(&transduction) + counted(&outcome) - 1.0).log2();
    let [said, budget] = [disclosure.bits(), promised("an official submission tells its builder at most")];
    table += &format!("{:<41}{together:>10.2}\n", "together, measured");
    table += &format!("{:<41}{said:>10.2}\n", "together, by the challenge's count");
    table += &format!("{:<41}{budget:>10.2}\n", "the threat model's budget");
    eprintln!("{table}");
    assert!(together <= said && said <= budget, "{table}");
}
