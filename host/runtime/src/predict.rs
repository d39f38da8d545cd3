//! Predict: `load` and `predict` in a fresh instance that is given the tensors and test inputs, and nothing else.

use thimble_challenge::challenge::RowRule;
use thimble_challenge::result::{Independence, Phase};
use thimble_challenge::{Fuel, Verdict};
use thimble_datasets::{ColumnValues, Split};
use thimble_scoring::{Agreement, Output, OutputError, Predictions};
use wasmtime::component::ResourceAny;

use crate::bind::MAX_PREDICTION_BYTES;
use crate::contract::{TensorParam, TensorResult, ValuesParam, ValuesResult};
use crate::evaluate::Evaluation;
use crate::instance::{Instance, Metered, Program};
use crate::journal::Recorder;
use crate::learn::tensor_bytes;
use crate::loader::{Gathered, column_bytes};
use crate::order::TestOrder;
use crate::profile::Step;
use crate::stop::{Stop, classify};

/// One row in this many is predicted again.
pub const REPLAY_ONE_IN: usize = 20;
/// Rows that are predicted again at the least, or all of a smaller split. A model that changes ten answers of a thousand
/// by what it saw before is noticed by 256 rows 19 times in 20, by 50 rows 2 times in 5.
pub const REPLAY_LEAST: usize = 256;
/// Rows that are predicted again each in an instance of its own: a model that draws a statistic from every batch agrees
/// with itself on any sample of rows, but a row that comes alone has none.
pub const REPLAY_ALONE: usize = 16;

/// The predictions of every test row, in file order.
#[derive(Debug)]
pub(crate) struct Predicted {
    pub(crate) answers: Predictions,
    pub(crate) fuel: Fuel,
    pub(crate) independence: Option<Independence>,
}

/// Predicts every test row, and some of them again.
pub(crate) fn predict(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
) -> Result<Predicted, Stop> {
    let mut order = TestOrder::new(evaluation.permutation_key(), &evaluation.component());
    let rows = evaluation.rows(Split::Test);
    let (shuffled, mut again) = (order.shuffled(rows), order.shuffled(rows));

    let pass = Pass { rows: &shuffled, batch_size: evaluation.batch_size(), journal: evaluation.recorder() };
    let (in_order, metered) = run(evaluation, program, parameters, pass)?;
    let answers = in_order.ordered(&shuffled);
    drop(in_order);
    let independence = match evaluation.row_rule() {
        RowRule::Transductive => None,
        RowRule::Independent => {
            let alone = again.split_off(rows - REPLAY_ALONE.min(rows));
            again.truncate(rows.div_ceil(REPLAY_ONE_IN).max(REPLAY_LEAST));
            Some(replay(evaluation, program, parameters, &again, &alone, &answers)?)
        }
    };
    Ok(Predicted { answers, fuel: metered.fuel, independence })
}

/// Predicts the first `rows` test rows of an evaluation's order as [`predict`] does, and keeps the meter's figures only.
pub(crate) fn predict_first(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    rows: usize,
) -> Result<Metered, Stop> {
    let mut order = TestOrder::new(evaluation.permutation_key(), &evaluation.component());
    let mut shuffled = order.shuffled(evaluation.rows(Split::Test));
    shuffled.truncate(rows);
    let pass = Pass { rows: &shuffled, batch_size: evaluation.batch_size(), journal: Recorder::deaf() };
    run(evaluation, program, parameters, pass).map(|(_, metered)| metered)
}

/// Predicts some rows again, `again` in one fresh instance in another order and batch size, `alone` in an instance each,
/// and compares the answers.
fn replay(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    again: &[usize],
    alone: &[usize],
    answers: &Predictions,
) -> Result<Independence, Stop> {
    // Odd, and never larger than the first run's: batches are cut elsewhere and need no more memory.
    let batch_size = (evaluation.batch_size() / 2) | 1;
    let passes = std::iter::once((again, batch_size)).chain(alone.chunks(1).map(|row| (row, 1)));
    let mut independence = Independence { replayed: 0, disagreed: 0, transductive: false };
    for (rows, batch_size) in passes.filter(|(rows, _)| !rows.is_empty()) {
        independence.replayed += rows.len() as u64;
        match disagreements(
            evaluation,
            program,
            parameters,
            Pass { rows, batch_size, journal: Recorder::deaf() },
            answers,
        ) {
            Ok(disagreed) => independence.disagreed += disagreed,
            Err(Stop::Platform(fault)) => return Err(fault.into()),
            Err(stop) if stop.verdict() == Verdict::Deadline => return Err(stop),
            // It returned for the whole split and not for a part of it: what it does depends on other rows.
            Err(_) => independence.transductive = true,
        }
    }
    independence.transductive |= independence.disagreed > 0;
    Ok(independence)
}

/// How many rows of a pass get another answer than the first time.
fn disagreements(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    pass: Pass<'_>,
    answers: &Predictions,
) -> Result<u64, Stop> {
    let (rows, agreement) = (pass.rows, Agreement::of(evaluation.request.challenge.challenge.metrics()));
    let (second, _) = run(evaluation, program, parameters, pass)?;
    let disagrees = |&(index, &row): &(usize, &usize)| !answers.agrees(row, &second, index, agreement);
    Ok(rows.iter().enumerate().filter(disagrees).count() as u64)
}

/// One instance's share of the work.
struct Pass<'a> {
    rows: &'a [usize],
    batch_size: usize,
    journal: Recorder,
}

/// One instance over the rows of a pass; the answers in their order, and the fuel from the instance's first instruction to
/// its last post-return.
fn run(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    pass: Pass<'_>,
) -> Result<(Predictions, Metered), Stop> {
    let Pass { rows, batch_size, journal } = pass;
    let state = evaluation.host_state("predict", None, journal);
    let hostcall_bytes = evaluation.prediction_bytes(batch_size);
    let mut instance = Instance::new(program, state, hostcall_bytes, Phase::Predict, evaluation)?;
    let outcome = run_instance(evaluation, &mut instance, parameters, rows, batch_size);
    if let Err(Stop::Guest { verdict: Verdict::SolutionError, message, .. }) = &outcome {
        instance.store.data_mut().journal.error(message);
    }
    evaluation.absorb(instance.store.into_data());
    outcome.map_err(Stop::without_guest_text)
}

fn run_instance(
    evaluation: &mut Evaluation<'_>,
    instance: &mut Instance,
    parameters: &[TensorResult],
    rows: &[usize],
    batch_size: usize,
) -> Result<(Predictions, Metered), Stop> {
    let model = load(evaluation, instance, parameters)?;
    let budget = evaluation.prediction_budget()?;
    instance.fund(evaluation, Step::Predict, budget)?;
    let mut answers = Predictions::none(evaluation.outputs().fields());
    for batch in rows.chunks(batch_size) {
        predict_batch(evaluation, instance, model, batch, &mut answers)?;
    }
    let (phase, budget) = (instance.phase(), instance.budget());
    evaluation.drive(phase, budget, model.resource_drop_async(&mut instance.store)).map_err(classify)?;
    Ok((answers, instance.metered(evaluation)?))
}

fn load(
    evaluation: &mut Evaluation<'_>,
    instance: &mut Instance,
    parameters: &[TensorResult],
) -> Result<ResourceAny, Stop> {
    let budget = evaluation.limits().load_fuel();
    instance.fund(evaluation, Step::Load, budget)?;
    let description = evaluation.description();
    instance.charge(parameters.iter().map(tensor_bytes).sum::<u64>() + description.bytes())?;
    let lent: Vec<_> = parameters.iter().map(lend).collect();
    let (phase, budget) = (instance.phase(), instance.budget());
    let model = instance.solution.thimble_solution_predictor().model();
    let loaded = description
        .lend(|metadata| evaluation.drive(phase, budget, model.call_load(&mut instance.store, &lent, metadata)));
    loaded.map_err(classify)?.map_err(Stop::solution_error)
}

/// The tensor as an argument: no value is copied on the host's side.
fn lend(tensor: &TensorResult) -> TensorParam<'_> {
    TensorParam { name: &tensor.name, shape: &tensor.shape, values: lend_values(&tensor.values, &[]) }
}

/// `texts` are those of a text column: the values' own cannot be lent as they are.
fn lend_values<'a>(values: &'a ValuesResult, texts: &'a [&'a str]) -> ValuesParam<'a> {
    match values {
        ValuesResult::F32(values) => ValuesParam::F32(values),
        ValuesResult::F64(values) => ValuesParam::F64(values),
        ValuesResult::S64(values) => ValuesParam::S64(values),
        ValuesResult::S32(values) => ValuesParam::S32(values),
        ValuesResult::S8(values) => ValuesParam::S8(values),
        ValuesResult::U8(values) => ValuesParam::U8(values),
        // The count refuses parameters of text; an empty list is what is left to say.
        ValuesResult::Text(_) => ValuesParam::Text(texts),
    }
}

fn predict_batch(
    evaluation: &mut Evaluation<'_>,
    instance: &mut Instance,
    model: ResourceAny,
    batch: &[usize],
    answers: &mut Predictions,
) -> Result<(), Stop> {
    let columns = evaluation.test_inputs()?;
    let gathered: Vec<_> = columns.iter().map(|(_, column)| Gathered::new(column, batch)).collect();
    let texts: Vec<Vec<&str>> = gathered.iter().map(|input| texts(&input.values)).collect();
    let mut bytes = 0;
    for ((name, column), input) in columns.iter().zip(&gathered) {
        bytes += column_bytes(column, batch) + (name.len() + input.shape.len() * 4) as u64;
    }
    let lent: Vec<_> = columns
        .iter()
        .zip(gathered.iter().zip(&texts))
        .map(|((name, _), (input, texts))| TensorParam {
            name,
            shape: &input.shape,
            values: lend_values(&input.values, texts),
        })
        .collect();
    instance.charge(bytes)?;
    let (phase, budget) = (instance.phase(), instance.budget());
    let predictor = instance.solution.thimble_solution_predictor().model();
    let call = predictor.call_predict(&mut instance.store, model, &lent);
    let outputs = evaluation.drive(phase, budget, call).map_err(classify)?.map_err(Stop::solution_error)?;
    instance.charge(outputs.iter().map(tensor_bytes).sum())?;
    let outputs: Vec<_> = outputs.iter().map(output).collect();
    let invalid = |error: OutputError| Stop::guest(Verdict::InvalidOutput, error.rule, error.message);
    let schema = evaluation.outputs();
    let checked = schema.check(&outputs, batch).map_err(invalid)?;
    answers.push(batch.len(), &checked);
    // What has a fixed size was looked at when the data was bound.
    if answers.bytes() > MAX_PREDICTION_BYTES {
        let message = format!("the predictions have {} bytes, the limit is {MAX_PREDICTION_BYTES}", answers.bytes());
        return Err(Stop::guest(Verdict::InvalidOutput, "output_bytes", message));
    }
    Ok(())
}

fn texts(values: &ValuesResult) -> Vec<&str> {
    match values {
        ValuesResult::Text(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a guest returned, for the check.
fn output(tensor: &TensorResult) -> Output<'_> {
    let values = match &tensor.values {
        ValuesResult::F32(values) => ColumnValues::F32(values),
        ValuesResult::F64(values) => ColumnValues::F64(values),
        ValuesResult::S64(values) => ColumnValues::S64(values),
        ValuesResult::S32(values) => ColumnValues::S32(values),
        ValuesResult::S8(values) => ColumnValues::S8(values),
        ValuesResult::U8(values) => ColumnValues::U8(values),
        ValuesResult::Text(texts) => ColumnValues::Text(texts.as_slice().into()),
    };
    Output { name: &tensor.name, shape: &tensor.shape, values }
}
