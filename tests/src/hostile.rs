//! Hostile submissions with what must come of each: packages made by hand here, guests from the tests' cases
//! ([`Case::hostile`](crate::case::Case::hostile)). One form for every place that they are run in.

use std::io::{Cursor, Write as _};

use thimble_challenge::result::{Mode, Phase};
use thimble_challenge::{Challenge, Verdict};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fixture;
use crate::template::Solution;

/// A hostile submission.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What it does.
    pub name: String,
    /// A package or a bare component, or neither.
    pub submission: Vec<u8>,
    /// The challenge that it meets. Its data bindings are the runner's to fill in.
    pub challenge: Challenge,
    /// Whether it runs on public or on official data.
    pub mode: Mode,
    /// What must come of it.
    pub expected: Expected,
}

/// What must come of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is no package: it is refused where it is read, by this rule.
    NoPackage {
        /// The rule.
        rule: &'static str,
    },
    /// It is evaluated to this end.
    Ends {
        /// The verdict.
        verdict: Verdict,
        /// Where it failed; none for one that is scored.
        phase: Option<Phase>,
        /// The rule that it met.
        rule: Option<&'static str>,
    },
}

/// Packages that no library would write, each with the rule that refuses it.
pub fn packages() -> Vec<Hostile> {
    let component = Solution::default().component();
    let base = || vec![Entry::new("thimble.json", MANIFEST), Entry::new("solution.wasm", &component)];
    let and = |more: Entry| {
        let mut entries = base();
        entries.push(more);
        archive(&entries)
    };
    let named = |name: &str| and(Entry::new(name, b""));
    let edited = |edit: fn(&mut Entry)| {
        let mut entry = Entry::new("src/x", b"content");
        edit(&mut entry);
        and(entry)
    };
    let good = archive(&base());
    let many: Vec<Entry> =
        base().into_iter().chain((0..1_100).map(|i| Entry::new(&format!("src/{i}"), b"x"))).collect();
    let packages = [
        ("a single byte", vec![0], "package_format"),
        ("a program of this machine", b"\x7fELF, not WebAssembly".to_vec(), "package_format"),
        ("an absolute path", named("/etc/cron.d/x"), "entry_absolute"),
        ("a path that climbs", named("src/../../../../etc/passwd"), "entry_traversal"),
        ("a path of another system", named("src\\..\\x"), "entry_backslash"),
        ("a path with a zero byte", named("src/a\0b"), "entry_name_characters"),
        ("a path that reads backwards", named("src/\u{202e}x"), "entry_name_characters"),
        ("a second manifest", named("thimble.json"), "duplicate_entry"),
        ("a second manifest in other letters", named("Thimble.JSON"), "duplicate_entry"),
        ("a file of no use", named("weights.bin"), "unexpected_file"),
        ("an archive within", and(Entry::new("src/data.rs", &good)), "nested_archive"),
        ("a symbolic link", edited(|entry| entry.mode = 0o120_777), "entry_not_regular"),
        ("a device", edited(|entry| entry.mode = 0o020_644), "entry_not_regular"),
        ("an encrypted file", edited(|entry| entry.flags = 1), "encrypted_entry"),
        ("a method nobody knows", edited(|entry| entry.method = 99), "compression_method"),
        ("a checksum that is wrong", edited(|entry| entry.crc ^= 1), "damaged_archive"),
        ("two sizes for one file", edited(|entry| entry.local_size = 3), "header_mismatch"),
        ("two names for one file", edited(|entry| entry.local_name = b"src/y".into()), "header_mismatch"),
        ("two files in the same bytes", edited(|entry| entry.header = Some(0)), "overlapping_entries"),
        ("more entries than are allowed", archive(&many), "entry_count"),
        ("bytes after the end", [&good[..], b"x"].concat(), "trailing_data"),
        ("a program before the beginning", [b"#!/bin/sh\n", &good[..]].concat(), "prefix_bytes"),
        ("half an archive", good[..good.len() / 2].to_vec(), "damaged_archive"),
        ("no component", archive(&base()[..1]), "component_missing"),
        ("no manifest", archive(&base()[1..]), "manifest_missing"),
        ("64 MiB of zeros as a component", bomb(64 << 20, None), "component_bytes"),
        ("64 MiB of zeros declared as ten bytes", bomb(64 << 20, Some(10)), "entry_size_mismatch"),
    ];
    packages
        .into_iter()
        .map(|(name, submission, rule)| Hostile {
            name: name.to_owned(),
            submission,
            challenge: fixture::challenge(),
            mode: Mode::Validation,
            expected: Expected::NoPackage { rule },
        })
        .collect()
}

const MANIFEST: &[u8] =
    br#"{"protocol":"thimble:solution@0.1.0","name":"hostile","version":"0.1.0","note":"","parameters":8}"#;

/// An entry with the fields of both headers that a hostile one sets.
#[derive(Debug, Clone)]
struct Entry {
    local_name: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    local_size: u32,
    mode: u32,
    /// Where the central directory says that it starts; none for the truth.
    header: Option<u32>,
}

impl Entry {
    fn new(name: &str, data: &[u8]) -> Self {
        Self {
            local_name: name.into(),
            name: name.into(),
            data: data.to_vec(),
            flags: 0,
            method: 0,
            crc: crc32(data),
            local_size: data.len() as u32,
            mode: 0o100_644,
            header: None,
        }
    }
}

/// CRC-32 as in APPNOTE 4.4.7, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// Stored entries: APPNOTE 4.3.7, 4.3.12 and 4.3.16. The date 0x21 is 1980-01-01.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let shorts = |values: &[u16]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let longs = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let header = entry.header.unwrap_or(bytes.len() as u32);
        let size = entry.data.len() as u32;
        bytes.extend(b"PK\x03\x04");
        bytes.extend(shorts(&[20, entry.flags, entry.method, 0, 0x21]));
        bytes.extend(longs(&[entry.crc, size, entry.local_size]));
        bytes.extend(shorts(&[entry.local_name.len() as u16, 0]));
        bytes.extend(&entry.local_name);
        bytes.extend(&entry.data);
        directory.extend(b"PK\x01\x02");
        directory.extend(shorts(&[0x0314, 20, entry.flags, entry.method, 0, 0x21]));
        directory.extend(longs(&[entry.crc, size, size]));
        directory.extend(shorts(&[entry.name.len() as u16, 0, 0, 0, 0]));
        directory.extend(longs(&[entry.mode << 16, header]));
        directory.extend(&entry.name);
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06");
    bytes.extend(shorts(&[0, 0, entries.len() as u16, entries.len() as u16]));
    bytes.extend(longs(&[directory.len() as u32, start]));
    bytes.extend([0, 0]);
    bytes
}

/// A package whose component inflates to `size` zeros, and which declares another size where one is given.
fn bomb(size: u32, declared: Option<u32>) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in [("thimble.json", MANIFEST), ("solution.wasm", &vec![0; size as usize])] {
        writer.start_file(name, options).expect("a legal name");
        writer.write_all(content).expect("memory takes everything");
    }
    let mut bytes = writer.finish().expect("memory takes everything").into_inner();
    if let Some(declared) = declared {
        for at in 0..bytes.len() - 3 {
            if bytes[at..at + 4] == size.to_le_bytes() {
                bytes[at..at + 4].copy_from_slice(&declared.to_le_bytes());
            }
        }
    }
    bytes
}
