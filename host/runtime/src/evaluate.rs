//! The evaluation: admit, compile, learn, count, predict, score, report, in this order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use thimble_challenge::challenge::{Limits, RowRule};
use thimble_challenge::result::{EvaluationResult, Independence, Isolation, Mode, Parameters, Phase, SubmissionRef};
use thimble_challenge::{Fuel, LoadedChallenge, Verdict};
use thimble_datasets::{Column, Digest, Split};
use thimble_sandbox::Policy;

use crate::admit::{self, Admitted};
use crate::artifact;
use crate::bind::BoundData;
use crate::boxed::Boxed;
use crate::clock::Clock;
use crate::compile::{Artifact, Children, compile_here};
use crate::count;
use crate::digest::parameters_digest;
use crate::engine::engine_hash;
use crate::guest::Guest;
use crate::instance::Program;
use crate::learn::Learned;
use crate::loader::TrainingData;
use crate::machine::Machine;
use crate::observe::{Event, Observer};
use crate::predict;
use crate::report;
use crate::score::{self, Scored};
use crate::session::{Session, Terms};
use crate::stop::{PlatformFault, Stop};

/// Where guests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In child processes that can open nothing.
    Boxed,
    /// In the process of the [`Runner`]: an escape from the engine is an escape to it. For a builder's own submissions.
    InProcess,
}

/// Runs evaluations. Engines and linkers are made once; every evaluation has stores of its own.
#[derive(Debug)]
pub struct Runner {
    children: Children,
    place: Place,
    /// Compiles without a child, for fuzzing.
    compiles_here: bool,
    validation: Machine,
    official: Machine,
    engine_hash: [u8; 32],
}

/// One evaluation to run.
#[derive(Debug)]
pub struct Request<'a> {
    /// The bytes of a package or a bare component.
    pub submission: &'a [u8],
    /// The challenge.
    pub challenge: &'a LoadedChallenge,
    /// The data, which also says whether the run is official.
    pub data: &'a BoundData,
    /// Set from outside to end the run within a second.
    pub cancel: &'a Arc<AtomicBool>,
}

impl Runner {
    /// Makes the engines.
    ///
    /// # Errors
    /// The engine refuses its configuration, for example on a processor it does not know.
    pub fn new(children: Children, place: Place) -> Result<Self, PlatformFault> {
        Self::with_machines(children, place, Machine::new)
    }

    /// A runner that starts no child at all, not even to compile, and runs what it compiled for `target`, which is this
    /// machine or the engine's interpreter; `None` is this machine. In everything else it is the product's.
    ///
    /// For fuzzing, and for nothing else: compilation has no limits here, so a submission can end the process.
    ///
    /// # Errors
    /// As [`new`](Self::new), or the engine was built without that target.
    #[doc(hidden)]
    pub fn without_children(target: Option<&str>) -> Result<Self, PlatformFault> {
        let nobody = Children { command: Vec::new(), policy: Policy::default(), cache: None };
        let machine = |mode| target.map_or_else(|| Machine::new(mode), |target| Machine::with_target(mode, target));
        let runner = Self::with_machines(nobody, Place::InProcess, machine)?;
        Ok(Self { compiles_here: true, ..runner })
    }

    fn with_machines(
        children: Children,
        place: Place,
        machine: impl Fn(Mode) -> wasmtime::Result<Machine>,
    ) -> Result<Self, PlatformFault> {
        let machine = |mode| machine(mode).map_err(|error| PlatformFault::Engine(format!("{error:#}")));
        let (validation, official) = (machine(Mode::Validation)?, machine(Mode::Official)?);
        let engine_hash = engine_hash(&official.engine);
        Ok(Self { children, place, compiles_here: false, validation, official, engine_hash })
    }

    /// Evaluates a submission. Always returns a result; how it ended is its verdict.
    pub fn evaluate(&self, request: &Request<'_>, observer: &mut dyn Observer) -> EvaluationResult {
        let started_at = SystemTime::now();
        let mut evaluation = Evaluation::new(request, observer);
        let mut findings = Findings::default();
        let end = self.run(&mut evaluation, &mut findings);
        self.report(evaluation, findings, end, started_at)
    }

    fn run(&self, evaluation: &mut Evaluation<'_>, findings: &mut Findings) -> Result<(), Stop> {
        let admitted = evaluation.timed(Phase::Admit, |evaluation| self.admit(evaluation, findings))?;
        let mut guest = evaluation.timed(Phase::Compile, |evaluation| {
            let compiled = self.compile(evaluation, &admitted, findings)?;
            match self.place {
                Place::Boxed => {
                    Boxed::start(&self.children, evaluation, compiled.bytes).map(Box::new).map(Guest::Boxed)
                }
                Place::InProcess => self.load(evaluation, &compiled).map(Box::new).map(Guest::Here),
            }
        })?;
        let learned = self.learn(evaluation, findings, &admitted, &mut guest)?;
        let predicted = evaluation
            .timed(Phase::Predict, |evaluation| predict::predict(evaluation, &mut guest, &learned.tensors))?;
        findings.prediction_fuel = Some(predicted.fuel);
        findings.independence = predicted.independence;
        findings.scored = Some(evaluation.timed(Phase::Score, |evaluation| {
            let request = evaluation.request;
            score::score(&request.challenge.challenge, request.data, &predicted.answers, predicted.fuel)
        })?);
        Ok(())
    }

    /// Everything before prediction, in this process whatever the place: what is built on it looks into the guest.
    pub(crate) fn train(&self, evaluation: &mut Evaluation<'_>, findings: &mut Findings) -> Result<Trained, Stop> {
        let admitted = evaluation.timed(Phase::Admit, |evaluation| self.admit(evaluation, findings))?;
        let program = evaluation.timed(Phase::Compile, |evaluation| {
            let compiled = self.compile(evaluation, &admitted, findings)?;
            self.load(evaluation, &compiled)
        })?;
        let mut guest = Guest::Here(Box::new(program));
        let learned = self.learn(evaluation, findings, &admitted, &mut guest)?;
        Ok(Trained { admitted, guest, learned })
    }

    /// Training and the count of what it left.
    fn learn(
        &self,
        evaluation: &mut Evaluation<'_>,
        findings: &mut Findings,
        admitted: &Admitted,
        guest: &mut Guest,
    ) -> Result<Learned, Stop> {
        evaluation.session.clock.start();
        findings.training = Training::Started;
        let learned = evaluation.timed(Phase::Learn, |evaluation| guest.learn(evaluation))?;
        findings.training = Training::Returned(learned.metered.fuel);
        evaluation.timed(Phase::Count, |evaluation| {
            let limits = evaluation.limits();
            let bytes = admitted.facts.counted_bytes;
            let parameters = count::count(&learned.tensors, bytes, limits, admitted.declared)?;
            count::judge(findings.parameters.insert(parameters))?;
            // In an official run it would be a message of the guest's, 32 bytes long.
            findings.parameters_digest =
                (evaluation.mode() == Mode::Validation).then(|| parameters_digest(&learned.tensors));
            Ok::<_, Stop>(())
        })?;
        Ok(learned)
    }

    /// The result of an evaluation that has ended.
    pub(crate) fn report(
        &self,
        evaluation: Evaluation<'_>,
        findings: Findings,
        end: Result<(), Stop>,
        started_at: SystemTime,
    ) -> EvaluationResult {
        report::report(evaluation, findings, end, started_at, &self.engine_hash)
    }

    fn admit(&self, evaluation: &mut Evaluation<'_>, findings: &mut Findings) -> Result<Admitted, Stop> {
        let package = admit::read(evaluation.request.submission)?;
        evaluation.component = package.component_digest;
        findings.submission = Some(admit::reference(&package));
        let admitted = admit::admit(package, evaluation.limits())?;
        // What is over the limit before it has run need not run.
        let embedded = admitted.embedded(evaluation.limits());
        if let Some(parameters) = embedded.filter(|parameters| parameters.counted > parameters.limit) {
            count::judge(findings.parameters.insert(parameters))?;
        }
        Ok(admitted)
    }

    fn compile(
        &self,
        evaluation: &mut Evaluation<'_>,
        admitted: &Admitted,
        findings: &mut Findings,
    ) -> Result<Artifact, Stop> {
        let (package, clock) = (&admitted.package, &evaluation.session.clock);
        let compiled = if self.compiles_here {
            compile_here(&self.official.engine, &package.component)?
        } else {
            self.children.compile(&package.component, &package.component_digest, &self.engine_hash, clock)?
        };
        findings.compile_cached = Some(compiled.cached);
        Ok(compiled)
    }

    /// Loads machine code into this process.
    fn load(&self, evaluation: &mut Evaluation<'_>, compiled: &Artifact) -> Result<Program, Stop> {
        let machine = match evaluation.mode() {
            Mode::Validation => &self.validation,
            Mode::Official => &self.official,
        };
        evaluation.session.isolation = Some(Isolation::in_process());
        machine.link(&artifact::load(&machine.engine, compiled)?)
    }
}

/// A submission that has been trained and may predict.
pub(crate) struct Trained {
    pub(crate) admitted: Admitted,
    pub(crate) guest: Guest,
    pub(crate) learned: Learned,
}

/// What an evaluation has found out so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) submission: Option<SubmissionRef>,
    pub(crate) compile_cached: Option<bool>,
    pub(crate) training: Training,
    pub(crate) parameters: Option<Parameters>,
    pub(crate) parameters_digest: Option<Digest>,
    pub(crate) prediction_fuel: Option<Fuel>,
    pub(crate) independence: Option<Independence>,
    pub(crate) scored: Option<Scored>,
}

/// How far training got, which decides what is charged for it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Training {
    /// Nothing to charge.
    #[default]
    NotStarted,
    /// Did not return: the whole budget.
    Started,
    /// What it used.
    Returned(Fuel),
}

/// One evaluation under way: what it was asked, and what it leaves behind.
pub(crate) struct Evaluation<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) session: Session<'a>,
    /// The phase that began last.
    pub(crate) phase: Phase,
    pub(crate) seconds: BTreeMap<Phase, f64>,
    component: Digest,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(request: &'a Request<'a>, observer: &'a mut dyn Observer) -> Self {
        let challenge = &request.challenge.challenge;
        let terms = Terms { challenge, mode: request.data.mode, rows: request.data.rows() };
        let clock = Clock::new(challenge.limits.wall_seconds, request.cancel.clone());
        Self {
            request,
            session: Session::new(terms, clock, observer),
            phase: Phase::Admit,
            seconds: BTreeMap::new(),
            component: Digest::of(&[]),
        }
    }

    pub(crate) fn timed<T, E>(&mut self, phase: Phase, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, Stop>
    where
        Stop: From<E>,
    {
        self.phase = phase;
        self.session.observer.event(Event::PhaseStarted(phase));
        let start = Instant::now();
        let outcome = work(self);
        let seconds = start.elapsed().as_secs_f64();
        self.seconds.insert(phase, seconds);
        self.session.observer.event(Event::PhaseFinished { phase, seconds });
        Ok(outcome?)
    }

    pub(crate) fn mode(&self) -> Mode {
        self.request.data.mode
    }

    pub(crate) const fn limits(&self) -> &'a Limits {
        self.session.limits()
    }

    pub(crate) fn row_rule(&self) -> RowRule {
        self.request.challenge.challenge.rows
    }

    pub(crate) fn component(&self) -> Digest {
        self.component
    }

    pub(crate) fn permutation_key(&self) -> &'a [u8; 32] {
        &self.request.data.permutation_key
    }

    pub(crate) fn test_rows(&self) -> usize {
        self.request.data.dataset.split(Split::Test).rows()
    }

    pub(crate) fn training_data(&self) -> TrainingData {
        let dataset = &self.request.data.dataset;
        TrainingData::new(
            &self.request.challenge.challenge,
            dataset.shared(Split::Train),
            dataset.shared(Split::Validation),
        )
    }

    /// The input fields of the test split, in order.
    pub(crate) fn test_inputs(&self) -> Result<Vec<(&'a str, Column<'a>)>, PlatformFault> {
        let table = self.request.data.dataset.split(Split::Test);
        let column = |name: &'a str| {
            let missing = || PlatformFault::Dataset(format!("the split has no field `{name}`"));
            Ok((name, table.column(name).ok_or_else(missing)?))
        };
        self.request.challenge.challenge.inputs().map(|field| column(&field.name)).collect()
    }
}

impl Stop {
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Guest { verdict, .. } => *verdict,
            Self::Platform(_) => Verdict::PlatformFault,
        }
    }
}
