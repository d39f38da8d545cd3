//! The way to the host's `kernels`, in the runner; natively, and without the feature `host-kernels`, there is none.

#[cfg(all(target_family = "wasm", feature = "host-kernels"))]
pub(super) use offered::{HostGemm, HostMatrix};
#[cfg(not(all(target_family = "wasm", feature = "host-kernels")))]
pub(super) use own::{HostGemm, HostMatrix};

#[cfg(all(target_family = "wasm", feature = "host-kernels"))]
mod offered {
    use super::super::{Orientation, Shape};
    use crate::bindings::thimble::solution::kernels;

    impl From<Orientation> for kernels::Orientation {
        fn from(orientation: Orientation) -> Self {
            match orientation {
                Orientation::Ab => Self::Ab,
                Orientation::Abt => Self::Abt,
                Orientation::Atb => Self::Atb,
            }
        }
    }

    /// Values that the contract lets through at once.
    const VALUES_PER_WRITE: usize = 1 << 18;

    /// A matrix in the host's memory.
    #[derive(Debug)]
    pub(in super::super) struct HostMatrix(kernels::Matrix);

    impl HostMatrix {
        pub(in super::super) fn zeros(rows: usize, columns: usize) -> Self {
            Self(kernels::Matrix::new(rows as u32, columns as u32))
        }

        pub(in super::super) fn write(&mut self, rows: usize, columns: usize, values: &[f32]) {
            self.0.reshape(rows as u32, columns as u32);
            for (index, values) in values.chunks(VALUES_PER_WRITE).enumerate() {
                self.0.write((index * VALUES_PER_WRITE) as u32, values);
            }
        }

        pub(in super::super) fn read(&self) -> Vec<f32> {
            self.0.read()
        }

        /// The caller has checked the shapes.
        pub(in super::super) fn product(
            &mut self,
            orientation: Orientation,
            _shape: Shape,
            (a, b): (&Self, &Self),
            accumulate: bool,
        ) {
            kernels::gemm(orientation.into(), &a.0, &b.0, &self.0, accumulate);
        }
    }

    /// Three matrices that grow to the largest product asked for.
    #[derive(Debug)]
    pub(in super::super) struct HostGemm(Option<[HostMatrix; 3]>);

    /// Buffers are not worth copying.
    impl Clone for HostGemm {
        fn clone(&self) -> Self {
            Self::new()
        }
    }

    impl HostGemm {
        pub(in super::super) fn new() -> Self {
            Self(None)
        }

        /// Adds op(A) · op(B) to `c` if that pays, and says whether it did.
        pub(in super::super) fn add_product(
            &mut self,
            orientation: Orientation,
            shape: Shape,
            a: &[f32],
            b: &[f32],
            c: &mut [f32],
        ) -> bool {
            let Some([host_a, host_b, host_c]) = self.operands(orientation, shape, a, b) else { return false };
            host_c.write(shape.m, shape.n, c);
            host_c.product(orientation, shape, (host_a, host_b), true);
            c.copy_from_slice(&host_c.read());
            true
        }

        /// op(A) · op(B), if it pays.
        pub(in super::super) fn product(
            &mut self,
            orientation: Orientation,
            shape: Shape,
            a: &[f32],
            b: &[f32],
        ) -> Option<Vec<f32>> {
            let [host_a, host_b, host_c] = self.operands(orientation, shape, a, b)?;
            host_c.product(orientation, shape, (host_a, host_b), false);
            Some(host_c.read())
        }

        /// Matrices for A, B and C, the first two written, if the product pays: when the multiply-adds, of which the guest's
        /// own kernel does ten a nanosecond at best, are many against the values that are copied both ways and the calls.
        fn operands(
            &mut self,
            orientation: Orientation,
            Shape { m, n, k }: Shape,
            a: &[f32],
            b: &[f32],
        ) -> Option<&mut [HostMatrix; 3]> {
            const PER_VALUE: u64 = 5;
            const OF_CALLS: u64 = 10_000;
            let of_c = m as u64 * n as u64;
            let values = (a.len() + b.len()) as u64 + 2 * of_c;
            if of_c * k as u64 <= PER_VALUE * values + OF_CALLS {
                return None;
            }
            let matrices = self.0.get_or_insert_with(|| [(); 3].map(|()| HostMatrix::zeros(1, 1)));
            let [(a_rows, a_columns), (b_rows, b_columns)] = match orientation {
                Orientation::Ab => [(m, k), (k, n)],
                Orientation::Abt => [(m, k), (n, k)],
                Orientation::Atb => [(k, m), (k, n)],
            };
            matrices[0].write(a_rows, a_columns, a);
            matrices[1].write(b_rows, b_columns, b);
            Some(matrices)
        }
    }
}

#[cfg(not(all(target_family = "wasm", feature = "host-kernels")))]
mod own {
    use super::super::{Gemm, Orientation, Shape};

    /// A matrix in this memory.
    #[derive(Debug)]
    pub(in super::super) struct HostMatrix {
        values: Vec<f32>,
        gemm: Gemm,
    }

    impl HostMatrix {
        pub(in super::super) fn zeros(rows: usize, columns: usize) -> Self {
            Self { values: vec![0.0; rows * columns], gemm: Gemm::new() }
        }

        pub(in super::super) fn write(&mut self, _rows: usize, _columns: usize, values: &[f32]) {
            self.values.clear();
            self.values.extend_from_slice(values);
        }

        pub(in super::super) fn read(&self) -> Vec<f32> {
            self.values.clone()
        }

        /// The caller has checked the shapes.
        pub(in super::super) fn product(
            &mut self,
            orientation: Orientation,
            shape: Shape,
            (a, b): (&Self, &Self),
            accumulate: bool,
        ) {
            if !accumulate {
                self.values.clear();
            }
            self.values.resize(shape.m * shape.n, 0.0);
            let Self { values, gemm } = self;
            // Cannot fail: the lengths are those of the shapes.
            let _ = gemm.add_product(orientation, shape, &a.values, &b.values, values);
        }
    }

    /// Does nothing.
    #[derive(Debug, Clone)]
    pub(in super::super) struct HostGemm;

    impl HostGemm {
        pub(in super::super) fn new() -> Self {
            Self
        }

        pub(in super::super) fn add_product(
            &mut self,
            _orientation: Orientation,
            _shape: Shape,
            _a: &[f32],
            _b: &[f32],
            _c: &mut [f32],
        ) -> bool {
            false
        }

        pub(in super::super) fn product(
            &mut self,
            _orientation: Orientation,
            _shape: Shape,
            _a: &[f32],
            _b: &[f32],
        ) -> Option<Vec<f32>> {
            None
        }
    }
}
