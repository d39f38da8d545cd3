//! Which team a customer's message is for.
//!
//! Made for this project from a small grammar of our own phrases: a request that one team answers, often beside words
//! that are another team's, now and then too vague to tell, in any order, with typing errors. No two messages are the
//! same.

mod phrases;

use std::collections::BTreeSet;

use super::{stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::stream::Stream;
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

use phrases::{ASIDES, CLOSINGS, DAYS, GREETINGS, REQUESTS, SHARES, TEAMS, THINGS, VAGUE};

/// The dataset's name.
pub const NAME: &str = "ticket-routing";
/// The digest of [`public`]: `sha256:519d80523747d844e27f8fc3bdf5a069ca1faff18686f48cd90974cf6018e099`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x51, 0x9d, 0x80, 0x52, 0x37, 0x47, 0xd8, 0x44, 0xe2, 0x7f, 0x8f, 0xc3, 0xbd, 0xf5, 0xa0, 0x69, 0xca, 0x1f, 0xaf,
    0xf1, 0x86, 0x86, 0xf4, 0x8c, 0xd9, 0x09, 0x74, 0xcf, 0x60, 0x18, 0xe0, 0x99,
]);

/// Messages in 100 whose request is replaced by something vague.
const VAGUE_SHARE: u64 = 10;
/// Messages in 100 that mention something of another team.
const ASIDE_SHARE: u64 = 70;
/// Words in 1,000 that are mistyped.
const TYPING_ERRORS: u64 = 90;

const fn messages(split: Split) -> usize {
    match split {
        Split::Train => 900,
        Split::Validation => 200,
        Split::Test => 400,
    }
}

/// 900, 200 and 400 messages.
pub fn public() -> Tables {
    let mut seen = BTreeSet::new();
    let fields = vec![Field::input("text", DType::Text, &[]), Field::target("label", DType::S64, &[])];
    tables(NAME, TaskKind::TextClassification(Classes::named(TEAMS)), fields, |split| {
        let mut stream = stream(NAME, split.name());
        let (mut texts, mut labels) = (Vec::new(), Vec::new());
        while texts.len() < messages(split) {
            let team = team(&mut stream);
            let text = message(&mut stream, team);
            if seen.insert(text.clone()) {
                texts.push(text);
                labels.push(team as i64);
            }
        }
        Table { rows: texts.len(), columns: vec![Values::Text(texts), Values::S64(labels)] }
    })
}

fn team(stream: &mut Stream) -> usize {
    let mut draw = stream.below(100);
    for (team, share) in SHARES.into_iter().enumerate() {
        if draw < share {
            return team;
        }
        draw -= share;
    }
    // The shares sum to 100.
    0
}

fn message(stream: &mut Stream, team: usize) -> String {
    let mut parts = Vec::new();
    let requests = if stream.below(100) < VAGUE_SHARE { &VAGUE[..] } else { REQUESTS[team] };
    parts.push(phrase(stream, requests));
    if stream.below(100) < ASIDE_SHARE {
        let other = (team + 1 + stream.below(TEAMS.len() as u64 - 1) as usize) % TEAMS.len();
        parts.push(phrase(stream, ASIDES[other]));
    }
    if stream.below(2) == 0 {
        parts.push(phrase(stream, &VAGUE));
    }
    let order = stream.permutation(parts.len());
    let mut text = Vec::new();
    if stream.below(3) > 0 {
        text.push(phrase(stream, &GREETINGS));
    }
    text.extend(order.into_iter().map(|part| parts[part].clone()));
    if stream.below(3) > 0 {
        text.push(phrase(stream, &CLOSINGS));
    }
    let mark = ["\n", ". ", ", "][stream.below(3) as usize];
    let words: Vec<String> = text.join(mark).split(' ').map(|word| typed(stream, word)).collect();
    words.join(" ")
}

/// One of some phrases, its gap filled.
fn phrase(stream: &mut Stream, phrases: &[&str]) -> String {
    let phrase = phrases[stream.below(phrases.len() as u64) as usize];
    // A day follows words of time, a thing any other.
    let mut text = String::new();
    for (index, part) in phrase.split("{}").enumerate() {
        if index > 0 {
            let of_time = ["from ", "since ", "again ", "you ", "phone "].iter().any(|word| text.ends_with(word));
            let list: &[&str] = if of_time { &DAYS } else { &THINGS };
            text += list[stream.below(list.len() as u64) as usize];
        }
        text += part;
    }
    text
}

/// A word as it is typed: now and then without a letter, with one twice, with two swapped or in capitals.
fn typed(stream: &mut Stream, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 3 || stream.below(1000) >= TYPING_ERRORS {
        return word.to_owned();
    }
    let at = stream.below(letters.len() as u64 - 1) as usize;
    match stream.below(4) {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters.swap(at, at + 1),
        _ => return word.to_uppercase(),
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_get_their_shares_of_messages() {
        let tables = public();
        let Values::S64(labels) = &tables.train.columns[1] else { unreachable!("labels are s64") };
        for (team, share) in SHARES.into_iter().enumerate() {
            let count = labels.iter().filter(|&&label| label == team as i64).count();
            // 900 messages; four standard errors at 30 %.
            assert!(count.abs_diff(share as usize * 9) < 55, "{team}: {count}");
        }
        assert_eq!(SHARES.iter().sum::<u64>(), 100);
    }

    #[test]
    fn messages_hold_no_gap() {
        let tables = public();
        let Values::Text(texts) = &tables.test.columns[0] else { unreachable!("the input is text") };
        assert!(texts.iter().all(|text| !text.contains('{') && text.len() > 10 && text.len() < 400));
    }
}
