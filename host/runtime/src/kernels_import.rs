//! `thimble:solution/kernels`: matrices that the host holds for a guest, and their products.

use std::mem;

use thimble_kernels::{GemmError, Matrix, MatrixError, Product};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceType};

use crate::contract::Orientation;
use crate::limiter::Limiter;
use crate::lists::F32List;
use crate::state::{HostState, charge_call, charge_gemm};
use crate::stop::{ImportMisuse, PlatformFault};

/// Values that one call may write, 1 MiB: what any call may hand over.
pub const VALUES_PER_WRITE: usize = 1 << 18;

type Store<'a> = StoreContextMut<'a, HostState>;

/// Defines `thimble:solution/kernels`.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    let mut kernels = linker.instance("thimble:solution/kernels@0.1.0")?;
    kernels.resource("matrix", ResourceType::host::<Matrix>(), |mut store: Store<'_>, rep| {
        let state = store.data_mut();
        let matrix = state.resources.delete(Resource::<Matrix>::new_own(rep))?;
        state.limiter.release(matrix.capacity_bytes());
        Ok(())
    })?;
    kernels.func_wrap("[constructor]matrix", |mut store: Store<'_>, (rows, columns): (u32, u32)| {
        charge_call(&mut store, Matrix::bytes(rows, columns))?;
        let state = store.data_mut();
        state.limiter.hold(Matrix::bytes(rows, columns))?;
        Ok((state.resources.push(Matrix::zeros(rows, columns).map_err(blame)?)?,))
    })?;
    kernels.func_wrap("[method]matrix.reshape", reshape)?;
    kernels.func_wrap("[method]matrix.write", write)?;
    kernels.func_wrap("[method]matrix.read", |mut store: Store<'_>, (matrix,): (Resource<Matrix>,)| {
        let bytes = store.data().resources.get(&matrix)?.values().len() as u64 * 4;
        charge_call(&mut store, bytes)?;
        Ok((store.data().resources.get(&matrix)?.shared_values(),))
    })?;
    kernels.func_wrap("gemm", gemm)
}

fn reshape(mut store: Store<'_>, (handle, rows, columns): (Resource<Matrix>, u32, u32)) -> wasmtime::Result<()> {
    charge_call(&mut store, Matrix::bytes(rows, columns))?;
    let state = store.data_mut();
    let matrix = state.resources.get_mut(&handle)?;
    hold(&mut state.limiter, matrix, rows, columns)?;
    matrix.reshape(rows, columns).map_err(blame)
}

fn write(mut store: Store<'_>, (handle, start, values): (Resource<Matrix>, u32, F32List)) -> wasmtime::Result<()> {
    if values.len() > VALUES_PER_WRITE {
        return Err(ImportMisuse::MatrixWrite { limit: VALUES_PER_WRITE, value: values.len() }.into());
    }
    charge_call(&mut store, values.len() as u64 * 4)?;
    // Out of the state while the values are read in place; an error ends the instance, so nobody misses it then.
    let mut matrix = mem::take(store.data_mut().resources.get_mut(&handle)?);
    matrix.write(start, values.bits(&store)).map_err(blame)?;
    *store.data_mut().resources.get_mut(&handle)? = matrix;
    Ok(())
}

fn gemm(
    mut store: Store<'_>,
    (orientation, a, b, c, accumulate): (Orientation, Resource<Matrix>, Resource<Matrix>, Resource<Matrix>, bool),
) -> wasmtime::Result<()> {
    let resources = &store.data().resources;
    let misfit = || -> wasmtime::Result<wasmtime::Error> {
        let shape = |matrix: &Matrix| format!("{} × {}", matrix.rows(), matrix.columns());
        let c =
            if c.rep() == a.rep() || c.rep() == b.rep() { "(the same)".to_owned() } else { shape(resources.get(&c)?) };
        let (a, b) = (shape(resources.get(&a)?), shape(resources.get(&b)?));
        Ok(ImportMisuse::Product { orientation: name(orientation), a, b, c }.into())
    };
    let Some(product) = Product::of(orientation.into(), resources.get(&a)?, resources.get(&b)?) else {
        return Err(misfit()?);
    };
    let (rows, columns) = (product.rows(), product.columns());
    let fits = !accumulate || (resources.get(&c)?.rows(), resources.get(&c)?.columns()) == (rows, columns);
    if !fits || c.rep() == a.rep() || c.rep() == b.rep() {
        return Err(misfit()?);
    }
    charge_gemm(&mut store, product.multiply_adds())?;
    // C and the buffers leave the state while A and B are read in it; an error ends the instance, so nobody misses them.
    let state = store.data_mut();
    let mut result = mem::take(state.resources.get_mut(&c)?);
    if !accumulate {
        hold(&mut state.limiter, &result, rows as u32, columns as u32)?;
    }
    let mut workspace = mem::take(&mut state.workspace);
    let state = store.data();
    let operands = (state.resources.get(&a)?, state.resources.get(&b)?);
    workspace.gemm(&product, operands, &mut result, accumulate, || state.clock.check()).map_err(
        |error| match error {
            GemmError::Stopped(stop) => stop,
            GemmError::Matrix(error) => blame(error),
        },
    )?;
    let state = store.data_mut();
    state.workspace = workspace;
    *state.resources.get_mut(&c)? = result;
    Ok(())
}

/// Counts what `matrix` will hold more as `rows` × `columns`, before the memory is asked for.
fn hold(limiter: &mut Limiter, matrix: &Matrix, rows: u32, columns: u32) -> wasmtime::Result<()> {
    Ok(limiter.hold(matrix.capacity_bytes_as(rows, columns) - matrix.capacity_bytes())?)
}

/// A wrong shape is the guest's; memory within its limit that the system refuses is not.
fn blame(error: MatrixError) -> wasmtime::Error {
    match error {
        MatrixError::Memory { .. } => PlatformFault::HostMemory(error.to_string()).into(),
        MatrixError::Empty { .. } | MatrixError::Range { .. } | MatrixError::Shape { .. } => {
            ImportMisuse::from(error).into()
        }
    }
}

impl From<Orientation> for thimble_kernels::Orientation {
    fn from(orientation: Orientation) -> Self {
        match orientation {
            Orientation::Ab => Self::Ab,
            Orientation::Abt => Self::Abt,
            Orientation::Atb => Self::Atb,
        }
    }
}

/// As in the contract.
const fn name(orientation: Orientation) -> &'static str {
    match orientation {
        Orientation::Ab => "ab",
        Orientation::Abt => "abt",
        Orientation::Atb => "atb",
    }
}
