//! Where guest calls run: in this process, or in children of it.

use crate::boxed::{Boxed, RemotePredictor};
use crate::contract::TensorResult;
use crate::evaluate::Evaluation;
use crate::instance::{Metered, Program};
use crate::journal::Recorder;
use crate::learn::{self, Learned};
use crate::predictor::{Inputs, Predictor};
use crate::session::Session;
use crate::stop::Stop;

/// A compiled and linked submission, ready to be called.
pub(crate) enum Guest {
    /// In this process: an escape from the engine is an escape to the host.
    Here(Box<Program>),
    /// In child processes that can open nothing.
    Boxed(Box<Boxed>),
}

/// One instance of it that predicts.
pub(crate) enum GuestPredictor<'a> {
    Here(Box<Predictor>),
    Boxed(RemotePredictor<'a>),
}

impl Guest {
    /// Runs `solve`.
    pub(crate) fn learn(&mut self, evaluation: &mut Evaluation<'_>) -> Result<Learned, Stop> {
        match self {
            Self::Here(program) => {
                let training = evaluation.training_data();
                learn::learn(&mut evaluation.session, program, training)
            }
            Self::Boxed(boxed) => boxed.learn(&mut evaluation.session),
        }
    }

    /// Makes an instance for batches of at most `batch_size` rows. `heard`: whether the guest's words are kept.
    pub(crate) fn predictor(
        &mut self,
        session: &mut Session<'_>,
        batch_size: usize,
        heard: bool,
    ) -> Result<GuestPredictor<'_>, Stop> {
        match self {
            Self::Here(program) => {
                let journal = if heard { session.recorder() } else { Recorder::deaf() };
                Predictor::new(session, program, journal, batch_size).map(Box::new).map(GuestPredictor::Here)
            }
            Self::Boxed(boxed) => boxed.predictor(session, batch_size, heard).map(GuestPredictor::Boxed),
        }
    }
}

impl GuestPredictor<'_> {
    pub(crate) fn load(&mut self, session: &mut Session<'_>, parameters: &[TensorResult]) -> Result<(), Stop> {
        match self {
            Self::Here(predictor) => predictor.load(session, parameters),
            Self::Boxed(predictor) => predictor.load(session, parameters),
        }
    }

    pub(crate) fn predict(&mut self, session: &mut Session<'_>, inputs: &Inputs) -> Result<Vec<TensorResult>, Stop> {
        match self {
            Self::Here(predictor) => predictor.predict(session, inputs),
            Self::Boxed(predictor) => predictor.predict(session, inputs),
        }
    }

    pub(crate) fn end(&mut self, session: &mut Session<'_>) -> Result<Metered, Stop> {
        match self {
            Self::Here(predictor) => predictor.end(session),
            Self::Boxed(predictor) => predictor.end(session),
        }
    }

    /// Leaves to the session what the host held for the instance. `stop` is what ended it, if it did not end well.
    pub(crate) fn leave(self, session: &mut Session<'_>, stop: Option<&Stop>) -> Result<(), Stop> {
        match self {
            Self::Here(predictor) => {
                predictor.leave(session, stop);
                Ok(())
            }
            Self::Boxed(predictor) => predictor.leave(session, stop),
        }
    }
}
