//! Memory maps of a split's file.
#![expect(unsafe_code, reason = "a map of a file is a promise about what others do with the file; see `map`")]

use std::io;

use arrow_buffer::Buffer;
use bytes::Bytes;
use cap_std::fs::File;
use memmap2::Mmap;

/// Maps a regular file, read-only.
///
/// The promise, which the operating guide states for the operator: *nobody writes to or truncates a file of a dataset while a
/// process has it open.* A truncation would end the process by a signal; a write would change values that were already
/// checked. Who could break it is who owns the files: no guest has file access, [`crate::write()`] makes files under another
/// name and renames them (a map keeps the old file), and their mode lets only their owner write.
pub(crate) fn map(file: &File) -> io::Result<Buffer> {
    // SAFETY: `Mmap::map` requires that the mapped file is not modified or truncated while the map lives. That is the promise
    // above. The map keeps its own reference to the file, so closing `file` does not matter.
    let map = unsafe { Mmap::map(file) }?;
    Ok(Buffer::from(Bytes::from_owner(map)))
}
