//! The number of sunspots in each of the next four years, from the last 24.
//!
//! Yearly sunspot numbers from 1700 to 2008 of the National Geophysical Data Center, public domain, from the copy of
//! statsmodels 0.15.0. Splits follow each other in time and share no year.

use std::ops::Range;

use super::numbers::Numbers;
use super::tables;
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split, TableColumn};
use crate::table::{Table, Tables, Values};
use crate::task::TaskKind;

/// The dataset's name.
pub const NAME: &str = "sunspots";
/// The digest of [`public`]: `sha256:eab3cc1d7095091b7871fc036ff943952c2425c14c197831c0f2659c71ee7508`.
pub const DIGEST: Digest = Digest::from_bytes([
    0xea, 0xb3, 0xcc, 0x1d, 0x70, 0x95, 0x09, 0x1b, 0x78, 0x71, 0xfc, 0x03, 0x6f, 0xf9, 0x43, 0x95, 0x2c, 0x24, 0x25,
    0xc1, 0x4c, 0x19, 0x78, 0x31, 0xc0, 0xf2, 0x65, 0x9c, 0x71, 0xee, 0x75, 0x08,
]);

/// Years that are known.
const CONTEXT: usize = 24;
/// Years that are not.
const HORIZON: usize = 4;

/// Of the 309.
const fn years(split: Split) -> Range<usize> {
    match split {
        Split::Train => 0..169,
        Split::Validation => 169..219,
        Split::Test => 219..309,
    }
}

/// A window from every year on: 142 of 1700 to 1868 to learn from, 23 of 1869 to 1918 to check, and 63 of 1919 to 2008
/// to be scored on. Windows of a split overlap.
pub fn public() -> Tables {
    let data = numbers();
    let channel = TableColumn { name: "sunspots".into(), categories: Vec::new() };
    let fields = vec![
        Field::input("window", DType::F32, &[CONTEXT as u32, 1]).with_columns(vec![channel]),
        Field::target("horizon", DType::F64, &[HORIZON as u32]),
    ];
    tables(NAME, TaskKind::TimeSeriesForecasting, fields, |split: Split| {
        let series: Vec<f64> = data.rows[years(split)].iter().map(|row| row[1]).collect();
        let windows = || series.windows(CONTEXT + HORIZON);
        let contexts = windows().flat_map(|window| &window[..CONTEXT]).map(|&value| value as f32).collect();
        let horizons = windows().flat_map(|window| &window[CONTEXT..]).copied().collect();
        Table { rows: windows().len(), columns: vec![Values::F32(contexts), Values::F64(horizons)] }
    })
}

fn numbers() -> Numbers {
    Numbers::parse(include_str!("../../tables/sunspots.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_statsmodels() {
        let data = numbers();
        assert!(data.is_whole());
        assert!(data.rows.iter().map(|row| row[0]).eq((1700..2009).map(f64::from)));
        // The first and the last of `sunspots.load_pandas()`.
        assert_eq!((data.rows[0][1], data.rows[308][1]), (5.0, 2.9));
    }

    #[test]
    fn a_horizon_follows_its_window() {
        let tables = public();
        assert_eq!(Split::ALL.map(|split| tables.split(split).rows), [142, 23, 63]);
        let [Values::F32(windows), Values::F64(horizons)] = &tables.test.columns[..] else {
            unreachable!("a window and a horizon")
        };
        // Row 24 begins where row 0 ends.
        assert!(horizons[..4].iter().zip(&windows[24 * 24..]).all(|(horizon, window)| *horizon as f32 == *window));
        assert!(horizons[..4] == numbers().rows[219 + 24..][..4].iter().map(|row| row[1]).collect::<Vec<_>>());
    }
}
