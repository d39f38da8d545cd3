//! A guest's side of an evaluation: what its run is told and held to, and what it leaves behind.
//!
//! A session needs no dataset and no submission, so a process that runs guests can hold one and nothing else.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use thimble_challenge::challenge::Limits;
use thimble_challenge::result::{Isolation, Journal, Mode};
use thimble_challenge::units::{INSTANTIATION_FUEL, MAX_FUEL};
use thimble_challenge::{Challenge, Fuel};
use thimble_kernels::Workspace;
use thimble_scoring::OutputSchema;
use wasmtime::component::ResourceTable;

use crate::clock::Clock;
use crate::journal::{self, Entry, Recorder};
use crate::limiter::Limiter;
use crate::loader::TrainingData;
use crate::observe::{Event, Observer};
use crate::order::guest_random;
use crate::profile::FuelLeft;
use crate::state::{HostFuel, HostState};
use crate::stop::PlatformFault;
use crate::task::Description;

/// Bytes of names, shapes, text, lists of handles, and values of a matrix that one call may hand over.
const ABI_SLACK_BYTES: u64 = 1 << 20;

/// What a run is told and held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    pub(crate) challenge: &'a Challenge,
    pub(crate) mode: Mode,
    /// Rows of the training, validation and test split.
    pub(crate) rows: [u64; 3],
}

/// One evaluation as its guest's instances see it.
pub(crate) struct Session<'a> {
    pub(crate) terms: Terms<'a>,
    pub(crate) clock: Clock,
    pub(crate) observer: &'a mut dyn Observer,
    pub(crate) left: Left,
    /// `None` before a guest was loaded anywhere.
    pub(crate) isolation: Option<Isolation>,
    fuel_left: FuelLeft,
    description: Arc<Description>,
    outputs: Arc<OutputSchema>,
    journal_sender: Sender<Entry>,
    journal_receiver: Receiver<Entry>,
}

/// What instances leave behind beside their answers.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Left {
    /// The largest sum of memories and matrices of any instance, in bytes.
    pub(crate) peak_memory: Option<u64>,
    pub(crate) journal: Option<Journal>,
}

impl Left {
    /// Adds what later instances left.
    pub(crate) fn absorb(&mut self, later: Self) {
        self.peak_memory = self.peak_memory.max(later.peak_memory);
        journal::append(&mut self.journal, later.journal);
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(terms: Terms<'a>, clock: Clock, observer: &'a mut dyn Observer) -> Self {
        let challenge = terms.challenge;
        let (journal_sender, journal_receiver) = channel();
        Self {
            terms,
            clock,
            observer,
            left: Left::default(),
            isolation: None,
            fuel_left: FuelLeft::Meter,
            description: Arc::new(Description::new(challenge, terms.rows)),
            outputs: Arc::new(OutputSchema::new(&challenge.task, &challenge.fields, challenge.metrics())),
            journal_sender,
            journal_receiver,
        }
    }

    /// What keeps the guest's words in this run.
    pub(crate) fn recorder(&self) -> Recorder {
        if self.is_replay() {
            return Recorder::deaf();
        }
        Recorder::new(self.terms.mode, self.journal_sender.clone())
    }

    /// The host's side of a new instance. Nothing in it comes from an instance before.
    pub(crate) fn host_state(&self, stream: &str, training: Option<Arc<TrainingData>>, journal: Recorder) -> HostState {
        let challenge = self.terms.challenge;
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
        let peak_memory = Some(state.limiter.peak_memory() as u64);
        self.left.absorb(Left { peak_memory, journal: state.journal.into_journal() });
        if let FuelLeft::Recorded(_) = state.fuel_left {
            self.fuel_left = state.fuel_left;
        }
    }

    /// Takes over what instances in a child left behind, as far as any may.
    pub(crate) fn absorb_of_child(&mut self, mut left: Left) -> Result<(), PlatformFault> {
        if let Some(journal) = &left.journal {
            journal::check(journal)?;
        }
        if self.terms.mode == Mode::Official {
            left.journal = None;
        }
        self.left.absorb(left);
        Ok(())
    }

    /// A child has closed its box: the layers that hold are those that hold in every child.
    pub(crate) fn closed(&mut self, layers: Vec<String>) {
        let isolation = self.isolation.get_or_insert_with(|| Isolation::process(layers.clone()));
        isolation.layers.retain(|layer| layers.contains(layer));
    }

    /// How much memory a child has had; `None` if that is not known.
    pub(crate) fn measured(&mut self, bytes: Option<u64>) {
        if let Some(isolation) = &mut self.isolation {
            isolation.peak_process_bytes = isolation.peak_process_bytes.max(bytes);
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

    pub(crate) const fn limits(&self) -> &'a Limits {
        &self.terms.challenge.limits
    }

    pub(crate) fn description(&self) -> Arc<Description> {
        self.description.clone()
    }

    /// What predictions must be.
    pub(crate) fn outputs(&self) -> Arc<OutputSchema> {
        self.outputs.clone()
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
        let [_, _, rows] = self.terms.rows;
        let too_many = || PlatformFault::Dataset(format!("{rows} test rows have no budget"));
        self.limits().prediction_fuel(rows).ok_or_else(too_many)
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
