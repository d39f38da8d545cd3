//! The calls to the kernel that rustix has no safe function for.
#![expect(unsafe_code, reason = "system calls that only libc gives, each with its argument")]

use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

/// The error of the call before.
fn checked(result: libc::c_long) -> io::Result<libc::c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Version of Landlock's interface, where there is one.
pub(crate) fn landlock_abi() -> Option<u32> {
    const VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call takes a null pointer and no size, and only returns a number.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, VERSION) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

/// Whether the kernel takes filters that answer a call with an error number.
pub(crate) fn seccomp_filter_is_available() -> bool {
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the call reads one integer, which lives as long as the call.
    unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) == 0 }
}

/// Closes the descriptors from `first` to `last`, both among them.
pub(crate) fn close_range(first: RawFd, last: u32) -> io::Result<()> {
    // SAFETY: the caller of `lock` gives up every descriptor that it did not name; the call takes integers only.
    checked(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}

/// Overwrites every environment variable and takes the list away.
pub(crate) fn wipe_environment() -> io::Result<()> {
    unsafe extern "C" {
        static mut environ: *mut *mut libc::c_char;
    }
    // SAFETY: there is one thread (`lock` checks it), so nobody reads or changes the list meanwhile. Its entries are
    // strings with an end in writable memory, of the start of the process or of `setenv`, and the list ends in a null.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            ptr::write_bytes(*entry, 0, libc::strlen(*entry));
            entry = entry.add(1);
        }
        checked(libc::clearenv().into()).map(drop)
    }
}

/// Leaves the namespaces that `flags` name for new ones.
pub(crate) fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes an integer only; the flags in use name namespaces, not memory or descriptors.
    checked(unsafe { libc::unshare(flags) }.into()).map(drop)
}

/// Promises the kernel that no file this process executes gives it more rights.
pub(crate) fn set_no_new_privileges() -> io::Result<()> {
    // SAFETY: takes integers only.
    checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }.into()).map(drop)
}

/// Gives up a capability for whatever this process may execute. `Ok(false)` for a number that is no capability.
pub(crate) fn drop_from_bounding_set(capability: libc::c_ulong) -> io::Result<bool> {
    // SAFETY: takes integers only.
    match checked(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) }.into()) {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(false),
        Err(error) => Err(error),
    }
}

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: libc::c_int,
}

#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct CapabilityWords {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up every capability, and asks the kernel whether that is so.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    // `_LINUX_CAPABILITY_VERSION_3`: two words for each set. Process 0 is the one that asks.
    let mut header = CapabilityHeader { version: 0x2008_0522, pid: 0 };
    let mut words = [CapabilityWords::default(); 2];
    // SAFETY: the structures are laid out as the kernel's, of the length that the version says, and live through the calls.
    unsafe {
        checked(libc::syscall(libc::SYS_capset, &raw const header, words.as_ptr()))?;
        checked(libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()))?;
    }
    if words == [CapabilityWords::default(); 2] {
        Ok(())
    } else {
        Err(io::Error::other("the kernel kept some capabilities"))
    }
}

/// Becomes another user and group, without any supplementary group.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    // SAFETY: there is one thread; the calls take integers and a list without entries.
    unsafe {
        checked(libc::setgroups(0, ptr::null()).into())?;
        checked(libc::setresgid(id, id, id).into())?;
        checked(libc::setresuid(id, id, id).into()).map(drop)
    }
}

/// Whether `events` are true of a descriptor before the time is over, or it has failed or lost its other end.
pub(crate) fn poll(descriptor: RawFd, events: libc::c_short, timeout: Duration) -> io::Result<libc::c_short> {
    let mut entry = libc::pollfd { fd: descriptor, events, revents: 0 };
    let milliseconds = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: one entry, which lives through the call.
    checked(unsafe { libc::poll(&raw mut entry, 1, milliseconds) }.into())?;
    Ok(entry.revents)
}

/// An open descriptor as a value that closes it. The caller sees to it that it is nobody else's.
pub(crate) fn own(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: only asks whether the number is an open descriptor's; -1 alone may not be borrowed, and is below those passed.
    rustix::fs::fstat(unsafe { BorrowedFd::borrow_raw(number) })?;
    // SAFETY: it is open, and nobody else's as `descriptors::take_descriptor` argues.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
