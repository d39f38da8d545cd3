//! Row-major matrices of f32 that know what they hold of memory.

use std::sync::Arc;

/// Why a matrix cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// A matrix of nothing.
    #[error("a matrix of {rows} rows and {columns} columns; both must be at least 1")]
    Empty {
        /// As asked.
        rows: u32,
        /// As asked.
        columns: u32,
    },
    /// Values beyond its end.
    #[error("{values} values from place {start} of a matrix of {rows} rows and {columns} columns")]
    Range {
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// Where the first was to go, in row-major order.
        start: u32,
        /// Values that were given.
        values: usize,
    },
    /// Sums of another shape.
    #[error("a product of {rows} rows and {columns} columns added to another shape")]
    Shape {
        /// Rows of the product.
        rows: usize,
        /// Columns of the product.
        columns: usize,
    },
    /// The system refuses the memory.
    #[error("the system refused {bytes} bytes for a matrix")]
    Memory {
        /// What it would hold.
        bytes: u64,
    },
}

/// A row-major matrix of f32; no matrix but the one of [`Matrix::default`] is empty.
#[derive(Debug, Default)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    /// Shared while they are handed over, see [`Matrix::shared_values`]; a change copies them if they still are.
    values: Arc<Vec<f32>>,
}

impl Matrix {
    /// Bytes of `rows` × `columns` values.
    pub fn bytes(rows: u32, columns: u32) -> u64 {
        // At most 2^64 − 2^33 + 1 elements; four times that saturates.
        (u64::from(rows) * u64::from(columns)).saturating_mul(4)
    }

    /// `rows` × `columns` zeros.
    ///
    /// # Errors
    /// A dimension is 0, or the system refuses the memory.
    pub fn zeros(rows: u32, columns: u32) -> Result<Self, MatrixError> {
        let mut matrix = Self::default();
        matrix.reshape(rows, columns)?;
        Ok(matrix)
    }

    /// Becomes `rows` × `columns`. In row-major order the values are those it had, and 0 beyond. Memory is kept, and grows
    /// when it has to.
    ///
    /// # Errors
    /// A dimension is 0, or the system refuses the memory. The matrix is as before.
    pub fn reshape(&mut self, rows: u32, columns: u32) -> Result<(), MatrixError> {
        let len = self.reserve(rows, columns)?;
        Arc::make_mut(&mut self.values).resize(len, 0.0);
        Ok(())
    }

    /// Replaces values from place `start` on, in row-major order, by those of these bits.
    ///
    /// # Errors
    /// They would go beyond the end. The matrix is as before.
    pub fn write(&mut self, start: u32, bits: &[u32]) -> Result<(), MatrixError> {
        let (rows, columns) = (self.rows, self.columns);
        let beyond = || MatrixError::Range { rows, columns, start, values: bits.len() };
        let values = Arc::make_mut(&mut self.values).get_mut(start as usize..).ok_or_else(beyond)?;
        for (to, &bits) in values.get_mut(..bits.len()).ok_or_else(beyond)?.iter_mut().zip(bits) {
            *to = f32::from_bits(bits);
        }
        Ok(())
    }

    /// Becomes `rows` × `columns`, for a product that overwrites every value.
    pub(crate) fn shape_as(&mut self, rows: usize, columns: usize) -> Result<(), MatrixError> {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.reshape(narrow(rows), narrow(columns))
    }

    /// Makes room and sets the shape.
    fn reserve(&mut self, rows: u32, columns: u32) -> Result<usize, MatrixError> {
        if rows == 0 || columns == 0 {
            return Err(MatrixError::Empty { rows, columns });
        }
        let refused = || MatrixError::Memory { bytes: Self::bytes(rows, columns) };
        let len = usize::try_from(Self::bytes(rows, columns) / 4).map_err(|_| refused())?;
        let values = Arc::make_mut(&mut self.values);
        values.try_reserve_exact(len.saturating_sub(values.len())).map_err(|_| refused())?;
        (self.rows, self.columns) = (rows as usize, columns as usize);
        Ok(len)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// All values, to be handed over without a copy.
    pub fn shared_values(&self) -> Arc<Vec<f32>> {
        self.values.clone()
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        Arc::make_mut(&mut self.values).as_mut_slice()
    }

    /// What it holds of memory now.
    pub fn capacity_bytes(&self) -> u64 {
        self.values.capacity() as u64 * 4
    }

    /// What it would hold of memory as `rows` × `columns`: memory is never given back.
    pub fn capacity_bytes_as(&self, rows: u32, columns: u32) -> u64 {
        self.capacity_bytes().max(Self::bytes(rows, columns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_shape_are_those_written() -> Result<(), MatrixError> {
        let mut matrix = Matrix::zeros(2, 3)?;
        assert_eq!((matrix.rows(), matrix.columns(), matrix.values()), (2, 3, &[0.0; 6][..]));
        matrix.write(4, &[1.0_f32.to_bits(), f32::NAN.to_bits()])?;
        assert_eq!(matrix.values()[..5], [0.0, 0.0, 0.0, 0.0, 1.0]);
        assert!(matrix.values()[5].is_nan());
        matrix.reshape(5, 1)?;
        matrix.reshape(1, 6)?;
        assert_eq!((matrix.rows(), matrix.columns(), matrix.values()), (1, 6, &[0.0, 0.0, 0.0, 0.0, 1.0, 0.0][..]));
        Ok(())
    }

    #[test]
    fn wrong_sizes_are_named_and_change_nothing() -> Result<(), MatrixError> {
        let mut matrix = Matrix::zeros(2, 3)?;
        assert_eq!(matrix.write(5, &[7]), Ok(()));
        let beyond = |start, values| Err(MatrixError::Range { rows: 2, columns: 3, start, values });
        assert_eq!(matrix.write(5, &[8, 8]), beyond(5, 2));
        assert_eq!(matrix.write(u32::MAX, &[8]), beyond(u32::MAX, 1));
        assert_eq!(matrix.reshape(0, 5), Err(MatrixError::Empty { rows: 0, columns: 5 }));
        assert_eq!((matrix.rows(), matrix.columns(), matrix.values()[5].to_bits()), (2, 3, 7));
        assert!(matches!(Matrix::zeros(u32::MAX, u32::MAX), Err(MatrixError::Memory { .. })));
        Ok(())
    }

    #[test]
    fn memory_is_kept_and_foretold() -> Result<(), MatrixError> {
        let mut matrix = Matrix::zeros(4, 4)?;
        assert_eq!((matrix.capacity_bytes(), matrix.capacity_bytes_as(1, 1)), (64, 64));
        matrix.reshape(1, 1)?;
        assert_eq!(matrix.capacity_bytes(), 64);
        assert_eq!(matrix.capacity_bytes_as(5, 4), 80);
        matrix.reshape(5, 4)?;
        assert_eq!(matrix.capacity_bytes(), 80);
        Ok(())
    }
}
