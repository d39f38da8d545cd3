//! Files whose digest was made to fit and whose offsets and counts lie.

use thimble_datasets::{Dataset, Split, Tables, Values, limits};

use crate::fixture::written;
use crate::samples::{Samples as _, sample, samples};

/// What opening says after bytes of the test split's file were replaced, everywhere or where `nth` says.
fn replaced(tables: &Tables, from: &[u8], nth: usize, to: &[u8]) -> Result<(), String> {
    let directory = written(tables);
    let mut bytes = directory.split(Split::Test);
    let mut places = (0..bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from));
    let at = places.nth(nth).expect("the bytes are in the file");
    bytes[at..at + to.len()].copy_from_slice(to);
    directory.set_split(Split::Test, &bytes);
    Dataset::open(&directory.dir).map(drop).map_err(|error| error.to_string())
}

fn offsets(offsets: &[i64]) -> Vec<u8> {
    offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()
}

fn text() -> Tables {
    let mut tables = sample("text_classification");
    *tables.column(Split::Test, "text") = Values::Text(["ab", "", "é", "def"].map(String::from).into());
    tables
}

#[test]
fn offsets_of_text_ascend_from_zero_to_the_end() {
    let good = offsets(&[0, 2, 2, 4, 7]);
    assert_eq!(replaced(&text(), &good, 0, &good), Ok(()));
    for wrong in [
        [0, 2, 2, 4, 8],
        [0, 2, 2, 4, 6],
        [1, 2, 2, 4, 7],
        [-1, 2, 2, 4, 7],
        [0, 4, 2, 4, 7],
        [0, 2, 2, 8, 7],
        [0, 2, -1, 4, 7],
        [0, 2, 2, 4, i64::MAX],
        [0, 2, 2, 4, i64::MIN],
        [i64::MIN, 2, 2, 4, 7],
        [0, 0, 0, 0, 0],
    ] {
        let error = replaced(&text(), &good, 0, &offsets(&wrong)).expect_err("must be refused");
        assert!(error.starts_with("test.arrow: "), "{wrong:?}: {error}");
    }
    // Legal offsets of other texts.
    let error = replaced(&text(), &good, 0, &offsets(&[0, 2, 4, 4, 7])).expect_err("another content");
    assert!(error.starts_with("dataset.json: at `digest`: "), "{error}");
}

#[test]
fn text_is_utf_8_in_every_row() {
    let error = replaced(&text(), "abédef".as_bytes(), 0, &[0xff]).expect_err("no UTF-8");
    assert!(error.starts_with("test.arrow: "), "{error}");
    // All bytes are UTF-8, but a row ends inside a character.
    let inside = offsets(&[0, 3, 3, 4, 7]);
    let error = replaced(&text(), &offsets(&[0, 2, 2, 4, 7]), 0, &inside).expect_err("half a character");
    assert!(error.starts_with("test.arrow: "), "{error}");
}

#[test]
fn offsets_of_items_ascend_from_zero_to_the_end() {
    // Rows of 0, 1, 2 and 0 objects.
    let tables = sample("object_detection");
    let good = offsets(&[0, 0, 1, 3, 3]);
    for nth in [0, 1] {
        assert_eq!(replaced(&tables, &good, nth, &good), Ok(()));
        for wrong in [
            [0, 0, 1, 3, 4],
            [0, 0, 1, 2, 2],
            [1, 1, 1, 3, 3],
            [-1, 0, 1, 3, 3],
            [0, 3, 1, 3, 3],
            [0, 0, 1, 4, 3],
            [0, 0, -1, 3, 3],
            [0, 0, 1, 3, i64::MAX],
            [0, 0, i64::MIN, 3, 3],
            [0, 0, 0, 0, 0],
        ] {
            let error = replaced(&tables, &good, nth, &offsets(&wrong)).expect_err("must be refused");
            assert!(error.starts_with("test.arrow: "), "{wrong:?}: {error}");
        }
    }
}

#[test]
fn lists_are_as_long_as_counts_say() {
    let tables = sample("object_detection");
    let good = offsets(&[0, 0, 1, 3, 3]);
    for (nth, field) in ["boxes", "labels"].into_iter().enumerate() {
        let error = replaced(&tables, &good, nth, &offsets(&[0, 0, 2, 3, 3])).expect_err("must be refused");
        assert_eq!(error, format!("test.arrow: field `{field}`: row 1: there are not as many items as `counts` says"));
    }
    let counts = |counts: [i32; 4]| counts.iter().flat_map(|count| count.to_le_bytes()).collect::<Vec<u8>>();
    let replace = |wrong| replaced(&tables, &counts([0, 1, 2, 0]), 0, &counts(wrong)).expect_err("must be refused");
    assert_eq!(replace([1, 1, 1, 0]), "test.arrow: field `boxes`: row 0: there are not as many items as `counts` says");
    assert_eq!(replace([0, 1, 3, 0]), "test.arrow: field `boxes`: 12 values for 4 rows or items of 4");
    let range = "test.arrow: field `counts`: row 2: there must be 0 to 65,536 objects";
    assert_eq!(replace([0, 1, -2, 0]), range);
    assert_eq!(replace([0, 1, i32::MAX, i32::MAX]), range);
}

#[test]
fn any_changed_byte_of_any_task_is_an_error_or_leaves_the_content() {
    for tables in samples() {
        let directory = written(&tables);
        let digest = tables.digest();
        let good = directory.split(Split::Test);
        // Every third byte: tasks have more in common than not, and `damaged.rs` tries them all on one.
        for position in (0..good.len()).step_by(3) {
            let mut bytes = good.clone();
            bytes[position] ^= if position % 2 == 0 { 0xff } else { 0x01 };
            directory.set_split(Split::Test, &bytes);
            if let Ok(dataset) = Dataset::open(&directory.dir) {
                // What can be read without a digest's help must not panic either.
                assert_eq!(dataset.digest(), digest);
            }
        }
    }
}

#[test]
fn a_long_list_of_names_is_refused_by_its_size() {
    let directory = written(&sample("text_classification"));
    let mut json = directory.metadataset();
    json["task"]["class_names"] = (0..3).map(|_| "x".repeat(4 << 20)).collect::<Vec<_>>().into();
    directory.set_metadataset(&json);
    let error = Dataset::open(&directory.dir).expect_err("too long").to_string();
    assert!(error.starts_with("dataset.json: ") && error.ends_with("at most 8388608 are allowed"), "{error}");
    assert_eq!(limits::METADATASET_BYTES, 8_388_608);
}

#[test]
fn hostile_keys_are_escaped_and_cut() {
    let directory = written(&sample("tabular_regression"));
    let mut json = directory.metadataset();
    json[format!("\u{1b}]0;{}", "x".repeat(100_000))] = 1.into();
    directory.set_metadataset(&json);
    let error = Dataset::open(&directory.dir).expect_err("an unknown field").to_string();
    assert!(error.starts_with("dataset.json: at `\\u{1b}]0;x") && error.contains("unknown field"), "{error}");
    assert!(!error.contains(char::is_control) && error.chars().count() < 1_000, "{} characters", error.len());
}
