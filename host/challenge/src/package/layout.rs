//! The frame of a package, read strictly before any library sees it: exactly one archive from the first byte to the
//! last, every byte of it in one entry, the directory or the end record. Two readers then cannot see two archives.
//!
//! Offsets and field names are those of PKWARE's APPNOTE 6.3.10.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::PackageError;
use crate::name::excerpt;

/// Most entries of a package.
pub const MAX_ENTRIES: usize = 64;
/// Longest name of an entry, in bytes.
pub const MAX_ENTRY_NAME: usize = 128;

const END: &[u8] = b"PK\x05\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const LOCAL: &[u8] = b"PK\x03\x04";
const END_BYTES: usize = 22;
const CENTRAL_BYTES: usize = 46;
const LOCAL_BYTES: usize = 30;
const ENCRYPTED: u16 = 1;
/// Sizes stand behind the data, in a data descriptor.
const DESCRIPTOR: u16 = 1 << 3;
/// Strong encryption and encrypted directory.
const STRONG_ENCRYPTION: u16 = 1 << 6 | 1 << 13;
const ZIP64_EXTRA: u16 = 1;

/// An entry as the central directory describes it.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) name: &'a str,
    pub(super) is_directory: bool,
    /// Declared size of the content.
    pub(super) size: u64,
    compressed: u64,
    header: u64,
    flags: u16,
}

/// Checks the frame and returns the entries in the directory's order.
pub(super) fn records(bytes: &[u8]) -> Result<Vec<Record<'_>>, PackageError> {
    let (count, directory) = end_record(bytes)?;
    let mut records = Vec::with_capacity(count);
    let mut at = directory.start;
    for _ in 0..count {
        let (record, next) = central_record(&bytes[..directory.end], at)?;
        records.push(record);
        at = next;
    }
    if at != directory.end {
        return Err(damaged("the directory is longer than its entries"));
    }
    let mut names = BTreeSet::new();
    for record in &records {
        if !names.insert(record.name.trim_end_matches('/').to_ascii_lowercase()) {
            return Err(PackageError::Duplicate { entry: excerpt(record.name) });
        }
    }
    check_tiling(bytes, &records, directory.start)?;
    Ok(records)
}

/// The number of entries, and where the directory is.
fn end_record(bytes: &[u8]) -> Result<(usize, Range<usize>), PackageError> {
    let Some(end) = bytes.len().checked_sub(END_BYTES).filter(|&end| bytes[end..].starts_with(END)) else {
        // A comment has at most 65,535 bytes.
        let tail = &bytes[bytes.len().saturating_sub(END_BYTES + 65_535)..];
        let elsewhere = tail.windows(END.len()).any(|window| window == END);
        return Err(if elsewhere { PackageError::TrailingData } else { damaged("no end record") });
    };
    let record = &bytes[end..];
    let (disk, directory_disk) = (u16_at(record, 4), u16_at(record, 6));
    let (here, count) = (u16_at(record, 8), u16_at(record, 10));
    let (size, start) = (u32_at(record, 12), u32_at(record, 16));
    if u16_at(record, 20) != 0 {
        return Err(damaged("the comment is cut off"));
    }
    if [disk, directory_disk, here, count].contains(&u16::MAX) || [size, start].contains(&u32::MAX) {
        return Err(PackageError::Zip64);
    }
    if disk != 0 || directory_disk != 0 || here != count {
        return Err(PackageError::MultiDisk);
    }
    if usize::from(count) > MAX_ENTRIES {
        return Err(PackageError::EntryCount { limit: MAX_ENTRIES as u64, found: count.into() });
    }
    let (start, size) = (start as usize, size as usize);
    match end.checked_sub(start + size) {
        Some(0) => Ok((count.into(), start..end)),
        Some(found) => Err(PackageError::PrefixBytes { found: found as u64 }),
        None => Err(damaged("the directory does not fit before the end record")),
    }
}

/// The record at `at` and where the next one starts; `bytes` end where the directory ends.
fn central_record(bytes: &[u8], at: usize) -> Result<(Record<'_>, usize), PackageError> {
    let fixed = bytes.get(at..at + CENTRAL_BYTES).filter(|fixed| fixed.starts_with(CENTRAL));
    let fixed = fixed.ok_or_else(|| damaged("a directory record is missing"))?;
    let [name, extra, comment] = [28, 30, 32].map(|field| usize::from(u16_at(fixed, field)));
    let name_at = at + CENTRAL_BYTES;
    let next = name_at + name + extra + comment;
    if next > bytes.len() {
        return Err(damaged("a directory record is cut off"));
    }
    let name = check_name(&bytes[name_at..name_at + name])?;
    let entry = || excerpt(name);
    let (flags, method) = (u16_at(fixed, 8), u16_at(fixed, 10));
    if flags & (ENCRYPTED | STRONG_ENCRYPTION) != 0 {
        return Err(PackageError::Encrypted { entry: entry() });
    }
    if method != 0 && method != 8 {
        return Err(PackageError::Method { entry: entry(), method });
    }
    let [compressed, size, header] = [20, 24, 42].map(|field| u32_at(fixed, field));
    let extra_at = name_at + name.len();
    if [compressed, size, header].contains(&u32::MAX) || has_zip64(&bytes[extra_at..extra_at + extra]) {
        return Err(PackageError::Zip64);
    }
    if u16_at(fixed, 34) != 0 {
        return Err(PackageError::MultiDisk);
    }
    let is_directory = name.ends_with('/');
    // The high half holds the unix mode whatever system the writer names; 0 where it has none.
    let mode = u32_at(fixed, 38) >> 16;
    let regular = if is_directory { 0o040_000 } else { 0o100_000 };
    if mode & 0o170_000 != 0 && mode & 0o170_000 != regular {
        return Err(PackageError::NotRegular { entry: entry(), mode });
    }
    if is_directory && size != 0 {
        return Err(PackageError::DirectoryContent { entry: entry() });
    }
    if name.to_ascii_lowercase().ends_with(".zip") {
        return Err(PackageError::Nested { entry: entry() });
    }
    let (compressed, size, header) = (compressed.into(), size.into(), header.into());
    Ok((Record { name, is_directory, size, compressed, header, flags }, next))
}

/// Whether extra fields hold the ZIP64 one. A cut-off field ends the list, as it does for other readers.
fn has_zip64(mut extra: &[u8]) -> bool {
    while extra.len() >= 4 {
        if u16_at(extra, 0) == ZIP64_EXTRA {
            return true;
        }
        extra = extra.get(4 + usize::from(u16_at(extra, 2))..).unwrap_or(&[]);
    }
    false
}

/// The name of an entry: printable ASCII, relative, without tricks.
pub(super) fn check_name(name: &[u8]) -> Result<&str, PackageError> {
    let entry = || excerpt(&String::from_utf8_lossy(name));
    if name.len() > MAX_ENTRY_NAME {
        return Err(PackageError::NameBytes { limit: MAX_ENTRY_NAME as u64, found: name.len() as u64, entry: entry() });
    }
    if name.contains(&b'\\') {
        return Err(PackageError::Backslash { entry: entry() });
    }
    // A colon makes a drive or a stream on Windows.
    if name.first() == Some(&b'/') || name.contains(&b':') {
        return Err(PackageError::AbsoluteName { entry: entry() });
    }
    let text = match std::str::from_utf8(name) {
        Ok(text) if text.bytes().all(|b| matches!(b, b' '..=b'~')) => text,
        _ => return Err(PackageError::NameCharacters { entry: entry() }),
    };
    let path = text.strip_suffix('/').unwrap_or(text);
    if path.split('/').any(|segment| ["", ".", ".."].contains(&segment)) {
        return Err(PackageError::Traversal { entry: entry() });
    }
    Ok(text)
}

/// Every byte before the directory belongs to exactly one entry: header, data, data descriptor.
fn check_tiling(bytes: &[u8], records: &[Record<'_>], directory: usize) -> Result<(), PackageError> {
    let mut sorted: Vec<_> = records.iter().collect();
    sorted.sort_by_key(|record| record.header);
    let directory = directory as u64;
    let first = sorted.first().map_or(directory, |record| record.header);
    if first != 0 {
        return Err(PackageError::PrefixBytes { found: first });
    }
    for (i, record) in sorted.iter().enumerate() {
        let entry = || excerpt(record.name);
        let next = sorted.get(i + 1).map_or(directory, |next| next.header);
        let at = usize::try_from(record.header).unwrap_or(usize::MAX);
        let local = bytes.get(at..).and_then(|rest| rest.get(..LOCAL_BYTES));
        let local = local.filter(|local| local.starts_with(LOCAL));
        let local = local.ok_or_else(|| damaged("an entry's own header is missing"))?;
        let variable = u64::from(u16_at(local, 26)) + u64::from(u16_at(local, 28));
        let end = record.header + LOCAL_BYTES as u64 + variable + record.compressed;
        let descriptor = if record.flags & DESCRIPTOR == 0 { &[0][..] } else { &[12, 16, 20, 24][..] };
        match next.checked_sub(end) {
            None => return Err(PackageError::Overlapping { entry: entry() }),
            Some(0) => {}
            Some(gap) if descriptor.contains(&gap) => {}
            Some(found) => return Err(PackageError::UnclaimedBytes { found, entry: entry() }),
        }
    }
    Ok(())
}

fn damaged(detail: &str) -> PackageError {
    PackageError::Corrupt { detail: detail.to_owned() }
}

/// Little-endian field of a record whose length was checked; 0 past its end.
fn u16_at(record: &[u8], at: usize) -> u16 {
    record.get(at..at + 2).and_then(|field| field.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn u32_at(record: &[u8], at: usize) -> u32 {
    record.get(at..at + 4).and_then(|field| field.try_into().ok()).map_or(0, u32::from_le_bytes)
}
