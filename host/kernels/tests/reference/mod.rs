//! The definition of a product, and every processor's code held against it. The fuzz target shares it.

use std::convert::Infallible;

use thimble_kernels::{Matrix, Orientation, Processor, Product, Workspace};

pub(crate) const ORIENTATIONS: [Orientation; 3] = [Orientation::Ab, Orientation::Abt, Orientation::Atb];

/// A matrix of given values.
fn matrix(rows: usize, columns: usize, values: &[f32]) -> Matrix {
    let bits: Vec<u32> = values.iter().map(|value| value.to_bits()).collect();
    let mut matrix = Matrix::zeros(rows as u32, columns as u32).expect("the sizes fit");
    matrix.write(0, &bits).expect("the sizes fit");
    matrix
}

/// Shapes of A and B as they are stored.
fn stored(orientation: Orientation, (m, n, k): (usize, usize, usize)) -> [(usize, usize); 2] {
    match orientation {
        Orientation::Ab => [(m, k), (k, n)],
        Orientation::Abt => [(m, k), (n, k)],
        Orientation::Atb => [(k, m), (k, n)],
    }
}

/// The definition: one scalar chain per element, NaN made canonical at its end.
fn chains(orientation: Orientation, (m, n, k): (usize, usize, usize), a: &[f32], b: &[f32], c: &mut [f32]) {
    for i in 0..m {
        for j in 0..n {
            let (mut sum, at) = (c[i * n + j], |step| match orientation {
                Orientation::Ab => (a[i * k + step], b[step * n + j]),
                Orientation::Abt => (a[i * k + step], b[j * k + step]),
                Orientation::Atb => (a[step * m + i], b[step * n + j]),
            });
            for step in 0..k {
                let (a, b) = at(step);
                sum = a.mul_add(b, sum);
            }
            c[i * n + j] = if sum.is_nan() { f32::from_bits(0x7fc0_0000) } else { sum };
        }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Computes on every processor this machine has, with what an earlier product left in the workspace.
pub(crate) fn check(workspace: &mut Workspace, orientation: Orientation, size: (usize, usize, usize), values: &[f32]) {
    let (m, n, k) = size;
    let mut endless = values.iter().copied().cycle();
    let mut take = |len: usize| endless.by_ref().take(len).collect::<Vec<f32>>();
    let (a, b, start) = (take(m * k), take(k * n), take(m * n));
    let [a_shape, b_shape] = stored(orientation, size);
    let (a_matrix, b_matrix) = (matrix(a_shape.0, a_shape.1, &a), matrix(b_shape.0, b_shape.1, &b));
    let product = Product::of(orientation, &a_matrix, &b_matrix).expect("the sizes fit");
    for accumulate in [true, false] {
        let mut expected = if accumulate { start.clone() } else { vec![0.0; m * n] };
        chains(orientation, size, &a, &b, &mut expected);
        for processor in Processor::available() {
            // Without `accumulate` the old shape and values must not matter.
            let mut c = if accumulate { matrix(m, n, &start) } else { matrix(1, 3, &[f32::NAN; 3]) };
            let proceed = || Ok::<_, Infallible>(());
            workspace
                .gemm_on(processor, &product, (&a_matrix, &b_matrix), &mut c, accumulate, proceed)
                .expect("the sizes fit");
            assert_eq!((c.rows(), c.columns()), (m, n));
            let found = bits(c.values());
            let first = found.iter().zip(bits(&expected)).position(|(found, expected)| *found != expected);
            assert_eq!(first, None, "{orientation:?} {size:?} accumulate {accumulate} on {processor:?}");
        }
    }
}
