//! When people released from prison are arrested again, in the year after.
//!
//! P. Rossi, R. Berk and K. Lenihan (1980), *Money, Work, and Crime: Some Experimental Results*, Academic Press: 432
//! men released from Maryland state prisons, half of whom got financial aid; from the copy of lifelines 0.30.3 (MIT).
//! Changed: rows are shuffled and split, the arrested and the young in the same shares.

use super::numbers::Numbers;
use super::{split_rows, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split, TableColumn};
use crate::table::{Table, Tables, Values};
use crate::task::TaskKind;

/// The dataset's name.
pub const NAME: &str = "rossi";
/// The digest of [`public`]: `sha256:621a7b07cfcfb3549c064400b220c007aeeb1f8f10c514066ec07a8490811f27`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x62, 0x1a, 0x7b, 0x07, 0xcf, 0xcf, 0xb3, 0x54, 0x9c, 0x06, 0x44, 0x00, 0xb2, 0x20, 0xc0, 0x07, 0xae, 0xeb, 0x1f,
    0x8f, 0x10, 0xc5, 0x14, 0x06, 0x6e, 0xc0, 0x7a, 0x84, 0x90, 0x81, 0x1f, 0x27,
]);

/// Financial aid, age at release, race, work experience, marriage, parole, earlier convictions.
const FEATURES: usize = 7;
const AGE: usize = 1;
/// Half of all men are younger.
const YOUNG: f64 = 23.0;
/// Weeks to the arrest, or 52.
const WEEK: usize = 7;
const ARREST: usize = 8;

/// 432 men: 258 to learn from, 63 to check and 111 to be scored on.
pub fn public() -> Tables {
    let data = numbers();
    let arrested: Vec<usize> = data.rows.iter().map(|row| row[ARREST] as usize).collect();
    // Few are arrested: by chance alone, splits would differ in what tells them.
    let strata: Vec<usize> =
        data.rows.iter().map(|row| 2 * row[ARREST] as usize + usize::from(row[AGE] < YOUNG)).collect();
    let splits = split_rows(&mut stream(NAME, "split"), &strata);
    let columns = data.columns(0..FEATURES).into_iter().map(with_categories).collect();
    let fields = vec![
        Field::input("features", DType::F32, &[FEATURES as u32]).with_columns(columns),
        Field::target("time", DType::F64, &[]).with_columns(data.columns(WEEK..WEEK + 1)),
        Field::target("event", DType::S64, &[]).with_columns(data.columns(ARREST..ARREST + 1)),
    ];
    tables(NAME, TaskKind::TimeToEvent, fields, |split: Split| {
        let rows = &splits[split as usize];
        let events = rows.iter().map(|&row| arrested[row] as i64).collect();
        let columns = vec![
            Values::F32(data.inputs(rows, 0..FEATURES)),
            Values::F64(data.column(rows, WEEK)),
            Values::S64(events),
        ];
        Table { rows: rows.len(), columns }
    })
}

fn with_categories(column: TableColumn) -> TableColumn {
    let categories: &[&str] = match column.name.as_str() {
        "race" => &["other", "black"],
        "mar" => &["not married", "married"],
        "fin" | "wexp" | "paro" => &["no", "yes"],
        _ => &[],
    };
    TableColumn { categories: categories.iter().map(|&category| category.into()).collect(), ..column }
}

fn numbers() -> Numbers {
    Numbers::parse(include_str!("../../tables/rossi.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_lifelines() {
        let data = numbers();
        assert!(data.is_whole());
        assert_eq!((data.rows.len(), data.names.len()), (432, FEATURES + 2));
        // The first row of `load_rossi()`, and its 114 arrests.
        assert_eq!(data.rows[0], [0.0, 27.0, 1.0, 0.0, 0.0, 1.0, 3.0, 20.0, 1.0]);
        assert_eq!(data.rows.iter().map(|row| row[ARREST]).sum::<f64>(), 114.0);
        assert!(data.rows.iter().all(|row| row[ARREST] == 1.0 || row[WEEK] == 52.0));
    }
}
