//! A file read as a whole into named values: predictions and targets that someone already has.

use thimble_datasets::Values;

use crate::finding::{Findings, Place};
use crate::input::Input;
use crate::limits;
use crate::options::{Options, Task};
use crate::problem::Problem;
use crate::progress::Silent;
use crate::rows::{Number, Row, Table, arrays};
use crate::wording::Quoted;

/// Values of one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The column's, or the array's.
    pub name: String,
    /// Sizes, that of rows first. A column has one.
    pub shape: Vec<usize>,
    /// As many as the product of the sizes.
    pub values: Values,
}

/// How the cells of a column are read. Arrays of a `.npz` archive keep their own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As numbers: [`Values::F64`].
    Number,
    /// As they stand there: [`Values::Text`].
    Name,
}

/// Reads the columns of a CSV or Parquet file, or the arrays of a `.npz` archive, that `reading` wants.
///
/// # Errors
/// The file is not readable, a wanted cell has no value or is no number, or there is more than
/// [`limits::WHOLE_BYTES`]; each finding has its row.
pub fn read(input: &Input, reading: impl Fn(&str) -> Option<Reading>) -> Result<Vec<Array>, Findings> {
    let mut findings = Findings::default();
    if let Some(path) = input.only().filter(|name| name.ends_with(".npz")) {
        return arrays(input, path, |name| reading(name).is_some()).map_err(|problem| {
            findings.error(Place::file(path), problem);
            findings
        });
    }
    match columns(input, reading, &mut findings) {
        Some(columns) if findings.is_clean() => Ok(columns),
        _ => Err(findings),
    }
}

/// A column that grows.
struct Column {
    place: usize,
    name: String,
    values: Values,
}

fn columns(input: &Input, reading: impl Fn(&str) -> Option<Reading>, findings: &mut Findings) -> Option<Vec<Array>> {
    // Only what separates cells is asked of the options.
    let options = Options::new(Task::TabularRegression, "values");
    let table = Table::open(input, &options, findings)?;
    let column = |(place, name): (usize, &String)| {
        let values = match reading(name)? {
            Reading::Number => Values::F64(Vec::new()),
            Reading::Name => Values::Text(Vec::new()),
        };
        Some(Column { place, name: name.clone(), values })
    };
    let mut columns: Vec<Column> = table.columns.iter().enumerate().filter_map(column).collect();
    let (mut rows, mut bytes, mut alike) = (0, 0_u64, 0);
    let mut visit = |row: &Row<'_>, findings: &mut Findings| {
        rows += 1;
        // Once something must be put right, the rest is read only for its faults.
        let keep = findings.is_clean();
        for column in &mut columns {
            match cell(row, column, keep) {
                Ok(more) => bytes += more,
                Err(problem) => findings.error_again(&mut alike, || row.place(), || problem),
            }
        }
        if bytes > limits::WHOLE_BYTES && findings.is_clean() {
            findings.error(row.place(), Problem::TooManyValues { limit: limits::WHOLE_BYTES });
        }
    };
    table.each(&mut visit, &mut Silent, findings);
    Some(
        columns
            .into_iter()
            .map(|column| Array { name: column.name, shape: vec![rows], values: column.values })
            .collect(),
    )
}

/// Adds a cell to its column; gives the bytes that it takes.
fn cell(row: &Row<'_>, column: &mut Column, keep: bool) -> Result<u64, Problem> {
    let missing = || Problem::MissingTarget { column: Quoted::new(&column.name) };
    let not_number = |text: &str| Problem::NotNumber { column: Quoted::new(&column.name), value: Quoted::new(text) };
    match &mut column.values {
        Values::F64(values) => {
            let value = match row.cell(column.place).number() {
                Number::Missing => return Err(missing()),
                Number::Is(value) => value,
                Number::Text(text) | Number::Other(text) => return Err(not_number(text)),
            };
            if keep {
                values.push(value);
            }
            Ok(8)
        }
        Values::Text(values) => {
            let mut buffer = String::new();
            let text = row.name(column.place, |_| true, &mut buffer).ok_or_else(missing)?;
            if keep {
                values.push(text.to_owned());
            }
            Ok((text.len() + size_of::<String>()) as u64)
        }
        _ => Ok(0),
    }
}
