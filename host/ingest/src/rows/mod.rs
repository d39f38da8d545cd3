//! Rows of tables, whatever file they are in: CSV, Parquet or NumPy arrays. Read twice, in the same order.

mod arrays;
mod csv;
mod npy;
mod parquet;

pub(crate) use arrays::arrays;
use thimble_datasets::Split;

use crate::finding::{At, Findings, Place};
use crate::input::{Input, Listed};
use crate::limits;
use crate::options::{Options, split_of};
use crate::problem::Problem;
use crate::progress::Progress;
use crate::wording::{Quoted, nearest};

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Empty, null, or a text that says so.
    Missing,
    /// Not yet known to be a number or not: a cell of a CSV file.
    Raw(&'a str),
    /// Surely a text.
    Text(&'a str),
    Int(i64),
    Float(f64),
    /// Microseconds since 1970.
    Time(i64),
    Bytes(&'a [u8]),
    /// Unencoded pixels: height, width, channels.
    Pixels([u32; 3], &'a [u8]),
}

/// A cell as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number<'a> {
    Missing,
    Is(f64),
    /// A text, which is no number.
    Text(&'a str),
    /// Nothing that stands in a table of numbers.
    Other(&'static str),
}

impl<'a> Cell<'a> {
    /// What stands for "no value" in a CSV file.
    const MISSING: [&'static str; 8] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"];

    /// A cell of a CSV file, without the spaces around it.
    fn of_text(text: &'a str) -> Self {
        // Most cells are numbers, and none of those is missing.
        if let (Some(b'0'..=b'9' | b'-' | b'.'), Some(b'0'..=b'9')) = (text.as_bytes().first(), text.as_bytes().last())
        {
            return Self::Raw(text);
        }
        let text = text.trim_matches([' ', '\t']);
        if Self::MISSING.contains(&text) { Self::Missing } else { Self::Raw(text) }
    }

    pub(crate) fn number(self) -> Number<'a> {
        match self {
            Self::Missing => Number::Missing,
            Self::Raw(text) => text.parse().map_or(Number::Text(text), Number::Is),
            Self::Text(text) => Number::Text(text),
            #[expect(clippy::cast_precision_loss, reason = "features are of single precision in any case")]
            Self::Int(value) => Number::Is(value as f64),
            Self::Float(value) if value.is_nan() => Number::Missing,
            Self::Float(value) => Number::Is(value),
            Self::Time(_) => Number::Other("timestamp"),
            Self::Bytes(_) => Number::Other("bytes"),
            Self::Pixels(..) => Number::Other("pixels"),
        }
    }

    /// The cell as a name; none where it is missing.
    pub(crate) fn name(self, buffer: &'a mut String) -> Option<&'a str> {
        use std::fmt::Write as _;
        buffer.clear();
        match self {
            Self::Raw(text) | Self::Text(text) => return Some(text),
            Self::Int(value) | Self::Time(value) => write!(buffer, "{value}"),
            Self::Float(value) if !value.is_nan() => write!(buffer, "{value}"),
            Self::Missing | Self::Float(_) | Self::Bytes(_) | Self::Pixels(..) => return None,
        }
        .ok()
        .map(|()| buffer.as_str())
    }
}

/// One row.
pub(crate) struct Row<'a> {
    file: &'a TableFile,
    at: At,
    cells: &'a dyn Cells,
}

/// The cells of a row.
trait Cells {
    fn cell(&self, column: usize) -> Cell<'_>;

    /// The cell's text as it stands in the file, with what would say that it is missing.
    fn literal(&self, column: usize) -> Option<&str>;
}

impl Row<'_> {
    pub(crate) fn cell(&self, column: usize) -> Cell<'_> {
        self.cells.cell(column)
    }

    /// As [`Cell::name`], but a text that may mean "missing" is a name where `declared` says so.
    pub(crate) fn name<'b>(
        &'b self,
        column: usize,
        declared: impl Fn(&str) -> bool,
        buffer: &'b mut String,
    ) -> Option<&'b str> {
        match (self.cell(column), self.cells.literal(column)) {
            (Cell::Missing, Some(text)) if !text.is_empty() && declared(text) => Some(text),
            (cell, _) => cell.name(buffer),
        }
    }

    /// The text of a cell, also where it may mean that there is none.
    pub(crate) fn literal(&self, column: usize) -> Option<&str> {
        self.cells.literal(column)
    }

    pub(crate) fn place(&self) -> Place {
        Place { file: self.file.listed.path.clone(), at: self.at }
    }

    /// The split of the row's file.
    pub(crate) const fn split(&self) -> Option<Split> {
        self.file.split
    }
}

/// What a file holds rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Parquet,
    /// One array.
    Npy,
    /// Named arrays.
    Npz,
}

impl Format {
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "csv" | "tsv" | "txt" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            _ => None,
        }
    }
}

/// One file of rows.
#[derive(Debug, Clone)]
pub(crate) struct TableFile {
    pub(crate) listed: Listed,
    format: Format,
    /// The split of all its rows.
    split: Option<Split>,
}

/// All rows of an input.
pub(crate) struct Table<'a> {
    input: &'a Input,
    files: Vec<TableFile>,
    /// Arrays of a directory, read beside each other as the columns of one table.
    arrays: Vec<Listed>,
    delimiter: Option<u8>,
    /// Names, in the order of the cells.
    pub(crate) columns: Vec<String>,
}

/// How a reading goes on after a row.
pub(crate) type Visit<'a> = &'a mut dyn FnMut(&Row<'_>, &mut Findings);

const EXPECTED: &str =
    "a file .csv, .tsv, .parquet or .npz, files train.* validation.* test.* of these kinds, or files .npy";

impl<'a> Table<'a> {
    /// Finds the files and reads their headers. The answer is none where that cannot be: a finding says why.
    pub(crate) fn open(input: &'a Input, options: &Options, findings: &mut Findings) -> Option<Self> {
        let found = findings.errors.len();
        let (files, arrays) = locate(input, findings);
        let mut table = Self { input, files, arrays, delimiter: options.delimiter, columns: Vec::new() };
        if table.files.is_empty() && table.arrays.is_empty() && findings.errors.len() == found {
            let place = Place::file(input.only().unwrap_or("."));
            findings.error(place, Problem::NothingToRead { expected: EXPECTED });
        }
        for index in 0..table.files.len() {
            let file = table.files[index].clone();
            let columns = table.header(&file, findings)?;
            match index {
                0 => table.columns = columns,
                _ => table.compare(&file, &columns, findings),
            }
        }
        if !table.arrays.is_empty() {
            table.columns = npy::directory_columns(input, &table.arrays, findings)?;
        }
        (findings.errors.len() == found).then_some(table)
    }

    /// One CSV file of the input, whose cells name other files.
    pub(crate) fn list(input: &'a Input, path: &str, options: &Options, findings: &mut Findings) -> Option<Self> {
        let listed =
            Listed { path: path.to_owned(), name: path.to_owned(), bytes: input.open(path).map_or(0, |file| file.1) };
        let file = TableFile { listed, format: Format::Csv, split: None };
        let mut table = Self {
            input,
            files: vec![file.clone()],
            arrays: Vec::new(),
            delimiter: options.delimiter,
            columns: Vec::new(),
        };
        table.columns = table.header(&file, findings)?;
        Some(table)
    }

    /// The same, whose rows all have a split.
    pub(crate) fn given(mut self, split: Option<Split>) -> Self {
        self.files.iter_mut().for_each(|file| file.split = split);
        self
    }

    /// The first file.
    pub(crate) fn name(&self) -> &str {
        self.files.first().map(|file| &file.listed).or(self.arrays.first()).map_or(".", |listed| &listed.path)
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| &file.listed).chain(&self.arrays).map(|listed| listed.bytes).sum()
    }

    /// The place of a column that must be there.
    pub(crate) fn column(&self, name: &str, findings: &mut Findings) -> Option<usize> {
        let place = self.position(name);
        if place.is_none() {
            let hint = nearest(name, self.columns.iter().map(String::as_str));
            findings.error(self.header_place(), Problem::NoColumn { name: Quoted::new(name), hint });
        }
        place
    }

    /// The place of a column.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    pub(crate) fn header_place(&self) -> Place {
        match self.files.first() {
            Some(TableFile { format: Format::Csv, listed, .. }) => Place::line(&listed.path, 1),
            _ => Place::file(self.name()),
        }
    }

    /// Calls `visit` for every row. Rows that cannot be read are findings.
    pub(crate) fn each(&self, visit: Visit<'_>, progress: &mut dyn Progress, findings: &mut Findings) {
        let mut count = Count { progress, before: 0, rows: 0 };
        for file in &self.files {
            let rows = count.rows;
            match file.format {
                Format::Csv => csv::each(self, file, visit, &mut count, findings),
                Format::Parquet => parquet::each(self, file, visit, &mut count, findings),
                Format::Npy | Format::Npz => npy::each(self, file, visit, &mut count, findings),
            }
            if count.rows == rows && findings.is_clean() {
                findings.error(Place::file(&file.listed.path), Problem::HeaderOnly);
            }
            count.before += file.listed.bytes;
        }
        if let Some(first) = self.arrays.first() {
            let file = TableFile { listed: first.clone(), format: Format::Npy, split: None };
            npy::each_of_directory(self, &file, visit, &mut count, findings);
        }
    }

    fn header(&self, file: &TableFile, findings: &mut Findings) -> Option<Vec<String>> {
        let found = findings.errors.len();
        let columns = match file.format {
            Format::Csv => csv::header(self, file, findings),
            Format::Parquet => parquet::header(self, file, findings),
            Format::Npy | Format::Npz => npy::header(self, file, findings),
        }?;
        let place = || match file.format {
            Format::Csv => Place::line(&file.listed.path, 1),
            _ => Place::file(&file.listed.path),
        };
        if columns.len() > limits::COLUMNS {
            let (found, limit) = (columns.len(), limits::COLUMNS);
            findings.error(place(), Problem::TooManyColumns { found, limit });
            return None;
        }
        let mut seen = std::collections::BTreeMap::new();
        for (index, name) in columns.iter().enumerate() {
            let fault = match name {
                name if name.is_empty() => Some("no name"),
                name if name.len() > thimble_datasets::limits::LABEL_NAME_BYTES => Some("too long a name"),
                name if name.chars().any(char::is_control) => Some("a control character in its name"),
                _ => None,
            };
            if let Some(what) = fault {
                findings.error(place(), Problem::ColumnName { place: index + 1, what });
            } else if let Some(first) = seen.insert(name, index + 1) {
                findings.error(place(), Problem::ColumnTwice { name: Quoted::new(name), first, second: index + 1 });
            }
        }
        (findings.errors.len() == found).then_some(columns)
    }

    fn compare(&self, file: &TableFile, columns: &[String], findings: &mut Findings) {
        let other = self.name().to_owned();
        let length = self.columns.len().max(columns.len());
        let differs = (0..length).find(|&index| self.columns.get(index) != columns.get(index));
        let Some(index) = differs else { return };
        let (name, what) = match (self.columns.get(index), columns.get(index)) {
            (Some(expected), _) if !columns.contains(expected) => (expected, "is missing"),
            (_, Some(found)) if !self.columns.contains(found) => (found, "is not in it"),
            (Some(found), _) | (_, Some(found)) => (found, "stands elsewhere"),
            (None, None) => return,
        };
        let name = Quoted::new(name);
        findings.error(Place::file(&file.listed.path), Problem::OtherColumns { other, name, what });
    }
}

/// Tells how far a reading is.
struct Count<'a> {
    progress: &'a mut dyn Progress,
    /// Bytes of the files before this one.
    before: u64,
    rows: u64,
}

impl Count<'_> {
    fn row(&mut self, bytes: u64) {
        self.rows += 1;
        if self.rows.is_multiple_of(4096) {
            self.progress.done(self.before + bytes, self.rows);
        }
    }
}

/// The tables of an input, and its arrays where it is a directory of those.
fn locate(input: &Input, findings: &mut Findings) -> (Vec<TableFile>, Vec<Listed>) {
    let mut files = Vec::new();
    let readable = |name: &str| Format::of(name).is_some();
    let in_folder = |split: Option<Split>, folder: &str, files: &mut Vec<TableFile>, findings: &mut Findings| {
        for listed in input.list(folder, readable, findings) {
            if let Some(format) = Format::of(&listed.name) {
                files.push(TableFile { listed, format, split });
            }
        }
    };
    in_folder(None, ".", &mut files, findings);
    if input.only().is_some() {
        return (files, Vec::new());
    }
    if files.is_empty() {
        for folder in input.directories(".", findings) {
            match (split_of(&folder), folder.as_str()) {
                (Some(split), _) => in_folder(Some(split), &folder, &mut files, findings),
                (None, "data") => in_folder(None, "data", &mut files, findings),
                (None, _) => {}
            }
        }
    }
    let arrays: Vec<Listed> =
        files.iter().filter(|file| file.format == Format::Npy).map(|file| file.listed.clone()).collect();
    if !arrays.is_empty() {
        for file in files.iter().filter(|file| file.format != Format::Npy) {
            findings.error(
                Place::file(&file.listed.path),
                Problem::Extension { expected: ".npy, as the other files here" },
            );
        }
        return (Vec::new(), arrays);
    }
    for file in files.iter_mut().filter(|file| file.split.is_none()) {
        file.split = split_of_file(&file.listed.name);
    }
    // Several files of one table, but not a table and something beside it.
    if files.iter().any(|file| file.split.is_some()) {
        for file in files.iter().filter(|file| file.split.is_none()) {
            findings.error(Place::file(&file.listed.path), Problem::Orphan { by: "train, validation and test".into() });
        }
    }
    files.sort_by(|a, b| (a.split, &a.listed.path).cmp(&(b.split, &b.listed.path)));
    (files, Vec::new())
}

/// `train.csv`, `train-00000-of-00003.parquet`.
fn split_of_file(name: &str) -> Option<Split> {
    let stem = name.split(['.', '-', '_']).next()?;
    split_of(stem)
}
