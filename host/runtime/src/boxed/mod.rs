//! Guest calls in child processes that can open nothing.
//!
//! A child runs one phase: the learner has the training data as open descriptors and never sees a test row; the predictor has
//! counted parameters and one batch of test inputs at a time, in the order of the operator's secret, and never sees a label.
//! What they could reach if the engine failed them is therefore what their guest may know anyway. A child closes its box
//! (`thimble-sandbox`) before it reads its first message, has no compiler, and after it has loaded the code it can make no
//! memory executable. Compilation is another child's, counting and scoring are this process's.

mod child;
mod message;
mod remote;
mod settings;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::RawFd;

use thimble_datasets::Split;
use thimble_sandbox::Policy;

pub use child::{run_child, run_escaping_child};

use crate::compile::Children;
use crate::contract::TensorResult;
use crate::evaluate::Evaluation;
use crate::instance::Metered;
use crate::learn::Learned;
use crate::predictor::Inputs;
use crate::session::Session;
use crate::stop::{PlatformFault, Stop};
use message::{Command, Job, Reply, TrainingFiles, metered, received, sent};
use remote::Remote;
use settings::Settings;

/// The word after the command of children that makes one run [`run_child`].
const RUN: &str = "run";
/// Where a learner finds the files of its splits.
const TRAINING_DESCRIPTORS: [RawFd; 2] = [3, 4];

/// How children are started.
#[derive(Debug, Clone)]
struct Starter {
    command: Vec<OsString>,
    policy: Policy,
}

/// A compiled submission and the children that run it.
pub(crate) struct Boxed {
    starter: Starter,
    artifact: Vec<u8>,
    /// Until it was used.
    learner: Option<Remote>,
    /// The predictor's child from learning on, which has no code yet: starting it takes no time of the evaluation so.
    waiting: Option<Remote>,
    /// From the first use on.
    predictor: Option<Remote>,
}

impl Boxed {
    /// Starts the learner's child, which finds out whether the component fits the contract.
    pub(crate) fn start(children: &Children, evaluation: &mut Evaluation<'_>, artifact: Vec<u8>) -> Result<Self, Stop> {
        let starter = Starter { command: children.command.clone(), policy: children.policy.clone() };
        let dataset = evaluation.request.data.dataset();
        let files = [Split::Train, Split::Validation].map(|split| file(dataset.split(split).file()));
        let [train, validation] = files;
        let (train, validation) = (train?, validation?);
        let lengths = [length(&train)?, length(&validation)?];
        let file_bytes = lengths.iter().fold(0, |sum: u64, length| sum.saturating_add(*length));
        let training = TrainingFiles { fields: dataset.metadataset().fields.clone(), lengths };
        let session = &mut evaluation.session;
        let (job, settings) =
            (job(session, Some(training)), settings(session, &starter.policy, &artifact, Some(file_bytes)));
        let mut learner = Remote::start(&starter.command, session, &settings, vec![train, validation])?;
        learner.load(session, &job, &artifact)?;
        Ok(Self { starter, artifact, learner: Some(learner), waiting: None, predictor: None })
    }

    /// Runs `solve`, and ends the learner's child.
    pub(crate) fn learn(&mut self, session: &mut Session<'_>) -> Result<Learned, Stop> {
        let mut learner = self.learner.take().ok_or_else(|| fault("a submission learns once"))?;
        self.waiting = Some(self.start_predictor(session)?);
        let command = Command::Learn { wall_millis: millis(session) };
        let outcome = learner.call(session, &command, session.parameter_bytes());
        session.measured(learner.peak_memory());
        match outcome? {
            Reply::Learned { tensors, fuel, left } => {
                session.absorb_of_child(left)?;
                Ok(Learned { tensors: received(tensors)?, metered: metered(fuel)? })
            }
            other => Err(other.out_of_turn()),
        }
    }

    fn start_predictor(&self, session: &Session<'_>) -> Result<Remote, Stop> {
        let settings = settings(session, &self.starter.policy, &self.artifact, None);
        Remote::start(&self.starter.command, session, &settings, Vec::new())
    }

    /// Makes an instance for batches of at most `batch_size` rows, in a child that serves all instances one after the other.
    pub(crate) fn predictor(
        &mut self,
        session: &mut Session<'_>,
        batch_size: usize,
        heard: bool,
    ) -> Result<RemotePredictor<'_>, Stop> {
        // Until the instance was left in good order: one that was not is not used again.
        let mut remote = match self.predictor.take() {
            Some(remote) => remote,
            None => {
                let mut remote = match self.waiting.take() {
                    Some(remote) => remote,
                    None => self.start_predictor(session)?,
                };
                let job = job(session, None);
                remote.load(session, &job, &self.artifact)?;
                remote
            }
        };
        let answer_bytes = session.prediction_bytes(batch_size);
        let batch_size = u32::try_from(batch_size).unwrap_or(u32::MAX);
        let command = Command::Predictor { batch_size, heard, wall_millis: millis(session) };
        match remote.call(session, &command, 0) {
            Ok(Reply::Done) => Ok(RemotePredictor { home: &mut self.predictor, remote, answer_bytes, stopped: false }),
            Ok(other) => Err(other.out_of_turn()),
            Err(stop) => {
                session.measured(remote.peak_memory());
                // The guest's instance did not come to be; the child is as before.
                if matches!(stop, Stop::Guest { .. }) {
                    self.predictor = Some(remote);
                }
                Err(stop)
            }
        }
    }
}

/// An instance in a child.
pub(crate) struct RemotePredictor<'a> {
    /// Where the child goes when this instance is left.
    home: &'a mut Option<Remote>,
    remote: Remote,
    answer_bytes: usize,
    /// Whether the child has given the instance up.
    stopped: bool,
}

impl RemotePredictor<'_> {
    pub(crate) fn load(&mut self, session: &mut Session<'_>, parameters: &[TensorResult]) -> Result<(), Stop> {
        match self.call(session, &Command::Load { parameters: sent(parameters) }, 0)? {
            Reply::Done => Ok(()),
            other => Err(other.out_of_turn()),
        }
    }

    pub(crate) fn predict(&mut self, session: &mut Session<'_>, inputs: &Inputs) -> Result<Vec<TensorResult>, Stop> {
        let command = Command::Predict { inputs: sent(&inputs.tensors), bytes: inputs.bytes };
        match self.call(session, &command, self.answer_bytes)? {
            Reply::Outputs { tensors } => Ok(received(tensors)?),
            other => Err(other.out_of_turn()),
        }
    }

    pub(crate) fn end(&mut self, session: &mut Session<'_>) -> Result<Metered, Stop> {
        match self.call(session, &Command::End, 0)? {
            Reply::Ended { fuel } => Ok(metered(fuel)?),
            other => Err(other.out_of_turn()),
        }
    }

    pub(crate) fn leave(mut self, session: &mut Session<'_>, stop: Option<&Stop>) -> Result<(), Stop> {
        if !matches!(stop, Some(Stop::Platform(_))) && !self.stopped {
            match self.call(session, &Command::Leave, 0)? {
                Reply::Left(left) => session.absorb_of_child(left)?,
                other => return Err(other.out_of_turn()),
            }
        }
        session.measured(self.remote.peak_memory());
        if !matches!(stop, Some(Stop::Platform(_))) {
            *self.home = Some(self.remote);
        }
        Ok(())
    }

    fn call(&mut self, session: &mut Session<'_>, command: &Command, answer_bytes: usize) -> Result<Reply, Stop> {
        let outcome = self.remote.call(session, command, answer_bytes);
        self.stopped |= outcome.is_err();
        outcome
    }
}

fn job(session: &Session<'_>, training: Option<TrainingFiles>) -> Job {
    Job { challenge: session.terms.challenge.clone(), rows: session.terms.rows, training }
}

fn settings(session: &Session<'_>, policy: &Policy, artifact: &[u8], file_bytes: Option<u64>) -> Settings {
    let limits = session.limits();
    let bounds = (limits.memory_bytes, limits.wall_seconds);
    Settings::new(session.terms.mode, policy, bounds, artifact.len() as u64, file_bytes)
}

/// A descriptor of its own for a child.
fn file(file: Option<&File>) -> Result<File, PlatformFault> {
    let file = file.ok_or_else(|| PlatformFault::Dataset("a split is in no file".to_owned()))?;
    file.try_clone().map_err(|error| PlatformFault::Dataset(error.to_string()))
}

fn length(file: &File) -> Result<u64, PlatformFault> {
    file.metadata().map(|metadata| metadata.len()).map_err(|error| PlatformFault::Dataset(error.to_string()))
}

fn millis(session: &Session<'_>) -> u64 {
    u64::try_from(session.clock.left().as_millis()).unwrap_or(u64::MAX)
}

fn fault(what: &str) -> Stop {
    Stop::Platform(PlatformFault::Sandbox(what.to_owned()))
}
