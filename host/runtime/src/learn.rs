//! Learn: `solve` in a fresh instance, under the training budget.

use std::sync::Arc;

use thimble_challenge::Verdict;
use thimble_challenge::result::Phase;
use thimble_datasets::Split;
use wasmtime::component::Resource;

use crate::contract::{TensorResult, ValuesResult};
use crate::evaluate::Evaluation;
use crate::instance::{Instance, Metered, Program};
use crate::loader::{Loader, TrainingData};
use crate::profile::Step;
use crate::stop::{PlatformFault, Stop, classify};

/// What training left behind: the tensors, and nothing else of the instance.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) tensors: Vec<TensorResult>,
    pub(crate) metered: Metered,
}

/// Runs `solve`.
pub(crate) fn learn(evaluation: &mut Evaluation<'_>, program: &Program) -> Result<Learned, Stop> {
    let training = Arc::new(evaluation.training_data());
    let state = evaluation.host_state("learn", Some(training.clone()), evaluation.recorder());
    let hostcall_bytes = evaluation.parameter_bytes();
    let mut instance = Instance::new(program, state, hostcall_bytes, Phase::Learn, evaluation)?;
    let learned = solve(evaluation, &mut instance, &training);
    if let Err(Stop::Guest { verdict: Verdict::SolutionError, message, .. }) = &learned {
        instance.store.data_mut().journal.error(message);
    }
    evaluation.absorb(instance.store.into_data());
    learned.map_err(Stop::without_guest_text)
}

fn solve(evaluation: &mut Evaluation<'_>, instance: &mut Instance, training: &TrainingData) -> Result<Learned, Stop> {
    let budget = evaluation.training_budget();
    instance.fund(evaluation, Step::Solve, budget)?;
    let description = evaluation.description();
    instance.charge(description.bytes())?;
    let mut loader = |split| -> Result<Resource<Loader>, Stop> {
        let resources = &mut instance.store.data_mut().resources;
        let full = |error: wasmtime::component::ResourceTableError| PlatformFault::Engine(error.to_string());
        Ok(resources.push(Loader::new(training, split)).map_err(full)?)
    };
    let (train, validation) = (loader(Split::Train)?, loader(Split::Validation)?);
    let (phase, budget) = (instance.phase(), instance.budget());
    let learner = instance.solution.thimble_solution_learner();
    let solved = description.lend(|metadata| {
        evaluation.drive(phase, budget, learner.call_solve(&mut instance.store, train, validation, metadata))
    });
    let tensors = solved.map_err(classify)?.map_err(Stop::solution_error)?;
    instance.charge(tensors.iter().map(tensor_bytes).sum())?;
    Ok(Learned { tensors, metered: instance.metered(evaluation)? })
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
