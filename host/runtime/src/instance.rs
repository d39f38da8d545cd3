//! One guest instance, its fuel, and the loop that polls its calls.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use thimble_challenge::result::Phase;
use thimble_challenge::units::{INSTANTIATION_FUEL, MAX_FUEL};
use thimble_challenge::{Fuel, Verdict};
use wasmtime::component::{Component, InstancePre, Linker, TypedFunc};
use wasmtime::{Engine, Store, Trap};

use crate::clock::Clock;
use crate::contract::{Solution, SolutionIndices};
use crate::observe::Event;
use crate::profile::{self, Probes, SILENT, Silent, Step, Trace, Tracer};
use crate::session::Session;
use crate::state::{HostFuel, HostState, charge_transfer};
use crate::stop::{PlatformFault, Stop, classify};

/// How often progress is shown at most.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// A compiled component, linked and ready to be instantiated.
pub(crate) struct Program {
    engine: Engine,
    pre: InstancePre<HostState>,
    indices: SolutionIndices,
    probes: Option<Probes>,
}

impl Program {
    pub(crate) fn link(engine: &Engine, linker: &Linker<HostState>, component: &Component) -> Result<Self, Stop> {
        let mismatch = |error: wasmtime::Error| {
            Stop::guest(Verdict::Rejected, "contract", format!("the component does not fit the contract: {error:#}"))
        };
        let pre = linker.instantiate_pre(component).map_err(mismatch)?;
        let indices = SolutionIndices::new(&pre).map_err(mismatch)?;
        Ok(Self { engine: engine.clone(), pre, indices, probes: None })
    }

    /// The same, knowing that its functions report to a tracer.
    pub(crate) fn with_probes(self, probes: Probes) -> Self {
        Self { probes: Some(probes), ..self }
    }
}

/// A guest instance and everything the host holds for it.
pub(crate) struct Instance {
    pub(crate) store: Store<HostState>,
    pub(crate) solution: Solution,
    phase: Phase,
    budget: Fuel,
    /// Fuel of budgets that are settled.
    settled: u64,
    /// Of a program with probes: tells how many were silent.
    silent: Option<TypedFunc<(), (u64,)>>,
}

/// What an instance did from its first instruction on.
#[derive(Debug)]
pub(crate) struct Metered {
    pub(crate) fuel: Fuel,
    /// The part of it that the host charged.
    pub(crate) host: HostFuel,
    /// Of a program with probes.
    pub(crate) trace: Option<Trace>,
}

impl Instance {
    /// Instantiates under [`INSTANTIATION_FUEL`]. On failure the state goes back to the session.
    pub(crate) fn new(
        program: &Program,
        state: HostState,
        hostcall_bytes: usize,
        phase: Phase,
        session: &mut Session<'_>,
    ) -> Result<Self, Stop> {
        let engine_fault = |error: wasmtime::Error| PlatformFault::Engine(format!("{error:#}"));
        let mut store = state.into_store(&program.engine, hostcall_bytes).map_err(engine_fault)?;
        store.data_mut().tracer = program.probes.map(Tracer::new);
        let budget = budget(&store, INSTANTIATION_FUEL);
        store.set_fuel(budget.0).map_err(engine_fault)?;
        begin(&mut store, Step::Instantiate, budget)?;
        let instantiated = session.drive(phase, budget, program.pre.instantiate_async(&mut store));
        let exports = instantiated.map_err(classify).and_then(|instance| {
            let solution = program.indices.load(&mut store, &instance).map_err(|error| {
                Stop::guest(
                    Verdict::Rejected,
                    "contract",
                    format!("the component does not fit the contract: {error:#}"),
                )
            })?;
            let silent = program.probes.map(|_| instance.get_typed_func(&mut store, SILENT));
            Ok((solution, silent.transpose().map_err(engine_fault)?))
        });
        match exports {
            Ok((solution, silent)) => Ok(Self { store, solution, phase, budget, settled: 0, silent }),
            Err(stop) => {
                session.absorb(store.into_data());
                Err(stop)
            }
        }
    }

    /// Settles the budget in force and gives the calls of the next step one of their own.
    pub(crate) fn fund(&mut self, session: &mut Session<'_>, step: Step, budget: Fuel) -> Result<(), Stop> {
        self.settled = self.used()?;
        self.end_step(session)?;
        self.budget = self::budget(&self.store, budget);
        self.store.set_fuel(self.budget.0).map_err(meter_fault)?;
        begin(&mut self.store, step, self.budget)
    }

    /// The end of the last step.
    pub(crate) fn metered(&mut self, session: &mut Session<'_>) -> Result<Metered, Stop> {
        let fuel = Fuel(self.used()?);
        self.end_step(session)?;
        let state = self.store.data_mut();
        Ok(Metered { fuel, host: state.host_fuel, trace: state.tracer.take().map(Tracer::finish) })
    }

    /// Closes the tracer's book on a step. What asking for the count of silent probes costs is not in it.
    fn end_step(&mut self, session: &mut Session<'_>) -> Result<(), Stop> {
        let Some(silent) = &self.silent else { return Ok(()) };
        let before = profile::read(&self.store, Silent::default()).map_err(meter_fault)?;
        let call = silent.call_async(&mut self.store, ());
        let (counts,) = session.drive(self.phase, self.budget, call).map_err(classify)?;
        let silent = Silent { probes: counts as u32, wrappers: (counts >> 32) as u32 };
        let tracer = &mut self.store.data_mut().tracer;
        let end = |tracer: &mut Tracer| tracer.end(profile::Reading { silent, ..before });
        tracer.as_mut().map_or(Ok(()), end).map_err(Stop::Platform)
    }

    /// Fuel used since the store's first instruction.
    ///
    /// The engine looks at the counter where functions and loops begin, not where calls return: straight-line code in
    /// frames that are being left can pass the budget unseen. Nothing left is therefore out of fuel, as it is for a host
    /// call.
    pub(crate) fn used(&self) -> Result<u64, Stop> {
        let left = self.store.get_fuel().map_err(meter_fault)?;
        if left == 0 {
            return Err(classify(Trap::OutOfFuel.into()));
        }
        Ok(self.settled + self.budget.0.saturating_sub(left))
    }

    /// Charges bytes that cross in an export's arguments or results.
    pub(crate) fn charge(&mut self, bytes: u64) -> Result<(), Stop> {
        charge_transfer(&mut self.store, bytes).map_err(classify)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn budget(&self) -> Fuel {
        self.budget
    }
}

/// A program with probes repeats what has stayed within its budget, under other prices and with the probes' own: for it
/// there is no limit.
fn budget(store: &Store<HostState>, budget: Fuel) -> Fuel {
    if store.data().tracer.is_some() { MAX_FUEL } else { budget }
}

fn begin(store: &mut Store<HostState>, step: Step, budget: Fuel) -> Result<(), Stop> {
    let tracer = &mut store.data_mut().tracer;
    tracer.as_mut().map_or(Ok(()), |tracer| tracer.begin(step, budget.0)).map_err(Stop::Platform)
}

fn meter_fault(error: wasmtime::Error) -> Stop {
    Stop::Platform(PlatformFault::Meter(format!("{error:#}")))
}

impl Session<'_> {
    /// Polls a guest call to its end, to the deadline or to cancellation. A call that is dropped half-way leaves a store
    /// that is never entered again.
    pub(crate) fn drive<T>(
        &mut self,
        phase: Phase,
        budget: Fuel,
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        let mut context = Context::from_waker(Waker::noop());
        let mut progress = Progress::new(&self.clock, budget);
        loop {
            match call.as_mut().poll(&mut context) {
                Poll::Ready(outcome) => {
                    self.pass_on_journal();
                    return outcome;
                }
                Poll::Pending => {
                    self.clock.check()?;
                    if let Some(used) = progress.reading(&self.clock).filter(|_| !self.is_replay()) {
                        self.pass_on_journal();
                        self.observer.event(Event::Fuel { phase, used, budget });
                    }
                }
            }
        }
    }
}

/// Estimates used fuel while the store is lent to the call: the last reading of a host call plus the yields since.
struct Progress {
    budget: Fuel,
    seen: u64,
    yields_since: u64,
    shown: Instant,
}

impl Progress {
    fn new(clock: &Clock, budget: Fuel) -> Self {
        clock.fuel_seen.store(budget.0, Ordering::Relaxed);
        Self { budget, seen: budget.0, yields_since: 0, shown: Instant::now() }
    }

    fn reading(&mut self, clock: &Clock) -> Option<Fuel> {
        let seen = clock.fuel_seen.load(Ordering::Relaxed);
        if seen != self.seen {
            (self.seen, self.yields_since) = (seen, 0);
        }
        self.yields_since += 1;
        if self.shown.elapsed() < PROGRESS_INTERVAL {
            return None;
        }
        self.shown = Instant::now();
        let used = self.budget.0.saturating_sub(self.seen) + self.yields_since * crate::state::YIELD_INTERVAL;
        Some(Fuel(used.min(self.budget.0)))
    }
}
