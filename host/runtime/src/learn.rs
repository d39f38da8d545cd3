//! Learn: `solve` in a fresh instance, under the training budget.

use std::sync::Arc;

use thimble_challenge::Verdict;
use thimble_challenge::result::Phase;
use wasmtime::component::Resource;

use crate::contract::{TensorResult, ValuesResult};
use crate::instance::{Instance, Metered, Program};
use crate::loader::{Loader, TrainingData, TrainingSplit};
use crate::profile::Step;
use crate::session::Session;
use crate::stop::{PlatformFault, Stop, classify};

/// What training left behind: the tensors, and nothing else of the instance.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) tensors: Vec<TensorResult>,
    pub(crate) metered: Metered,
}

/// Runs `solve`.
pub(crate) fn learn(session: &mut Session<'_>, program: &Program, training: TrainingData) -> Result<Learned, Stop> {
    let training = Arc::new(training);
    let state = session.host_state("learn", Some(training.clone()), session.recorder());
    let hostcall_bytes = session.parameter_bytes();
    let mut instance = Instance::new(program, state, hostcall_bytes, Phase::Learn, session)?;
    let learned = solve(session, &mut instance, &training);
    if let Err(Stop::Guest { verdict: Verdict::SolutionError, message, .. }) = &learned {
        instance.store.data_mut().journal.error(message);
    }
    session.absorb(instance.store.into_data());
    learned.map_err(Stop::without_guest_text)
}

fn solve(session: &mut Session<'_>, instance: &mut Instance, training: &TrainingData) -> Result<Learned, Stop> {
    let budget = session.training_budget();
    instance.fund(session, Step::Solve, budget)?;
    let description = session.description();
    instance.charge(description.bytes())?;
    let mut loader = |split| -> Result<Resource<Loader>, Stop> {
        let resources = &mut instance.store.data_mut().resources;
        let full = |error: wasmtime::component::ResourceTableError| PlatformFault::Engine(error.to_string());
        Ok(resources.push(Loader::new(training, split)).map_err(full)?)
    };
    let (train, validation) = (loader(TrainingSplit::Train)?, loader(TrainingSplit::Validation)?);
    let (phase, budget) = (instance.phase(), instance.budget());
    let learner = instance.solution.thimble_solution_learner();
    let solved = description.lend(|metadata| {
        session.drive(phase, budget, learner.call_solve(&mut instance.store, train, validation, metadata))
    });
    let tensors = solved.map_err(classify)?.map_err(Stop::solution_error)?;
    instance.charge(tensors.iter().map(tensor_bytes).sum())?;
    Ok(Learned { tensors, metered: instance.metered(session)? })
}

/// Bytes of a tensor that crossed the boundary: values, name and shape.
pub(crate) fn tensor_bytes(tensor: &TensorResult) -> u64 {
    let values = match &tensor.values {
        ValuesResult::F32(values) => values.len() * 4,
        ValuesResult::F64(values) => values.len() * 8,
        ValuesResult::S64(values) => values.len() * 8,
        ValuesResult::S32(values) => values.len() * 4,
        ValuesResult::S8(values) => values.len(),
        ValuesResult::U8(values) => values.len(),
        ValuesResult::Text(values) => values.iter().map(|text| text.len() + 8).sum(),
    };
    (values + tensor.name.len() + tensor.shape.len() * 4) as u64
}
