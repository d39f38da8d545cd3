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
    /// Values that do not fill it.
    #[error("{values} values for a matrix of {rows} rows and {columns} columns")]
    Length {
        /// As asked.
        rows: u32,
        /// As asked.
        columns: u32,
        /// Values that were given.
        values: usize,
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
        let len = matrix.reserve(rows, columns)?;
        Arc::make_mut(&mut matrix.values).resize(len, 0.0);
        Ok(matrix)
    }

    /// Becomes `rows` × `columns` with the values of these bits, in row-major order. Memory is kept, and grows when it has
    /// to.
    ///
    /// # Errors
    /// A dimension is 0, `bits` are not as many as asked for, or the system refuses the memory. The matrix is as before.
    pub fn write(&mut self, rows: u32, columns: u32, bits: &[u32]) -> Result<(), MatrixError> {
        if Self::bytes(rows, columns) != bits.len() as u64 * 4 {
            return Err(MatrixError::Length { rows, columns, values: bits.len() });
        }
        self.reserve(rows, columns)?;
        let values = Arc::make_mut(&mut self.values);
        values.clear();
        values.extend(bits.iter().map(|&bits| f32::from_bits(bits)));
        Ok(())
    }

    /// Becomes `rows` × `columns` zeros, for a product that starts from nothing.
    pub(crate) fn clear(&mut self, rows: usize, columns: usize) -> Result<(), MatrixError> {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let len = self.reserve(narrow(rows), narrow(columns))?;
        let values = Arc::make_mut(&mut self.values);
        values.clear();
        values.resize(len, 0.0);
        Ok(())
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
        matrix.write(1, 2, &[1.0_f32.to_bits(), f32::NAN.to_bits()])?;
        assert_eq!((matrix.rows(), matrix.columns(), matrix.values()[0]), (1, 2, 1.0));
        assert!(matrix.values()[1].is_nan());
        Ok(())
    }

    #[test]
    fn wrong_sizes_are_named_and_change_nothing() -> Result<(), MatrixError> {
        let mut matrix = Matrix::zeros(2, 3)?;
        assert_eq!(matrix.write(2, 2, &[0; 3]), Err(MatrixError::Length { rows: 2, columns: 2, values: 3 }));
        assert_eq!(matrix.write(0, 5, &[]), Err(MatrixError::Empty { rows: 0, columns: 5 }));
        assert_eq!((matrix.rows(), matrix.columns()), (2, 3));
        assert!(matches!(Matrix::zeros(u32::MAX, u32::MAX), Err(MatrixError::Memory { .. })));
        Ok(())
    }

    #[test]
    fn memory_is_kept_and_foretold() -> Result<(), MatrixError> {
        let mut matrix = Matrix::zeros(4, 4)?;
        assert_eq!((matrix.capacity_bytes(), matrix.capacity_bytes_as(1, 1)), (64, 64));
        matrix.write(1, 1, &[0])?;
        assert_eq!(matrix.capacity_bytes(), 64);
        assert_eq!(matrix.capacity_bytes_as(5, 4), 80);
        matrix.write(5, 4, &[0; 20])?;
        assert_eq!(matrix.capacity_bytes(), 80);
        Ok(())
    }
}
