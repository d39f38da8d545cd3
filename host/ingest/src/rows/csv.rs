//! CSV: UTF-8, one header line, quotes as in RFC 4180. Empty lines do not count.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::{Cell, Cells, Count, Row, Table, TableFile, Visit};
use crate::finding::{At, Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::wording::Quoted;

/// Bytes that are taken from the file at once.
const BUFFER: usize = 1 << 16;
/// Cells of a row that are read, so that one with too many can say how many there are.
const CELLS: usize = 2 * limits::COLUMNS;

/// One row: its cells' bytes without quotes and separators.
struct Record {
    bytes: Vec<u8>,
    /// Where each cell ends in `bytes`.
    ends: Vec<usize>,
    /// Bytes and cells that are filled.
    filled: (usize, usize),
    line: u64,
}

/// A row whose cells are UTF-8.
struct Text<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl Text<'_> {
    fn get(&self, column: usize) -> Option<&str> {
        let end = *self.ends.get(column)?;
        let start = column.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }
}

impl Cells for Text<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.get(column).map_or(Cell::Missing, Cell::of_text)
    }

    fn literal(&self, column: usize) -> Option<&str> {
        self.get(column).map(|text| text.trim_matches([' ', '\t']))
    }
}

impl Record {
    fn new() -> Self {
        Self { bytes: vec![0; 4096], ends: vec![0; 64], filled: (0, 0), line: 1 }
    }

    /// The cells; else the place of the first that is not UTF-8.
    fn text(&self) -> Result<Text<'_>, usize> {
        let (bytes, ends) = (&self.bytes[..self.filled.0], &self.ends[..self.filled.1]);
        let whole = std::str::from_utf8(bytes).ok().filter(|text| ends.iter().all(|&end| text.is_char_boundary(end)));
        whole.map(|text| Text { text, ends }).ok_or_else(|| {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let wrong = |(start, &end): (usize, &usize)| {
                bytes.get(start..end).is_none_or(|cell| std::str::from_utf8(cell).is_err())
            };
            starts.zip(ends).position(wrong).unwrap_or(0)
        })
    }
}

/// A file that is being read.
struct Open {
    file: File,
    reader: Reader,
    buffer: Vec<u8>,
    /// What of the buffer is still to be read.
    rest: std::ops::Range<usize>,
    /// Bytes and lines that were read.
    bytes: u64,
    line: u64,
}

fn open(table: &Table<'_>, file: &TableFile) -> Result<Open, Problem> {
    let (mut handle, bytes) = table.input.open(&file.listed.path)?;
    if bytes == 0 {
        return Err(Problem::EmptyTable);
    }
    let mut start = Vec::new();
    Read::by_ref(&mut handle).take(3).read_to_end(&mut start).map_err(|error| unreadable(&error))?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::Utf16);
    }
    let begin = if start == MARK { 3 } else { 0 };
    handle.seek(SeekFrom::Start(begin)).map_err(|error| unreadable(&error))?;
    let usual = if file.listed.name.ends_with(".tsv") { b'\t' } else { b',' };
    let reader = ReaderBuilder::new().delimiter(table.delimiter.unwrap_or(usual)).build();
    Ok(Open { file: handle, reader, buffer: vec![0; BUFFER], rest: 0..0, bytes: begin, line: 1 })
}

/// Says that a file is UTF-8.
const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

fn unreadable(error: &io::Error) -> Problem {
    Problem::Unreadable { reason: error.to_string() }
}

impl Open {
    /// Makes sure that there is something to read, unless the file ends.
    fn fill(&mut self) -> Result<(), Problem> {
        if self.rest.is_empty() {
            self.rest = 0..self.file.read(&mut self.buffer).map_err(|error| unreadable(&error))?;
        }
        Ok(())
    }

    /// Leaves the line ends behind: the row begins in the line after them.
    fn skip_line_ends(&mut self) -> Result<(), Problem> {
        loop {
            self.fill()?;
            match self.buffer.get(self.rest.start).filter(|_| !self.rest.is_empty()) {
                Some(byte @ (b'\r' | b'\n')) => {
                    self.line += u64::from(*byte == b'\n');
                    self.rest.start += 1;
                    self.bytes += 1;
                }
                _ => return Ok(()),
            }
        }
    }

    /// The next row; false at the end.
    fn read(&mut self, record: &mut Record) -> Result<bool, Problem> {
        self.skip_line_ends()?;
        record.line = self.line;
        record.filled = (0, 0);
        loop {
            self.fill()?;
            let input = &self.buffer[self.rest.clone()];
            let (bytes, ends) = record.filled;
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut record.bytes[bytes..], &mut record.ends[ends..]);
            self.line += input[..read].iter().filter(|byte| **byte == b'\n').count() as u64;
            self.rest.start += read;
            self.bytes += read as u64;
            record.filled = (bytes + written, ends + ended);
            match result {
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if record.bytes.len() as u64 >= limits::RECORD_BYTES => {
                    return Err(Problem::RowTooLong { limit: limits::RECORD_BYTES });
                }
                ReadRecordResult::OutputFull => record.bytes.resize(2 * record.bytes.len(), 0),
                ReadRecordResult::OutputEndsFull if record.ends.len() >= CELLS => {
                    return Err(Problem::TooManyColumns { found: CELLS, limit: limits::COLUMNS });
                }
                ReadRecordResult::OutputEndsFull => record.ends.resize(2 * record.ends.len(), 0),
            }
        }
    }
}

pub(super) fn header(table: &Table<'_>, file: &TableFile, findings: &mut Findings) -> Option<Vec<String>> {
    let place = || Place::file(&file.listed.path);
    let read = || {
        let mut open = open(table, file)?;
        let mut record = Record::new();
        if !open.read(&mut record)? {
            return Err(Problem::EmptyTable);
        }
        Ok(record)
    };
    let record = match read() {
        Ok(record) => record,
        Err(problem) => {
            findings.error(place(), problem);
            return None;
        }
    };
    if has_byte_order_mark(table, file) {
        findings.warn(place(), Problem::ByteOrderMark);
    }
    let names: Vec<String> = match record.text() {
        Ok(text) => (0..text.ends.len()).filter_map(|column| text.literal(column)).map(ToOwned::to_owned).collect(),
        Err(place) => {
            let column = Quoted::new(&(place + 1).to_string());
            findings.error(Place::line(&file.listed.path, record.line), Problem::NotUtf8 { column });
            return None;
        }
    };
    if let [only] = &names[..]
        && let Some(found) = only.chars().find(|letter| matches!(letter, ';' | '\t' | '|'))
    {
        findings.error(Place::line(&file.listed.path, record.line), Problem::Delimiter { found });
        return None;
    }
    Some(names)
}

fn has_byte_order_mark(table: &Table<'_>, file: &TableFile) -> bool {
    let mut start = [0; 3];
    let read = table.input.open(&file.listed.path).map(|(mut handle, _)| handle.read_exact(&mut start));
    matches!(read, Ok(Ok(()))) && start == MARK
}

pub(super) fn each(
    table: &Table<'_>,
    file: &TableFile,
    visit: Visit<'_>,
    count: &mut Count<'_>,
    findings: &mut Findings,
) {
    let path = &file.listed.path;
    let mut open = match open(table, file) {
        Ok(open) => open,
        Err(problem) => return findings.error(Place::file(path), problem),
    };
    let (mut record, mut header) = (Record::new(), true);
    loop {
        match open.read(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            Err(problem) => return findings.error(Place::line(path, record.line), problem),
        }
        if std::mem::take(&mut header) {
            continue;
        }
        count.row(open.bytes);
        let place = || Place::line(path, record.line);
        if record.filled.1 != table.columns.len() {
            let (found, expected) = (record.filled.1, table.columns.len());
            findings.error(place(), Problem::Ragged { found, expected });
            continue;
        }
        match record.text() {
            Ok(text) => visit(&Row { file, at: At::Line(record.line), cells: &text }, findings),
            Err(column) => {
                let column = table.columns.get(column).map_or("?", String::as_str);
                findings.error(place(), Problem::NotUtf8 { column: Quoted::new(column) });
            }
        }
    }
}
