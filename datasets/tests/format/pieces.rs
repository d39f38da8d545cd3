//! A dataset written piece by piece is the one written at once.

use thimble_datasets::{Dataset, DatasetWriter, Split, Table, Tables, WriteError, limits};

use crate::fixture::{empty, written};
use crate::samples::{rows, sample, samples};

/// Pieces of a split that are together its rows.
fn pieces(tables: &Tables, split: Split) -> (Table, Vec<Table>) {
    let first = 1 + 10 * split as usize;
    // Rows repeat after three in their number of objects.
    let pieces = [0, 3, 6, 3].map(|count| rows(&tables.fields, count, first));
    let mut whole = pieces[0].clone();
    for piece in &pieces[1..] {
        whole.rows += piece.rows;
        whole.columns.iter_mut().zip(&piece.columns).for_each(|(whole, piece)| extend(whole, piece));
    }
    (whole, pieces.into())
}

fn extend(whole: &mut thimble_datasets::Values, piece: &thimble_datasets::Values) {
    use thimble_datasets::Values::{F32, F64, S8, S32, S64, Text, U8};
    match (whole, piece) {
        (F32(whole), F32(piece)) => whole.extend(piece),
        (F64(whole), F64(piece)) => whole.extend(piece),
        (S64(whole), S64(piece)) => whole.extend(piece),
        (S32(whole), S32(piece)) => whole.extend(piece),
        (S8(whole), S8(piece)) => whole.extend(piece),
        (U8(whole), U8(piece)) => whole.extend(piece),
        (Text(whole), Text(piece)) => whole.extend_from_slice(piece),
        _ => unreachable!("the same field"),
    }
}

#[test]
fn pieces_and_the_whole_give_the_same_bytes() {
    for tables in samples() {
        let in_pieces = empty();
        let mut whole = tables.clone();
        let mut writer = DatasetWriter::new(&in_pieces.dir, &tables.name, tables.task.clone(), tables.fields.clone())
            .expect("legal");
        // Splits in turn, to show that none disturbs another.
        let splits = Split::ALL.map(|split| pieces(&tables, split));
        for piece in 0..splits[0].1.len() {
            for (split, (_, pieces)) in Split::ALL.into_iter().zip(&splits) {
                writer.append(split, &pieces[piece]).expect("good rows");
            }
        }
        assert_eq!(Split::ALL.map(|split| writer.rows(split)), [12; 3]);
        let digest = writer.finish().expect("writes");

        let [train, validation, test] = splits.map(|(whole, _)| whole);
        (whole.train, whole.validation, whole.test) = (train, validation, test);
        let at_once = written(&whole);
        assert_eq!(digest, whole.digest(), "{}", tables.name);
        for file in [limits::METADATASET_FILE, "train.arrow", "validation.arrow", "test.arrow"] {
            let read = |directory: &crate::fixture::Directory| directory.dir.read(file).expect("reads");
            assert!(read(&in_pieces) == read(&at_once), "{} {file}", tables.name);
        }
        assert_eq!(Dataset::open(&in_pieces.dir).expect("opens").digest(), digest);
    }
}

#[test]
fn a_refused_piece_leaves_what_was_there() {
    let tables = sample("object_detection");
    let directory = empty();
    let mut writer =
        DatasetWriter::new(&directory.dir, &tables.name, tables.task.clone(), tables.fields.clone()).expect("legal");
    for split in Split::ALL {
        writer.append(split, tables.split(split)).expect("good rows");
        let mut wrong = tables.split(split).clone();
        wrong.columns.pop();
        assert!(matches!(writer.append(split, &wrong), Err(WriteError::Table { .. })));
        let mut wrong = tables.split(split).clone();
        wrong.columns[3] = thimble_datasets::Values::S64(vec![3; wrong.columns[3].view().len()]);
        assert!(matches!(writer.append(split, &wrong), Err(WriteError::Table { .. })));
    }
    assert_eq!(writer.finish().expect("writes"), tables.digest());
    assert!(Dataset::open(&directory.dir).is_ok());
}

#[test]
fn every_split_has_rows() {
    let tables = sample("tabular_regression");
    let directory = empty();
    let mut writer =
        DatasetWriter::new(&directory.dir, &tables.name, tables.task.clone(), tables.fields.clone()).expect("legal");
    writer.append(Split::Train, &tables.train).expect("good rows");
    writer.append(Split::Test, &tables.test).expect("good rows");
    writer.append(Split::Validation, &rows(&tables.fields, 0, 1)).expect("no rows are good rows");
    let error = writer.finish().expect_err("a split is empty");
    assert_eq!(error.to_string(), "at `splits.validation.rows`: 0 is not between 1 and 2147483648");
    assert_eq!(directory.dir.entries().expect("lists").count(), 0);
}

#[test]
fn nothing_stays_of_a_dataset_that_is_given_up() {
    let tables = sample("text_classification");
    let directory = empty();
    let mut writer =
        DatasetWriter::new(&directory.dir, &tables.name, tables.task.clone(), tables.fields.clone()).expect("legal");
    writer.append(Split::Train, &tables.train).expect("good rows");
    assert_eq!(format!("{writer:?}").matches("漢字").count(), 0);
    drop(writer);
    assert_eq!(directory.dir.entries().expect("lists").count(), 0);
}
