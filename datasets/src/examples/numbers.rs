//! The tables of `datasets/tables`: a line of column names, then a line of numbers a row.

use std::ops::Range;

use crate::metadataset::TableColumn;

/// A table of numbers.
pub(super) struct Numbers {
    /// The columns' names.
    pub(super) names: Vec<&'static str>,
    /// As many numbers as names in each.
    pub(super) rows: Vec<Vec<f64>>,
}

impl Numbers {
    /// Parses a committed file. What is no number becomes a NaN, which no dataset takes for a target; tests see to it
    /// that there is none.
    pub(super) fn parse(text: &'static str) -> Self {
        let mut lines = text.lines();
        let names: Vec<_> = lines.next().unwrap_or_default().split(',').collect();
        let row = |line: &str| line.split(',').map(|number| number.parse().unwrap_or(f64::NAN)).collect();
        Self { names, rows: lines.map(row).collect() }
    }

    /// Declares some columns, none of which has categories.
    pub(super) fn columns(&self, columns: Range<usize>) -> Vec<TableColumn> {
        let column = |&name: &&str| TableColumn { name: name.into(), categories: Vec::new() };
        self.names[columns].iter().map(column).collect()
    }

    /// The values of some columns in these rows, row after row.
    pub(super) fn inputs(&self, rows: &[usize], columns: Range<usize>) -> Vec<f32> {
        rows.iter().flat_map(|&row| &self.rows[row][columns.clone()]).map(|&value| value as f32).collect()
    }

    /// The values of one column in these rows.
    pub(super) fn column(&self, rows: &[usize], column: usize) -> Vec<f64> {
        rows.iter().map(|&row| self.rows[row][column]).collect()
    }
}

#[cfg(test)]
impl Numbers {
    /// Whether every row has a number for every name.
    pub(super) fn is_whole(&self) -> bool {
        self.rows.iter().all(|row| row.len() == self.names.len() && row.iter().all(|value| value.is_finite()))
    }
}
