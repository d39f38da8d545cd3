//! The parent's end of one boxed child.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use thimble_challenge::result::Mode;
use thimble_sandbox::{Child, End, Spawn, frame};

use super::message::{Command, Job, Reply};
use super::settings::{ARTIFACT_FRAME, COMMAND_FRAME, FRAME_SLACK, JOB_FRAME, Settings};
use super::{RUN, TRAINING_DESCRIPTORS};
use crate::clock::Clock;
use crate::session::Session;
use crate::stop::{PlatformFault, Stop, classify};

/// How long a child may take to close its box and load the code.
const START: Duration = Duration::from_secs(60);
/// How long after the deadline a child is ended that has not stopped its guest by itself.
const GRACE: Duration = Duration::from_secs(2);
/// How long a child that says no more may take to end.
const ENDING: Duration = Duration::from_secs(1);
/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(20);

/// A child, which has its guest from [`Remote::load`] on.
pub(super) struct Remote {
    /// Before the child: its thread shares it.
    watch: Watch,
    /// `None` once it was reaped.
    child: Option<Arc<Child>>,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    mode: Mode,
}

impl Remote {
    /// Starts a child. It closes its box by itself, while this process does something else.
    pub(super) fn start(
        command: &[OsString],
        session: &Session<'_>,
        settings: &Settings,
        files: Vec<File>,
    ) -> Result<Self, Stop> {
        let fault = |error: std::io::Error| PlatformFault::Sandbox(format!("a child cannot be started: {error}"));
        let mut command = command.to_vec();
        command.extend([OsString::from(RUN), OsString::from(settings.to_string())]);
        let pass = files.into_iter().map(OwnedFd::from).zip(TRAINING_DESCRIPTORS).collect();
        let mut child = Spawn { command: &command, pass }.start().map_err(fault)?;
        let (Some(stdin), Some(stdout)) = (child.take_stdin(), child.take_stdout()) else {
            return Err(PlatformFault::Sandbox("a child has no pipes".to_owned()).into());
        };
        let child = Arc::new(child);
        let watch = Watch::over(child.clone(), &session.clock).map_err(fault)?;
        Ok(Self { watch, child: Some(child), stdin: Some(stdin), stdout, mode: settings.mode })
    }

    /// Waits until its box is closed, and has it load the code.
    pub(super) fn load(&mut self, session: &mut Session<'_>, job: &Job, artifact: &[u8]) -> Result<(), Stop> {
        self.watch.loading(Instant::now() + START);
        match self.answer(session, FRAME_SLACK)? {
            Reply::Closed { layers } => session.closed(layers),
            other => return Err(other.out_of_turn()),
        }
        let job = serde_json::to_vec(job).map_err(|error| PlatformFault::Sandbox(error.to_string()))?;
        self.send(&job, JOB_FRAME)?;
        self.send(artifact, ARTIFACT_FRAME)?;
        match self.answer(session, FRAME_SLACK)? {
            Reply::Linked => Ok(()),
            other => Err(other.out_of_turn()),
        }
    }

    /// Has a command carried out. `answer_bytes` is how much the answer may hold beside names.
    pub(super) fn call(
        &mut self,
        session: &mut Session<'_>,
        command: &Command,
        answer_bytes: usize,
    ) -> Result<Reply, Stop> {
        self.watch.until(Instant::now().checked_add(session.clock.left() + GRACE));
        let encoded = postcard::to_allocvec(command)
            .map_err(|error| PlatformFault::Sandbox(format!("a command cannot be written: {error}")))?;
        self.send(&encoded, COMMAND_FRAME)?;
        drop(encoded);
        self.answer(session, (answer_bytes as u64).saturating_mul(2).saturating_add(FRAME_SLACK))
    }

    /// The most memory the child has had; it is still there.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        self.child.as_ref()?.peak_memory()
    }

    fn send(&mut self, bytes: &[u8], limit: u64) -> Result<(), Stop> {
        let Some(stdin) = &mut self.stdin else { return Err(self.ended()) };
        match frame::write(stdin, bytes, limit) {
            Ok(()) => Ok(()),
            Err(frame::FrameError::Io(_)) => Err(self.ended()),
            Err(error) => Err(PlatformFault::Sandbox(error.to_string()).into()),
        }
    }

    /// The answer to what was sent. Events on the way are passed on.
    fn answer(&mut self, session: &mut Session<'_>, limit: u64) -> Result<Reply, Stop> {
        loop {
            let bytes = match frame::read(&mut self.stdout, limit) {
                Ok(Some(bytes)) => bytes,
                Ok(None) | Err(frame::FrameError::Io(_) | frame::FrameError::Truncated { .. }) => {
                    return Err(self.ended());
                }
                Err(error) => return Err(PlatformFault::Sandbox(format!("a child's answer: {error}")).into()),
            };
            let reply: Reply = postcard::from_bytes(&bytes)
                .map_err(|error| PlatformFault::Sandbox(format!("a child's answer cannot be read: {error}")))?;
            match reply {
                Reply::Event(happened) => {
                    if let Some(event) = happened.event(self.mode) {
                        session.observer.event(event);
                    }
                }
                Reply::Stopped { stop, left } => {
                    session.absorb_of_child(left)?;
                    return Err(stop.into_stop());
                }
                Reply::Fault(text) => return Err(PlatformFault::Sandbox(text).into()),
                reply => return Ok(reply),
            }
        }
    }

    /// Why there is no answer: the child has ended, or was ended, or has closed its pipe on purpose and is ended now.
    fn ended(&mut self) -> Stop {
        let gone = || PlatformFault::Sandbox("a child has ended before".to_owned());
        self.stdin = None;
        let Some(child) = self.child.take() else { return gone().into() };
        let lives_on = !child.ends_within(ENDING).unwrap_or(false);
        if lives_on {
            let _ = child.kill();
        }
        let killed = self.watch.stop();
        let clock = self.watch.clock.clone();
        let Some(end) = Arc::into_inner(child).map(Child::wait) else { return gone().into() };
        match (killed, end) {
            (Some(Killed::Cancelled), _) => PlatformFault::Cancelled.into(),
            (Some(Killed::Deadline), _) => classify(clock.reached().into()),
            (Some(Killed::Start), _) => {
                PlatformFault::Sandbox(format!("a child did not start within {} s", START.as_secs())).into()
            }
            (None, Ok(_)) if lives_on => {
                PlatformFault::Sandbox("a child closed its pipe and lived on".to_owned()).into()
            }
            (None, Ok(end)) => self.died(&clock, &end),
            (None, Err(error)) => PlatformFault::Sandbox(error.to_string()).into(),
        }
    }

    /// A child that ended by itself, which none should.
    fn died(&self, clock: &Clock, end: &End) -> Stop {
        let signal = end.status.signal();
        // What a child wrote may be the guest's words.
        let words = if self.mode == Mode::Validation && !end.stderr.is_empty() {
            format!(": {}", end.stderr.trim_end())
        } else {
            String::new()
        };
        let fault = match signal {
            Some(signal) if signal == Signal::XCPU.as_raw() => return classify(clock.reached().into()),
            Some(signal) if signal == Signal::BUS.as_raw() => {
                PlatformFault::Dataset("a file of the dataset became shorter while it was in use".to_owned())
            }
            Some(signal) if signal == Signal::KILL.as_raw() => PlatformFault::HostMemory(
                "a child was killed from outside, as the system does when it is short of memory".to_owned(),
            ),
            _ => PlatformFault::Sandbox(format!("a child ended with {}{words}", end.status)),
        };
        fault.into()
    }
}

/// Why a child was ended.
#[derive(Debug, Clone, Copy)]
enum Killed {
    Cancelled,
    Deadline,
    Start,
}

#[derive(Debug)]
struct Watched {
    /// `None` past the end of time, and before the child has anything to do.
    until: Option<Instant>,
    loaded: bool,
    killed: Option<Killed>,
}

/// A thread that ends the child when the evaluation is cancelled or its time is over, whatever the evaluating thread waits
/// for.
struct Watch {
    watched: Arc<Mutex<Watched>>,
    clock: Clock,
    /// Dropped to end the thread.
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn over(child: Arc<Child>, clock: &Clock) -> std::io::Result<Self> {
        let watched = Arc::new(Mutex::new(Watched { until: None, loaded: false, killed: None }));
        let (alive, gone) = channel::<()>();
        let (seen, cancel) = (watched.clone(), clock.clone());
        let watch = move || {
            while gone.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let mut watched = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let over = watched.until.is_some_and(|until| Instant::now() >= until);
                watched.killed = match (cancel.cancelled(), over, watched.loaded) {
                    (true, _, _) => Some(Killed::Cancelled),
                    (false, true, true) => Some(Killed::Deadline),
                    (false, true, false) => Some(Killed::Start),
                    (false, false, _) => continue,
                };
                // Said before it is done: whoever finds the child dead finds out why.
                let _ = child.kill();
                return;
            }
        };
        let thread = thread::Builder::new().name("sandbox watch".to_owned()).spawn(watch)?;
        Ok(Self { watched, clock: clock.clone(), alive: Some(alive), thread: Some(thread) })
    }

    /// The code must be loaded by then.
    fn loading(&self, until: Instant) {
        self.set(Some(until), false);
    }

    /// The guest must be done by then.
    fn until(&self, until: Option<Instant>) {
        self.set(until, true);
    }

    fn set(&self, until: Option<Instant>, loaded: bool) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        (watched.until, watched.loaded) = (until, loaded);
    }

    /// Ends the thread, and says whether it has ended the child.
    fn stop(&mut self) -> Option<Killed> {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).killed
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}
