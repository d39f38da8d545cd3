//! Nothing that only a few rows have can be read from an exploration, or computed from it.

mod samples;

use samples::{ROWS, column, open, tables};
use thimble_datasets::{Classes, DType, Dataset, Field, Split, Tables, TaskKind, Values};
use thimble_explore::{Cell, CrossTable, Exploration, MinimumCell, Options, explore};

/// A text that stands in few rows of the data, where nothing of it may be shown.
const SECRET: &str = "Mx-Planted-Secret";
/// A number far beyond all others.
const EXTREME: f64 = 31_337.25;

fn explored(tables: &Tables) -> Exploration {
    let (_directory, dataset) = open(tables);
    explore(&dataset, &Options::default())
}

/// Neither the text nor the number is in what is written, in any form that a reader would know.
fn assert_absent(exploration: &Exploration) {
    for text in [exploration.to_json(), exploration.to_html()] {
        for planted in [SECRET, "Planted", "31337", "31,337", "31300", "3.13e4"] {
            assert!(!text.contains(planted), "{planted} is shown");
        }
    }
}

/// Patients of which few are of class `rare`, of a secret place or of a secret colour, and one weighs a lot.
fn planted() -> Tables {
    let task = TaskKind::TabularClassification(Classes::named(["usual", "other", "rare"]));
    let features = Field::input("features", DType::F32, &[2])
        .with_columns(vec![column("weight", &[]), column("colour", &["red", "green", SECRET])]);
    let condition = Field::input("condition", DType::U8, &[])
        .with_columns(vec![column("site", &["north", "south", "Planted place"])]);
    let fields = vec![features, condition, Field::target("label", DType::S64, &[])];
    tables("planted", task, fields, |rows, stream| {
        let weight = |row| if row == 17 { EXTREME as f32 } else { (70.0 + 8.0 * stream.normal()) as f32 };
        let weights: Vec<f32> = (0..rows).map(weight).collect();
        let colour = |row: usize| if row < 3 { 2.0 } else { (row % 2) as f32 };
        let features = weights.iter().enumerate().flat_map(|(row, &weight)| [weight, colour(row)]).collect();
        // The first four rows are rare, two of them from the secret place; of `other` only one row is in the south.
        let label = |row: usize| if row < 4 { 2 } else { i64::from(row.is_multiple_of(3)) };
        let place = |row: usize| match row {
            0 | 1 => 2,
            33 => 1,
            _ if label(row) == 1 => 0,
            _ => (row % 2) as u8,
        };
        vec![
            Values::F32(features),
            Values::U8((0..rows).map(place).collect()),
            Values::S64((0..rows).map(label).collect()),
        ]
    })
}

#[test]
fn planted_texts_and_numbers_are_nowhere() {
    assert_absent(&explored(&planted()));
}

#[test]
fn a_text_is_shown_by_its_length_only() {
    let mut tables = samples::text_classification();
    for table in [&mut tables.train, &mut tables.validation, &mut tables.test] {
        if let Values::Text(texts) = &mut table.columns[0] {
            texts[5] = SECRET.into();
            texts[6] = SECRET.repeat(EXTREME as usize);
        }
    }
    let exploration = explored(&tables);
    assert_absent(&exploration);
    // Of texts as long as that, the length is an extreme value too.
    assert!(!exploration.to_json().contains("53272"));
    assert!(!exploration.to_json().contains("lorem"));
}

#[test]
fn an_extreme_target_time_or_step_is_nowhere() {
    let plant = |mut tables: Tables, name: &str, row: usize| {
        let place = samples::place(&tables, name);
        for table in [&mut tables.train, &mut tables.validation, &mut tables.test] {
            match &mut table.columns[place] {
                Values::F64(values) => values[row] = EXTREME,
                Values::F32(values) => values[row] = EXTREME as f32,
                _ => unreachable!("the fields are floats"),
            }
        }
        tables
    };
    assert_absent(&explored(&plant(samples::tabular_regression(), "target", 3)));
    assert_absent(&explored(&plant(samples::tabular_regression(), "features", 3)));
    assert_absent(&explored(&plant(samples::time_to_event(), "time", 40)));
    assert_absent(&explored(&plant(samples::time_series_forecasting(), "window", 48)));
    assert_absent(&explored(&plant(samples::time_series_forecasting(), "horizon", 9)));
    assert_absent(&explored(&plant(samples::keypoint_detection(), "area", 9)));
}

#[test]
fn conditions_without_names_are_hidden_where_they_are_rare() {
    let mut tables = samples::tabular_regression();
    tables.fields[1] = Field::input("condition", DType::S64, &[]);
    for table in [&mut tables.train, &mut tables.validation, &mut tables.test] {
        let conditions = (0..table.rows).map(|row| if row < 4 { 31_337 } else { 7 + (row % 2) as i64 });
        table.columns[1] = Values::S64(conditions.collect());
    }
    let exploration = explored(&tables);
    assert_absent(&exploration);
    assert!(exploration.to_json().contains("\"name\": \"7\""));
}

/// What an attacker works out of one table: intervals of its cells, narrowed by every sum that is known until nothing changes.
///
/// `rows` are the sums of the rows, `columns` those of the columns that are shown.
fn attack(table: &CrossTable, rows: &[u64], columns: &[Option<u64>]) -> Vec<Vec<(u64, u64)>> {
    let total = rows.iter().sum();
    let interval = |cell: &Cell| cell.count().map_or((0, total), |count| (count, count));
    let mut cells: Vec<Vec<_>> = table.cells.iter().map(|row| row.iter().map(interval).collect()).collect();
    let lines: Vec<(u64, Vec<(usize, usize)>)> = rows
        .iter()
        .enumerate()
        .map(|(row, &sum)| (sum, (0..columns.len()).map(|column| (row, column)).collect()))
        .chain(
            columns
                .iter()
                .enumerate()
                .filter_map(|(column, &sum)| Some((sum?, (0..rows.len()).map(|row| (row, column)).collect()))),
        )
        .collect();
    loop {
        let before = cells.clone();
        for (sum, places) in &lines {
            for &(row, column) in places {
                let others = || places.iter().filter(|place| **place != (row, column));
                let least: u64 = others().map(|&(row, column)| cells[row][column].0).sum();
                let most: u64 = others().map(|&(row, column)| cells[row][column].1).sum();
                let (low, high) = cells[row][column];
                cells[row][column] = (low.max(sum.saturating_sub(most)), high.min(sum - least));
            }
        }
        if cells == before {
            return cells;
        }
    }
}

/// The counts behind the table of classes and conditions: by class, by place.
fn true_counts(dataset: &Dataset, split: Split) -> [[u64; 3]; 3] {
    let table = dataset.split(split);
    let column = |name| table.column(name).expect("the dataset has it").values;
    let mut counts = [[0; 3]; 3];
    if let (thimble_datasets::ColumnValues::S64(labels), thimble_datasets::ColumnValues::U8(places)) =
        (column("label"), column("condition"))
    {
        labels.iter().zip(places).for_each(|(&label, &place)| counts[label as usize][usize::from(place)] += 1);
    }
    counts
}

/// The class counts are in `dataset.json`, so the attacker has them; of the conditions, what the page shows.
#[test]
fn sums_do_not_give_a_planted_cell_away() {
    let (_directory, dataset) = open(&planted());
    let exploration = explore(&dataset, &Options::default());
    let conditions = exploration.sections.iter().find(|section| section.title == "Conditions").expect("there are some");
    assert_eq!(conditions.cross_tables.len(), 2);
    for table in &conditions.cross_tables {
        let shown = if table.split == Split::Train {
            &conditions.breakdowns[0].train
        } else {
            &conditions.breakdowns[0].validation
        };
        let columns: Vec<_> = shown.iter().map(|cell| cell.count()).collect();
        let classes = dataset.metadataset().class_counts(table.split).expect("train and validation have them");
        let counts = true_counts(&dataset, table.split);
        let mut planted = 0;
        for (row, intervals) in attack(table, classes, &columns).into_iter().enumerate() {
            for (column, (low, high)) in intervals.into_iter().enumerate() {
                let count = counts[row][column];
                assert!((low..=high).contains(&count), "the attack is right");
                if count < 5 {
                    planted += 1;
                    let column_sum: u64 = counts.iter().map(|row| row[column]).sum();
                    let most = 5.min(classes[row]).min(column_sum);
                    assert!(low == 0 && high >= most, "{}: {row}, {column} is {low} to {high}", table.title);
                }
            }
        }
        assert!(planted >= 4, "the table has small cells to protect");
    }
}

/// A split's rows are known, and so is the sum of every table of one variable.
#[test]
fn totals_do_not_give_a_hidden_cell_away() {
    for tables in samples::all().into_iter().chain([planted()]) {
        let (_directory, dataset) = open(&tables);
        let exploration = explore(&dataset, &Options::default());
        for section in &exploration.sections {
            let of_rows = section.breakdowns.iter().filter(|of| of.unit == thimble_explore::Unit::Rows);
            for (cells, rows) in of_rows.flat_map(|of| [(&of.train, ROWS[0]), (&of.validation, ROWS[1])]) {
                assert_closed(cells, rows as u64);
            }
            for of in &section.distributions {
                for (summary, rows) in [(&of.train, ROWS[0]), (&of.validation, ROWS[1])] {
                    let cells: Vec<_> = summary.bins.iter().map(|bin| bin.count).chain(summary.missing).collect();
                    assert_closed(&cells, rows as u64);
                }
            }
        }
    }
}

fn assert_closed(cells: &[Cell], total: u64) {
    let shown: Vec<u64> = cells.iter().filter_map(|cell| cell.count()).collect();
    let hidden = cells.len() - shown.len();
    let rest = total - shown.iter().sum::<u64>();
    assert!(shown.iter().all(|&count| count >= 5), "{cells:?}");
    assert!(if hidden == 0 { rest == 0 } else { hidden >= 2 && rest >= 5 }, "{cells:?} of {total}");
}

#[test]
fn a_larger_minimum_shows_no_smaller_count() {
    for tables in samples::all() {
        let (_directory, dataset) = open(&tables);
        let minimum_cell = MinimumCell::new(60).expect("in range");
        let exploration = explore(&dataset, &Options { minimum_cell });
        for section in &exploration.sections {
            let breakdowns = section.breakdowns.iter().flat_map(|of| of.train.iter().chain(&of.validation));
            let tables = section.cross_tables.iter().flat_map(|table| table.cells.iter().flatten());
            let bins = section.distributions.iter().flat_map(|of| of.train.bins.iter().chain(&of.validation.bins));
            let cells = breakdowns.chain(tables).copied().chain(bins.map(|bin| bin.count));
            assert!(cells.filter_map(Cell::count).all(|count| count >= 60), "{}", section.title);
        }
    }
}

#[test]
fn a_minimum_is_2_to_1000() {
    assert!(MinimumCell::new(2).is_ok() && MinimumCell::new(1000).is_ok());
    for value in [0, 1, 1001] {
        assert_eq!(MinimumCell::new(value).map_err(|error| error.value), Err(value));
    }
}

/// Anyone who has the digest can confirm a guess of the labels with it.
#[test]
fn the_digest_is_not_shown() {
    let (_directory, dataset) = open(&planted());
    let exploration = explore(&dataset, &Options::default());
    let digest = dataset.digest().to_string();
    assert!(!exploration.to_json().contains(&digest) && !exploration.to_html().contains(&digest));
}
