//! The guest's only view of data: `thimble:solution/data`.

use std::sync::Arc;

use thimble_datasets::{Column, ColumnValues, Dataset, Split};
use thimble_order::Cursor;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};

use crate::contract::{Batch, TensorResult, ValuesResult};
use crate::state::{HostState, charge_call};
use crate::stop::PlatformFault;

/// What a learner may iterate over.
#[derive(Debug)]
pub(crate) struct TrainingData {
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) inputs: Vec<String>,
    pub(crate) targets: Vec<String>,
    pub(crate) batch_size: usize,
    pub(crate) seed: u64,
}

/// One iterator over a split.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated contract re-exports it under the name of the resource")]
pub struct Loader {
    split: Split,
    cursor: Cursor,
}

impl Loader {
    /// Over a split, at the start of epoch 0. Only the training split is shuffled.
    pub(crate) fn new(data: &TrainingData, split: Split) -> Self {
        let rows = data.dataset.split(split).rows();
        let cursor = match split {
            Split::Train => Cursor::shuffled(rows, data.seed),
            _ => Cursor::in_file_order(rows),
        };
        Self { split, cursor }
    }
}

impl TrainingData {
    fn batch(&self, split: Split, rows: &[usize]) -> wasmtime::Result<Batch> {
        let tensors =
            |names: &[String]| names.iter().map(|name| self.tensor(split, name, rows)).collect::<Result<_, _>>();
        Ok(Batch { size: rows.len() as u32, inputs: tensors(&self.inputs)?, targets: tensors(&self.targets)? })
    }

    fn tensor(&self, split: Split, name: &str, rows: &[usize]) -> wasmtime::Result<TensorResult> {
        let column = self.column(split, name)?;
        let mut shape = vec![rows.len() as u32];
        shape.extend_from_slice(column.shape);
        Ok(TensorResult { name: name.to_owned(), shape, values: gather(&column, rows) })
    }

    fn column(&self, split: Split, name: &str) -> wasmtime::Result<Column<'_>> {
        let missing = || PlatformFault::Dataset(format!("the split has no field `{name}`"));
        Ok(self.dataset.split(split).column(name).ok_or_else(missing)?)
    }

    /// Bytes of one row, inputs and targets.
    fn row_bytes(&self, split: Split) -> wasmtime::Result<u64> {
        let mut bytes = 0;
        for name in self.inputs.iter().chain(&self.targets) {
            let column = self.column(split, name)?;
            bytes += column.width as u64 * element_bytes(&column.values);
        }
        Ok(bytes)
    }
}

fn element_bytes(values: &ColumnValues<'_>) -> u64 {
    match values {
        ColumnValues::F64(_) | ColumnValues::S64(_) => 8,
        ColumnValues::F32(_) | ColumnValues::S32(_) => 4,
        ColumnValues::S8(_) | ColumnValues::U8(_) => 1,
    }
}

fn gather(column: &Column<'_>, rows: &[usize]) -> ValuesResult {
    let width = column.width;
    match column.values {
        ColumnValues::F32(values) => ValuesResult::F32(gather_rows(values, width, rows)),
        ColumnValues::F64(values) => ValuesResult::F64(gather_rows(values, width, rows)),
        ColumnValues::S64(values) => ValuesResult::S64(gather_rows(values, width, rows)),
        ColumnValues::S32(values) => ValuesResult::S32(gather_rows(values, width, rows)),
        ColumnValues::S8(values) => ValuesResult::S8(gather_rows(values, width, rows)),
        ColumnValues::U8(values) => ValuesResult::U8(gather_rows(values, width, rows)),
    }
}

/// The rows' values, one row after the other, in the order given.
pub(crate) fn gather_rows<T: Copy>(values: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    let mut gathered = Vec::with_capacity(rows.len() * width);
    for row in rows {
        gathered.extend_from_slice(&values[row * width..(row + 1) * width]);
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
        let state = store.data().resources.get(&loader)?;
        let (split, len) = (state.split, state.cursor.next_len(training.batch_size));
        charge_call(&mut store, len as u64 * training.row_bytes(split)?)?;
        if len == 0 {
            return Ok((None,));
        }
        let rows = store.data_mut().resources.get_mut(&loader)?.cursor.next_batch(len);
        Ok((Some(training.batch(split, &rows)?),))
    })
}
