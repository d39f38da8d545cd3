//! No byte of a dataset's files can make opening panic, whether or not the file's digest was made to fit.

use thimble_datasets::{Dataset, OpenError, Split, limits};

use crate::fixture::{tables, written};

/// Bytes that matter to length fields and offsets.
const PATTERNS: [u8; 2] = [0x00, 0xff];

#[test]
fn changed_bytes_are_errors_or_change_no_value() {
    let directory = written(&tables());
    let digest = Dataset::open(&directory.dir).expect("opens").digest();
    let good = directory.split(Split::Test);
    let (mut opened, mut refused, mut damaged) = (0, 0, 0);
    for position in 0..good.len() {
        let original = good[position];
        for pattern in PATTERNS.into_iter().chain([original ^ 0x80]).filter(|&pattern| pattern != original) {
            let mut bytes = good.clone();
            bytes[position] = pattern;
            directory.set_split(Split::Test, &bytes);
            match Dataset::open(&directory.dir) {
                // Padding, and what the footer repeats.
                Ok(dataset) => {
                    assert_eq!(dataset.digest(), digest);
                    opened += 1;
                }
                Err(OpenError::Decode { source: thimble_datasets::DecodeError::Damaged, .. }) => damaged += 1,
                Err(error) => {
                    assert!(
                        error.to_string().contains(".arrow: ") || matches!(error, OpenError::Content { .. }),
                        "{error}"
                    );
                    refused += 1;
                }
            }
        }
    }
    println!("{opened} opened, {refused} refused, {damaged} caught");
    assert!(refused > 1000 && opened > 100);
}

#[test]
fn files_cut_at_any_length_are_errors() {
    let directory = written(&tables());
    let good = directory.split(Split::Train);
    for length in 0..good.len() {
        directory.set_split(Split::Train, &good[..length]);
        assert!(Dataset::open(&directory.dir).is_err(), "{length}");
    }
}

#[test]
fn a_changed_file_is_named_before_it_is_decoded() {
    let directory = written(&tables());
    let mut bytes = directory.split(Split::Validation);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    directory.dir.write("validation.arrow", &bytes).expect("writes");
    let error = Dataset::open(&directory.dir).expect_err("the digest differs");
    assert!(matches!(error, OpenError::FileDigest { file: "validation.arrow", .. }), "{error}");
}

#[test]
fn any_changed_byte_of_the_metadataset_is_an_error_or_leaves_the_content() {
    let directory = written(&tables());
    let digest = Dataset::open(&directory.dir).expect("opens").digest();
    let good = directory.dir.read(limits::METADATASET_FILE).expect("reads");
    for position in 0..good.len() {
        for pattern in [b'9', 0xff] {
            let mut bytes = good.clone();
            bytes[position] = pattern;
            directory.dir.write(limits::METADATASET_FILE, &bytes).expect("writes");
            if let Ok(dataset) = Dataset::open(&directory.dir) {
                assert_eq!(dataset.digest(), digest);
            }
        }
        directory.dir.write(limits::METADATASET_FILE, &good[..position]).expect("writes");
        // The last byte is a newline.
        assert_eq!(Dataset::open(&directory.dir).is_ok(), position == good.len() - 1);
    }
}
