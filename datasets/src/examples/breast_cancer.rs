//! Wisconsin diagnostic breast cancer: whether a breast mass is malignant, from 30 measures of its cells' nuclei.
//!
//! W. Wolberg, O. Mangasarian, N. Street and W. Street (1995), *Breast Cancer Wisconsin (Diagnostic)*, UCI Machine
//! Learning Repository, <https://doi.org/10.24432/C5DW2B>, CC BY 4.0, from the copy of scikit-learn 1.9.1. Changed: 1
//! is malignant, rows are shuffled and split, both classes in the same shares.

use super::numbers::Numbers;
use super::{split_rows, stream, tables};
use crate::digest::Digest;
use crate::metadataset::{DType, Field, Split};
use crate::table::{Table, Tables, Values};
use crate::task::{Classes, TaskKind};

/// The dataset's name.
pub const NAME: &str = "breast-cancer";
/// The digest of [`public`]: `sha256:8327eabc8de3b51a91fcd68fe66154f6166341abd9caf84bc99af7be4489ed06`.
pub const DIGEST: Digest = Digest::from_bytes([
    0x83, 0x27, 0xea, 0xbc, 0x8d, 0xe3, 0xb5, 0x1a, 0x91, 0xfc, 0xd6, 0x8f, 0xe6, 0x61, 0x54, 0xf6, 0x16, 0x63, 0x41,
    0xab, 0xd9, 0xca, 0xf8, 0x4b, 0xc9, 0x9a, 0xf7, 0xbe, 0x44, 0x89, 0xed, 0x06,
]);

/// A mean, a standard error and a worst of each of ten measures.
const FEATURES: usize = 30;

/// 569 masses: 341 to learn from, 84 to check and 144 to be scored on.
pub fn public() -> Tables {
    let data = numbers();
    let labels: Vec<usize> = data.rows.iter().map(|row| row[FEATURES] as usize).collect();
    let splits = split_rows(&mut stream(NAME, "split"), &labels);
    let classes = Classes { positive: Some(1), ..Classes::named(["benign", "malignant"]) };
    let fields = vec![
        Field::input("features", DType::F32, &[FEATURES as u32]).with_columns(data.columns(0..FEATURES)),
        Field::target("label", DType::S64, &[]),
    ];
    tables(NAME, TaskKind::TabularClassification(classes), fields, |split: Split| {
        let rows = &splits[split as usize];
        let labels = rows.iter().map(|&row| labels[row] as i64).collect();
        Table { rows: rows.len(), columns: vec![Values::F32(data.inputs(rows, 0..FEATURES)), Values::S64(labels)] }
    })
}

fn numbers() -> Numbers {
    Numbers::parse(include_str!("../../tables/breast-cancer.csv"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_scikit_learn() {
        let data = numbers();
        assert!(data.is_whole());
        // `load_breast_cancer().DESCR`: 212 malignant, 357 benign; the first row's mean radius is 17.99.
        assert_eq!((data.rows.len(), data.names.len(), data.rows[0][0]), (569, FEATURES + 1, 17.99));
        assert_eq!(data.rows.iter().map(|row| row[FEATURES]).sum::<f64>(), 212.0);
    }
}
