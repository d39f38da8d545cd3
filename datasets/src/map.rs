//! Memory maps of a split's file.
#![expect(unsafe_code, reason = "a map of a file is a promise about what others do with the file; see `map`")]

use std::fs::File;
use std::io;

use arrow_buffer::Buffer;
use bytes::Bytes;
use memmap2::MmapOptions;

/// Maps a regular file, read-only.
///
/// The promise, which the operating guide states for the operator: *nobody writes to or truncates a file of a dataset while a
/// process has it open.* A truncation would end the process by a signal; a write would change values that were already
/// checked. Who could break it is who owns the files: no guest has file access, [`crate::write()`] makes files under another
/// name and renames them (a map keeps the old file), and their mode lets only their owner write.
///
/// `length` is the file's where it is known: a process in a sandbox may not be able to ask for it.
pub(crate) fn map(file: &File, length: Option<usize>) -> io::Result<Buffer> {
    // SAFETY: `MmapOptions::map` requires that the mapped file is not modified or truncated while the map lives. That is the promise
    // above. The map keeps its own reference to the file, so closing `file` does not matter.
    let map = unsafe { length.map_or_else(MmapOptions::new, of_length).map(file) }?;
    Ok(Buffer::from(Bytes::from_owner(map)))
}

fn of_length(length: usize) -> MmapOptions {
    let mut options = MmapOptions::new();
    options.len(length);
    options
}
