//! The values of one column of a split, on disk while a dataset is being written: it may be larger than memory.

use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};

use crate::content::ContentHasher;
use crate::metadataset::{DType, Field};
use crate::rules::little_endian;
use crate::table::ColumnValues;

/// Bytes that are read or written at once.
const CHUNK: usize = 1 << 16;

/// A column that grows at its end.
pub(crate) struct Spool {
    field: Field,
    /// The values' bytes.
    values: Part,
    /// Where each row's items or text end, s64, after a first 0.
    offsets: Option<Part>,
    /// Items or bytes of text so far.
    end: i64,
}

/// A file without a name.
struct Part {
    writer: BufWriter<File>,
    bytes: u64,
}

impl Part {
    fn new(dir: &Dir, name: &str) -> io::Result<Self> {
        let name = format!(".{name}.{}.spool", std::process::id());
        match dir.remove_file(&name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let options = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).clone();
        let file = dir.open_with(&name, &options)?;
        // Nothing is left behind, however this process ends.
        dir.remove_file(&name)?;
        Ok(Self { writer: BufWriter::with_capacity(CHUNK, file), bytes: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.writer.write_all(bytes)
    }

    fn read(&mut self) -> io::Result<BufReader<&mut File>> {
        self.writer.flush()?;
        let file = self.writer.get_mut();
        file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::with_capacity(CHUNK, file))
    }
}

impl Spool {
    /// An empty column; its files are in `dir` without a name.
    pub(crate) fn new(dir: &Dir, name: &str, field: &Field) -> io::Result<Self> {
        let offsets = match field.ragged || field.dtype == DType::Text {
            true => {
                let mut offsets = Part::new(dir, &format!("{name}.offsets"))?;
                offsets.write(&0_i64.to_le_bytes())?;
                Some(offsets)
            }
            false => None,
        };
        Ok(Self { field: field.clone(), values: Part::new(dir, name)?, offsets, end: 0 })
    }

    /// Adds rows. `counts` are the items of each, for a ragged field.
    pub(crate) fn append(&mut self, values: ColumnValues<'_>, counts: &[i32]) -> io::Result<()> {
        let part = &mut self.values;
        little_endian(values, &mut |bytes| part.write(bytes))?;
        let Some(offsets) = &mut self.offsets else { return Ok(()) };
        let end = &mut self.end;
        let mut push = |length: i64| {
            *end += length;
            offsets.write(&end.to_le_bytes())
        };
        match values {
            ColumnValues::Text(texts) => texts.iter().try_for_each(|text| push(text.len() as i64)),
            _ => counts.iter().try_for_each(|&count| push(i64::from(count))),
        }
    }

    /// What is written of it as an Arrow column.
    pub(crate) const fn field(&self) -> &Field {
        &self.field
    }

    /// Items of all rows; only of a ragged field.
    pub(crate) const fn items(&self) -> i64 {
        self.end
    }

    /// Bytes of the offsets, if there are any, and of the values.
    pub(crate) fn lengths(&self) -> (Option<u64>, u64) {
        (self.offsets.as_ref().map(|part| part.bytes), self.values.bytes)
    }

    /// Hashes the column.
    pub(crate) fn hash(&mut self, hasher: &mut ContentHasher) -> io::Result<()> {
        if self.field.dtype == DType::Text
            && let Some(offsets) = &mut self.offsets
        {
            let (mut reader, mut before, mut offset) = (offsets.read()?, None, [0; 8]);
            while reader.read_exact(&mut offset).map(|()| true).or_else(end_is_false)? {
                let offset = i64::from_le_bytes(offset);
                if let Some(before) = before {
                    hasher.length(usize::try_from(offset - before).unwrap_or(usize::MAX));
                }
                before = Some(offset);
            }
        }
        each_chunk(self.values.read()?, |bytes| {
            hasher.bytes(bytes);
            Ok(())
        })
    }

    /// Writes the offsets' bytes, if there are any.
    pub(crate) fn copy_offsets(&mut self, write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.offsets.as_mut().map_or(Ok(()), |part| each_chunk(part.read()?, write))
    }

    /// Writes the values' bytes.
    pub(crate) fn copy_values(&mut self, write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        each_chunk(self.values.read()?, write)
    }
}

fn end_is_false(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::UnexpectedEof { Ok(false) } else { Err(error) }
}

fn each_chunk(mut reader: impl Read, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            read => write(&buffer[..read])?,
        }
    }
}
