//! The parent's side: starting a child, listening to it, ending it.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::raw;

/// How much of what a child writes to its standard error is kept: the first bytes, which name the cause.
pub const STDERR_BYTES: usize = 4 << 10;

/// How long what a dead child wrote is waited for. Its end of the pipe is closed, unless a process it left behind holds it.
const STDERR_GRACE: Duration = Duration::from_secs(1);

/// What to start.
#[derive(Debug)]
pub struct Spawn<'a> {
    /// Program and arguments.
    pub command: &'a [OsString],
    /// Descriptors for the child, each with the number it has there (3 or more, no number twice). It must name them to
    /// [`crate::lock()`].
    pub pass: Vec<(OwnedFd, RawFd)>,
}

/// A child process, killed and reaped when this value goes away.
///
/// It dies with the *thread* that started it (the kernel's rule for the signal at a parent's death), so that thread must
/// outlive the child's work.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    handle: OwnedFd,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    // In a lock only so that threads may share the value.
    stderr: Mutex<Receiver<Vec<u8>>>,
}

/// How a child ended.
#[derive(Debug)]
pub struct End {
    /// Its status or signal.
    pub status: ExitStatus,
    /// The first [`STDERR_BYTES`] of its standard error, without control characters but the ends of lines.
    pub stderr: String,
}

impl Spawn<'_> {
    /// Starts it with pipes for its standard streams and no environment.
    ///
    /// # Errors
    /// No command, a descriptor number below 3 or twice, and what the system refuses.
    pub fn start(self) -> io::Result<Child> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
        let (program, arguments) = self.command.split_first().ok_or_else(|| invalid("no command for the child"))?;
        if self.pass.iter().any(|(_, number)| *number <= libc::STDERR_FILENO) {
            return Err(invalid("descriptors 0 to 2 of a child are its pipes"));
        }
        let mappings = self.pass.into_iter().map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd }).collect();
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.fd_mappings(mappings).map_err(|error| invalid(&error.to_string()))?;
        Child::of(command.spawn()?)
    }
}

impl Child {
    fn of(mut process: process::Child) -> io::Result<Self> {
        // The process is not reaped yet, so its number is still its own.
        let opened = Pid::from_raw(process.id().cast_signed())
            .ok_or_else(|| io::Error::other("a child with the number 0"))
            .and_then(|pid| Ok(pidfd_open(pid, PidfdFlags::empty())?));
        let drained = opened.and_then(|handle| Ok((handle, drain(process.stderr.take())?)));
        match drained {
            Ok((handle, stderr)) => {
                let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
                Ok(Self { process, handle, stdin, stdout, stderr: Mutex::new(stderr) })
            }
            Err(error) => {
                let _ = process.kill().and_then(|()| process.wait());
                Err(error)
            }
        }
    }

    /// The child's standard input; closed with the value returned. `None` when it was taken before.
    pub const fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// The child's standard output. `None` when it was taken before.
    pub const fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.stdout.take()
    }

    /// The child's process number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Kills it; a child that has ended already is no error. From any thread, while others read its pipes.
    ///
    /// # Errors
    /// The system refuses, which it has no reason to.
    pub fn kill(&self) -> io::Result<()> {
        match pidfd_send_signal(&self.handle, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it ends before the time is over. It is not reaped: [`Child::wait`] still tells how.
    ///
    /// # Errors
    /// The system refuses, which it has no reason to.
    pub fn ends_within(&self, time: Duration) -> io::Result<bool> {
        let deadline = Instant::now() + time;
        loop {
            match raw::poll(self.handle.as_raw_fd(), libc::POLLIN, deadline.saturating_duration_since(Instant::now())) {
                Ok(events) => return Ok(events != 0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The most memory it has had so far, in bytes, mapped files that it touched among them.
    ///
    /// `None` when it cannot be read, above all of a child that has ended: its memory is gone and its count with it. So a
    /// child that has given its answer waits for the end of its input, and the parent asks before it closes that.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        kibibytes.checked_mul(1024)
    }

    /// Closes its input and drops the rest of its output, as far as they were not taken, waits for its end however long that
    /// takes, and reaps it.
    ///
    /// # Errors
    /// The system refuses, which it has no reason to.
    pub fn wait(mut self) -> io::Result<End> {
        drop(self.stdin.take());
        if let Some(mut stdout) = self.stdout.take() {
            // Closed, the pipe would make a child that is still to lock itself take its parent for dead.
            let _ = io::copy(&mut stdout, &mut io::sink());
        }
        let status = self.process.wait()?;
        let stderr = self
            .stderr
            .get_mut()
            .map_or_else(|_| Vec::new(), |stderr| stderr.recv_timeout(STDERR_GRACE).unwrap_or_default());
        Ok(End { status, stderr: printable(&stderr) })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both do nothing for a child that was waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads a child's standard error to its end, so that it never waits for a full pipe, and keeps the first bytes.
fn drain(stderr: Option<ChildStderr>) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = channel();
    let mut stderr = stderr.ok_or_else(|| io::Error::other("the child has no pipe for its errors"))?;
    std::thread::Builder::new().name("child-stderr".to_owned()).spawn(move || {
        let mut kept = Vec::new();
        // A pipe that fails ends what is kept; nobody is waiting for more.
        let _ = stderr.by_ref().take(STDERR_BYTES as u64).read_to_end(&mut kept);
        let _ = io::copy(&mut stderr, &mut io::sink());
        let _ = sender.send(kept);
    })?;
    Ok(receiver)
}

/// What a terminal may show of a stranger's bytes: no control character but the end of a line, nothing that turns the
/// direction of writing.
fn printable(bytes: &[u8]) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    String::from_utf8_lossy(bytes).chars().filter(|&c| c == '\n' || !(c.is_control() || turns(c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_a_terminal_has_no_control_characters() {
        assert_eq!(printable(b"\x1b[31mred\r\nthen \xff\x07"), "[31mred\nthen \u{fffd}");
        assert_eq!(printable("a\u{202e}b\u{2066}c é".as_bytes()), "abc é");
    }
}
