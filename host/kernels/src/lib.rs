//! Matrix products with one summation order on every processor: what the host computes for a guest.
//!
//! Every element of C is **one chain of fused multiply-adds over k in ascending order**, from the value it had or from +0,
//! and a NaN at its end becomes the canonical one (`0x7fc00000`). Work is spread over columns and rows, never over k, so
//! AVX-512, AVX2, NEON and plain code give the same bits, and so does a guest's own loop in the sandbox.
//!
//! Memory is the caller's: a [`Matrix`] tells its [`Matrix::capacity_bytes`], and a [`Workspace`] never holds more than
//! [`WORKSPACE_BYTES`].

mod gemm;
mod matrix;
mod processor;
mod tile;

pub use gemm::{GemmError, Orientation, Product, WORKSPACE_BYTES, Workspace};
pub use matrix::{Matrix, MatrixError};
pub use processor::Processor;
