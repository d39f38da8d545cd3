//! Where a submission's fuel goes: the run is replayed with probes, under other prices.
//!
//! A guest does the same under any table of prices, since nothing that it can ask depends on what it has used (a learner's
//! `fuel-left` gets the answers of the first run). So the run is repeated with a price on one kind of operator at a
//! time, and the engine's own counter tells how much fuel that kind is of the whole; probes at the beginning and end of
//! each function (`thimble-instrument`) tell whose it is. The parts must add up to what the run without probes was
//! metered at, to the unit, or there is no profile.
//!
//! For public data only: [`Request`] takes no other.

mod assemble;
mod fuel_left;
mod hints;
mod kind;
mod table;
mod trace;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use thimble_challenge::result::{EvaluationResult, Phase, SubmissionRef};
use thimble_challenge::{Fuel, LoadedChallenge, Verdict};
use thimble_instrument::{Instrumented, PROBES, instrument};

pub(crate) use thimble_instrument::SILENT;
use wasmtime::component::{Component, Linker};
use wasmtime::{AsContext, StoreContextMut};

pub use hints::{Hint, hints};
pub use kind::{Category, Kind, Split};
pub use trace::Step;

pub(crate) use fuel_left::FuelLeft;
pub(crate) use trace::{Probes, Reading, Silent, Trace, Tracer};

use crate::bind::PublicData;
use crate::contract::TensorResult;
use crate::evaluate::{self, Evaluation, Findings, Runner, Trained};
use crate::guest::Guest;
use crate::instance::Metered;
use crate::learn::Learned;
use crate::machine::Machine;
use crate::observe::{Event, Observer};
use crate::predict;
use crate::state::HostState;
use crate::stop::{PlatformFault, Stop};
use table::Table;

/// Test rows that a profile of prediction replays unless asked for another number.
pub const ROWS: usize = 1024;

/// What is profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Prediction of this many test rows, or all of a smaller split: in the order and batches of an evaluation.
    Prediction {
        /// Rows.
        rows: usize,
    },
    /// Training, as often as there are tables.
    Training,
}

/// One profile to make.
#[derive(Debug)]
pub struct Request<'a> {
    /// The bytes of a package or a bare component.
    pub submission: &'a [u8],
    /// The challenge.
    pub challenge: &'a LoadedChallenge,
    /// Public data: a profile tells too much for any other.
    pub data: &'a PublicData,
    /// Which part of an evaluation.
    pub subject: Subject,
    /// Set from outside to end the run within a second.
    pub cancel: &'a Arc<AtomicBool>,
}

/// Where the fuel of a run went.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Whose.
    pub submission: Option<SubmissionRef>,
    /// Test rows that were predicted; `None` of training.
    pub rows: Option<u64>,
    /// What the run was metered at, without probes.
    pub metered: Fuel,
    /// The same by kind.
    pub split: Split,
    /// FLOPs of the classical count: float additions, multiplications and their like by the lane.
    pub classical: u64,
    /// Every function that ran, and the steps themselves; the most fuel of their own first.
    pub places: Vec<Place>,
    /// Every stack; one below another comes first.
    pub stacks: Vec<Stack>,
}

/// A function, or what the host does in a step: setting up memory, arguments and results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The function's name, or the step's in parentheses.
    pub name: String,
    /// How often it ran.
    pub calls: u64,
    /// Without what it called. The price of a call is the caller's.
    pub own: Split,
    /// With what it called; a function that calls itself counts once.
    pub total: Fuel,
    /// The classical count, without what it called.
    pub classical: u64,
}

/// A frame on top of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Index of the stack below, if it is not the lowest.
    pub below: Option<usize>,
    /// The frame's name, as in [`Place`].
    pub name: String,
    /// Fuel used with this frame on top.
    pub own: Fuel,
}

impl Runner {
    /// Profiles a submission.
    ///
    /// # Errors
    /// The submission does not get there: the result of the evaluation, whose verdict says why.
    pub fn profile(
        &self,
        request: &Request<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Profile, Box<EvaluationResult>> {
        let Request { submission, challenge, data, subject, cancel } = *request;
        let evaluated = evaluate::Request { submission, challenge, data: data.bound(), cancel };
        let started_at = SystemTime::now();
        let mut evaluation = Evaluation::new(&evaluated, observer);
        let mut findings = Findings::default();
        match self.profile_steps(&mut evaluation, &mut findings, subject) {
            Ok(profile) => Ok(profile),
            Err(stop) => Err(Box::new(self.report(evaluation, findings, Err(stop), started_at))),
        }
    }

    fn profile_steps(
        &self,
        evaluation: &mut Evaluation<'_>,
        findings: &mut Findings,
        subject: Subject,
    ) -> Result<Profile, Stop> {
        if subject == Subject::Training {
            evaluation.session.record_answers();
        }
        let Trained { admitted, mut guest, learned: Learned { tensors, metered } } =
            self.train(evaluation, findings)?;
        let run = Run { tensors: &tensors, subject };
        let (phase, rows, plain) = match subject {
            Subject::Training => (Phase::Learn, None, metered),
            Subject::Prediction { rows } => {
                let rows = rows.min(evaluation.test_rows());
                let plain = evaluation.timed(Phase::Predict, |evaluation| run.again(evaluation, &mut guest))?;
                (Phase::Predict, Some(rows as u64), plain)
            }
        };
        evaluation.session.replay();
        evaluation.phase = phase;
        let instrumented = instrument(&admitted.package.component)
            .map_err(|error| Stop::guest(Verdict::Rejected, "profile", error.to_string()))?;
        let tables = Table::all();
        let mut traces = Vec::new();
        for (done, table) in tables.iter().enumerate() {
            evaluation.session.observer.event(Event::Replay { done, of: tables.len() });
            traces.push((*table, run.traced(evaluation, &instrumented, *table)?));
        }
        evaluation.session.observer.event(Event::Replay { done: tables.len(), of: tables.len() });
        let submission = findings.submission.take();
        let measured = assemble::Measured { traces, functions: &instrumented.functions, plain };
        Ok(measured.profile(submission, rows)?)
    }
}

/// What is run again and again.
struct Run<'a> {
    tensors: &'a [TensorResult],
    subject: Subject,
}

impl Run<'_> {
    fn again(&self, evaluation: &mut Evaluation<'_>, guest: &mut Guest) -> Result<Metered, Stop> {
        match self.subject {
            Subject::Training => guest.learn(evaluation).map(|learned| learned.metered),
            Subject::Prediction { rows } => predict::predict_first(evaluation, guest, self.tensors, rows),
        }
    }

    /// Compiles the component with probes for one table, and runs it. Compiled in this process: the component without
    /// probes has passed the compile child's limits, and whoever profiles it built it.
    fn traced(
        &self,
        evaluation: &mut Evaluation<'_>,
        instrumented: &Instrumented,
        table: Table,
    ) -> Result<Trace, Stop> {
        let fault = |error: wasmtime::Error| PlatformFault::Engine(format!("{error:#}"));
        let machine = Machine::with_probes(table.operator_cost()).map_err(fault)?;
        let component = Component::new(&machine.engine, &instrumented.component).map_err(fault)?;
        let probes = Probes { prices: table.probes(), functions: instrumented.functions.len() };
        let program = machine.link(&component)?.with_probes(probes);
        let metered = self.again(evaluation, &mut Guest::Here(Box::new(program)))?;
        let trace = metered.trace.ok_or_else(|| PlatformFault::Meter("a replay left no trace".to_owned()))?;
        assemble::complete(&trace, metered.fuel)?;
        Ok(trace)
    }
}

/// Defines the probes.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    type Store<'a> = StoreContextMut<'a, HostState>;
    let mut probes = linker.instance(PROBES)?;
    probes.func_wrap("enter", |mut store: Store<'_>, (function, probes, wrappers): (u32, u32, u32)| {
        let reading = read(&store, Silent { probes, wrappers })?;
        Ok(tracer(&mut store)?.enter(function, reading)?)
    })?;
    probes.func_wrap("leave", |mut store: Store<'_>, (probes, wrappers): (u32, u32)| {
        let reading = read(&store, Silent { probes, wrappers })?;
        Ok(tracer(&mut store)?.leave(reading)?)
    })
}

/// The meter as it stands.
pub(crate) fn read(store: impl AsContext<Data = HostState>, silent: Silent) -> wasmtime::Result<Reading> {
    let context = store.as_context();
    Ok(Reading { fuel_left: context.get_fuel()?, host: context.data().host_fuel, silent })
}

fn tracer<'a>(store: &'a mut StoreContextMut<'_, HostState>) -> Result<&'a mut Tracer, PlatformFault> {
    let missing = || PlatformFault::Meter("a probe without a tracer".to_owned());
    store.data_mut().tracer.as_mut().ok_or_else(missing)
}
