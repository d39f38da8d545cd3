//! The host's side of `wit/thimble.wit`.

/// The contract this host speaks.
pub const CONTRACT: &str = "thimble:solution@0.1.0";

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "solution",
        with: { "thimble:solution/data.loader": crate::loader::Loader },
        imports: { default: trappable },
        exports: { default: async },
        // Test inputs and parameters are lowered straight from the host's own slices.
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

pub(crate) use generated::thimble::solution::data::Batch;
pub(crate) use generated::thimble::solution::task::{Dtype, Field, Kind, Metadata};
pub(crate) use generated::thimble::solution::tensors::{TensorParam, TensorResult, ValuesParam, ValuesResult};
pub(crate) use generated::{Solution, SolutionIndices};
