//! How the two sides of an attack speak: the parent gives the task as arguments, the child answers in one message for each
//! probe, so that one that dies is seen to have died at the next.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;
use std::process::{ExitCode, id};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::stage::{INHERITED, Stage, Surroundings};
use super::{Outcome, Probe, Report, Selection};
use crate::child::{Child, Spawn};
use crate::frame;
use crate::layer::Policy;
use crate::limits::Limits;
use crate::lock::{lock, seal_code};
use crate::syscalls::Job;

/// Bytes of a message from the child.
const MESSAGE_BYTES: u64 = 4 << 10;
/// What the attacking child may use.
const LIMITS: Limits = Limits { address_space: 1 << 30, data: 256 << 20, cpu_seconds: 5 };
/// How long an attack may take: its work is a few milliseconds.
const DEADLINE: Duration = Duration::from_secs(20);
/// The first message of a child that is locked in.
const LOCKED: &str = "locked";

/// An attack to be made.
#[derive(Debug)]
pub struct Attack<'a> {
    /// Program and first arguments of a process that calls [`child`] with the arguments that follow.
    pub command: &'a [OsString],
    /// An empty directory for the files that are attacked.
    pub directory: &'a Path,
    /// The layers of the box.
    pub policy: Policy,
    /// The filter of system calls.
    pub job: Job,
    /// The probes to make.
    pub selection: Selection,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The child could not be started, or what it is to attack not be made.
    #[error("the probes could not be started: {0}")]
    Start(#[from] io::Error),
    /// The box could not be locked.
    #[error("{0}")]
    NotLocked(String),
    /// The child said something else, or nothing.
    #[error("the probing child {what}; its errors: {stderr:?}")]
    Child {
        /// What was wrong.
        what: String,
        /// What it wrote to its standard error.
        stderr: String,
    },
}

impl Attack<'_> {
    /// Makes it, in a child process.
    ///
    /// # Errors
    /// The child cannot be started or locked in, or ends before it has tried everything.
    pub fn make(self) -> Result<Report, ProbeError> {
        static ATTACKS: AtomicU64 = AtomicU64::new(0);
        let name = format!("thimble-probe-{}-{}", id(), ATTACKS.fetch_add(1, Ordering::Relaxed));
        let surroundings = Surroundings::new(self.directory, name)?;
        let mut command = self.command.to_vec();
        command.extend(self.arguments(&surroundings)?);
        let pass = vec![(Surroundings::inherited(self.directory)?, INHERITED)];
        let mut child = Spawn { command: &command, pass }.start()?;
        let stdout = child.take_stdout().ok_or_else(|| io::Error::other("the child has no pipe"))?;
        let heard = std::thread::scope(|scope| {
            scope.spawn(|| kill_at_deadline(&child));
            hear(stdout)
        });
        let end = child.wait()?;
        let findings = heard.map_err(|silence| match silence {
            Silence::NotLocked(reason) => ProbeError::NotLocked(reason),
            Silence::Wrong(what) => {
                ProbeError::Child { what: format!("{what} and ended with {}", end.status), stderr: end.stderr }
            }
        })?;
        Ok(Report { layers: self.policy.layers(), findings })
    }

    fn arguments(&self, surroundings: &Surroundings) -> io::Result<[OsString; 6]> {
        let job = match self.job {
            Job::Compile => "compile",
            Job::Run => "run",
        };
        let selection = match self.selection {
            Selection::Guarded => "guarded",
            Selection::Every => "every",
        };
        Ok([
            self.policy.to_string().into(),
            job.into(),
            selection.into(),
            self.directory.into(),
            surroundings.port()?.to_string().into(),
            surroundings.name().into(),
        ])
    }
}

fn kill_at_deadline(child: &Child) {
    if !child.ends_within(DEADLINE).unwrap_or(false) {
        // The pipe ends then, and that is what is reported.
        let _ = child.kill();
    }
}

/// Why the child was not heard to the end.
enum Silence {
    NotLocked(String),
    Wrong(String),
}

fn hear(mut stdout: impl Read) -> Result<Vec<(&'static Probe, Outcome)>, Silence> {
    let mut next = |of: &str| {
        let message = frame::read(&mut stdout, MESSAGE_BYTES).map_err(|error| Silence::Wrong(error.to_string()))?;
        let message = message.ok_or_else(|| Silence::Wrong(format!("fell silent at {of}")))?;
        Ok(String::from_utf8_lossy(&message).into_owned())
    };
    let first = next("the lock")?;
    if first != LOCKED {
        return Err(Silence::NotLocked(first));
    }
    let outcome_of = |probe: &'static Probe| {
        let message = next(probe.name)?;
        let outcome = read_outcome(&message).ok_or_else(|| Silence::Wrong(format!("said {message:?}")))?;
        Ok((probe, outcome))
    };
    Probe::all().iter().map(outcome_of).collect()
}

fn read_outcome(message: &str) -> Option<Outcome> {
    match message {
        "done" => Some(Outcome::Done),
        "not-tried" => Some(Outcome::NotTried),
        errno => errno.parse().ok().map(Outcome::Refused),
    }
}

fn write_outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::NotTried => "not-tried".to_owned(),
        Outcome::Refused(errno) => errno.to_string(),
    }
}

/// What a child does that an [`Attack`] has started: its arguments are those after the attack's command. It must have one
/// thread.
pub fn child(arguments: &[String]) -> ExitCode {
    let say = |message: &str| frame::write(io::stdout(), message.as_bytes(), MESSAGE_BYTES);
    let (task, layers) = match Task::read(arguments).and_then(|task| Ok((task.enter()?, task))) {
        Ok((layers, task)) => (task, layers),
        Err(reason) => return if say(&reason).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE },
    };
    let guarded = |probe: &Probe| task.selection == Selection::Every || probe.guards_in(&layers).next().is_some();
    let outcomes = Probe::all()
        .iter()
        .map(|probe| if guarded(probe) { probe.make(&task.stage, task.selection) } else { Outcome::NotTried });
    let mut said = say(LOCKED);
    for outcome in outcomes {
        said = said.and_then(|()| say(&write_outcome(outcome)));
    }
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the parent asks for.
struct Task {
    policy: Policy,
    job: Job,
    selection: Selection,
    stage: Stage,
}

impl Task {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let [policy, job, selection, directory, port, name] = arguments else {
            return Err(format!("the probes take 6 arguments, not {}", arguments.len()));
        };
        let policy = policy.parse::<Policy>().map_err(|error| error.to_string())?;
        let job = if job == "compile" { Job::Compile } else { Job::Run };
        let selection = if selection == "every" { Selection::Every } else { Selection::Guarded };
        let port = port.parse().map_err(|_| format!("`{port}` is not a port"))?;
        let stage = Stage::open(directory, port, name).map_err(|error| format!("nothing to attack: {error}"))?;
        Ok(Self { policy, job, selection, stage })
    }

    fn enter(&self) -> Result<BTreeSet<crate::Layer>, String> {
        let layers = lock(&self.policy, &LIMITS, &self.stage.kept(), self.job).map_err(|error| error.to_string())?;
        if self.job == Job::Run {
            seal_code(&layers).map_err(|error| error.to_string())?;
        }
        Ok(layers)
    }
}
