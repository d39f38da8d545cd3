//! Every processor's code against the definition, bit for bit.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::convert::Infallible;

use proptest::prelude::*;
use thimble_kernels::{GemmError, Matrix, MatrixError, Orientation, Processor, Product, WORKSPACE_BYTES, Workspace};

mod reference;

use reference::{ORIENTATIONS, check};

#[test]
fn sizes_around_every_tile_and_block() {
    let values: Vec<f32> = (0..9973).map(|i| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5).collect();
    let mut workspace = Workspace::default();
    let sizes = [
        (1, 1, 1),
        (12, 32, 3),
        (13, 33, 384),
        (6, 16, 385),
        (7, 17, 769),
        (8, 8, 1),
        (131, 511, 5),
        (133, 513, 4),
        (300, 40, 500),
        (1, 700, 64),
        (400, 1, 64),
    ];
    for orientation in ORIENTATIONS {
        for size in sizes {
            check(&mut workspace, orientation, size, &values);
        }
    }
}

/// Values that go wrong where an order or a rounding differs: NaNs of both signs and with payloads, infinities,
/// subnormals, signed zeros, the largest numbers, and numbers whose products cancel.
fn hostile() -> impl Strategy<Value = f32> {
    let special = [
        0x7fc0_0000_u32, // the canonical NaN
        0xffc0_0000,     // its negative
        0x7f80_0001,     // a signalling NaN
        0xff81_2345,     // a signalling NaN with a payload
        0x7f80_0000,     // ∞
        0xff80_0000,     // −∞
        0x0000_0001,     // the smallest subnormal
        0x807f_ffff,     // the largest negative subnormal
        0x0000_0000,
        0x8000_0000, // −0
        0x7f7f_ffff, // the largest number
        0xff7f_ffff,
        0x3f80_0001, // 1 + ulp
        0xbf80_0000, // −1
        0x0080_0000, // the smallest normal
    ];
    prop_oneof![
        3 => proptest::sample::select(special.to_vec()).prop_map(f32::from_bits),
        3 => -2.0_f32..2.0,
        1 => any::<u32>().prop_map(f32::from_bits),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn hostile_values_and_shapes(
        orientation in proptest::sample::select(ORIENTATIONS.to_vec()),
        size in (1_usize..40, 1_usize..70, 1_usize..60),
        values in proptest::collection::vec(hostile(), 1..400),
    ) {
        check(&mut Workspace::default(), orientation, size, &values);
    }

    #[test]
    fn random_values_and_shapes(
        orientation in proptest::sample::select(ORIENTATIONS.to_vec()),
        size in (1_usize..150, 1_usize..90, 1_usize..400),
        values in proptest::collection::vec(-2.0_f32..2.0, 100..1000),
    ) {
        check(&mut Workspace::default(), orientation, size, &values);
    }
}

#[test]
fn operands_that_do_not_fit_have_no_product() {
    let (a, b) = (Matrix::zeros(2, 3).unwrap(), Matrix::zeros(3, 4).unwrap());
    assert!(Product::of(Orientation::Ab, &a, &b).is_some());
    assert_eq!(Product::of(Orientation::Abt, &a, &b), None);
    assert_eq!(Product::of(Orientation::Atb, &a, &b), None);
    assert_eq!(Product::of(Orientation::Ab, &Matrix::default(), &b), None);
}

#[test]
fn accumulating_into_another_shape_is_an_error() {
    let (a, b) = (Matrix::zeros(2, 3).unwrap(), Matrix::zeros(3, 4).unwrap());
    let product = Product::of(Orientation::Ab, &a, &b).unwrap();
    let mut c = Matrix::zeros(4, 2).unwrap();
    let refused = Workspace::default().gemm(&product, (&a, &b), &mut c, true, || Ok::<_, Infallible>(()));
    assert_eq!(refused, Err(GemmError::Matrix(MatrixError::Shape { rows: 2, columns: 4 })));
}

#[test]
fn a_stop_between_blocks_ends_the_work() {
    let (a, b) = (Matrix::zeros(400, 800).unwrap(), Matrix::zeros(800, 600).unwrap());
    let product = Product::of(Orientation::Ab, &a, &b).unwrap();
    let mut asked = 0;
    let mut check = || {
        asked += 1;
        if asked < 5 { Ok(()) } else { Err("late") }
    };
    let stopped = Workspace::default().gemm(&product, (&a, &b), &mut Matrix::default(), false, &mut check);
    assert_eq!((stopped, asked), (Err(GemmError::Stopped("late")), 5));
}

#[test]
fn a_workspace_stays_within_its_bound() {
    let (a, b) = (Matrix::zeros(300, 900).unwrap(), Matrix::zeros(900, 1100).unwrap());
    let product = Product::of(Orientation::Ab, &a, &b).unwrap();
    for processor in Processor::available() {
        let mut workspace = Workspace::default();
        let proceed = || Ok::<_, Infallible>(());
        workspace.gemm_on(processor, &product, (&a, &b), &mut Matrix::default(), false, proceed).unwrap();
        assert!(workspace.bytes() <= WORKSPACE_BYTES, "{} on {processor:?}", workspace.bytes());
        assert!(workspace.bytes() > WORKSPACE_BYTES / 2);
    }
}
