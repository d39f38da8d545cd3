//! The guest's only view of data: `thimble:solution/data`.

use std::sync::Arc;

use thimble_challenge::Challenge;
use thimble_datasets::{Column, ColumnValues, SplitTable};
use thimble_order::Cursor;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};

use crate::contract::{Batch, TensorResult, ValuesResult};
use crate::state::{HostState, charge_call};
use crate::stop::PlatformFault;

/// What a learner may iterate over.
#[derive(Debug)]
pub(crate) struct TrainingData {
    train: Arc<SplitTable>,
    validation: Arc<SplitTable>,
    inputs: Vec<String>,
    targets: Vec<String>,
    batch_size: usize,
    seed: u64,
}

/// The splits that a learner sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrainingSplit {
    Train,
    Validation,
}

/// One iterator over a split.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated contract re-exports it under the name of the resource")]
pub struct Loader {
    split: TrainingSplit,
    cursor: Cursor,
}

impl Loader {
    /// Over a split, at the start of epoch 0. Only the training split is shuffled.
    pub(crate) fn new(data: &TrainingData, split: TrainingSplit) -> Self {
        let rows = data.split(split).rows();
        let cursor = match split {
            TrainingSplit::Train => Cursor::shuffled(rows, data.seed),
            TrainingSplit::Validation => Cursor::in_file_order(rows),
        };
        Self { split, cursor }
    }
}

impl TrainingData {
    /// Of a challenge, whose fields both splits have.
    pub(crate) fn new(challenge: &Challenge, train: Arc<SplitTable>, validation: Arc<SplitTable>) -> Self {
        Self {
            train,
            validation,
            inputs: challenge.inputs().map(|field| field.name.clone()).collect(),
            targets: challenge.targets().map(|field| field.name.clone()).collect(),
            batch_size: challenge.limits.batch_size as usize,
            seed: challenge.seed,
        }
    }

    fn split(&self, split: TrainingSplit) -> &SplitTable {
        match split {
            TrainingSplit::Train => &self.train,
            TrainingSplit::Validation => &self.validation,
        }
    }

    fn batch(&self, split: TrainingSplit, rows: &[usize]) -> wasmtime::Result<Batch> {
        let tensors =
            |names: &[String]| names.iter().map(|name| self.tensor(split, name, rows)).collect::<Result<_, _>>();
        Ok(Batch { size: rows.len() as u32, inputs: tensors(&self.inputs)?, targets: tensors(&self.targets)? })
    }

    fn tensor(&self, split: TrainingSplit, name: &str, rows: &[usize]) -> wasmtime::Result<TensorResult> {
        let gathered = Gathered::new(&self.column(split, name)?, rows);
        Ok(TensorResult { name: name.to_owned(), shape: gathered.shape, values: gathered.values })
    }

    fn column(&self, split: TrainingSplit, name: &str) -> wasmtime::Result<Column<'_>> {
        let missing = || PlatformFault::Dataset(format!("the split has no field `{name}`"));
        Ok(self.split(split).column(name).ok_or_else(missing)?)
    }

    /// Bytes of rows, inputs and targets.
    fn bytes(&self, split: TrainingSplit, rows: &[usize]) -> wasmtime::Result<u64> {
        let mut bytes = 0;
        for name in self.inputs.iter().chain(&self.targets) {
            bytes += column_bytes(&self.column(split, name)?, rows);
        }
        Ok(bytes)
    }
}

/// Bytes of the rows of a column.
pub(crate) fn column_bytes(column: &Column<'_>, rows: &[usize]) -> u64 {
    if let ColumnValues::Text(texts) = column.values {
        return rows.iter().map(|&row| texts.get(row).len() as u64).sum();
    }
    let element = column.values.dtype().bytes().unwrap_or(0) as u64;
    match column.offsets {
        Some(_) => rows.iter().map(|&row| column.range(row).len() as u64 * element).sum(),
        None => (rows.len() * column.width) as u64 * element,
    }
}

/// The rows of a column, one after the other, in the order given.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Rows, or items of a ragged column, and the shape of one.
    pub(crate) shape: Vec<u32>,
    pub(crate) values: ValuesResult,
}

impl Gathered {
    pub(crate) fn new(column: &Column<'_>, rows: &[usize]) -> Self {
        let values = match column.values {
            ColumnValues::F32(values) => ValuesResult::F32(gather(column, values, rows)),
            ColumnValues::F64(values) => ValuesResult::F64(gather(column, values, rows)),
            ColumnValues::S64(values) => ValuesResult::S64(gather(column, values, rows)),
            ColumnValues::S32(values) => ValuesResult::S32(gather(column, values, rows)),
            ColumnValues::S8(values) => ValuesResult::S8(gather(column, values, rows)),
            ColumnValues::U8(values) => ValuesResult::U8(gather(column, values, rows)),
            ColumnValues::Text(texts) => {
                ValuesResult::Text(rows.iter().map(|&row| texts.get(row).to_owned()).collect())
            }
        };
        let items = match column.offsets {
            Some(_) => rows.iter().map(|&row| column.range(row).len()).sum::<usize>() / column.width.max(1),
            None => rows.len(),
        };
        // At most 65,536 rows of 65,536 items.
        let shape = std::iter::once(items as u32).chain(column.shape.iter().copied()).collect();
        Self { shape, values }
    }
}

fn gather<T: Copy>(column: &Column<'_>, values: &[T], rows: &[usize]) -> Vec<T> {
    let mut gathered = Vec::with_capacity(rows.len() * column.width);
    for &row in rows {
        gathered.extend_from_slice(&values[column.range(row)]);
    }
    gathered
}

type Store<'a> = StoreContextMut<'a, HostState>;

fn training(store: &Store<'_>) -> wasmtime::Result<Arc<TrainingData>> {
    // Without training data no loader exists, so no guest can get here.
    let missing = || PlatformFault::Dataset("a predictor has no data".to_owned());
    Ok(store.data().training.clone().ok_or_else(missing)?)
}

/// Defines `thimble:solution/data`.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut data = linker.instance("thimble:solution/data@0.1.0")?;
    data.resource("loader", ResourceType::host::<Loader>(), |mut store: Store<'_>, rep| {
        store.data_mut().resources.delete(Resource::<Loader>::new_own(rep))?;
        Ok(())
    })?;
    data.func_wrap("[method]loader.samples", |mut store: Store<'_>, (loader,): (Resource<Loader>,)| {
        charge_call(&mut store, 8)?;
        Ok((store.data().resources.get(&loader)?.cursor.rows() as u64,))
    })?;
    data.func_wrap("[method]loader.rewind", |mut store: Store<'_>, (loader,): (Resource<Loader>,)| {
        charge_call(&mut store, 0)?;
        store.data_mut().resources.get_mut(&loader)?.cursor.rewind();
        Ok(())
    })?;
    data.func_wrap("[method]loader.next", |mut store: Store<'_>, (loader,): (Resource<Loader>,)| {
        let training = training(&store)?;
        let cursor = &mut store.data_mut().resources.get_mut(&loader)?.cursor;
        let len = cursor.next_len(training.batch_size);
        let rows = cursor.next_batch(len);
        let split = store.data().resources.get(&loader)?.split;
        // Before anything is copied.
        charge_call(&mut store, training.bytes(split, &rows)?)?;
        if rows.is_empty() {
            return Ok((None,));
        }
        Ok((Some(training.batch(split, &rows)?),))
    })
}
