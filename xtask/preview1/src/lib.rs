//! The four preview1 functions that Debian's WASI libc asks of every guest, answered inside the guest.
//!
//! That libc speaks the first preview of WASI. Left alone, the linker adds an adapter from it to the second, a module with
//! code of its own, and admission refuses components with two programs in them. Symbols of these names are what the libc
//! declares as imports; defined here, nothing is left to import, and no adapter is added. An empty environment, output
//! that goes nowhere (`journal.log` is what reaches the host), an exit that traps.

#![no_std]
#![cfg(target_family = "wasm")]

/// A slice of the guest's memory, as the libc lays it out.
#[repr(C)]
#[derive(Debug)]
pub struct Slice {
    start: *const u8,
    len: usize,
}

/// No variables, no bytes.
///
/// # Safety
/// Both pointers are valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __imported_wasi_snapshot_preview1_environ_sizes_get(
    count: *mut usize,
    bytes: *mut usize,
) -> i32 {
    // SAFETY: the caller promises it.
    unsafe {
        count.write(0);
        bytes.write(0);
    }
    0
}

/// Writes none of the no variables.
#[unsafe(no_mangle)]
pub extern "C" fn __imported_wasi_snapshot_preview1_environ_get(_: *mut *mut u8, _: *mut u8) -> i32 {
    0
}

/// Takes everything, keeps nothing.
///
/// # Safety
/// `slices` is valid for reads of `count` slices, `written` for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __imported_wasi_snapshot_preview1_fd_write(
    _: i32,
    slices: *const Slice,
    count: usize,
    written: *mut usize,
) -> i32 {
    let mut bytes = 0_usize;
    for index in 0..count {
        // SAFETY: the caller promises it.
        bytes = bytes.wrapping_add(unsafe { (*slices.add(index)).len });
    }
    // SAFETY: the caller promises it.
    unsafe { written.write(bytes) };
    0
}

/// There is nothing to exit to.
#[unsafe(no_mangle)]
pub extern "C" fn __imported_wasi_snapshot_preview1_proc_exit(_: i32) -> ! {
    core::arch::wasm32::unreachable()
}
