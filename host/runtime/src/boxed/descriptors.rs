//! The descriptors that a learner's child starts with.
#![expect(
    unsafe_code,
    reason = "a descriptor that was inherited has no owner until somebody claims it; see the argument below"
)]

use std::fs::File;
use std::os::fd::FromRawFd;

use super::TRAINING_DESCRIPTORS;

/// Takes the files of the training data over. To be called first of all, and once.
pub(super) fn take_training_files() -> [File; 2] {
    // SAFETY: an `OwnedFd` must be the only owner of an open descriptor. The parent gives a learner exactly these two, the
    // caller is the first to do anything in this process and does it once, so nothing else can own them. Were the process
    // started by hand without them, every use of the files would fail with EBADF, and no memory depends on them.
    TRAINING_DESCRIPTORS.map(|descriptor| unsafe { File::from_raw_fd(descriptor) })
}
