//! Making the calls that the probes are made of.
#![expect(unsafe_code, reason = "system calls with arguments as an attacker gives them")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::stage::{INHERITED, Stage};

/// One argument of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    Number(i64),
    Text(&'static CStr),
    /// A structure that the kernel reads.
    Words(&'static [u64]),
    /// Zeros that the kernel reads or writes, [`SCRATCH_BYTES`] of them.
    Scratch,
    /// A vector of one part, of one byte.
    Vector,
    /// A name in the directory of baits.
    Bait(&'static str),
    /// The parent's process number.
    Parent,
    /// The number of the parent's clock of processor time.
    ParentClock,
    /// Sockets made before the box was locked.
    Connecting,
    Binding,
    Abstract,
    /// A file in memory made before the box was locked.
    Memory,
    /// A descriptor that was passed on and is not to be kept.
    Inherited,
    /// The address of the parent's listener, any local one, and the parent's in the abstract namespace, each with its length.
    ListenerAddress,
    AnyAddress,
    AbstractAddress,
    AbstractLength,
}

/// Bytes of a TCP address.
pub(super) const ADDRESS_BYTES: i64 = 16;
const SCRATCH_BYTES: usize = 512;

/// Makes a call and returns what it gave or the error number.
pub(super) fn call(number: i64, arguments: &[Argument], stage: &Stage) -> Result<i64, i32> {
    // Everything that the kernel is pointed to lives until the call is over.
    let mut scratch = [0_u8; SCRATCH_BYTES];
    let scratch_at = scratch.as_mut_ptr();
    let vector = [libc::iovec { iov_base: scratch_at.cast(), iov_len: 1 }];
    let paths: Vec<CString> = arguments.iter().map(|argument| path(argument, stage)).collect();
    let mut words = [0_i64; 6];
    for ((word, argument), path) in words.iter_mut().zip(arguments).zip(&paths) {
        *word = match *argument {
            Argument::Number(number) => number,
            Argument::Text(text) => text.as_ptr().addr() as i64,
            Argument::Words(words) => words.as_ptr().addr() as i64,
            Argument::Scratch => scratch_at.expose_provenance() as i64,
            Argument::Vector => vector.as_ptr().addr() as i64,
            Argument::Bait(_) => path.as_ptr().addr() as i64,
            Argument::Parent => stage.parent.into(),
            Argument::ParentClock => i64::from(!stage.parent << 3 | 2),
            Argument::Connecting => stage.connecting.as_raw_fd().into(),
            Argument::Binding => stage.binding.as_raw_fd().into(),
            Argument::Abstract => stage.abstract_socket.as_raw_fd().into(),
            Argument::Memory => stage.memory.as_raw_fd().into(),
            Argument::Inherited => INHERITED.into(),
            Argument::ListenerAddress => stage.listener.as_ptr().addr() as i64,
            Argument::AnyAddress => stage.any.as_ptr().addr() as i64,
            Argument::AbstractAddress => stage.abstract_address.as_ptr().addr() as i64,
            Argument::AbstractLength => stage.abstract_address.len() as i64,
        };
    }
    // SAFETY: integers are not pointers to memory that is in use, or the kernel refuses them (1, which nothing is mapped at);
    // the others point to what lives until here: text with its end, structures of the size that the call reads, and scratch
    // space larger than what it writes. No call of the table unmaps memory or replaces the process.
    let result = unsafe { libc::syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]) };
    if result < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(0)) } else { Ok(result) }
}

fn path(argument: &Argument, stage: &Stage) -> CString {
    let Argument::Bait(name) = argument else { return CString::default() };
    CString::new(format!("{}/{name}", stage.directory)).unwrap_or_default()
}

/// Makes a call that starts a process; the new one ends at once.
pub(super) fn fork(number: i64, arguments: &[Argument], stage: &Stage) -> Result<i64, i32> {
    let started = call(number, arguments, stage)?;
    if started == 0 {
        // SAFETY: ends this process without running anything else of it.
        unsafe { libc::_exit(0) }
    }
    // SAFETY: waits for the process just started and writes nothing.
    unsafe { libc::waitpid(started as libc::pid_t, std::ptr::null_mut(), 0) };
    Ok(started)
}

/// A variable for the probe of the environment. Before any thread is made.
pub(super) fn set_variable() {
    // SAFETY: the process has one thread.
    unsafe { libc::setenv(c"THIMBLE_PROBE".as_ptr(), c"1".as_ptr(), 1) };
}

fn owned(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call that gave it made it, so nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A socket that streams, neither bound nor connected.
pub(super) fn socket(family: libc::c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes integers only.
    owned(unsafe { libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) })
}

/// An empty file in memory.
pub(super) fn memory_file() -> io::Result<OwnedFd> {
    // SAFETY: the name has its end and is only read.
    owned(unsafe { libc::memfd_create(c"probe".as_ptr(), libc::MFD_CLOEXEC) })
}

/// Asks to execute a page that was writable.
pub(super) fn make_code() -> Result<i64, i32> {
    use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
    const PAGE_BYTES: usize = 4096;
    // SAFETY: a mapping of this function's own, which nothing is written to or executed from, and which is gone after it.
    let made = unsafe {
        mmap_anonymous(std::ptr::null_mut(), PAGE_BYTES, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
            .and_then(|page| {
                let made = mprotect(page, PAGE_BYTES, MprotectFlags::READ | MprotectFlags::EXEC);
                munmap(page, PAGE_BYTES)?;
                made
            })
    };
    made.map(|()| 0).map_err(rustix::io::Errno::raw_os_error)
}
