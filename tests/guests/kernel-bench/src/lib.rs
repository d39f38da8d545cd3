//! Runs one kernel of the SDK as often as the challenge's seed says: kernel × 1,000,000 + rounds. What a kernel costs is
//! the difference between two numbers of rounds. `tests/benches/kernels.rs` knows the numbers.

use thimble_sdk::nn::{
    Activation, Conv2d, DepthwiseConv2d, Gemm, Image, Init, Layer, Linear, Matrix, Orientation, QuantisedLinear,
    QuantisedRows, Shape, Window, Workspace,
};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution};

pub struct KernelBench;

pub struct Nothing;

impl Solution for KernelBench {
    type Model = Nothing;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Nothing> {
        let rounds = metadata.seed % 1_000_000;
        match metadata.seed / 1_000_000 {
            1 => gemm(Gemm::in_guest(), Orientation::Ab, rounds)?,
            2 => gemm(Gemm::in_guest(), Orientation::Abt, rounds)?,
            3 => gemm(Gemm::in_guest(), Orientation::Atb, rounds)?,
            4 => gemm(Gemm::new(), Orientation::Abt, rounds)?,
            5 => matrices(rounds)?,
            6 => linear(rounds)?,
            7 => quantised(rounds)?,
            8 => read_all(train, rounds),
            9 => layer(Conv2d::new(IMAGE, 32, WINDOW, Activation::Identity)?, rounds)?,
            10 => layer(DepthwiseConv2d::new(IMAGE, WINDOW, Activation::Identity)?, rounds)?,
            _ => {}
        }
        Ok(Nothing)
    }
}

/// C is m × n, the sum runs over k: the hidden layer of the statement's network, for a batch of 128.
const SIZE: Shape = Shape { m: 128, n: 384, k: 384 };

fn draw(len: usize) -> Vec<f32> {
    let mut rng = Rng::seeded(1);
    (0..len).map(|_| rng.uniform(-1.0, 1.0)).collect()
}

fn gemm(mut gemm: Gemm, orientation: Orientation, rounds: u64) -> Result<()> {
    let Shape { m, n, k } = SIZE;
    let (a, b, mut c) = (draw(m * k), draw(k * n), vec![0.0; m * n]);
    for _ in 0..rounds {
        gemm.add_product(orientation, SIZE, &a, &b, &mut c)?;
    }
    keep(c[0]);
    Ok(())
}

fn matrices(rounds: u64) -> Result<()> {
    let Shape { m, n, k } = SIZE;
    let (a, b) = (Matrix::new(m, k, &draw(m * k))?, Matrix::new(n, k, &draw(k * n))?);
    let mut c = Matrix::zeros(m, n)?;
    for _ in 0..rounds {
        c.set_product(Orientation::Abt, &a, &b)?;
    }
    keep(c.read()[0]);
    Ok(())
}

/// The layer of `docs/metering.md`, 384 inputs and 128 outputs, for a batch of 128, in the guest.
fn linear(rounds: u64) -> Result<()> {
    let layer = Linear::from_parts(384, draw(384 * 128), draw(128))?;
    let (x, mut y, mut gemm) = (draw(128 * 384), vec![0.0; 128 * 128], Gemm::in_guest());
    for _ in 0..rounds {
        layer.forward(&mut gemm, &x, &mut y)?;
    }
    keep(y[0]);
    Ok(())
}

/// The same layer with 8-bit weights.
fn quantised(rounds: u64) -> Result<()> {
    let layer = QuantisedLinear::from_linear(&Linear::from_parts(384, draw(384 * 128), draw(128))?)?;
    let (x, mut y, mut rows) = (draw(128 * 384), vec![0.0; 128 * 128], QuantisedRows::new());
    for _ in 0..rounds {
        layer.forward(&mut rows, &x, &mut y)?;
    }
    keep(y[0]);
    Ok(())
}

/// Small images, a batch of 128 of them.
const IMAGE: Image = Image { height: 16, width: 16, channels: 16 };
const WINDOW: Window = Window { kernel: 3, stride: 1, padding: 1 };

fn layer(mut layer: impl Layer, rounds: u64) -> Result<()> {
    layer.initialise(Init::Default, &mut Rng::seeded(1));
    let x = draw(128 * IMAGE.values());
    let mut y = vec![0.0; 128 * layer.outputs(IMAGE.values())?];
    let mut workspace = Workspace::default();
    for _ in 0..rounds {
        layer.forward(&mut workspace, &x, &mut y)?;
    }
    keep(y[0]);
    Ok(())
}

fn read_all(train: &mut Loader, rounds: u64) {
    for _ in 0..rounds {
        for batch in train.by_ref() {
            std::hint::black_box(batch);
        }
        train.rewind();
    }
}

/// Makes the result one that is needed.
fn keep(value: f32) {
    std::hint::black_box(value);
}

impl Model for Nothing {
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("nothing", &[1], vec![0.0_f32]);
        parameters
    }

    fn from_parameters(_: Parameters, _: &Metadata) -> Result<Self> {
        Ok(Self)
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        Ok(Predictions::scores(inputs.rows(), vec![0.0_f32; inputs.rows() * 128]))
    }
}

thimble_sdk::export!(KernelBench);
