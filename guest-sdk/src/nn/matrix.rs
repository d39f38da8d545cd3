//! Matrices that stay where they are multiplied.

use super::host::HostMatrix;
use super::{Orientation, Shape, check_len};
use crate::Result;

/// A row-major f32 matrix that stays in the host's memory from product to product: what a chain of products does not look
/// at need not be copied. [`Gemm`](super::Gemm) is simpler, and copies.
///
/// In the runner it counts against the guest's memory, a product costs 32 fuel per multiply-add, and a copy 1 fuel per 16
/// bytes; every call 256. Natively, and without the feature `host-kernels`, it is a `Vec` with the same results.
///
/// ```
/// use thimble_sdk::nn::{Matrix, Orientation};
/// # fn main() -> thimble_sdk::Result<()> {
/// let x = Matrix::new(1, 2, &[1.0, 2.0])?;
/// let weight = Matrix::new(3, 2, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0])?; // outputs × inputs
/// let mut y = Matrix::zeros(1, 3)?;
/// y.set_product(Orientation::Abt, &x, &weight)?;
/// assert_eq!(y.read(), [1.0, 2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    host: HostMatrix,
}

impl Matrix {
    /// `rows` × `columns` zeros.
    ///
    /// # Errors
    /// A dimension is 0.
    pub fn zeros(rows: usize, columns: usize) -> Result<Self> {
        check_shape(rows, columns)?;
        Ok(Self { rows, columns, host: HostMatrix::zeros(rows, columns) })
    }

    /// `rows` × `columns` with these values.
    ///
    /// # Errors
    /// A dimension is 0, or `values` are not `rows` × `columns`.
    pub fn new(rows: usize, columns: usize, values: &[f32]) -> Result<Self> {
        let mut matrix = Self::zeros(rows, columns)?;
        matrix.write(rows, columns, values)?;
        Ok(matrix)
    }

    /// Becomes `rows` × `columns` with these values. Memory is kept.
    ///
    /// # Errors
    /// A dimension is 0, or `values` are not `rows` × `columns`.
    pub fn write(&mut self, rows: usize, columns: usize, values: &[f32]) -> Result<()> {
        check_shape(rows, columns)?;
        check_len("matrix", values, rows.saturating_mul(columns))?;
        self.host.write(rows, columns, values);
        (self.rows, self.columns) = (rows, columns);
        Ok(())
    }

    /// A copy of all values.
    pub fn read(&self) -> Vec<f32> {
        self.host.read()
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Becomes op(A) · op(B), whatever it was.
    ///
    /// # Errors
    /// A and B do not fit together.
    pub fn set_product(&mut self, orientation: Orientation, a: &Self, b: &Self) -> Result<()> {
        let shape = shape(orientation, a, b)?;
        self.host.product(orientation, shape, (&a.host, &b.host), false);
        (self.rows, self.columns) = (shape.m, shape.n);
        Ok(())
    }

    /// Adds op(A) · op(B): each element is one chain of fused multiply-adds from the value it had.
    ///
    /// # Errors
    /// A and B do not fit together, or their product is not as large as this matrix.
    pub fn add_product(&mut self, orientation: Orientation, a: &Self, b: &Self) -> Result<()> {
        let shape = shape(orientation, a, b)?;
        if (shape.m, shape.n) != (self.rows, self.columns) {
            let Self { rows, columns, .. } = self;
            return Err(format!("a product of {} × {} added to {rows} × {columns}", shape.m, shape.n).into());
        }
        self.host.product(orientation, shape, (&a.host, &b.host), true);
        Ok(())
    }
}

fn check_shape(rows: usize, columns: usize) -> Result<()> {
    if rows == 0 || columns == 0 {
        return Err(format!("a matrix of {rows} × {columns}; both must be at least 1").into());
    }
    Ok(())
}

fn shape(orientation: Orientation, a: &Matrix, b: &Matrix) -> Result<Shape> {
    let (m, k) = match orientation {
        Orientation::Ab | Orientation::Abt => (a.rows, a.columns),
        Orientation::Atb => (a.columns, a.rows),
    };
    let (k_of_b, n) = match orientation {
        Orientation::Ab | Orientation::Atb => (b.rows, b.columns),
        Orientation::Abt => (b.columns, b.rows),
    };
    if k != k_of_b {
        let (a, b) = ((a.rows, a.columns), (b.rows, b.columns));
        return Err(format!("{orientation:?} of {} × {} and {} × {} is no product", a.0, a.1, b.0, b.1).into());
    }
    Ok(Shape { m, n, k })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;
    use crate::nn::Gemm;

    #[test]
    fn products_are_those_of_gemm() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let (m, n, k) = (7, 13, 30);
        for orientation in [Orientation::Ab, Orientation::Abt, Orientation::Atb] {
            let mut draw = |len| (0..len).map(|_| rng.normal()).collect::<Vec<f32>>();
            let (a, b, start) = (draw(m * k), draw(k * n), draw(m * n));
            let (a_matrix, b_matrix) = match orientation {
                Orientation::Ab => (Matrix::new(m, k, &a)?, Matrix::new(k, n, &b)?),
                Orientation::Abt => (Matrix::new(m, k, &a)?, Matrix::new(n, k, &b)?),
                Orientation::Atb => (Matrix::new(k, m, &a)?, Matrix::new(k, n, &b)?),
            };
            for accumulate in [false, true] {
                let mut expected = if accumulate { start.clone() } else { vec![0.0; m * n] };
                Gemm::new().add_product(orientation, Shape { m, n, k }, &a, &b, &mut expected)?;
                let mut c = Matrix::new(m, n, &start)?;
                if accumulate {
                    c.add_product(orientation, &a_matrix, &b_matrix)?;
                } else {
                    c.set_product(orientation, &a_matrix, &b_matrix)?;
                }
                assert_eq!(c.read(), expected);
            }
        }
        Ok(())
    }

    #[test]
    fn shapes_that_do_not_fit_are_errors() -> Result<()> {
        let (a, b) = (Matrix::zeros(2, 3)?, Matrix::zeros(3, 4)?);
        let mut c = Matrix::zeros(1, 1)?;
        assert!(c.add_product(Orientation::Ab, &a, &b).is_err());
        c.set_product(Orientation::Ab, &a, &b)?;
        assert_eq!((c.rows(), c.columns(), c.read().len()), (2, 4, 8));
        assert!(c.set_product(Orientation::Abt, &a, &b).is_err());
        assert!(Matrix::zeros(0, 1).is_err());
        assert!(c.write(2, 2, &[0.0; 3]).is_err());
        Ok(())
    }
}
