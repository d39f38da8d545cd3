//! What the SDK's kernels cost in time and in fuel, as ratios within one run.
//!
//! Run with `cargo xtask bench`. Each figure is the best of several rounds: noise only ever adds.

#![expect(clippy::panic, reason = "a bench that cannot be set up fails where it stands")]

#[path = "kernels/bare.rs"]
mod bare;
#[path = "kernels/clock.rs"]
mod clock;
#[path = "kernels/official.rs"]
mod official;

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant;

use thimble_kernels::{Matrix, Orientation, Product, Workspace};
use thimble_tests::guests::guest;

use crate::bare::{Bare, Configuration};
use crate::official::Official;

/// What the guest's seed asks for, see `tests/guests/kernel-bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    GemmAb = 1,
    GemmAbt = 2,
    GemmAtb = 3,
    GemmBySdk = 4,
    Matrices = 5,
    Linear = 6,
    Quantised = 7,
    Loader = 8,
    Conv2d = 9,
    Depthwise = 10,
}

impl Kernel {
    pub(crate) fn seed(self, rounds: u64) -> u64 {
        self as u64 * 1_000_000 + rounds
    }
}

/// Multiply-adds of 128 × 384 × 384.
const GEMM: f64 = 128.0 * 384.0 * 384.0;
/// Multiply-adds of a layer of 384 inputs and 128 outputs for 128 rows.
const LAYER: f64 = 128.0 * 384.0 * 128.0;
/// Multiply-adds of a 3 × 3 convolution from 16 to 32 channels, and of a depthwise one, on 128 images of 16 × 16.
const CONVOLUTION: f64 = 128.0 * 256.0 * 9.0 * 16.0 * 32.0;
const DEPTHWISE: f64 = 128.0 * 256.0 * 9.0 * 16.0;
/// Bytes of one epoch of the canonical training split: 2,048 rows of 384 f32 and one s64.
const EPOCH_BYTES: f64 = 2048.0 * (384.0 * 4.0 + 8.0);

fn main() {
    let component = guest("kernel-bench");
    let official = Official::new(&component);
    println!("GEMM 128 × 384 × 384, GFLOP/s");
    let speed = |seconds: f64| 2.0 * GEMM / seconds / 1e9;
    let native = speed(native_seconds());
    let [bare, fuel, both] = [Configuration::Bare, Configuration::Fuel, Configuration::FuelAndNan]
        .map(|configuration| speed(Bare::new(configuration, &component).seconds(Kernel::GemmAbt, 20)));
    let (simd, sdk, matrices) = (
        speed(official.seconds(Kernel::GemmAbt, 30)),
        speed(official.seconds(Kernel::GemmBySdk, 100)),
        speed(official.seconds(Kernel::Matrices, 200)),
    );
    row("host kernel, native", native, None);
    row("guest SIMD, no meter, NaNs as they come", bare, None);
    row("guest SIMD, metered", fuel, Some(("of unmetered", fuel / bare, ">= 0.93")));
    row("guest SIMD, metered, canonical NaNs", both, Some(("of unmetered", both / bare, ">= 0.55")));
    row("guest SIMD, official run", simd, None);
    row("`kernels`, matrices that stay, official run", matrices, Some(("of native", matrices / native, ">= 0.85")));
    row("`kernels`, matrices that stay, official run", matrices, Some(("of guest SIMD", matrices / simd, ">= 2.0")));
    row("`kernels`, through nn::Gemm with its copies, official", sdk, Some(("of guest SIMD", sdk / simd, "")));

    println!("\nfuel of a multiply-add over the analytic 32");
    for (name, kernel, multiply_adds) in [
        ("A · B in the guest", Kernel::GemmAb, GEMM),
        ("A · Bᵀ in the guest", Kernel::GemmAbt, GEMM),
        ("Aᵀ · B in the guest", Kernel::GemmAtb, GEMM),
        ("A · Bᵀ through nn::Gemm", Kernel::GemmBySdk, GEMM),
        ("A · Bᵀ of matrices that stay", Kernel::Matrices, GEMM),
        ("linear layer 384 → 128 in the guest", Kernel::Linear, LAYER),
        ("convolution 3 × 3, 16 → 32 channels, 16 × 16", Kernel::Conv2d, CONVOLUTION),
        ("depthwise convolution 3 × 3, 16 channels, 16 × 16", Kernel::Depthwise, DEPTHWISE),
    ] {
        row(name, official.fuel(kernel) / multiply_adds / 32.0, Some(("", 0.0, "<= 1.08")));
    }

    println!("\nlinear layer 384 → 128: 8-bit weights over f32, both in the guest");
    let ratio = |of: &dyn Fn(Kernel) -> f64| of(Kernel::Quantised) / of(Kernel::Linear);
    row("fuel", ratio(&|kernel| official.fuel(kernel)), Some(("", 0.0, "<= 0.5")));
    row("time", ratio(&|kernel| official.seconds(kernel, 30)), Some(("", 0.0, "<= 1.0")));

    println!("\nloader, GB/s from the mapped file to the guest");
    row("canonical training split", EPOCH_BYTES / official.seconds(Kernel::Loader, 200) / 1e9, Some(("", 0.0, ">= 2")));
    clock::print();
}

fn row(what: &str, figure: f64, ratio: Option<(&str, f64, &str)>) {
    let ratio = match ratio {
        Some(("", _, target)) => format!("  {target}"),
        Some((of, ratio, target)) => format!("  {ratio:.3} {of}  {target}"),
        None => String::new(),
    };
    println!("{:<56} {figure:>9.3}{ratio}", what);
}

/// The same product by the same code, without a guest.
fn native_seconds() -> f64 {
    let zeros = |rows, columns| Matrix::zeros(rows, columns).unwrap_or_else(|error| panic!("{error}"));
    let (mut a, mut b) = (zeros(128, 384), zeros(384, 384));
    for matrix in [&mut a, &mut b] {
        let (rows, columns) = (matrix.rows() as u32, matrix.columns() as u32);
        let bits: Vec<u32> = (0..rows * columns).map(|i| (0.5 + (i % 97) as f32 / 97.0).to_bits()).collect();
        matrix.write(0, &bits).unwrap_or_else(|error| panic!("{error}"));
    }
    let product = Product::of(Orientation::Abt, &a, &b).unwrap_or_else(|| panic!("the sizes fit"));
    let (mut workspace, mut c) = (Workspace::default(), Matrix::default());
    best(|| {
        let start = Instant::now();
        for _ in 0..200 {
            let computed = workspace.gemm(&product, (&a, &b), &mut c, false, || Ok::<_, Infallible>(()));
            black_box(computed).unwrap_or_else(|error| panic!("{error:?}"));
        }
        start.elapsed().as_secs_f64() / 200.0
    })
}

/// The best of several measurements, in whatever they measure.
pub(crate) fn best(measure: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(measure).take(9).fold(f64::INFINITY, f64::min)
}
