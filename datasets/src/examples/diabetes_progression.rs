//! How far diabetes has progressed after a year, from ten measures at its beginning.
//!
//! B. Efron, T. Hastie, I. Johnstone and R. Tibshirani (2004), "Least angle regression", Annals of Statistics 32,
//! 407–499, which published the 442 patients' numbers; from the copy of scikit-learn 1.9.1, in the units they were
//! measured in. Changed: rows are shuffled and split.

use super::numbers::Numbers;
use super::{split_rows, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::table::{Table, Tables, Values};
use crate::task::TaskKind;

/// The dataset's name.
pub const NAME: &str = "diabetes-progression";
/// The digest of [`public`]: `sha256:e23dc766806d574a17db6d8d00017741173a0b53c93e77e6999277d290081440`.
pub const DIGEST: Digest = Digest::from_bytes([
    0xe2, 0x3d, 0xc7, 0x66, 0x80, 0x6d, 0x57, 0x4a, 0x17, 0xdb, 0x6d, 0x8d, 0x00, 0x01, 0x77, 0x41, 0x17, 0x3a, 0x0b,
    0x53, 0xc9, 0x3e, 0x77, 0xe6, 0x99, 0x92, 0x77, 0xd2, 0x90, 0x08, 0x14, 0x40,
]);

/// Age, sex (1 or 2), body mass index, blood pressure and six of blood serum.
const FEATURES: usize = 10;

/// 442 patients: 265 to learn from, 66 to check and 111 to be scored on. The target is 25 to 346.
pub fn public() -> Tables {
    let data = numbers();
    let splits = split_rows(&mut stream(NAME, "split"), &vec![0; data.rows.len()]);
    let fields = vec![
        Field::input("features", DType::F32, &[FEATURES as u32]).with_columns(data.columns(0..FEATURES)),
        Field::target("target", DType::F64, &[]).with_columns(data.columns(FEATURES..FEATURES + 1)),
    ];
    tables(NAME, TaskKind::TabularRegression, fields, |split: Split| {
        let rows = &splits[split as usize];
        let target = data.column(rows, FEATURES);
        Table { rows: rows.len(), columns: vec![Values::F32(data.inputs(rows, 0..FEATURES)), Values::F64(target)] }
    })
}

fn numbers() -> Numbers {
    Numbers::parse(include_str!("../../tables/diabetes.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_scikit_learn() {
        let data = numbers();
        assert!(data.is_whole());
        assert_eq!((data.rows.len(), data.names.len()), (442, FEATURES + 1));
        // `load_diabetes(scaled=False)`: the first row and its target.
        assert_eq!(data.rows[0], [59.0, 2.0, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0, 151.0]);
        let targets = data.rows.iter().map(|row| row[FEATURES]);
        assert_eq!((targets.clone().fold(f64::MAX, f64::min), targets.fold(0.0, f64::max)), (25.0, 346.0));
    }
}
