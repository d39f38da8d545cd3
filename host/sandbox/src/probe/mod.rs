//! Attacks on the box from inside it.
//!
//! A child opens what an attacker could hope to find open, locks itself in and tries everything in a table; each attempt must
//! fail with the error of the layer that stops it. Most are stopped by several layers. Since the filter of system calls comes
//! first and hides the others, the attack is made in several boxes: one with every layer, and one for each set of layers that
//! is to stop a probe by itself, so that every wall is seen to stand alone. See [`boxes`].

mod attempt;
mod conversation;
mod examination;
mod stage;
mod table;

use std::collections::BTreeSet;
use std::io;

use attempt::Argument;
use rustix::process::{Resource, Rlimit, setrlimit};
use stage::Stage;

pub use conversation::{Attack, ProbeError, child};
pub use examination::{Examination, LayerFinding, ProbeFinding};

use crate::layer::{Layer, Policy};

/// Layers that, together and without any other, make a probe fail with one of the errors.
#[derive(Debug, PartialEq, Eq)]
pub struct Guard {
    /// The layers.
    pub layers: &'static [Layer],
    /// Error numbers of Linux.
    pub errnos: &'static [i32],
}

/// One thing to try from inside.
#[derive(Debug)]
pub struct Probe {
    /// Its name in reports.
    pub name: &'static str,
    /// What it tries, to follow "cannot".
    pub what: &'static str,
    /// What must stop it. Any of them does.
    pub guards: &'static [Guard],
    attempt: Attempt,
}

/// How a probe tries.
#[derive(Debug)]
enum Attempt {
    /// A call. One that cannot succeed has the errors that it fails with where nobody refuses it.
    Call {
        number: i64,
        arguments: &'static [Argument],
        through: &'static [i32],
    },
    /// A call that would disturb the parent, made only where something stops it.
    Guarded {
        number: i64,
        arguments: &'static [Argument],
    },
    /// A call that starts a process.
    Fork {
        number: i64,
        arguments: &'static [Argument],
    },
    Thread,
    Environment,
    RaiseLimit,
    MakeCode,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It failed with this error number.
    Refused(i32),
    /// It worked, or would have with other arguments.
    Done,
    /// Nothing in this box is to stop it.
    NotTried,
}

/// What came of every probe in one box.
#[derive(Debug)]
pub struct Report {
    /// The layers of the box.
    pub layers: BTreeSet<Layer>,
    /// The probes in their order.
    pub findings: Vec<(&'static Probe, Outcome)>,
}

impl Report {
    /// What came of a probe.
    pub fn outcome_of(&self, probe: &Probe) -> Outcome {
        let found = self.findings.iter().find(|(found, _)| found.name == probe.name);
        found.map_or(Outcome::NotTried, |(_, outcome)| *outcome)
    }

    /// The probes that were tried and not refused with the error of a layer that is on.
    pub fn breaches(&self) -> impl Iterator<Item = (&'static Probe, Outcome)> {
        let tried = self.findings.iter().copied().filter(|(_, outcome)| *outcome != Outcome::NotTried);
        tried.filter(|(probe, outcome)| probe.held_by(&self.layers, *outcome).is_empty())
    }
}

/// Which probes to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Those that a layer of the box must stop.
    Guarded,
    /// All but those that would disturb the parent: the control, which shows that the layers and not something else stop them.
    Every,
}

impl Probe {
    /// All of them.
    pub const fn all() -> &'static [Self] {
        table::PROBES
    }

    /// The guards that are complete in a box.
    pub fn guards_in(&self, layers: &BTreeSet<Layer>) -> impl Iterator<Item = &'static Guard> {
        self.guards.iter().filter(|guard| guard.layers.iter().all(|layer| layers.contains(layer)))
    }

    /// What stopped it: the guards of the box whose error it failed with.
    pub fn held_by(&self, layers: &BTreeSet<Layer>, outcome: Outcome) -> Vec<&'static Guard> {
        match outcome {
            Outcome::Refused(errno) => self.guards_in(layers).filter(|guard| guard.errnos.contains(&errno)).collect(),
            Outcome::Done | Outcome::NotTried => Vec::new(),
        }
    }

    fn make(&self, stage: &Stage, selection: Selection) -> Outcome {
        let outcome = match self.attempt {
            Attempt::Call { number, arguments, through } => match attempt::call(number, arguments, stage) {
                Err(errno) if through.contains(&errno) => Ok(0),
                other => other,
            },
            Attempt::Guarded { .. } if selection == Selection::Every => return Outcome::NotTried,
            Attempt::Guarded { number, arguments } => attempt::call(number, arguments, stage),
            Attempt::Fork { number, arguments } => attempt::fork(number, arguments, stage),
            Attempt::Thread => start_thread(),
            Attempt::Environment => std::env::vars_os().next().map(|_| 0).ok_or(libc::ENOENT),
            Attempt::RaiseLimit => raise_limit(),
            Attempt::MakeCode => attempt::make_code(),
        };
        outcome.map_or_else(Outcome::Refused, |_| Outcome::Done)
    }
}

fn errno_of(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(0)
}

fn start_thread() -> Result<i64, i32> {
    let thread = std::thread::Builder::new().spawn(|| ()).map_err(|error| errno_of(&error))?;
    thread.join().map_or(Err(0), |()| Ok(0))
}

/// Lowers the limit of a size that is of no use here, and raises it again.
fn raise_limit() -> Result<i64, i32> {
    let set = |bytes| setrlimit(Resource::Core, Rlimit { current: Some(bytes), maximum: Some(bytes) });
    // Where this is refused, so is the other, and that is what counts.
    let _ = set(0);
    set(4096).map(|()| 0).map_err(rustix::io::Errno::raw_os_error)
}

/// Policies that show every guard alone, and one without the filter of system calls, for what the rest does together.
pub fn boxes() -> Vec<Policy> {
    let alone = Probe::all().iter().flat_map(|probe| probe.guards).map(|guard| guard.layers.iter().copied().collect());
    let mut boxes: BTreeSet<BTreeSet<Layer>> = alone.collect();
    boxes.insert(Layer::REQUIRED.into_iter().filter(|layer| *layer != Layer::Syscalls).collect());
    boxes.into_iter().map(|layers| Policy::of_required(|layer| layers.contains(&layer))).collect()
}
