//! Compilation in a child process, and the cache of its artifacts.
//!
//! Cranelift can be made to ask for tens of gigabytes and abort, and compile time is no security boundary of the engine.
//! So it runs in a child with limits on address space, processor time and wall time; what it returns is code that this
//! process will run, so it comes over a pipe from our own child or from the operator's cache, and from nowhere else.

mod cache;
mod child;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use cap_std::fs::Dir;
use thimble_challenge::Verdict;
use thimble_datasets::Digest;
use thimble_sandbox::{Child, Policy, Spawn};
use wasmtime::Engine;

pub use child::compile_child;

use crate::clock::Clock;
use crate::stop::{PlatformFault, Stop, classify};

/// Address space of the compile child.
pub const ADDRESS_SPACE_BYTES: u64 = 2 << 30;
/// Processor time of the compile child.
pub const CPU_SECONDS: u64 = 30;
/// Wall time of the compile child.
pub const WALL_SECONDS: u64 = 60;
/// The largest artifact that is read back.
pub const ARTIFACT_BYTES: u64 = 256 << 20;

/// The word after the command of children that makes one run [`compile_child`].
const COMPILE: &str = "compile";

/// How child processes are started, and where what they compile is kept.
#[derive(Debug)]
pub struct Children {
    /// Program and arguments. After them come `compile` and the policy for a process that runs [`compile_child`], `run` and
    /// its settings for one that runs [`crate::run_child`].
    pub command: Vec<OsString>,
    /// The layers of their box.
    pub policy: Policy,
    /// Where artifacts are kept. Whoever can write here runs code as this process: operator only.
    pub cache: Option<Dir>,
}

/// Machine code for one component.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cached: bool,
}

impl Children {
    /// The artifact of an admitted component.
    pub(crate) fn compile(
        &self,
        component: &[u8],
        digest: &Digest,
        engine_hash: &[u8; 32],
        clock: &Clock,
    ) -> Result<Artifact, Stop> {
        let key = cache::Key { component: digest, engine_hash };
        if let Some(bytes) = self.cache.as_ref().and_then(|dir| cache::get(dir, &key)) {
            return Ok(Artifact { bytes, cached: true });
        }
        let bytes = self.run_child(component, clock)?;
        if let Some(dir) = &self.cache {
            // A cache that cannot be written costs time, not correctness.
            let _ = cache::put(dir, &key, &bytes);
        }
        Ok(Artifact { bytes, cached: false })
    }

    fn run_child(&self, component: &[u8], clock: &Clock) -> Result<Vec<u8>, Stop> {
        let Conversation { reply, end } = self.talk(component, clock).map_err(PlatformFault::CompileChild)?;
        let ours = |what: String| Stop::Platform(PlatformFault::CompileChild(std::io::Error::other(what)));
        match child::Reply::parse(&reply) {
            Some(child::Reply::Artifact(bytes)) => return Ok(bytes.to_vec()),
            Some(child::Reply::Refused(text)) => return Err(refused(&String::from_utf8_lossy(text))),
            Some(child::Reply::Fault(text)) => return Err(ours(String::from_utf8_lossy(text).into_owned())),
            None => {}
        }
        match end {
            End::Stopped(error) => Err(classify(error)),
            // The processor time is over first unless this machine is overloaded, which is not the builder's doing.
            End::WallTime => Err(ours(format!("it did not end within {WALL_SECONDS} s"))),
            End::Exited(status) if ran_out_of_resources(status) => Err(Stop::guest(
                Verdict::Rejected,
                "compile_resources",
                format!(
                    "compilation needs more than {} MiB of address space or {CPU_SECONDS} s of processor time",
                    ADDRESS_SPACE_BYTES >> 20
                ),
            )),
            End::Exited(status) => Err(ours(format!("it answered nothing and ended with {status}"))),
        }
    }

    /// Sends the component and returns whatever the child wrote before it ended or was killed.
    fn talk(&self, component: &[u8], clock: &Clock) -> std::io::Result<Conversation> {
        let mut command = self.command.clone();
        command.extend([OsString::from(COMPILE), OsString::from(self.policy.to_string())]);
        let mut child = Spawn { command: &command, pass: Vec::new() }.start()?;
        let (Some(mut stdin), Some(stdout)) = (child.take_stdin(), child.take_stdout()) else {
            return Err(std::io::Error::other("the child has no pipes"));
        };
        std::thread::scope(|scope| {
            let (done, watch) = channel::<()>();
            let watcher = std::thread::Builder::new().spawn_scoped(scope, move || watch_over(child, &watch, clock))?;
            // The child reads everything before it writes, and one that died makes this a broken pipe; what it has to
            // say is read either way.
            let _ = stdin.write_all(component);
            drop(stdin);
            let mut reply = Vec::new();
            let read = stdout.take(ARTIFACT_BYTES + child::HEADER_BYTES + 1).read_to_end(&mut reply);
            let _ = done.send(());
            let watched = watcher.join().unwrap_or_else(|_| Err(std::io::Error::other("its watcher panicked")));
            let end = watched?;
            read.map(|_| Conversation { reply, end })
        })
    }
}

/// The artifact of an admitted component, compiled in this process and for the target of `engine`: for fuzzing, where the
/// compiler's branches are to be seen and a panic of it is no verdict.
pub(crate) fn compile_here(engine: &Engine, component: &[u8]) -> Result<Artifact, Stop> {
    let compiled = engine.precompile_component(component);
    compiled.map(|bytes| Artifact { bytes, cached: false }).map_err(|error| refused(&format!("{error:#}")))
}

fn refused(text: &str) -> Stop {
    Stop::guest(Verdict::Rejected, "compile", format!("the engine refused the component: {text}"))
}

/// What the child said, and how it ended.
#[derive(Debug)]
struct Conversation {
    reply: Vec<u8>,
    end: End,
}

#[derive(Debug)]
enum End {
    /// By itself.
    Exited(ExitStatus),
    /// Killed at [`WALL_SECONDS`].
    WallTime,
    /// Killed because the evaluation has to stop.
    Stopped(wasmtime::Error),
}

/// Waits until the parent is done reading, the wall time is over or the evaluation has to stop, and then ends the child
/// for certain.
fn watch_over(child: Child, done: &Receiver<()>, clock: &Clock) -> std::io::Result<End> {
    let deadline = Instant::now() + Duration::from_secs(WALL_SECONDS);
    let forced = loop {
        match done.recv_timeout(Duration::from_millis(50)) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => break None,
        }
        if let Err(error) = clock.check() {
            break Some(End::Stopped(error));
        }
        if Instant::now() >= deadline {
            break Some(End::WallTime);
        }
    };
    // The pipe is at its end: the child is ending, or has closed it on purpose and gets a second. How it ends says whose
    // fault a missing answer is, so it is not killed at once.
    let ended = forced.is_none() && child.ends_within(Duration::from_secs(1))?;
    if !ended {
        child.kill()?;
    }
    let end = child.wait()?;
    Ok(forced.unwrap_or(if ended { End::Exited(end.status) } else { End::WallTime }))
}

/// Whether the child ended the way Cranelift ends when it is short of memory or time, or has met a bug: by a signal of its
/// own making, or by a panic (exit status 101).
fn ran_out_of_resources(status: ExitStatus) -> bool {
    use rustix::process::Signal;
    let own = [Signal::ABORT, Signal::SEGV, Signal::BUS, Signal::ILL, Signal::XCPU].map(Signal::as_raw);
    status.signal().is_some_and(|signal| own.contains(&signal)) || status.code() == Some(101)
}
