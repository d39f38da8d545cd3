//! Predict: `load` and `predict` in a fresh instance that is given the tensors and test inputs, and nothing else.

use thimble_challenge::challenge::RowRule;
use thimble_challenge::result::Independence;
use thimble_challenge::{Fuel, Verdict};
use thimble_datasets::{Column, ColumnValues};
use thimble_scoring::{Agreement, Output, OutputError, Predictions};

use crate::bind::MAX_PREDICTION_BYTES;
use crate::contract::{TensorResult, ValuesResult};
use crate::evaluate::Evaluation;
use crate::guest::{Guest, GuestPredictor};
use crate::instance::Metered;
use crate::loader::{Gathered, column_bytes};
use crate::order::TestOrder;
use crate::predictor::Inputs;
use crate::stop::Stop;

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
    guest: &mut Guest,
    parameters: &[TensorResult],
) -> Result<Predicted, Stop> {
    let mut order = TestOrder::new(evaluation.permutation_key(), &evaluation.component());
    let rows = evaluation.test_rows();
    let (shuffled, mut again) = (order.shuffled(rows), order.shuffled(rows));

    let pass = Pass { rows: &shuffled, batch_size: evaluation.limits().batch_size as usize, heard: true };
    let (in_order, metered) = run(evaluation, guest, parameters, &pass)?;
    let answers = in_order.ordered(&shuffled);
    drop(in_order);
    let independence = match evaluation.row_rule() {
        RowRule::Transductive => None,
        RowRule::Independent => {
            let alone = again.split_off(rows - REPLAY_ALONE.min(rows));
            again.truncate(rows.div_ceil(REPLAY_ONE_IN).max(REPLAY_LEAST));
            Some(replay(evaluation, guest, parameters, &again, &alone, &answers)?)
        }
    };
    Ok(Predicted { answers, fuel: metered.fuel, independence })
}

/// Predicts the first `rows` test rows of an evaluation's order as [`predict`] does, and keeps the meter's figures only.
pub(crate) fn predict_first(
    evaluation: &mut Evaluation<'_>,
    guest: &mut Guest,
    parameters: &[TensorResult],
    rows: usize,
) -> Result<Metered, Stop> {
    let mut order = TestOrder::new(evaluation.permutation_key(), &evaluation.component());
    let mut shuffled = order.shuffled(evaluation.test_rows());
    shuffled.truncate(rows);
    let pass = Pass { rows: &shuffled, batch_size: evaluation.limits().batch_size as usize, heard: false };
    run(evaluation, guest, parameters, &pass).map(|(_, metered)| metered)
}

/// Predicts some rows again, `again` in one fresh instance in another order and batch size, `alone` in an instance each,
/// and compares the answers.
fn replay(
    evaluation: &mut Evaluation<'_>,
    guest: &mut Guest,
    parameters: &[TensorResult],
    again: &[usize],
    alone: &[usize],
    answers: &Predictions,
) -> Result<Independence, Stop> {
    // Odd, and never larger than the first run's: batches are cut elsewhere and need no more memory.
    let batch_size = (evaluation.limits().batch_size as usize / 2) | 1;
    let passes = std::iter::once((again, batch_size)).chain(alone.chunks(1).map(|row| (row, 1)));
    let mut independence = Independence { replayed: 0, disagreed: 0, transductive: false };
    for (rows, batch_size) in passes.filter(|(rows, _)| !rows.is_empty()) {
        independence.replayed += rows.len() as u64;
        match disagreements(evaluation, guest, parameters, Pass { rows, batch_size, heard: false }, answers) {
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
    guest: &mut Guest,
    parameters: &[TensorResult],
    pass: Pass<'_>,
    answers: &Predictions,
) -> Result<u64, Stop> {
    let (rows, agreement) = (pass.rows, Agreement::of(evaluation.request.challenge.challenge.metrics()));
    let (second, _) = run(evaluation, guest, parameters, &pass)?;
    let disagrees = |&(index, &row): &(usize, &usize)| !answers.agrees(row, &second, index, agreement);
    Ok(rows.iter().enumerate().filter(disagrees).count() as u64)
}

/// One instance's share of the work.
struct Pass<'a> {
    rows: &'a [usize],
    batch_size: usize,
    /// Whether the guest's words are kept.
    heard: bool,
}

/// One instance over the rows of a pass; the answers in their order, and the fuel from the instance's first instruction to
/// its last post-return.
fn run(
    evaluation: &mut Evaluation<'_>,
    guest: &mut Guest,
    parameters: &[TensorResult],
    pass: &Pass<'_>,
) -> Result<(Predictions, Metered), Stop> {
    let mut instance = guest.predictor(&mut evaluation.session, pass.batch_size, pass.heard)?;
    let outcome = run_instance(evaluation, &mut instance, parameters, pass);
    instance.leave(&mut evaluation.session, outcome.as_ref().err())?;
    outcome.map_err(Stop::without_guest_text)
}

fn run_instance(
    evaluation: &mut Evaluation<'_>,
    instance: &mut GuestPredictor<'_>,
    parameters: &[TensorResult],
    pass: &Pass<'_>,
) -> Result<(Predictions, Metered), Stop> {
    instance.load(&mut evaluation.session, parameters)?;
    let columns = evaluation.test_inputs()?;
    let schema = evaluation.session.outputs();
    let mut answers = Predictions::none(schema.fields());
    for batch in pass.rows.chunks(pass.batch_size) {
        let outputs = instance.predict(&mut evaluation.session, &inputs(&columns, batch))?;
        let outputs: Vec<_> = outputs.iter().map(output).collect();
        let invalid = |error: OutputError| Stop::guest(Verdict::InvalidOutput, error.rule, error.message);
        let checked = schema.check(&outputs, batch).map_err(invalid)?;
        answers.push(batch.len(), &checked);
        // What has a fixed size was looked at when the data was bound.
        if answers.bytes() > MAX_PREDICTION_BYTES {
            let message =
                format!("the predictions have {} bytes, the limit is {MAX_PREDICTION_BYTES}", answers.bytes());
            return Err(Stop::guest(Verdict::InvalidOutput, "output_bytes", message));
        }
    }
    Ok((answers, instance.end(&mut evaluation.session)?))
}

/// The rows of a batch, in its order.
fn inputs(columns: &[(&str, Column<'_>)], batch: &[usize]) -> Inputs {
    let mut bytes = 0;
    let tensor = |(name, column): &(&str, Column<'_>)| {
        let Gathered { shape, values } = Gathered::new(column, batch);
        bytes += column_bytes(column, batch) + (name.len() + shape.len() * 4) as u64;
        TensorResult { name: (*name).to_owned(), shape, values }
    };
    Inputs { tensors: columns.iter().map(tensor).collect(), bytes }
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
