//! One instance that predicts: `load`, then `predict` batch by batch, then its end.

use thimble_challenge::Verdict;
use thimble_challenge::result::Phase;
use wasmtime::component::ResourceAny;

use crate::contract::{TensorParam, TensorResult, ValuesParam, ValuesResult};
use crate::instance::{Instance, Metered, Program};
use crate::journal::Recorder;
use crate::learn::tensor_bytes;
use crate::profile::Step;
use crate::session::Session;
use crate::stop::{PlatformFault, Stop, classify};

/// A batch of test inputs.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub(crate) tensors: Vec<TensorResult>,
    /// What is charged for them.
    pub(crate) bytes: u64,
}

/// An instance in this process.
pub(crate) struct Predictor {
    instance: Instance,
    /// `None` before `load` and after the end.
    model: Option<ResourceAny>,
}

impl Predictor {
    /// Instantiates, for batches of at most `batch_size` rows.
    pub(crate) fn new(
        session: &mut Session<'_>,
        program: &Program,
        journal: Recorder,
        batch_size: usize,
    ) -> Result<Self, Stop> {
        let state = session.host_state("predict", None, journal);
        let hostcall_bytes = session.prediction_bytes(batch_size);
        let instance = Instance::new(program, state, hostcall_bytes, Phase::Predict, session)?;
        Ok(Self { instance, model: None })
    }

    /// Gives the guest its parameters, and the budget of prediction.
    pub(crate) fn load(&mut self, session: &mut Session<'_>, parameters: &[TensorResult]) -> Result<(), Stop> {
        let instance = &mut self.instance;
        let budget = session.limits().load_fuel();
        instance.fund(session, Step::Load, budget)?;
        let description = session.description();
        instance.charge(parameters.iter().map(tensor_bytes).sum::<u64>() + description.bytes())?;
        // The count refuses parameters of text; an empty list is what is left to say.
        let lent: Vec<_> = parameters.iter().map(|tensor| lend(tensor, &[])).collect();
        let (phase, budget) = (instance.phase(), instance.budget());
        let model = instance.solution.thimble_solution_predictor().model();
        let loaded = description
            .lend(|metadata| session.drive(phase, budget, model.call_load(&mut instance.store, &lent, metadata)));
        self.model = Some(loaded.map_err(classify)?.map_err(Stop::solution_error)?);
        let budget = session.prediction_budget()?;
        instance.fund(session, Step::Predict, budget)
    }

    /// What the guest says of a batch, as it said it.
    pub(crate) fn predict(&mut self, session: &mut Session<'_>, inputs: &Inputs) -> Result<Vec<TensorResult>, Stop> {
        let model = self.model.ok_or_else(not_loaded)?;
        let instance = &mut self.instance;
        let texts: Vec<Vec<&str>> = inputs.tensors.iter().map(|tensor| texts(&tensor.values)).collect();
        let lent: Vec<_> = inputs.tensors.iter().zip(&texts).map(|(tensor, texts)| lend(tensor, texts)).collect();
        instance.charge(inputs.bytes)?;
        let (phase, budget) = (instance.phase(), instance.budget());
        let predictor = instance.solution.thimble_solution_predictor().model();
        let call = predictor.call_predict(&mut instance.store, model, &lent);
        let outputs = session.drive(phase, budget, call).map_err(classify)?.map_err(Stop::solution_error)?;
        instance.charge(outputs.iter().map(tensor_bytes).sum())?;
        Ok(outputs)
    }

    /// Drops the model: the last thing that is metered.
    pub(crate) fn end(&mut self, session: &mut Session<'_>) -> Result<Metered, Stop> {
        let model = self.model.take().ok_or_else(not_loaded)?;
        let (phase, budget) = (self.instance.phase(), self.instance.budget());
        session.drive(phase, budget, model.resource_drop_async(&mut self.instance.store)).map_err(classify)?;
        self.instance.metered(session)
    }

    /// Leaves what the host held to the session, with the guest's words where they ended it.
    pub(crate) fn leave(mut self, session: &mut Session<'_>, stop: Option<&Stop>) {
        if let Some(Stop::Guest { verdict: Verdict::SolutionError, message, .. }) = stop {
            self.instance.store.data_mut().journal.error(message);
        }
        session.absorb(self.instance.store.into_data());
    }
}

fn not_loaded() -> Stop {
    Stop::Platform(PlatformFault::Engine("a predictor was used before its parameters were loaded".to_owned()))
}

/// The tensor as an argument: no value is copied on the host's side. `texts` are its own, which cannot be lent as they are.
fn lend<'a>(tensor: &'a TensorResult, texts: &'a [&'a str]) -> TensorParam<'a> {
    let values = match &tensor.values {
        ValuesResult::F32(values) => ValuesParam::F32(values),
        ValuesResult::F64(values) => ValuesParam::F64(values),
        ValuesResult::S64(values) => ValuesParam::S64(values),
        ValuesResult::S32(values) => ValuesParam::S32(values),
        ValuesResult::S8(values) => ValuesParam::S8(values),
        ValuesResult::U8(values) => ValuesParam::U8(values),
        ValuesResult::Text(_) => ValuesParam::Text(texts),
    };
    TensorParam { name: &tensor.name, shape: &tensor.shape, values }
}

fn texts(values: &ValuesResult) -> Vec<&str> {
    match values {
        ValuesResult::Text(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}
