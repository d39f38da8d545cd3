//! NumPy arrays: one `.npy` file, several beside each other in a directory, or those of a `.npz` archive.
//!
//! Arrays are the columns of one table. One of shape \[n\] is a column of its own name, one of shape \[n, d\] has the columns
//! `NAME_0` to `NAME_{d−1}`, and one of u8 and shape \[n, h, w\] or \[n, h, w, c\] is a column of images.

use std::fs::File;
use std::io::{self, BufReader, Read};

use zip::ZipArchive;

use super::{Cell, Cells, Count, Format, Row, Table, TableFile, Visit};
use crate::finding::{At, Findings, Place};
use crate::input::{Input, Listed};
use crate::limits;
use crate::problem::Problem;
use crate::wording::Quoted;

/// The type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Float(usize),
    Signed(usize),
    Unsigned(usize),
    Bool,
    /// So many characters of UTF-32.
    Text(usize),
}

/// What the header of an array says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) shape: Vec<u64>,
}

impl Header {
    fn rows(&self) -> u64 {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Values of one row.
    fn width(&self) -> usize {
        self.shape
            .iter()
            .skip(1)
            .fold(1, |width, size| width.saturating_mul(usize::try_from(*size).unwrap_or(usize::MAX)))
    }

    pub(super) const fn value_bytes(&self) -> usize {
        match self.kind {
            Kind::Float(bytes) | Kind::Signed(bytes) | Kind::Unsigned(bytes) => bytes,
            Kind::Bool => 1,
            Kind::Text(characters) => characters * 4,
        }
    }

    /// The pixels of a row: height, width, channels.
    fn image(&self) -> Option<[u32; 3]> {
        let size = |size: u64| u32::try_from(size).ok();
        match (self.kind, &self.shape[..]) {
            (Kind::Unsigned(1), &[_, h, w]) => Some([size(h)?, size(w)?, 1]),
            (Kind::Unsigned(1), &[_, h, w, c @ (1 | 3)]) => Some([size(h)?, size(w)?, size(c)?]),
            _ => None,
        }
    }

    /// Columns that a row has.
    fn columns(&self, name: &str) -> Vec<String> {
        match self.shape.len() {
            2 => (0..self.width()).map(|index| format!("{name}_{index}")).collect(),
            _ => vec![name.to_owned()],
        }
    }

    /// Reads the header and leaves the reader at the first value.
    pub(super) fn read(reader: &mut dyn Read) -> Result<Self, String> {
        let mut start = [0; 8];
        reader.read_exact(&mut start).map_err(|_| "it is shorter than a header".to_owned())?;
        let [magic @ .., major, _minor] = start;
        if magic != *b"\x93NUMPY" {
            return Err("it does not begin as one".into());
        }
        let mut length = [0; 4];
        let width = match major {
            1 => 2,
            2 | 3 => 4,
            other => return Err(format!("version {other} of the format is not known")),
        };
        reader.read_exact(&mut length[..width]).map_err(|_| "it is shorter than a header".to_owned())?;
        let length = u32::from_le_bytes(length);
        if length > limits::NPY_HEADER_BYTES {
            return Err(format!("its header has {length} bytes, at most {} are allowed", limits::NPY_HEADER_BYTES));
        }
        let mut text = vec![0; length as usize];
        reader.read_exact(&mut text).map_err(|_| "it is shorter than its header says".to_owned())?;
        let text = String::from_utf8(text).map_err(|_| "its header is not UTF-8".to_owned())?;
        Self::parse(&text)
    }

    /// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`
    fn parse(text: &str) -> Result<Self, String> {
        let after = |key: &str| {
            let at = text.find(&format!("'{key}'")).ok_or_else(|| format!("its header has no `{key}`"))?;
            let rest = text[at + key.len() + 2..].trim_start();
            rest.strip_prefix(':').map(str::trim_start).ok_or_else(|| format!("its header has no `{key}`"))
        };
        let descr = after("descr")?;
        let descr = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let (descr, _) = descr.ok_or("its values are records; only plain numbers and texts are read")?;
        let kind =
            kind(descr).ok_or_else(|| format!("its type {descr:?} is not read; use <f4, <f8, <i8, |u1 or <U"))?;
        let shape = after("shape")?;
        let shape = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or("its shape is not readable")?.0;
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape: Vec<u64> =
            sizes.map(|size| size.parse().map_err(|_| "its shape is not readable")).collect::<Result<_, _>>()?;
        if !(1..=4).contains(&shape.len()) {
            return Err(format!("it has {} dimensions; 1 to 4 are read, the first is that of rows", shape.len()));
        }
        if after("fortran_order")?.starts_with("True") && shape.len() > 1 {
            return Err("it is in Fortran order; save numpy.ascontiguousarray of it".into());
        }
        let header = Self { kind, shape };
        match header.bytes() {
            Some(bytes) if bytes <= limits::NPY_BYTES => Ok(header),
            _ => Err(format!("its shape {:?} is more than {} bytes", header.shape, limits::NPY_BYTES)),
        }
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.shape.iter().try_fold(self.value_bytes() as u64, |bytes, &size| bytes.checked_mul(size))
    }

    /// Whether a row at a time can be read as cells of a table.
    fn check_row(self) -> Result<Self, String> {
        let row = (self.width() as u64).saturating_mul(self.value_bytes() as u64);
        let limit = match self.shape.len() {
            2 => limits::COLUMNS as u64 * 8,
            _ => thimble_datasets::limits::ROW_WIDTH * 4,
        };
        match row <= limit {
            true if self.shape.len() > 2 && self.image().is_none() => {
                Err(format!("its shape {:?} is not that of images, u8 [n, height, width(, 1 or 3)]", self.shape))
            }
            true => Ok(self),
            false => Err(format!("a row of it has {row} bytes, at most {limit} are allowed")),
        }
    }
}

fn kind(descr: &str) -> Option<Kind> {
    let (order, rest) = descr.split_at_checked(1)?;
    let (letter, size) = rest.split_at_checked(1)?;
    let size: usize = size.parse().ok()?;
    let kind = match (letter, size) {
        ("f", 4 | 8) => Kind::Float(size),
        ("i", 1 | 2 | 4 | 8) => Kind::Signed(size),
        ("u", 1 | 2 | 4 | 8) => Kind::Unsigned(size),
        ("b", 1) => Kind::Bool,
        ("U", 1..=1024) => Kind::Text(size),
        _ => return None,
    };
    (order == "<" || (size == 1 && letter != "U" && order == "|")).then_some(kind)
}

/// An array that is being read: a row at a time.
struct Source<'a> {
    name: String,
    header: Header,
    reader: Box<dyn Read + 'a>,
    row: Vec<u8>,
    /// Texts of the row, decoded.
    texts: Vec<String>,
}

impl<'a> Source<'a> {
    fn new(name: String, mut reader: Box<dyn Read + 'a>) -> Result<Self, Problem> {
        let header = Header::read(&mut reader).and_then(Header::check_row);
        let header = header.map_err(|reason| Problem::Array { array: Quoted::new(&name), reason })?;
        let row = vec![0; header.width() * header.value_bytes()];
        Ok(Self { name, header, reader, row, texts: Vec::new() })
    }

    fn advance(&mut self) -> io::Result<()> {
        self.reader.read_exact(&mut self.row)?;
        if let Kind::Text(characters) = self.header.kind {
            self.texts = self.row.chunks(characters * 4).map(text).collect();
        }
        Ok(())
    }

    fn cell(&self, index: usize) -> Cell<'_> {
        if let Some(shape) = self.header.image() {
            return Cell::Pixels(shape, &self.row);
        }
        let bytes = self.header.value_bytes();
        let Some(value) = self.row.get(index * bytes..(index + 1) * bytes) else { return Cell::Missing };
        match self.header.kind {
            Kind::Float(4) => value.try_into().map_or(Cell::Missing, |v| Cell::Float(f64::from(f32::from_le_bytes(v)))),
            Kind::Float(_) => value.try_into().map_or(Cell::Missing, |v| Cell::Float(f64::from_le_bytes(v))),
            Kind::Bool => Cell::Text(if value == [0] { "false" } else { "true" }),
            Kind::Text(_) => self.texts.get(index).map_or(Cell::Missing, |text| Cell::of_text(text)),
            Kind::Signed(_) => {
                let fill = if value.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
                Cell::Int(i64::from_le_bytes(extended(value, fill)))
            }
            #[expect(clippy::cast_precision_loss, reason = "only above 2^63, where no identifier is meant")]
            Kind::Unsigned(_) => {
                let value = u64::from_le_bytes(extended(value, 0));
                i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int)
            }
        }
    }
}

/// Characters of UTF-32, up to the first that is 0.
pub(super) fn text(bytes: &[u8]) -> String {
    let codes = bytes.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code));
    codes.take_while(|&code| code != 0).map(|code| char::from_u32(code).unwrap_or('\u{fffd}')).collect()
}

pub(super) fn extended(value: &[u8], fill: u8) -> [u8; 8] {
    let mut bytes = [fill; 8];
    bytes[..value.len()].copy_from_slice(value);
    bytes
}

/// The row of several arrays, as one.
struct Beside<'a, 'b> {
    sources: &'a [Source<'b>],
    /// For each column its array and its place in a row of it.
    places: &'a [(usize, usize)],
}

impl Cells for Beside<'_, '_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        self.places.get(column).map_or(Cell::Missing, |&(source, index)| self.sources[source].cell(index))
    }

    fn literal(&self, column: usize) -> Option<&str> {
        let &(source, index) = self.places.get(column)?;
        self.sources[source].texts.get(index).map(String::as_str)
    }
}

/// Columns of arrays that are read beside each other; they must have the same number of rows.
fn columns(sources: &[Source<'_>], file: &str, findings: &mut Findings) -> Option<Vec<String>> {
    let first = sources.first()?;
    let mut columns = Vec::new();
    for source in sources {
        if source.header.rows() != first.header.rows() {
            let problem = Problem::ArrayRows {
                array: Quoted::new(&source.name),
                found: source.header.rows(),
                other: Quoted::new(&first.name),
                expected: first.header.rows(),
            };
            findings.error(Place::file(file), problem);
            return None;
        }
        columns.extend(source.header.columns(&source.name));
        if columns.len() > limits::COLUMNS {
            let problem = Problem::TooManyColumns { found: columns.len(), limit: limits::COLUMNS };
            findings.error(Place::file(file), problem);
            return None;
        }
    }
    Some(columns)
}

fn visit_rows(
    sources: &mut [Source<'_>],
    file: &TableFile,
    visit: Visit<'_>,
    count: &mut Count<'_>,
    findings: &mut Findings,
) {
    let places: Vec<(usize, usize)> = sources
        .iter()
        .enumerate()
        .flat_map(|(index, source)| (0..source.header.columns(&source.name).len()).map(move |place| (index, place)))
        .collect();
    let rows = sources.first().map_or(0, |source| source.header.rows());
    for row in 0..rows {
        for source in &mut *sources {
            if let Err(error) = source.advance() {
                let reason = format!("row {} of {rows} cannot be read: {error}", row + 1);
                let problem = Problem::Array { array: Quoted::new(&source.name), reason };
                return findings.error(Place::file(&file.listed.path), problem);
            }
        }
        count.row(file.listed.bytes / rows * row);
        let cells = Beside { sources, places: &places };
        visit(&Row { file, at: At::Row(row + 1), cells: &cells }, findings);
    }
}

/// Calls `work` with the arrays of a file.
fn with_sources<T>(
    table: &Table<'_>,
    file: &TableFile,
    findings: &mut Findings,
    work: impl FnOnce(&mut [Source<'_>], &mut Findings) -> Option<T>,
) -> Option<T> {
    let path = &file.listed.path;
    let fail = |problem, findings: &mut Findings| {
        findings.error(Place::file(path), problem);
        None
    };
    let mut archives = match file.format {
        Format::Npz => match archives(table.input, path) {
            Ok(archives) => archives,
            Err(problem) => return fail(problem, findings),
        },
        _ => Vec::new(),
    };
    let mut sources = Vec::new();
    for (index, archive) in archives.iter_mut().enumerate() {
        let source = entry(archive, index);
        match source {
            Ok(source) => sources.push(source),
            Err(problem) => return fail(problem, findings),
        }
    }
    if file.format != Format::Npz {
        match array(table.input, &file.listed) {
            Ok(source) => sources.push(source),
            Err(problem) => return fail(problem, findings),
        }
    }
    work(&mut sources, findings)
}

/// The archive once for each of its arrays: they are read at the same time.
pub(super) fn archives(input: &Input, path: &str) -> Result<Vec<ZipArchive<BufReader<File>>>, Problem> {
    let open = || {
        let (file, bytes) = input.open(path)?;
        if bytes == 0 {
            return Err(Problem::ZeroBytes);
        }
        let fault = |error: zip::result::ZipError| Problem::Unreadable { reason: error.to_string() };
        ZipArchive::new(BufReader::new(file)).map_err(fault)
    };
    let first = open()?;
    let arrays = first.len();
    if !(1..=limits::NPZ_ARRAYS).contains(&arrays) {
        let reason = format!("{arrays} arrays, 1 to {} are allowed", limits::NPZ_ARRAYS);
        return Err(Problem::Unreadable { reason });
    }
    std::iter::once(Ok(first)).chain((1..arrays).map(|_| open())).collect()
}

/// An array of an archive: its name, its bytes as declared, and no more than these.
pub(super) fn packed(
    archive: &mut ZipArchive<BufReader<File>>,
    index: usize,
) -> Result<(String, u64, Box<dyn Read + '_>), Problem> {
    let file = archive.by_index(index).map_err(|error| Problem::Unreadable { reason: error.to_string() })?;
    let name = file.name().map(|name| name.to_string()).unwrap_or_default();
    let array = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
    let (bytes, compressed) = (file.size(), file.compressed_size().max(1));
    if bytes > limits::NPZ_BOMB_BYTES && bytes / compressed > limits::NPZ_RATIO {
        let (array, ratio) = (Quoted::new(&array), bytes / compressed);
        return Err(Problem::ArrayBomb { array, bytes, ratio, limit: limits::NPZ_RATIO });
    }
    // What is declared is also all that is read.
    Ok((array, bytes, Box::new(BufReader::new(file.take(bytes)))))
}

fn entry(archive: &mut ZipArchive<BufReader<File>>, index: usize) -> Result<Source<'_>, Problem> {
    let (array, bytes, reader) = packed(archive, index)?;
    let source = Source::new(array, reader)?;
    let declared = source.header.rows().saturating_mul(source.row.len() as u64);
    match declared > bytes {
        true => Err(short(&source, bytes)),
        false => Ok(source),
    }
}

fn short(source: &Source<'_>, bytes: u64) -> Problem {
    let reason = format!("its shape {:?} needs more than its {bytes} bytes", source.header.shape);
    Problem::Array { array: Quoted::new(&source.name), reason }
}

fn array<'a>(input: &Input, listed: &Listed) -> Result<Source<'a>, Problem> {
    let (file, bytes) = input.open(&listed.path)?;
    if bytes == 0 {
        return Err(Problem::ZeroBytes);
    }
    let source = Source::new(listed.stem().0.to_owned(), Box::new(BufReader::with_capacity(1 << 18, file)))?;
    let declared = source.header.rows().saturating_mul(source.row.len() as u64);
    match declared > bytes {
        true => Err(short(&source, bytes)),
        false => Ok(source),
    }
}

fn arrays<'a>(input: &Input, listed: &[Listed], findings: &mut Findings) -> Option<Vec<Source<'a>>> {
    if listed.len() > limits::NPZ_ARRAYS {
        let reason = format!("{} arrays, at most {} are allowed", listed.len(), limits::NPZ_ARRAYS);
        findings.error(Place::file("."), Problem::Unreadable { reason });
        return None;
    }
    let mut sources = Vec::new();
    for listed in listed {
        match array(input, listed) {
            Ok(source) => sources.push(source),
            Err(problem) => findings.error(Place::file(&listed.path), problem),
        }
    }
    (sources.len() == listed.len()).then_some(sources)
}

pub(super) fn directory_columns(input: &Input, listed: &[Listed], findings: &mut Findings) -> Option<Vec<String>> {
    let sources = arrays(input, listed, findings)?;
    columns(&sources, ".", findings)
}

pub(super) fn header(table: &Table<'_>, file: &TableFile, findings: &mut Findings) -> Option<Vec<String>> {
    let path = file.listed.path.clone();
    with_sources(table, file, findings, |sources, findings| columns(sources, &path, findings))
}

pub(super) fn each(
    table: &Table<'_>,
    file: &TableFile,
    visit: Visit<'_>,
    count: &mut Count<'_>,
    findings: &mut Findings,
) {
    with_sources(table, file, findings, |sources, findings| {
        visit_rows(sources, file, visit, count, findings);
        Some(())
    });
}

pub(super) fn each_of_directory(
    table: &Table<'_>,
    file: &TableFile,
    visit: Visit<'_>,
    count: &mut Count<'_>,
    findings: &mut Findings,
) {
    if let Some(mut sources) = arrays(table.input, &table.arrays, findings) {
        visit_rows(&mut sources, file, visit, count, findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_numpy_are_read() {
        let header = Header::parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n");
        assert_eq!(header, Ok(Header { kind: Kind::Float(4), shape: vec![3, 4] }));
        let header = Header::parse("{'descr': '|u1', 'fortran_order': True, 'shape': (7,), }\n");
        assert_eq!(header, Ok(Header { kind: Kind::Unsigned(1), shape: vec![7] }));
    }

    #[test]
    fn absurd_headers_are_refused() {
        let shape = |shape: &str| {
            let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({shape})}}");
            Header::parse(&header).and_then(Header::check_row)
        };
        assert!(shape("18446744073709551615, 2").is_err_and(|reason| reason.contains("is more than")));
        assert!(shape("1, 2000000000").is_err_and(|reason| reason.contains("a row of it has")));
        assert!(shape("").is_err_and(|reason| reason.contains("0 dimensions")));
        assert!(shape("3, -4").is_err_and(|reason| reason.contains("not readable")));
        assert!(shape("3, 2, 2").is_err_and(|reason| reason.contains("not that of images")));
        let fortran = Header::parse("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3)}");
        assert!(fortran.is_err_and(|reason| reason.contains("Fortran")));
        let object = Header::parse("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}");
        assert!(object.is_err_and(|reason| reason.contains("\"|O\"")));
    }
}
