//! One small dataset for each task, for first steps and tests: real where a free one is known, drawn where not.
//!
//! Every one is the same on every machine and takes well below a second to make. Anyone can own them, so that
//! challenges on them are for practice.

mod light;
mod numbers;
mod scene;

pub mod breast_cancer;
pub mod diabetes_progression;
pub mod digit_images;
pub mod kite_corners;
pub mod rossi;
pub mod shape_boxes;
pub mod shape_masks;
pub mod shape_pixels;
pub mod sunspots;
pub mod ticket_routing;

use crate::metadataset::{Field, Split};
use crate::seed::Seed;
use crate::stream::Stream;
use crate::table::{Table, Tables};
use crate::task::TaskKind;

/// The random stream of one purpose of a dataset.
fn stream(name: &str, purpose: &str) -> Stream {
    Stream::new(Seed::published(&format!("thimble {name} 1")).derive(purpose, &[]))
}

/// Rows of each split: 60 %, 15 % and the rest of every stratum, in an order that tells nothing. `strata` has the
/// stratum of each row.
fn split_rows(stream: &mut Stream, strata: &[usize]) -> [Vec<usize>; 3] {
    let shuffled = stream.permutation(strata.len());
    let mut splits = [Vec::new(), Vec::new(), Vec::new()];
    for stratum in 0..=strata.iter().copied().max().unwrap_or(0) {
        let rows: Vec<usize> = shuffled.iter().copied().filter(|&row| strata[row] == stratum).collect();
        let (train, validation) = (rows.len() * 60 / 100, rows.len() * 15 / 100);
        splits[0].extend(&rows[..train]);
        splits[1].extend(&rows[train..train + validation]);
        splits[2].extend(&rows[train + validation..]);
    }
    splits.map(|rows| stream.permutation(rows.len()).into_iter().map(|index| rows[index]).collect())
}

/// A dataset whose splits are made one by one.
fn tables(name: &str, task: TaskKind, fields: Vec<Field>, mut split: impl FnMut(Split) -> Table) -> Tables {
    Tables {
        name: name.into(),
        task,
        fields,
        train: split(Split::Train),
        validation: split(Split::Validation),
        test: split(Split::Test),
    }
}

/// Rows of a split of drawn images.
const fn drawn(split: Split) -> usize {
    match split {
        Split::Train => 600,
        Split::Validation => 150,
        Split::Test => 300,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::metadataset::Role;
    use crate::public::PublicData;
    use crate::rules::little_endian;
    use crate::table::{ColumnValues, Values};

    #[test]
    fn every_task_has_one_and_digests_are_the_published_ones() {
        let mut wrong = Vec::new();
        let mut tasks = BTreeSet::new();
        for data in PublicData::EXAMPLES {
            let tables = data.tables();
            assert_eq!(tables.name, data.name());
            tasks.insert(tables.task.name());
            let digest = tables.digest();
            if digest != data.digest() {
                wrong.push(format!("{} {digest}", data.name()));
            }
        }
        assert_eq!(tasks.len(), 10);
        assert!(wrong.is_empty(), "other digests:\n{}", wrong.join("\n"));
    }

    #[test]
    fn they_are_legal_datasets() -> Result<(), Box<dyn std::error::Error>> {
        for data in PublicData::EXAMPLES {
            let temporary = tempfile::tempdir()?;
            let dir = cap_std::fs::Dir::open_ambient_dir(temporary.path(), cap_std::ambient_authority())?;
            crate::write(&dir, &data.tables())?;
            let dataset = crate::Dataset::open(&dir)?;
            assert_eq!(dataset.digest(), data.digest());
            println!("{}", dataset.describe());
        }
        Ok(())
    }

    /// The bytes of every row of the inputs, which must not be ragged.
    fn inputs(tables: &Tables, split: Split) -> BTreeSet<Vec<u8>> {
        let table = tables.split(split);
        let mut rows = vec![Vec::new(); table.rows];
        for (field, values) in tables.fields.iter().zip(&table.columns) {
            let mut bytes = Vec::new();
            match values.view() {
                ColumnValues::Text(texts) => {
                    texts.iter().zip(&mut rows).for_each(|(text, row)| row.extend(text.bytes()))
                }
                _ if field.role == Role::Target => {}
                values => {
                    let _ = little_endian(values, &mut |part| {
                        bytes.extend_from_slice(part);
                        Ok(())
                    });
                    let width = bytes.len() / table.rows;
                    bytes.chunks(width).zip(&mut rows).for_each(|(part, row)| row.extend(part));
                }
            }
        }
        rows.into_iter().collect()
    }

    #[test]
    fn no_row_is_in_two_splits() {
        // Several of those in `rossi` have the same seven numbers; `split_rows` keeps their rows apart.
        for data in PublicData::EXAMPLES.into_iter().filter(|&data| data != PublicData::Rossi) {
            let tables = data.tables();
            let [train, validation, test] = Split::ALL.map(|split| inputs(&tables, split));
            assert!(train.is_disjoint(&validation), "{}", tables.name);
            assert!(train.is_disjoint(&test) && validation.is_disjoint(&test), "{}", tables.name);
        }
    }

    #[test]
    fn splits_keep_the_shares_of_strata_and_every_row() {
        let strata: Vec<usize> = (0..200).map(|row| usize::from(row % 4 == 0)).collect();
        let splits = split_rows(&mut Stream::new([8; 32]), &strata);
        let counts = splits.each_ref().map(|rows| (rows.len(), rows.iter().filter(|&&row| strata[row] == 1).count()));
        assert_eq!(counts, [(120, 30), (29, 7), (51, 13)]);
        let mut rows = splits.concat();
        rows.sort_unstable();
        assert!(rows.into_iter().eq(0..200));
    }

    #[test]
    fn no_class_is_most_of_a_dataset() {
        for data in PublicData::EXAMPLES {
            let tables = data.tables();
            let Some(position) = tables.fields.iter().position(|field| field.name == "label") else { continue };
            let Values::S64(labels) = &tables.test.columns[position] else { unreachable!("labels are s64") };
            let count = |class| labels.iter().filter(|&&label| label == class).count();
            let most = (0..10).map(count).max().unwrap_or(0);
            assert!(most * 100 < labels.len() * 65, "{}: {most} of {}", tables.name, labels.len());
        }
    }
}
