//! What a split promises, for any rows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use thimble_datasets::Split;
use thimble_ingest::{Options, Shares, Task};

use crate::TestResult;
use crate::directory::{Directory, Made};

/// The feature of a row is its number: it tells where each row went.
fn rows_of(made: &Made) -> Result<[Vec<usize>; 3], Box<dyn std::error::Error>> {
    let of = |split| -> Result<Vec<usize>, Box<dyn std::error::Error>> {
        Ok(made.f32(split, "features")?.into_iter().map(|row| row as usize).collect())
    };
    Ok([of(Split::Train)?, of(Split::Validation)?, of(Split::Test)?])
}

/// One row each of a class, a group and a time.
fn table(rows: &[(u8, u8, u8)]) -> String {
    let rows = rows.iter().enumerate();
    let lines: Vec<String> =
        rows.map(|(row, (class, group, time))| format!("{row},c{class},g{group},{time}")).collect();
    format!("row,label,group,time\n{}\n", lines.join("\n"))
}

fn options(seed: u64) -> Options {
    let mut options = Options::new(Task::TabularClassification, "case");
    options.seed = seed;
    options.drop = ["group", "time"].map(String::from).into();
    options
}

fn split(rows: &[(u8, u8, u8)], options: &Options) -> Result<[Vec<usize>; 3], String> {
    let made = Directory::of("data.csv", table(rows)).and_then(|directory| directory.dataset(options));
    made.and_then(|made| rows_of(&made)).map_err(|error| error.to_string())
}

fn all_once(splits: &[Vec<usize>; 3], rows: usize) -> bool {
    let mut all: Vec<usize> = splits.concat();
    all.sort_unstable();
    all == (0..rows).collect::<Vec<_>>()
}

fn any_rows() -> impl Strategy<Value = Vec<(u8, u8, u8)>> {
    // At least 20 of each class, so that no split is empty.
    prop::collection::vec((0_u8..3, 0_u8..30, any::<u8>()), 60..200).prop_map(|mut rows| {
        (0..60).for_each(|row| rows[row].0 = (row % 3) as u8);
        rows
    })
}

/// By the rule of the documentation, in exact fractions.
fn expected(rows: usize, millionths: [u32; 3]) -> [usize; 3] {
    let exact = millionths.map(|share| rows as u64 * u64::from(share));
    let mut counts = exact.map(|exact| (exact / 1_000_000) as usize);
    let mut order = [0, 1, 2];
    order.sort_by_key(|&split| (std::cmp::Reverse(exact[split] % 1_000_000), millionths[split], split));
    let left = rows - counts.iter().sum::<usize>();
    order[..left].iter().for_each(|&split| counts[split] += 1);
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_class_is_shared_out_exactly(rows in any_rows(), seed: u64, share in 100_000_u32..800_000) {
        let mut options = options(seed);
        let millionths = [share, 100_000, 900_000 - share];
        options.split.shares = Shares::new(millionths).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let splits = split(&rows, &options).map_err(TestCaseError::fail)?;
        prop_assert!(all_once(&splits, rows.len()));
        let mut counts = BTreeMap::<u8, [usize; 3]>::new();
        for (index, split) in splits.iter().enumerate() {
            split.iter().for_each(|&row| counts.entry(rows[row].0).or_default()[index] += 1);
            prop_assert!(split.is_sorted(), "rows keep their order");
        }
        for counts in counts.values() {
            prop_assert_eq!(*counts, expected(counts.iter().sum(), millionths));
        }
    }

    #[test]
    fn no_group_is_in_two_splits(rows in any_rows(), seed: u64) {
        let mut options = options(seed);
        options.split.group = Some("group".into());
        let splits = match split(&rows, &options) {
            Ok(splits) => splits,
            // Few groups may leave a split empty, which is told.
            Err(error) => { prop_assert!(error.contains("would have no row"), "{}", error); return Ok(()) }
        };
        prop_assert!(all_once(&splits, rows.len()));
        let mut seen = BTreeMap::new();
        for (index, split) in splits.iter().enumerate() {
            for &row in split {
                prop_assert_eq!(*seen.entry(rows[row].1).or_insert(index), index);
            }
        }
    }

    #[test]
    fn no_time_is_before_one_of_an_earlier_split(rows in any_rows(), seed: u64) {
        let mut options = options(seed);
        options.split.time_order = Some("time".into());
        let splits = split(&rows, &options).map_err(TestCaseError::fail)?;
        prop_assert!(all_once(&splits, rows.len()));
        for (earlier, later) in [(0, 1), (1, 2)] {
            let last = splits[earlier].iter().map(|&row| rows[row].2).max();
            let first = splits[later].iter().map(|&row| rows[row].2).min();
            prop_assert!(last < first, "{last:?} {first:?}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() -> TestResult {
    let rows: Vec<(u8, u8, u8)> = (0..100).map(|row| (row % 2, 0, 0)).collect();
    let digest = |seed| -> Result<_, Box<dyn std::error::Error>> {
        Ok(Directory::of("data.csv", table(&rows))?.dataset(&options(seed))?.outcome.digest)
    };
    assert_eq!(digest(1)?, digest(1)?);
    assert_ne!(digest(1)?, digest(2)?);
    Ok(())
}

#[test]
fn rows_are_drawn_from_the_whole_file() -> TestResult {
    let rows: Vec<(u8, u8, u8)> = (0..200).map(|row| (row % 2, 0, 0)).collect();
    let [train, _, test] = split(&rows, &options(0))?;
    assert!(train.iter().any(|&row| row > 150) && test.iter().any(|&row| row < 50));
    Ok(())
}
