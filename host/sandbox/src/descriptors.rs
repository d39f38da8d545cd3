//! The descriptors of a locked child.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use crate::raw;

/// Closes all but the standard ones and `kept`.
pub(crate) fn close_all_but(kept: &[RawFd]) -> io::Result<()> {
    let mut kept: Vec<RawFd> = kept.iter().copied().filter(|number| *number > libc::STDERR_FILENO).collect();
    kept.sort_unstable();
    let mut first = libc::STDERR_FILENO + 1;
    for number in kept {
        if number > first {
            raw::close_range(first, (number - 1).unsigned_abs())?;
        }
        first = first.max(number.saturating_add(1));
    }
    raw::close_range(first, u32::MAX)
}

/// The descriptor that the parent passed with this number ([`crate::Spawn::pass`]), once.
///
/// For a child that [`crate::lock()`] has locked in with this number among those kept: what it owns of numbers from 3 on is
/// what was passed to it, and nothing else.
///
/// `File::metadata` may fail in the box: the C library asks by a call that also takes paths. `rustix::fs::fstat` does not, and
/// seeking to the end tells a length as well.
///
/// # Errors
/// A standard descriptor, one that is not open, and one that was taken before.
pub fn take_descriptor(number: RawFd) -> io::Result<OwnedFd> {
    static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());
    let refused = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, format!("descriptor {number} {what}"));
    if number <= libc::STDERR_FILENO {
        return Err(refused("is no passed one"));
    }
    if !TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(number) {
        return Err(refused("was taken before"));
    }
    raw::own(number)
}
