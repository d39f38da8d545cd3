//! The evaluation: admit, compile, learn, count, predict, score, report, in this order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Instant, SystemTime};

use thimble_challenge::challenge::{Limits, RowRule};
use thimble_challenge::result::{EvaluationResult, Independence, Journal, Mode, Parameters, Phase, SubmissionRef};
use thimble_challenge::units::{INSTANTIATION_FUEL, MAX_FUEL};
use thimble_challenge::{Fuel, LoadedChallenge, Verdict};
use thimble_datasets::{Column, Digest, Split};
use thimble_kernels::Workspace;
use thimble_scoring::OutputSchema;
use wasmtime::component::ResourceTable;

use crate::admit::{self, Admitted};
use crate::artifact;
use crate::bind::BoundData;
use crate::clock::Clock;
use crate::compile::Compiler;
use crate::count;
use crate::digest::parameters_digest;
use crate::engine::engine_hash;
use crate::instance::Program;
use crate::journal::{self, Entry, Recorder};
use crate::learn::{self, Learned};
use crate::limiter::Limiter;
use crate::loader::TrainingData;
use crate::machine::Machine;
use crate::observe::{Event, Observer};
use crate::order::guest_random;
use crate::predict;
use crate::profile::FuelLeft;
use crate::report;
use crate::score::{self, Scored};
use crate::state::{HostFuel, HostState};
use crate::stop::{PlatformFault, Stop};
use crate::task::Description;

/// Bytes of names, shapes, text, lists of handles, and values of a matrix that one call may hand over.
const ABI_SLACK_BYTES: u64 = 1 << 20;

/// Runs evaluations. Engines and linkers are made once; every evaluation has stores of its own.
#[derive(Debug)]
pub struct Runner {
    compiler: Compiler,
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
    pub fn new(compiler: Compiler) -> Result<Self, PlatformFault> {
        let fault = |error: wasmtime::Error| PlatformFault::Engine(format!("{error:#}"));
        let (validation, official) =
            (Machine::new(Mode::Validation).map_err(fault)?, Machine::new(Mode::Official).map_err(fault)?);
        let engine_hash = engine_hash(&official.engine);
        Ok(Self { compiler, validation, official, engine_hash })
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
        let Trained { program, learned, .. } = self.train(evaluation, findings)?;
        let predicted =
            evaluation.timed(Phase::Predict, |evaluation| predict::predict(evaluation, &program, &learned.tensors))?;
        findings.prediction_fuel = Some(predicted.fuel);
        findings.independence = predicted.independence;
        findings.scored = Some(evaluation.timed(Phase::Score, |evaluation| {
            let request = evaluation.request;
            score::score(&request.challenge.challenge, &request.data.dataset, &predicted.answers, predicted.fuel)
        })?);
        Ok(())
    }

    /// Everything before prediction.
    pub(crate) fn train(&self, evaluation: &mut Evaluation<'_>, findings: &mut Findings) -> Result<Trained, Stop> {
        let admitted = evaluation.timed(Phase::Admit, |evaluation| self.admit(evaluation, findings))?;
        let program = evaluation.timed(Phase::Compile, |evaluation| self.compile(evaluation, &admitted, findings))?;
        evaluation.clock.start();
        findings.training = Training::Started;
        let learned = evaluation.timed(Phase::Learn, |evaluation| learn::learn(evaluation, &program))?;
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
        Ok(Trained { admitted, program, learned })
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
    ) -> Result<Program, Stop> {
        let machine = match evaluation.mode() {
            Mode::Validation => &self.validation,
            Mode::Official => &self.official,
        };
        let (package, clock) = (&admitted.package, &evaluation.clock);
        let compiled =
            self.compiler.compile(&package.component, &package.component_digest, &self.engine_hash, clock)?;
        findings.compile_cached = Some(compiled.cached);
        let component = artifact::load(&machine.engine, &compiled)?;
        machine.link(&component)
    }
}

/// A submission that has been trained and may predict.
pub(crate) struct Trained {
    pub(crate) admitted: Admitted,
    pub(crate) program: Program,
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

/// One evaluation under way: what it was asked, its clock, and what it leaves behind.
pub(crate) struct Evaluation<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) clock: Clock,
    pub(crate) observer: &'a mut dyn Observer,
    /// The phase that began last.
    pub(crate) phase: Phase,
    pub(crate) seconds: BTreeMap<Phase, f64>,
    pub(crate) peak_memory: Option<u64>,
    pub(crate) journal: Option<Journal>,
    fuel_left: FuelLeft,
    description: Arc<Description>,
    outputs: Arc<OutputSchema>,
    component: Digest,
    journal_sender: Sender<Entry>,
    journal_receiver: Receiver<Entry>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(request: &'a Request<'a>, observer: &'a mut dyn Observer) -> Self {
        let challenge = &request.challenge.challenge;
        let (journal_sender, journal_receiver) = channel();
        Self {
            request,
            clock: Clock::new(challenge.limits.wall_seconds, request.cancel.clone()),
            observer,
            phase: Phase::Admit,
            seconds: BTreeMap::new(),
            peak_memory: None,
            journal: None,
            fuel_left: FuelLeft::Meter,
            description: Arc::new(Description::new(challenge, &request.data.dataset)),
            outputs: Arc::new(OutputSchema::new(&challenge.task, &challenge.fields, challenge.metrics())),
            component: Digest::of(&[]),
            journal_sender,
            journal_receiver,
        }
    }

    pub(crate) fn timed<T, E>(&mut self, phase: Phase, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, Stop>
    where
        Stop: From<E>,
    {
        self.phase = phase;
        self.observer.event(Event::PhaseStarted(phase));
        let start = Instant::now();
        let outcome = work(self);
        let seconds = start.elapsed().as_secs_f64();
        self.seconds.insert(phase, seconds);
        self.observer.event(Event::PhaseFinished { phase, seconds });
        Ok(outcome?)
    }

    /// What keeps the guest's words in this run.
    pub(crate) fn recorder(&self) -> Recorder {
        if self.is_replay() {
            return Recorder::deaf();
        }
        Recorder::new(self.mode(), self.journal_sender.clone())
    }

    /// The host's side of a new instance. Nothing in it comes from an instance before.
    pub(crate) fn host_state(&self, stream: &str, training: Option<Arc<TrainingData>>, journal: Recorder) -> HostState {
        let challenge = &self.request.challenge.challenge;
        let memory = usize::try_from(challenge.limits.memory_bytes).unwrap_or(usize::MAX);
        // Only a learner may ask.
        let fuel_left = if training.is_some() { self.fuel_left.clone() } else { FuelLeft::Meter };
        HostState {
            limiter: Limiter::new(memory),
            resources: ResourceTable::new(),
            clock: self.clock.clone(),
            journal,
            random: guest_random(challenge.seed, stream),
            workspace: Workspace::default(),
            training,
            host_fuel: HostFuel::default(),
            fuel_left,
            tracer: None,
        }
    }

    /// From now on, answers of `fuel-left` are kept for replays.
    pub(crate) fn record_answers(&mut self) {
        self.fuel_left = FuelLeft::Recorded(Vec::new());
    }

    /// From now on, what ran is run again under other prices: it gets the answers that it got, tells nobody anything, and
    /// since it has ended once, it has no deadline.
    pub(crate) fn replay(&mut self) {
        self.fuel_left = std::mem::take(&mut self.fuel_left).replayed();
        self.clock.stop();
    }

    pub(crate) const fn is_replay(&self) -> bool {
        matches!(self.fuel_left, FuelLeft::Replayed(_))
    }

    /// Takes over what an instance leaves behind.
    pub(crate) fn absorb(&mut self, state: HostState) {
        self.pass_on_journal();
        let memory = state.limiter.peak_memory() as u64;
        self.peak_memory = Some(self.peak_memory.map_or(memory, |peak| peak.max(memory)));
        journal::append(&mut self.journal, state.journal.into_journal());
        if let FuelLeft::Recorded(_) = state.fuel_left {
            self.fuel_left = state.fuel_left;
        }
    }

    /// Shows the observer what the guest has said since last time.
    pub(crate) fn pass_on_journal(&mut self) {
        while let Ok(entry) = self.journal_receiver.try_recv() {
            match &entry {
                Entry::Log(text) => self.observer.event(Event::Log(text)),
                Entry::Curve { series, step, value } => {
                    self.observer.event(Event::Curve { series, step: *step, value: *value });
                }
            }
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.request.data.mode
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        &self.request.challenge.challenge.limits
    }

    pub(crate) fn row_rule(&self) -> RowRule {
        self.request.challenge.challenge.rows
    }

    pub(crate) fn description(&self) -> Arc<Description> {
        self.description.clone()
    }

    pub(crate) fn component(&self) -> Digest {
        self.component
    }

    pub(crate) fn permutation_key(&self) -> &'a [u8; 32] {
        &self.request.data.permutation_key
    }

    pub(crate) fn rows(&self, split: Split) -> usize {
        self.request.data.dataset.split(split).rows()
    }

    /// What predictions must be.
    pub(crate) fn outputs(&self) -> Arc<OutputSchema> {
        self.outputs.clone()
    }

    pub(crate) fn batch_size(&self) -> usize {
        self.limits().batch_size as usize
    }

    pub(crate) fn training_data(&self) -> TrainingData {
        let challenge = &self.request.challenge.challenge;
        TrainingData {
            dataset: self.request.data.dataset.clone(),
            inputs: challenge.inputs().map(|field| field.name.clone()).collect(),
            targets: challenge.targets().map(|field| field.name.clone()).collect(),
            batch_size: self.batch_size(),
            seed: challenge.seed,
        }
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

    pub(crate) fn training_budget(&self) -> Fuel {
        self.limits().training_flops.fuel()
    }

    /// Of instantiation and `solve` together.
    pub(crate) fn whole_training_budget(&self) -> Fuel {
        Fuel((self.training_budget().0 + INSTANTIATION_FUEL.0).min(MAX_FUEL.0))
    }

    /// The whole split's, also for a part of it: what a model does once must fit in either.
    pub(crate) fn prediction_budget(&self) -> Result<Fuel, PlatformFault> {
        let rows = self.rows(Split::Test);
        let too_many = || PlatformFault::Dataset(format!("{rows} test rows have no budget"));
        self.limits().prediction_fuel(rows as u64).ok_or_else(too_many)
    }

    /// Bytes that `solve` may hand over at once: four times the bytes of the largest legal parameters, so that being over
    /// the limit is found by counting them.
    pub(crate) fn parameter_bytes(&self) -> usize {
        let bytes = self.limits().parameters.0.saturating_mul(16).saturating_add(ABI_SLACK_BYTES);
        self.at_most_memory(bytes)
    }

    /// More than a guest's memory can only be the same bytes handed over again and again.
    fn at_most_memory(&self, bytes: u64) -> usize {
        let bytes = bytes.min(self.limits().memory_bytes.saturating_add(ABI_SLACK_BYTES));
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Bytes that `predict` may hand over at once: eight times what is asked for, so that a wrong shape is named.
    pub(crate) fn prediction_bytes(&self, batch_size: usize) -> usize {
        let bytes = (batch_size as u64).saturating_mul(self.outputs.row_bytes());
        self.at_most_memory(bytes.saturating_mul(8).saturating_add(ABI_SLACK_BYTES))
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
