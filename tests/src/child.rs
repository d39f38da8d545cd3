//! What a child process used, as the kernel counted it.

#![expect(unsafe_code, reason = "no safe library waits for one child and tells what it used")]

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a child ended and what it used.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub output: Vec<u8>,
    /// From its start to its end.
    pub wall: Duration,
    /// Processor time, of the user and of the kernel for it.
    pub cpu: Duration,
    /// The most memory that was resident at once.
    pub peak_bytes: u64,
}

/// Runs `command` with `input` on its standard input, to its end.
///
/// # Panics
/// When it cannot be started or waited for.
#[expect(clippy::zombie_processes, reason = "`wait` reaps it: the standard library does not tell what a child used")]
pub fn run(command: &mut Command, input: &[u8]) -> Ended {
    let start = Instant::now();
    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let mut stdout = child.stdout.take().expect("its output is a pipe");
    let output = std::thread::scope(|scope| {
        // A child that ends early does not read everything.
        scope.spawn(move || _ = stdin.write_all(input));
        let mut output = Vec::new();
        stdout.read_to_end(&mut output).expect("its output can be read");
        output
    });
    let (status, usage) = wait(child.id());
    let seconds =
        |time: libc::timeval| Duration::new(time.tv_sec.unsigned_abs(), time.tv_usec.unsigned_abs() as u32 * 1000);
    Ended {
        status,
        output,
        wall: start.elapsed(),
        cpu: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        // Linux counts in KiB (getrusage(2)).
        peak_bytes: usage.ru_maxrss.unsigned_abs() << 10,
    }
}

fn wait(child: u32) -> (ExitStatus, libc::rusage) {
    let mut status = 0;
    // SAFETY: `rusage` is made of integers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to values of ours that the kernel fills in; the child is one that nothing else waits for.
    let waited = unsafe { libc::wait4(child.cast_signed(), &raw mut status, 0, &raw mut usage) };
    assert_eq!(waited, child.cast_signed(), "{}", std::io::Error::last_os_error());
    (ExitStatus::from_raw(status), usage)
}
