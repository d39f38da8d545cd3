//! The host's side of `wit/thimble.wit`.

/// The contract this host speaks.
pub use thimble_challenge::package::CONTRACT;

#[expect(missing_docs, reason = "generated; the contract documents what a name does not say")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "solution",
        with: {
            "thimble:solution/data.loader": crate::loader::Loader,
            "thimble:solution/kernels.matrix": thimble_kernels::Matrix,
        },
        imports: { default: trappable },
        exports: { default: async },
        // Test inputs and parameters are lowered straight from the host's own slices.
        ownership: Borrowing { duplicate_if_necessary: true },
    });
}

pub(crate) use generated::thimble::solution::data::Batch;
pub(crate) use generated::thimble::solution::kernels::Orientation;
pub use generated::thimble::solution::task::{Column, Dtype, Field, Kind, Metadata};
pub(crate) use generated::thimble::solution::tensors::{TensorParam, TensorResult, ValuesParam, ValuesResult};
pub(crate) use generated::{Solution, SolutionIndices};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_speaks_the_version_of_the_wit_file() {
        let wit = include_str!("../../../wit/thimble.wit");
        assert!(wit.contains(&format!("package {CONTRACT};")), "{CONTRACT} is not the package of thimble.wit");
        assert_eq!(CONTRACT, format!("thimble:solution@{}", thimble_admission::CONTRACT_VERSION));
    }
}
