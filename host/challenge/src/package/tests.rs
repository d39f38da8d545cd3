//! Hostile packages, made by hand where no library would write them, each with the rule that refuses it.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

/// The start of a component (core version 13, layer 1); admission looks at the rest.
const WASM: &[u8] = b"\0asm\x0d\0\x01\0";

fn manifest() -> Manifest {
    Manifest {
        protocol: CONTRACT.to_owned(),
        name: "centroid".to_owned(),
        version: "0.1.0".to_owned(),
        note: "class means".to_owned(),
        parameters: Some(crate::ParameterCount(49_280)),
        parent: None,
    }
}

/// CRC-32 as in APPNOTE 4.4.7, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// An entry with every field of both headers in the open.
#[derive(Clone)]
struct Entry {
    local_name: Vec<u8>,
    central_name: Vec<u8>,
    data: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    size: u32,
    local_size: u32,
    mode: u32,
    central_extra: Vec<u8>,
    /// Bytes between the data and the next header.
    after: Vec<u8>,
    /// Where the central directory says it starts; none for the truth.
    header: Option<u32>,
}

fn entry(name: &str, data: &[u8]) -> Entry {
    Entry {
        local_name: name.into(),
        central_name: name.into(),
        data: data.to_vec(),
        flags: 0,
        method: 0,
        crc: crc32(data),
        size: data.len() as u32,
        local_size: data.len() as u32,
        mode: if name.ends_with('/') { 0o040_755 } else { 0o100_644 },
        central_extra: Vec::new(),
        after: Vec::new(),
        header: None,
    }
}

fn with(mut entry: Entry, edit: impl FnOnce(&mut Entry)) -> Entry {
    edit(&mut entry);
    entry
}

fn put(bytes: &mut Vec<u8>, shorts: &[u16]) {
    bytes.extend(shorts.iter().flat_map(|short| short.to_le_bytes()));
}

fn put_long(bytes: &mut Vec<u8>, longs: &[u32]) {
    bytes.extend(longs.iter().flat_map(|long| long.to_le_bytes()));
}

/// APPNOTE 4.3.7, 4.3.12 and 4.3.16. The time 0, date 0x21 is 1980-01-01.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let header = entry.header.unwrap_or(bytes.len() as u32);
        let compressed = entry.data.len() as u32;
        bytes.extend(b"PK\x03\x04");
        put(&mut bytes, &[20, entry.flags, entry.method, 0, 0x21]);
        put_long(&mut bytes, &[entry.crc, compressed, entry.local_size]);
        put(&mut bytes, &[entry.local_name.len() as u16, 0]);
        bytes.extend(&entry.local_name);
        bytes.extend(&entry.data);
        bytes.extend(&entry.after);
        directory.extend(b"PK\x01\x02");
        put(&mut directory, &[0x0314, 20, entry.flags, entry.method, 0, 0x21]);
        put_long(&mut directory, &[entry.crc, compressed, entry.size]);
        put(&mut directory, &[entry.central_name.len() as u16, entry.central_extra.len() as u16, 0, 0, 0]);
        put_long(&mut directory, &[entry.mode << 16, header]);
        directory.extend(&entry.central_name);
        directory.extend(&entry.central_extra);
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06");
    put(&mut bytes, &[0, 0, entries.len() as u16, entries.len() as u16]);
    put_long(&mut bytes, &[directory.len() as u32, start]);
    put(&mut bytes, &[0]);
    bytes
}

/// The two entries every package has.
fn base() -> Vec<Entry> {
    vec![entry(MANIFEST, manifest().to_json().as_bytes()), entry(COMPONENT, WASM)]
}

fn and(more: Entry) -> Vec<u8> {
    let mut entries = base();
    entries.push(more);
    archive(&entries)
}

fn rule(bytes: &[u8]) -> &'static str {
    Package::read(bytes).map_or_else(|error| error.rule(), |_| "ok")
}

/// A valid package with the component deflated to less than its size.
fn deflated(component: &[u8]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in [(MANIFEST, manifest().to_json().as_bytes()), (COMPONENT, component)] {
        writer.start_file(name, options).expect("a legal name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

/// Every place where `from` stands, little-endian.
fn patch(bytes: &mut [u8], from: u32, to: u32) -> usize {
    let mut places = 0;
    for at in 0..bytes.len() - 3 {
        if bytes[at..at + 4] == from.to_le_bytes() {
            bytes[at..at + 4].copy_from_slice(&to.to_le_bytes());
            places += 1;
        }
    }
    places
}

#[test]
fn what_is_written_reads_back_and_has_the_same_bytes_again() {
    let sources = [("src/lib.rs".to_owned(), b"// lib".to_vec()), ("Cargo.toml".to_owned(), b"[package]".to_vec())];
    let bytes = write(&manifest(), WASM, &sources).expect("legal");
    let package = Package::read(&bytes).expect("just written");
    assert_eq!(package.manifest, Some(manifest()));
    assert_eq!(package.component, WASM);
    assert_eq!(package.component_digest, Digest::of(WASM));
    assert_eq!(package.package_digest, Some(Digest::of(&bytes)));
    let reversed: Vec<_> = sources.iter().rev().cloned().collect();
    assert_eq!(write(&manifest(), WASM, &reversed).as_ref(), Ok(&bytes));
    // Golden: fixed time, permissions, order and method. A change here changes every package's digest.
    assert_eq!(&bytes[..14], b"PK\x03\x04\x0a\0\0\0\0\0\0\0\x21\0");
}

#[test]
fn the_writer_refuses_what_the_reader_would() {
    let refused = |path: &str| write(&manifest(), WASM, &[(path.to_owned(), Vec::new())]).map_err(|error| error.rule());
    assert_eq!(refused("data/train.bin").map(|_| ()), Err("unexpected_file"));
    assert_eq!(refused("src/../x").map(|_| ()), Err("entry_traversal"));
    let unnamed = Manifest { name: String::new(), ..manifest() };
    assert_eq!(write(&unnamed, WASM, &[]).map_err(|error| error.rule()), Err("manifest_field"));
}

#[test]
fn hand_made_and_library_made_packages_are_read() {
    assert_eq!(rule(&archive(&base())), "ok");
    assert_eq!(rule(&deflated(WASM)), "ok");
    assert_eq!(rule(&and(entry("src/", b""))), "ok");
    assert_eq!(rule(&and(entry("src/deep/er/mod.rs", b"mod x;"))), "ok");
    // Sizes behind the data, as streaming writers put them.
    let mut descriptor = b"PK\x07\x08".to_vec();
    put_long(&mut descriptor, &[crc32(b"x"), 1, 1]);
    assert_eq!(rule(&and(with(entry("README.md", b"x"), |e| (e.flags, e.after) = (8, descriptor)))), "ok");
}

#[test]
fn bare_components_are_read_by_their_magic() {
    let package = Package::read(WASM).expect("the magic is right");
    assert_eq!((package.manifest, package.zip_project, package.package_digest), (None, None, None));
    assert_eq!(package.component_digest, Digest::of(WASM));
    for other in [&b""[..], b"\x7fELF", b"\0as", b"PK", b"{}", b"\0ASM\x0d\0\x01\0"] {
        assert_eq!(rule(other), "package_format", "{other:?}");
    }
}

#[test]
fn zip_project_is_accepted_with_whatever_its_scripts_need() {
    let json =
        br#"{"protocol":"zip_project","protocol_version":1,"note":"n","commands":{"build":"b.sh","run":"r.sh"}}"#;
    let entries = [entry(ZIP_PROJECT_MANIFEST, json), entry(COMPONENT, WASM), entry("r.sh", b"#!/bin/sh")];
    let package = Package::read(&archive(&entries)).expect("legal");
    assert_eq!(package.manifest, None);
    assert_eq!(
        package.zip_project.map(|project| (project.note, project.commands.run)),
        Some(("n".into(), "r.sh".into()))
    );
    assert_eq!(rule(&and(entry(ZIP_PROJECT_MANIFEST, json))), "two_manifests");
}

#[test]
fn content_is_refused_by_name() {
    assert_eq!(rule(&archive(&base()[..1])), "component_missing");
    assert_eq!(rule(&archive(&base()[1..])), "manifest_missing");
    assert_eq!(rule(&archive(&[])), "component_missing");
    assert_eq!(rule(&and(entry("weights.bin", b"x"))), "unexpected_file");
    assert_eq!(rule(&and(entry("dir/solution.wasm", WASM))), "unexpected_file");
    assert_eq!(rule(&and(entry("src/data.ZIP", b"x"))), "nested_archive");
    assert_eq!(rule(&and(entry("src/data.rs", &archive(&base())))), "nested_archive");
    let nested = [base().remove(0), entry(COMPONENT, &archive(&base()))];
    assert_eq!(rule(&archive(&nested)), "nested_archive");
    let wrong = [entry(MANIFEST, b"{}"), entry(COMPONENT, WASM)];
    assert_eq!(rule(&archive(&wrong)), "manifest_field");
    let newer = manifest().to_json().replace("@0.1.0", "@0.2.0");
    let error = Package::read(&archive(&[entry(MANIFEST, newer.as_bytes()), entry(COMPONENT, WASM)]));
    let text = error.map_or_else(|error| (error.rule(), error.to_string()), |_| ("ok", String::new()));
    let expected = "thimble.json: speaks `thimble:solution@0.2.0`, this host speaks `thimble:solution@0.1.0`";
    assert_eq!(text, ("manifest_protocol", expected.to_owned()));
}

#[test]
fn names_are_refused_by_name() {
    for (name, expected) in [
        ("/etc/passwd", "entry_absolute"),
        ("C:/x", "entry_absolute"),
        ("src/x:stream", "entry_absolute"),
        ("../x", "entry_traversal"),
        ("src/../../x", "entry_traversal"),
        ("src/./x", "entry_traversal"),
        ("src//x", "entry_traversal"),
        ("", "entry_traversal"),
        ("src\\x", "entry_backslash"),
        ("src/a\0b", "entry_name_characters"),
        ("src/a\nb", "entry_name_characters"),
        ("src/ä", "entry_name_characters"),
        ("src/\u{202e}x", "entry_name_characters"),
        ("thimble.json", "duplicate_entry"),
        ("Thimble.JSON", "duplicate_entry"),
        ("solution.wasm/", "duplicate_entry"),
    ] {
        assert_eq!(rule(&and(entry(name, b""))), expected, "{name}");
    }
    assert_eq!(rule(&and(with(entry("x", b""), |e| e.central_name = b"src/\xff".into()))), "entry_name_characters");
}

#[test]
fn kinds_of_entries_are_refused_by_name() {
    let mode = |mode| rule(&and(with(entry("src/x", b"solution.wasm"), |e| e.mode = mode)));
    assert_eq!(mode(0o120_777), "entry_not_regular");
    for device in [0o020_644, 0o060_644, 0o010_644, 0o140_644, 0o040_755] {
        assert_eq!(mode(device), "entry_not_regular", "{device:o}");
    }
    assert_eq!(mode(0), "ok");
    assert_eq!(rule(&and(entry("src/", b"x"))), "directory_content");
    for flags in [1, 1 << 6, 1 << 13] {
        assert_eq!(rule(&and(with(entry("src/x", b"x"), |e| e.flags = flags))), "encrypted_entry");
    }
    for method in [1, 6, 9, 12, 14, 93, 95, 99] {
        assert_eq!(rule(&and(with(entry("src/x", b"x"), |e| e.method = method))), "compression_method");
    }
}

#[test]
fn lying_headers_are_refused() {
    let differ = |edit: fn(&mut Entry)| rule(&and(with(entry("src/x", b"content"), edit)));
    assert_eq!(differ(|e| e.local_name = b"src/y".into()), "header_mismatch");
    assert_eq!(differ(|e| e.local_size = 3), "header_mismatch");
    assert_eq!(differ(|e| (e.size, e.local_size) = (3, 3)), "entry_size_mismatch");
    assert_eq!(differ(|e| (e.size, e.local_size) = (9, 9)), "entry_size_mismatch");
    assert_eq!(differ(|e| e.crc ^= 1), "damaged_archive");
    assert_eq!(differ(|e| e.method = 8), "damaged_archive");
    assert_eq!(differ(|e| e.size = u32::MAX), "zip64");
    assert_eq!(differ(|e| e.central_extra = vec![1, 0, 0, 0]), "zip64");
    // Info-ZIP unicode path (0x7075, version 1, checksum of the other name): another reader would see `src/z`.
    let unicode_path = |e: &mut Entry| {
        e.central_extra = [&[0x75, 0x70, 10, 0, 1][..], &crc32(b"src/x").to_le_bytes(), b"src/z"].concat();
    };
    assert_eq!(differ(unicode_path), "header_mismatch");
}

/// An entry that declares 10 bytes and inflates to 64 MiB.
#[test]
fn a_bomb_that_declares_ten_bytes_is_refused() {
    let size = 64 << 20;
    let mut bomb = deflated(&vec![0; size as usize]);
    assert!(bomb.len() < 1 << 20);
    assert_eq!(rule(&bomb), "component_bytes");
    assert_eq!(patch(&mut bomb, size, 10), 2);
    assert_eq!(rule(&bomb), "entry_size_mismatch");
}

#[test]
fn the_archive_must_be_all_there_is() {
    let good = archive(&base());
    assert_eq!(rule(&[&good[..], b"x"].concat()), "trailing_data");
    assert_eq!(rule(&[&good[..], &[0; 70_000]].concat()), "damaged_archive");
    let mut comment = good.clone();
    let last = comment.len() - 2;
    comment[last] = 2;
    assert_eq!(rule(&comment), "damaged_archive");
    comment.extend(b"hi");
    assert_eq!(rule(&comment), "trailing_data");
    assert_eq!(rule(&[b"#!/bin/sh\n", &good[..]].concat()), "prefix_bytes");
    assert_eq!(rule(&[b"PK\x03\x04", &good[..]].concat()), "prefix_bytes");
    assert_eq!(rule(&[&good[..], &good[..]].concat()), "prefix_bytes");
    assert_eq!(rule(&good[..good.len() - 1]), "trailing_data");
    assert_eq!(rule(&good[..good.len() - 22]), "damaged_archive");
    assert_eq!(rule(&and(with(entry("src/x", b""), |e| e.after = b"hidden".into()))), "unclaimed_bytes");
}

/// Offsets that were moved along with the prefix: the end record is right, yet the first byte is nobody's.
#[test]
fn a_prefix_that_the_offsets_allow_for_is_refused() {
    let good = archive(&base());
    let first = base().remove(0);
    let second = 30 + first.local_name.len() + first.data.len();
    let moved = [with(first, |e| e.header = Some(4)), with(base().remove(1), |e| e.header = Some(second as u32 + 4))];
    let mut bytes = [b"PK\x03\x04", &archive(&moved)[..]].concat();
    let start = bytes.len() - 6;
    let directory = u32::from_le_bytes([bytes[start], bytes[start + 1], bytes[start + 2], bytes[start + 3]]);
    bytes[start..start + 4].copy_from_slice(&(directory + 4).to_le_bytes());
    assert_eq!(bytes.len(), good.len() + 4);
    assert_eq!(rule(&bytes), "prefix_bytes");
}

#[test]
fn overlapping_entries_are_refused() {
    // Two names for the same data, each with its own claim on the bytes (D. Fifield, "A better zip bomb", 2019).
    assert_eq!(rule(&and(with(entry("src/x", b""), |e| e.header = Some(0)))), "overlapping_entries");
    // The data of one runs over the header of the next.
    let mut entries = base();
    entries.insert(1, entry("src/x", b"abc"));
    let mut bytes = archive(&entries);
    let places: Vec<_> =
        (0..bytes.len() - 11).filter(|&at| bytes[at..].starts_with(&crc32(b"abc").to_le_bytes())).collect();
    assert_eq!(places.len(), 2);
    for at in places {
        bytes[at + 4] = 60;
        bytes[at + 8] = 60;
    }
    assert_eq!(rule(&bytes), "overlapping_entries");
}

#[test]
fn the_end_record_is_read_strictly() {
    let set = |field: usize, value: u16| {
        let mut bytes = archive(&base());
        let at = bytes.len() - 22 + field;
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
        rule(&bytes)
    };
    assert_eq!(set(4, 1), "multi_disk");
    assert_eq!(set(8, 1), "multi_disk");
    assert_eq!(set(10, u16::MAX), "zip64");
    assert_eq!(set(12, 1), "prefix_bytes");
    assert_eq!(set(16, 0), "prefix_bytes");
    assert_eq!(set(18, 1), "damaged_archive");
    let unlisted = || {
        let mut bytes = archive(&base());
        let at = bytes.len() - 22 + 8;
        bytes[at..at + 4].copy_from_slice(&[1, 0, 1, 0]);
        rule(&bytes)
    };
    assert_eq!(unlisted(), "damaged_archive");
}

#[test]
fn entries_ok_err() {
    let package = |entries: usize| {
        let mut all = base();
        all.extend((2..entries).map(|i| entry(&format!("src/{i}"), b"x")));
        rule(&archive(&all))
    };
    assert_eq!(package(MAX_ENTRIES), "ok");
    assert_eq!(package(MAX_ENTRIES + 1), "entry_count");
}

#[test]
fn entry_names_ok_err() {
    let name = |bytes: usize| rule(&and(entry(&format!("src/{}", "a".repeat(bytes - 4)), b"x")));
    assert_eq!(name(MAX_ENTRY_NAME), "ok");
    assert_eq!(name(MAX_ENTRY_NAME + 1), "entry_name_bytes");
}

#[test]
fn package_bytes_ok_err() {
    let overhead = and(entry("src/x", b"")).len();
    let package = |bytes: u64| rule(&and(entry("src/x", &vec![b'x'; bytes as usize - overhead])));
    assert_eq!(package(MAX_PACKAGE_BYTES), "ok");
    assert_eq!(package(MAX_PACKAGE_BYTES + 1), "package_bytes");
    assert_eq!(rule(&vec![0; MAX_PACKAGE_BYTES as usize + 1]), "package_bytes");
}

#[test]
fn component_bytes_ok_err() {
    let component = |bytes: u64| {
        let mut component = WASM.to_vec();
        component.resize(bytes as usize, 0);
        [rule(&component), rule(&deflated(&component))]
    };
    assert_eq!(component(MAX_COMPONENT_BYTES), ["ok"; 2]);
    assert_eq!(component(MAX_COMPONENT_BYTES + 1), ["component_bytes"; 2]);
}

#[test]
fn expanded_bytes_ok_err() {
    let package = |bytes: u64| {
        let json = manifest().to_json();
        let rest = bytes as usize - json.len() - WASM.len();
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, content) in [(MANIFEST, json.as_bytes()), (COMPONENT, WASM), ("src/x", &vec![0; rest])] {
            writer.start_file(name, options).expect("a legal name");
            writer.write_all(content).expect("memory");
        }
        rule(&writer.finish().expect("memory").into_inner())
    };
    assert_eq!(package(MAX_EXPANDED_BYTES), "ok");
    assert_eq!(package(MAX_EXPANDED_BYTES + 1), "expanded_bytes");
}

#[test]
fn manifest_bytes_ok_err() {
    let package = |bytes: u64| {
        let mut json = manifest().to_json().into_bytes();
        json.resize(bytes as usize, b' ');
        rule(&archive(&[entry(MANIFEST, &json), entry(COMPONENT, WASM)]))
    };
    assert_eq!(package(MAX_MANIFEST_BYTES), "ok");
    assert_eq!(package(MAX_MANIFEST_BYTES + 1), "manifest_bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_read_without_panic(start in 0usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let magic: [&[u8]; 3] = [b"", b"PK\x03\x04", b"PK\x05\x06"];
        let _ = Package::read(&[magic[start], &bytes].concat());
    }

    #[test]
    fn mutated_packages_are_read_without_panic(
        compressed: bool,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        keep: bool,
    ) {
        let mut bytes = if compressed { deflated(&[7; 500]) } else { and(entry("src/lib.rs", b"code")) };
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !keep {
            bytes.truncate(cut.index(bytes.len()));
        }
        // What is accepted after all has a component that is exactly what the archive holds.
        if let Ok(package) = Package::read(&bytes) {
            prop_assert_eq!(package.component_digest, Digest::of(&package.component));
        }
    }
}
