//! Compilation in a child process, and the cache of its artifacts.
//!
//! Cranelift can be made to ask for tens of gigabytes and abort, and compile time is no security boundary of the engine.
//! So it runs in a child with limits on address space, processor time and wall time; what it returns is code that this
//! process will run, so it comes over a pipe from our own child or from the operator's cache, and from nowhere else.

mod cache;
mod child;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use cap_std::fs::Dir;
use thimble_challenge::Verdict;
use thimble_datasets::Digest;

pub use child::compile_child;

use crate::stop::{PlatformFault, Stop};

/// Address space of the compile child.
pub const ADDRESS_SPACE_BYTES: u64 = 2 << 30;
/// Processor time of the compile child.
pub const CPU_SECONDS: u64 = 30;
/// Wall time of the compile child.
pub const WALL_SECONDS: u64 = 60;
/// The largest artifact that is read back.
pub const ARTIFACT_BYTES: u64 = 256 << 20;

/// How to compile.
#[derive(Debug)]
pub struct Compiler {
    /// Program and arguments of a process that runs [`compile_child`].
    pub command: Vec<OsString>,
    /// Where artifacts are kept. Whoever can write here runs code as this process: operator only.
    pub cache: Option<Dir>,
}

/// Machine code for one component.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cached: bool,
}

impl Compiler {
    /// The artifact of an admitted component.
    pub(crate) fn compile(&self, component: &[u8], digest: &Digest, engine_hash: &[u8; 32]) -> Result<Artifact, Stop> {
        let key = cache::Key { component: digest, engine_hash };
        if let Some(bytes) = self.cache.as_ref().and_then(|dir| cache::get(dir, &key)) {
            return Ok(Artifact { bytes, cached: true });
        }
        let bytes = self.run_child(component)?;
        if let Some(dir) = &self.cache {
            // A cache that cannot be written costs time, not correctness.
            let _ = cache::put(dir, &key, &bytes);
        }
        Ok(Artifact { bytes, cached: false })
    }

    fn run_child(&self, component: &[u8]) -> Result<Vec<u8>, Stop> {
        let reply = self.talk(component).map_err(PlatformFault::CompileChild)?;
        match child::Reply::parse(&reply) {
            Some(child::Reply::Artifact(bytes)) => Ok(bytes.to_vec()),
            Some(child::Reply::Refused(text)) => {
                let text = String::from_utf8_lossy(text);
                Err(Stop::guest(Verdict::Rejected, "compile", format!("the engine refused the component: {text}")))
            }
            None => Err(Stop::guest(
                Verdict::Rejected,
                "compile_resources",
                format!(
                    "compilation did not end within {} MiB of address space, {CPU_SECONDS} s of processor time and {WALL_SECONDS} s",
                    ADDRESS_SPACE_BYTES >> 20
                ),
            )),
        }
    }

    /// Sends the component and returns whatever the child wrote before it ended or was killed.
    fn talk(&self, component: &[u8]) -> std::io::Result<Vec<u8>> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidInput, "no compile command is configured"))?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(std::io::Error::other("the child has no pipes"));
        };
        std::thread::scope(|scope| {
            let (done, watch) = channel::<()>();
            let killer = scope.spawn(move || reap(child, &watch));
            // The child reads everything before it writes, and one that died makes this a broken pipe; what it has to
            // say is read either way.
            let _ = stdin.write_all(component);
            drop(stdin);
            let mut reply = Vec::new();
            let read = stdout.take(ARTIFACT_BYTES + child::HEADER_BYTES + 1).read_to_end(&mut reply);
            let _ = done.send(());
            let reaped = killer
                .join()
                .unwrap_or_else(|_| Err(std::io::Error::other("the watcher of the compile child panicked")));
            reaped.and(read).map(|_| reply)
        })
    }
}

/// Waits until the parent is done reading or the wall time is over, then ends the child for certain.
fn reap(mut child: Child, watch: &std::sync::mpsc::Receiver<()>) -> std::io::Result<()> {
    if watch.recv_timeout(Duration::from_secs(WALL_SECONDS)) == Err(RecvTimeoutError::Timeout) {
        child.kill()?;
    }
    // The parent read to the end of the pipe, so the child is ending or has closed it on purpose; a second kill of a
    // process that has ended does nothing.
    let _ = child.kill();
    child.wait().map(|_| ())
}
