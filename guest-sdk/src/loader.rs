//! The data a solution trains on.

use crate::Batch;
use crate::bindings::thimble::solution::data;
#[cfg(not(target_family = "wasm"))]
use memory::Memory;

/// An iterator over the batches of one epoch of a split. The last batch may be smaller; after it comes `None` until
/// [`Loader::rewind`] starts the next epoch.
///
/// ```
/// # use thimble_sdk::{Loader, Result};
/// # fn train(loader: &mut Loader) -> Result<()> {
/// for epoch in 0..50 {
///     for batch in loader.by_ref() {
///         let (features, labels) = (batch.features()?, batch.labels()?);
///         // one training step
///     }
///     loader.rewind();
/// }
/// # Ok(())
/// # }
/// ```
///
/// In the runner the host owns the data, and the training split comes in another order each epoch. In a native test the
/// loader holds the rows itself, see [`Loader::from_rows`] and [`Loader::shuffled`].
#[derive(Debug)]
pub struct Loader(Source);

#[derive(Debug)]
enum Source {
    Host(data::Loader),
    #[cfg(not(target_family = "wasm"))]
    Memory(Memory),
}

impl Loader {
    /// Rows of the split.
    pub fn samples(&self) -> u64 {
        match &self.0 {
            Source::Host(loader) => loader.samples(),
            #[cfg(not(target_family = "wasm"))]
            Source::Memory(memory) => memory.rows() as u64,
        }
    }

    /// Starts the next epoch, at its first batch.
    pub fn rewind(&mut self) {
        match &mut self.0 {
            Source::Host(loader) => loader.rewind(),
            #[cfg(not(target_family = "wasm"))]
            Source::Memory(memory) => memory.rewind(),
        }
    }

    pub(crate) fn from_host(loader: data::Loader) -> Self {
        Self(Source::Host(loader))
    }
}

impl Iterator for Loader {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        match &mut self.0 {
            Source::Host(loader) => loader.next().map(Batch::from),
            #[cfg(not(target_family = "wasm"))]
            Source::Memory(memory) => memory.next(),
        }
    }
}

/// Splits in memory, for native tests.
#[cfg(not(target_family = "wasm"))]
mod memory {
    use std::sync::Arc;

    use thimble_order::Cursor;

    use super::{Loader, Source};
    use crate::{Batch, Result, Tensor};

    #[derive(Debug)]
    pub(super) struct Memory {
        /// All rows; `None` when there are none.
        split: Option<Arc<Batch>>,
        batch_size: usize,
        cursor: Cursor,
    }

    impl Loader {
        /// A split in memory, for native tests: tensors whose first dimension is the row. Every epoch has the order given,
        /// as the runner's validation split does.
        ///
        /// # Errors
        /// There is no input, the tensors do not have the same number of rows, or `batch_size` is 0.
        pub fn from_rows(inputs: Vec<Tensor>, targets: Vec<Tensor>, batch_size: usize) -> Result<Self> {
            if batch_size == 0 {
                return Err("batch size 0, expected at least 1".into());
            }
            Ok(Self::from_split(Arc::new(Batch::new(inputs, targets)?), batch_size))
        }

        /// All rows in one batch; `batch_size` at least 1.
        pub(crate) fn from_split(split: Arc<Batch>, batch_size: usize) -> Self {
            let cursor = Cursor::in_file_order(split.rows());
            Self(Source::Memory(Memory { split: Some(split), batch_size, cursor }))
        }

        /// A split without rows, for native tests of solutions that do not look at it.
        pub fn empty() -> Self {
            Self(Source::Memory(Memory { split: None, batch_size: 1, cursor: Cursor::in_file_order(0) }))
        }

        /// At the start of the first epoch, and every epoch in the order that the runner's training split has it in, under
        /// a challenge with this seed. No effect on a loader of the runner.
        #[must_use]
        pub fn shuffled(mut self, seed: u64) -> Self {
            if let Source::Memory(memory) = &mut self.0 {
                memory.cursor = Cursor::shuffled(memory.rows(), seed);
            }
            self
        }
    }

    impl Memory {
        pub(super) fn rows(&self) -> usize {
            self.cursor.rows()
        }

        pub(super) fn rewind(&mut self) {
            self.cursor.rewind();
        }

        pub(super) fn next(&mut self) -> Option<Batch> {
            let rows = self.cursor.next_batch(self.batch_size);
            if rows.is_empty() {
                return None;
            }
            self.split.as_ref().map(|split| split.gather(&rows))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Result, Tensor};

    fn loader(rows: usize, batch_size: usize) -> Result<Loader> {
        let values: Vec<f32> = (0..2 * rows).map(|i| i as f32).collect();
        let labels: Vec<i64> = (0..rows as i64).collect();
        Loader::from_rows(
            vec![Tensor::new("x", &[rows, 2], values)],
            vec![Tensor::new("y", &[rows], labels)],
            batch_size,
        )
    }

    fn epoch(loader: &mut Loader) -> Vec<i64> {
        loader.flat_map(|batch| batch.labels().expect("one label per row").to_vec()).collect()
    }

    #[test]
    fn an_epoch_ends_with_a_smaller_batch_and_stays_ended_until_rewind() -> Result<()> {
        let mut loader = loader(5, 2)?;
        assert_eq!(loader.samples(), 5);
        assert_eq!(loader.by_ref().map(|batch| batch.rows()).collect::<Vec<_>>(), [2, 2, 1]);
        assert!(loader.next().is_none() && loader.next().is_none());
        loader.rewind();
        assert_eq!(epoch(&mut loader), [0, 1, 2, 3, 4]);
        Ok(())
    }

    #[test]
    fn shuffled_epochs_are_different_permutations_that_keep_rows_together() -> Result<()> {
        let mut loader = loader(100, 7)?.shuffled(1);
        let first = epoch(&mut loader);
        loader.rewind();
        for batch in loader.by_ref() {
            for (row, &label) in batch.features()?.iter().zip(batch.labels()?) {
                assert_eq!(row, [2.0 * label as f32, 2.0 * label as f32 + 1.0]);
            }
        }
        loader.rewind();
        let third = epoch(&mut loader);
        assert_ne!(first, third);
        let mut rows = third;
        rows.sort_unstable();
        assert_eq!(rows, (0..100).collect::<Vec<_>>());
        Ok(())
    }

    /// The order is the runner's: the golden value of `thimble-order`.
    #[test]
    fn shuffled_is_the_order_of_the_runner() -> Result<()> {
        assert_eq!(epoch(&mut loader(2048, 128)?.shuffled(1))[..4], [884, 428, 1048, 151]);
        Ok(())
    }

    #[test]
    fn rewind_in_the_middle_starts_a_whole_epoch() -> Result<()> {
        let mut loader = loader(5, 2)?;
        loader.next();
        loader.rewind();
        assert_eq!(epoch(&mut loader).len(), 5);
        Ok(())
    }

    #[test]
    fn empty_and_malformed_splits() {
        assert!(Loader::empty().next().is_none());
        assert!(loader(5, 0).is_err());
        let (x, y) = (Tensor::new("x", &[2], vec![0_f32; 2]), Tensor::new("y", &[3], vec![0_i64; 3]));
        assert!(Loader::from_rows(vec![x], vec![y], 1).is_err());
    }
}
