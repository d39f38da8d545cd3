//! CSV: UTF-8, one header line, quotes as in RFC 4180.

use std::cell::Cell as Shared;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use super::{Cell, Cells, Count, Row, Table, TableFile, Visit};
use crate::finding::{At, Findings, Place};
use crate::limits;
use crate::problem::Problem;
use crate::wording::Quoted;

impl Cells for StringRecord {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.get(column).map_or(Cell::Missing, Cell::of_text)
    }

    fn literal(&self, column: usize) -> Option<&str> {
        self.get(column).map(|text| text.trim_matches([' ', '\t']))
    }
}

/// Bytes that the reader takes from the file at once.
const BUFFER: usize = 1 << 16;

/// Fails rather than feeding the reader a row that is longer than a limit.
struct Bounded {
    file: File,
    /// Bytes since the last whole row.
    row: Rc<Shared<u64>>,
}

const TOO_LONG: &str = "row too long";

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.row.get() > limits::RECORD_BYTES + BUFFER as u64 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TOO_LONG));
        }
        let read = self.file.read(buffer)?;
        self.row.set(self.row.get() + read as u64);
        Ok(read)
    }
}

/// A file that is being read.
struct Open {
    reader: csv::Reader<Bounded>,
    row: Rc<Shared<u64>>,
}

fn open(table: &Table<'_>, file: &TableFile) -> Result<Open, Problem> {
    let (mut handle, bytes) = table.input.open(&file.listed.path)?;
    if bytes == 0 {
        return Err(Problem::EmptyTable);
    }
    let unreadable = |error: io::Error| Problem::Unreadable { reason: error.to_string() };
    let mut start = Vec::new();
    Read::by_ref(&mut handle).take(3).read_to_end(&mut start).map_err(unreadable)?;
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(Problem::Utf16);
    }
    let begin = if start == [0xef, 0xbb, 0xbf] { 3 } else { 0 };
    handle.seek(SeekFrom::Start(begin)).map_err(unreadable)?;
    let row = Rc::new(Shared::new(0));
    let delimiter = table.delimiter.unwrap_or(if file.listed.name.ends_with(".tsv") { b'\t' } else { b',' });
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .buffer_capacity(BUFFER)
        .from_reader(Bounded { file: handle, row: Rc::clone(&row) });
    Ok(Open { reader, row })
}

impl Open {
    /// The next row; false at the end.
    fn read(&mut self, record: &mut ByteRecord) -> Result<bool, Problem> {
        let more = self.reader.read_byte_record(record).map_err(|error| match error.kind() {
            csv::ErrorKind::Io(source) if source.to_string() == TOO_LONG => {
                Problem::RowTooLong { limit: limits::RECORD_BYTES }
            }
            _ => Problem::Unreadable { reason: error.to_string() },
        })?;
        self.row.set(0);
        match record.as_slice().len() as u64 > limits::RECORD_BYTES {
            true => Err(Problem::RowTooLong { limit: limits::RECORD_BYTES }),
            false => Ok(more),
        }
    }
}

fn line(record: &ByteRecord) -> u64 {
    record.position().map_or(1, csv::Position::line)
}

pub(super) fn header(table: &Table<'_>, file: &TableFile, findings: &mut Findings) -> Option<Vec<String>> {
    let place = || Place::file(&file.listed.path);
    let read = || {
        let mut open = open(table, file)?;
        let mut record = ByteRecord::new();
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
    let names = record.iter().enumerate().map(|(index, name)| match std::str::from_utf8(name) {
        Ok(name) => Ok(name.trim_matches([' ', '\t']).to_owned()),
        Err(_) => Err(Quoted::new(&(index + 1).to_string())),
    });
    let names: Vec<String> = match names.collect() {
        Ok(names) => names,
        Err(column) => {
            findings.error(Place::line(&file.listed.path, 1), Problem::NotUtf8 { column });
            return None;
        }
    };
    if let [only] = &names[..]
        && let Some(found) = only.chars().find(|letter| matches!(letter, ';' | '\t' | '|'))
    {
        findings.error(Place::line(&file.listed.path, 1), Problem::Delimiter { found });
        return None;
    }
    Some(names)
}

fn has_byte_order_mark(table: &Table<'_>, file: &TableFile) -> bool {
    let mut start = [0; 3];
    let read = table.input.open(&file.listed.path).map(|(mut handle, _)| handle.read_exact(&mut start));
    matches!(read, Ok(Ok(()))) && start == [0xef, 0xbb, 0xbf]
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
    let mut record = ByteRecord::new();
    let mut header = true;
    loop {
        // Of a row that has no end only where it begins is known.
        let start = open.reader.position().line();
        match open.read(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            Err(problem) => return findings.error(Place::line(path, start), problem),
        }
        if std::mem::take(&mut header) {
            continue;
        }
        let line = line(&record);
        if record.len() != table.columns.len() {
            let (found, expected) = (record.len(), table.columns.len());
            count.row(0);
            findings.error(Place::line(path, line), Problem::Ragged { found, expected });
            continue;
        }
        match StringRecord::from_byte_record(std::mem::take(&mut record)) {
            Ok(text) => {
                count.row(text.position().map_or(0, csv::Position::byte));
                visit(&Row { file, at: At::Line(line), cells: &text }, findings);
                record = text.into_byte_record();
            }
            Err(error) => {
                count.row(0);
                let column = table.columns.get(error.utf8_error().field()).map_or("?", String::as_str);
                findings.error(Place::line(path, line), Problem::NotUtf8 { column: Quoted::new(column) });
                record = error.into_byte_record();
            }
        }
    }
}
