//! A submission as admission reads it: the archive itself, or what stands in a whole one.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use thimble_admission::{StaticLimits, inspect};
use thimble_challenge::package::{
    COMPONENT, MANIFEST, MAX_COMPONENT_BYTES, MAX_PACKAGE_BYTES, ZIP_PROJECT_MANIFEST, write,
};
use thimble_challenge::{Manifest, Package};
use thimble_datasets::Digest;
use thimble_fuzz::write_seeds;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The start of a component.
const COMPONENT_START: &[u8] = b"\0asm\x0d\0\x01\0";

const MANIFEST_TEXT: &str = r#"{
  "protocol": "thimble:solution@0.1.0", "name": "centroid", "version": "0.1.0-rc.1",
  "note": "class means", "parameters": 49280,
  "parent": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
}"#;

const PROJECT_TEXT: &str = r#"{
  "protocol": "zip_project", "protocol_version": 1, "note": "n",
  "commands": {"setup": "scripts/s.sh", "build": "b.sh", "run": "r.sh"}
}"#;

/// What the bytes behind the first are, so that checksums, which no fuzzer guesses, do not keep it from what is behind them.
fn submission(kind: u8, bytes: &[u8]) -> Vec<u8> {
    match kind % 4 {
        0 => bytes.to_vec(),
        1 => archive(CompressionMethod::Stored, &[(MANIFEST, bytes), (COMPONENT, COMPONENT_START)]),
        2 => archive(CompressionMethod::Stored, &[(ZIP_PROJECT_MANIFEST, bytes), (COMPONENT, COMPONENT_START)]),
        _ => archive(CompressionMethod::Deflated, &[(MANIFEST, MANIFEST_TEXT.as_bytes()), (COMPONENT, bytes)]),
    }
}

fn archive(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).expect("a legal name");
        writer.write_all(content).expect("memory");
    }
    writer.finish().expect("memory").into_inner()
}

fn check(input: &[u8]) {
    let Some((&kind, bytes)) = input.split_first() else { return };
    let submission = submission(kind, bytes);
    let package = match Package::read(&submission) {
        Ok(package) => package,
        Err(error) => {
            let text = error.to_string();
            assert!(!error.rule().is_empty() && text.chars().count() < 2_000 && !text.contains('\u{1b}'), "{text}");
            return;
        }
    };
    assert!(submission.len() as u64 <= MAX_PACKAGE_BYTES && package.component.len() as u64 <= MAX_COMPONENT_BYTES);
    assert_eq!(package.component_digest, Digest::of(&package.component));
    // A bare component has no archive, and an archive exactly one of the two manifests.
    let manifests = usize::from(package.manifest.is_some()) + usize::from(package.zip_project.is_some());
    assert_eq!(manifests, usize::from(package.package_digest.is_some()));
    assert!(package.package_digest.is_none_or(|digest| digest == Digest::of(&submission)));
    if let Some(manifest) = &package.manifest {
        rewritten(manifest, &package);
    }
    // What is inspected next must take whatever this let through.
    let _ = inspect(&package.component, &StaticLimits::OFFICIAL);
}

/// What was read can be written, and reads back as what it was.
fn rewritten(manifest: &Manifest, package: &Package) {
    let bytes = write(manifest, &package.component, &[]).expect("what was read can be packed");
    let again = Package::read(&bytes).expect("it was read back once");
    assert_eq!((&again.manifest, &again.component), (&package.manifest, &package.component));
}

/// Each of the four kinds, in all the ways that are accepted.
fn seeds() -> Vec<Vec<u8>> {
    let manifest = Manifest::from_json(MANIFEST_TEXT.as_bytes()).expect("valid");
    let sources = [("src/lib.rs".to_owned(), b"code".to_vec()), ("Cargo.toml".to_owned(), Vec::new())];
    let deflated = [(MANIFEST, MANIFEST_TEXT.as_bytes()), (COMPONENT, COMPONENT_START), ("src/x", &[7; 300])];
    let project = [(ZIP_PROJECT_MANIFEST, PROJECT_TEXT.as_bytes()), (COMPONENT, COMPONENT_START), ("r.sh", b"#!")];
    let seeds = [
        (0, COMPONENT_START.to_vec()),
        (0, write(&manifest, COMPONENT_START, &sources).expect("valid")),
        (0, archive(CompressionMethod::Deflated, &deflated)),
        (0, archive(CompressionMethod::Stored, &project)),
        (1, MANIFEST_TEXT.into()),
        (2, PROJECT_TEXT.into()),
        (3, COMPONENT_START.to_vec()),
    ];
    for (kind, bytes) in &seeds {
        Package::read(&submission(*kind, bytes)).expect("seeds are read");
    }
    seeds.into_iter().map(|(kind, bytes)| [&[kind], bytes.as_slice()].concat()).collect()
}

fuzz_target!(init: write_seeds(seeds), |input: &[u8]| check(input));
