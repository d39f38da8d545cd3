//! Predict: `load` and `predict` in a fresh instance that is given the tensors and test inputs, and nothing else.

use thimble_challenge::challenge::RowRule;
use thimble_challenge::result::{Independence, Phase};
use thimble_challenge::{Fuel, Verdict};
use thimble_datasets::{ColumnValues, Split};
use thimble_metrics::argmax;
use wasmtime::component::ResourceAny;

use crate::contract::{TensorParam, TensorResult, ValuesParam, ValuesResult};
use crate::evaluate::Evaluation;
use crate::instance::{Instance, Metered, Program};
use crate::journal::Recorder;
use crate::learn::tensor_bytes;
use crate::loader::gather_rows;
use crate::order::TestOrder;
use crate::profile::Step;
use crate::stop::{PlatformFault, Stop, classify};

/// Fuel of `load` for each parameter of the limit.
const LOAD_FUEL_PER_PARAMETER: u64 = 256;
/// Fuel of `load` where the limit is small.
const LOAD_FUEL_LEAST: u64 = 10_000_000;
/// A prediction beyond this is not a prediction: its square would overflow.
pub const LARGEST_SCORE: f32 = 1e30;
/// One row in this many is predicted again.
pub const REPLAY_ONE_IN: usize = 20;
/// Rows that are predicted again at the least, or all of a smaller split. A model that changes ten answers of a thousand
/// by what it saw before is noticed by 256 rows 19 times in 20, by 50 rows 2 times in 5.
pub const REPLAY_LEAST: usize = 256;
/// Rows that are predicted again each in an instance of its own: a model that draws a statistic from every batch agrees
/// with itself on any sample of rows, but a row that comes alone has none.
pub const REPLAY_ALONE: usize = 16;

/// Class scores of every test row, in file order.
#[derive(Debug)]
pub(crate) struct Predicted {
    pub(crate) scores: Vec<f32>,
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
    let classes = evaluation.classes();
    let mut scores = vec![0.0; in_order.len()];
    for (row, scored) in shuffled.iter().zip(in_order.chunks_exact(classes)) {
        scores[row * classes..(row + 1) * classes].copy_from_slice(scored);
    }
    drop(in_order);
    let independence = match evaluation.row_rule() {
        RowRule::Transductive => None,
        RowRule::Independent => {
            let alone = again.split_off(rows - REPLAY_ALONE.min(rows));
            again.truncate(rows.div_ceil(REPLAY_ONE_IN).max(REPLAY_LEAST));
            Some(replay(evaluation, program, parameters, &again, &alone, &scores)?)
        }
    };
    Ok(Predicted { scores, fuel: metered.fuel, independence })
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
/// and compares the classes.
fn replay(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    again: &[usize],
    alone: &[usize],
    scores: &[f32],
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
            scores,
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

/// How many rows of a pass get another class than the first time.
fn disagreements(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    pass: Pass<'_>,
    scores: &[f32],
) -> Result<u64, Stop> {
    let (rows, classes) = (pass.rows, evaluation.classes());
    let (second, _) = run(evaluation, program, parameters, pass)?;
    let first = |row: &usize| argmax(&scores[row * classes..(row + 1) * classes]);
    let pairs = rows.iter().zip(second.chunks_exact(classes));
    Ok(pairs.filter(|(row, second)| first(row) != argmax(second)).count() as u64)
}

/// One instance's share of the work.
struct Pass<'a> {
    rows: &'a [usize],
    batch_size: usize,
    journal: Recorder,
}

/// One instance over the rows of a pass; the scores in their order, and the fuel from the instance's first instruction to
/// its last post-return.
fn run(
    evaluation: &mut Evaluation<'_>,
    program: &Program,
    parameters: &[TensorResult],
    pass: Pass<'_>,
) -> Result<(Vec<f32>, Metered), Stop> {
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
) -> Result<(Vec<f32>, Metered), Stop> {
    let model = load(evaluation, instance, parameters)?;
    let budget = evaluation.prediction_budget()?;
    instance.fund(evaluation, Step::Predict, budget)?;
    let mut scores = Vec::with_capacity(rows.len() * evaluation.classes());
    for batch in rows.chunks(batch_size) {
        predict_batch(evaluation, instance, model, batch, &mut scores)?;
    }
    let (phase, budget) = (instance.phase(), instance.budget());
    evaluation.drive(phase, budget, model.resource_drop_async(&mut instance.store)).map_err(classify)?;
    Ok((scores, instance.metered(evaluation)?))
}

fn load(
    evaluation: &mut Evaluation<'_>,
    instance: &mut Instance,
    parameters: &[TensorResult],
) -> Result<ResourceAny, Stop> {
    let limit = evaluation.limits().parameters.0;
    instance.fund(evaluation, Step::Load, Fuel(limit.saturating_mul(LOAD_FUEL_PER_PARAMETER).max(LOAD_FUEL_LEAST)))?;
    let description = evaluation.description();
    let (inputs, targets) = (description.inputs(), description.targets());
    let metadata = description.metadata(&inputs, &targets);
    instance.charge(parameters.iter().map(tensor_bytes).sum::<u64>() + description.bytes())?;
    let lent: Vec<_> = parameters.iter().map(lend).collect();
    let (phase, budget) = (instance.phase(), instance.budget());
    let model = instance.solution.thimble_solution_predictor().model();
    let call = model.call_load(&mut instance.store, &lent, metadata);
    evaluation.drive(phase, budget, call).map_err(classify)?.map_err(Stop::solution_error)
}

/// The tensor as an argument: no value is copied on the host's side.
fn lend(tensor: &TensorResult) -> TensorParam<'_> {
    let values = match &tensor.values {
        ValuesResult::F32(values) => ValuesParam::F32(values),
        ValuesResult::F64(values) => ValuesParam::F64(values),
        ValuesResult::S64(values) => ValuesParam::S64(values),
        ValuesResult::S32(values) => ValuesParam::S32(values),
        ValuesResult::S8(values) => ValuesParam::S8(values),
        ValuesResult::U8(values) => ValuesParam::U8(values),
        // The count refuses text; an empty list is what is left to say.
        ValuesResult::Text(_) => ValuesParam::Text(&[]),
    };
    TensorParam { name: &tensor.name, shape: &tensor.shape, values }
}

fn predict_batch(
    evaluation: &mut Evaluation<'_>,
    instance: &mut Instance,
    model: ResourceAny,
    batch: &[usize],
    scores: &mut Vec<f32>,
) -> Result<(), Stop> {
    let inputs = test_inputs(evaluation, batch)?;
    let description = evaluation.description();
    let [field] = description.inputs();
    let mut shape = vec![batch.len() as u32];
    shape.extend_from_slice(field.shape);
    let tensor = TensorParam { name: field.name, shape: &shape, values: ValuesParam::F32(&inputs) };
    instance.charge((inputs.len() * 4 + field.name.len() + shape.len() * 4) as u64)?;
    let (phase, budget) = (instance.phase(), instance.budget());
    let lent = [tensor];
    let predictor = instance.solution.thimble_solution_predictor().model();
    let call = predictor.call_predict(&mut instance.store, model, &lent);
    let outputs = evaluation.drive(phase, budget, call).map_err(classify)?.map_err(Stop::solution_error)?;
    instance.charge(outputs.iter().map(tensor_bytes).sum())?;
    scores.extend_from_slice(check_output(&outputs, batch, evaluation.classes())?);
    Ok(())
}

/// The input rows, in the order given.
fn test_inputs(evaluation: &Evaluation<'_>, batch: &[usize]) -> Result<Vec<f32>, Stop> {
    let column = evaluation.input_column(Split::Test)?;
    let ColumnValues::F32(values) = column.values else {
        return Err(PlatformFault::Dataset("the input field is not f32".to_owned()).into());
    };
    Ok(gather_rows(values, column.width, batch))
}

/// The scores of one batch, if they are what the contract asks for.
fn check_output<'a>(outputs: &'a [TensorResult], batch: &[usize], classes: usize) -> Result<&'a [f32], Stop> {
    let invalid = |rule, message: String| Stop::guest(Verdict::InvalidOutput, rule, message);
    let [output] = outputs else {
        return Err(invalid("output_count", format!("predict must return 1 tensor, not {}", outputs.len())));
    };
    if output.name != "scores" {
        return Err(invalid("output_name", "the tensor that predict returns must be named `scores`".to_owned()));
    }
    let ValuesResult::F32(values) = &output.values else {
        return Err(invalid("output_dtype", "the tensor that predict returns must be f32".to_owned()));
    };
    let expected = [batch.len() as u32, classes as u32];
    if output.shape != expected || values.len() != batch.len() * classes {
        let shape: Vec<_> = output.shape.iter().take(8).collect();
        return Err(invalid(
            "output_shape",
            format!("predict must return shape {expected:?}, not {shape:?} with {} values", values.len()),
        ));
    }
    let wrong = values.iter().position(|value| value.is_nan() || value.abs() > LARGEST_SCORE);
    if let Some(index) = wrong {
        let (row, class, value) = (batch[index / classes], index % classes, values[index]);
        return Err(invalid(
            "output_value",
            format!("the score of class {class} in test row {row} is {value}; scores must be numbers within ±1e30"),
        ));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use thimble_metrics::{Task, metrics};

    use super::*;

    /// The replay compares classes. A metric of the scores themselves (log loss, top-k) needs it to compare scores.
    #[test]
    fn every_metric_depends_on_the_classes_only() {
        let names: Vec<_> = metrics(Task::Classification).map(|metric| metric.name).collect();
        assert_eq!(names, ["accuracy"]);
    }

    fn output(shape: &[u32], values: Vec<f32>) -> TensorResult {
        TensorResult { name: "scores".to_owned(), shape: shape.to_vec(), values: ValuesResult::F32(values) }
    }

    fn rule(outputs: &[TensorResult]) -> &'static str {
        match check_output(outputs, &[4, 9], 2) {
            Ok(_) => "ok",
            Err(Stop::Guest { rule, .. }) => rule,
            Err(Stop::Platform(_)) => "platform",
        }
    }

    #[test]
    fn outputs_of_the_right_form_ok() {
        assert_eq!(rule(&[output(&[2, 2], vec![1.0, -1e30, 1e30, 0.0])]), "ok");
    }

    #[test]
    fn outputs_of_any_other_form_err() {
        let good = || output(&[2, 2], vec![0.0; 4]);
        assert_eq!(rule(&[]), "output_count");
        assert_eq!(rule(&[good(), good()]), "output_count");
        assert_eq!(rule(&[TensorResult { name: "logits".to_owned(), ..good() }]), "output_name");
        assert_eq!(rule(&[TensorResult { values: ValuesResult::F64(vec![0.0; 4]), ..good() }]), "output_dtype");
        assert_eq!(rule(&[output(&[2, 3], vec![0.0; 6])]), "output_shape");
        assert_eq!(rule(&[output(&[2, 2], vec![0.0; 3])]), "output_shape");
        assert_eq!(rule(&[output(&[4], vec![0.0; 4])]), "output_shape");
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.000_001e30] {
            assert_eq!(rule(&[output(&[2, 2], vec![0.0, 0.0, 0.0, wrong])]), "output_value");
        }
    }
}
