//! Products on every processor this machine has, against a scalar loop, bit by bit.
#![no_main]

#[path = "../../tests/reference/mod.rs"]
mod reference;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use thimble_kernels::Workspace;

#[derive(Debug, Arbitrary)]
struct Input {
    orientation: u8,
    m: u8,
    n: u8,
    k: u16,
    /// Values of A, B and C as bits, used again and again.
    bits: Vec<u32>,
}

fuzz_target!(|input: Input| {
    let orientation = reference::ORIENTATIONS[usize::from(input.orientation) % reference::ORIENTATIONS.len()];
    // Past one block of k, and past one tile of rows and columns.
    let size = (usize::from(input.m % 40) + 1, usize::from(input.n % 70) + 1, usize::from(input.k % 500) + 1);
    let values: Vec<f32> = input.bits.iter().map(|&bits| f32::from_bits(bits)).collect();
    if !values.is_empty() {
        reference::check(&mut Workspace::default(), orientation, size, &values);
    }
});
