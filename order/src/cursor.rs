//! Where a loader stands.

use crate::permutation::Permutation;

/// Which rows of a split come next. Epoch and position are all its state.
#[derive(Debug, Clone)]
pub struct Cursor {
    rows: usize,
    position: usize,
    epoch: u64,
    /// `None`: every epoch in file order.
    shuffle: Option<Shuffle>,
}

#[derive(Debug, Clone)]
struct Shuffle {
    seed: u64,
    order: Permutation,
}

impl Shuffle {
    fn of_epoch(rows: usize, seed: u64, epoch: u64) -> Self {
        Self { seed, order: Permutation::of_epoch(rows as u64, seed, epoch) }
    }
}

impl Cursor {
    /// At the start of epoch 0, every epoch in file order: a validation split.
    pub fn in_file_order(rows: usize) -> Self {
        Self { rows, position: 0, epoch: 0, shuffle: None }
    }

    /// At the start of epoch 0, every epoch in an order of its own, drawn from the challenge's seed: a training split.
    pub fn shuffled(rows: usize, seed: u64) -> Self {
        Self { shuffle: Some(Shuffle::of_epoch(rows, seed, 0)), ..Self::in_file_order(rows) }
    }

    /// Rows of the split.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many rows the next batch has; 0 at the end of the epoch.
    pub fn next_len(&self, batch_size: usize) -> usize {
        batch_size.min(self.rows - self.position)
    }

    /// Where the rows of the next batch lie in the split; none at the end of the epoch.
    pub fn next_batch(&mut self, batch_size: usize) -> Vec<usize> {
        let range = self.position..self.position + self.next_len(batch_size);
        self.position = range.end;
        match &self.shuffle {
            Some(Shuffle { order, .. }) => range.map(|index| order.at(index as u64) as usize).collect(),
            None => range.collect(),
        }
    }

    /// Starts the next epoch, wherever this one stands.
    pub fn rewind(&mut self) {
        self.position = 0;
        self.epoch = self.epoch.saturating_add(1);
        if let Some(Shuffle { seed, .. }) = self.shuffle {
            self.shuffle = Some(Shuffle::of_epoch(self.rows, seed, self.epoch));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(cursor: &mut Cursor) -> Vec<usize> {
        std::iter::from_fn(|| Some(cursor.next_batch(3)).filter(|rows| !rows.is_empty())).flatten().collect()
    }

    #[test]
    fn an_epoch_ends_with_a_smaller_batch_and_stays_ended_until_rewind() {
        let mut cursor = Cursor::in_file_order(5);
        assert_eq!(cursor.next_batch(3), [0, 1, 2]);
        assert_eq!(cursor.next_len(3), 2);
        assert_eq!(cursor.next_batch(3), [3, 4]);
        assert!(cursor.next_batch(3).is_empty() && cursor.next_batch(3).is_empty());
        cursor.rewind();
        assert_eq!(epoch(&mut cursor), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn every_rewind_starts_the_next_epoch_in_the_middle_too() {
        let order = |epoch| {
            let order = Permutation::of_epoch(100, 7, epoch);
            (0..100).map(|index| order.at(index) as usize).collect::<Vec<_>>()
        };
        let mut cursor = Cursor::shuffled(100, 7);
        assert_eq!(epoch(&mut cursor), order(0));
        cursor.rewind();
        cursor.next_batch(3);
        cursor.rewind();
        assert_eq!(epoch(&mut cursor), order(2));
        cursor.rewind();
        cursor.rewind();
        assert_eq!(epoch(&mut cursor), order(4));
    }

    #[test]
    fn a_split_without_rows_has_no_batch() {
        let mut cursor = Cursor::shuffled(0, 1);
        assert!(cursor.next_batch(3).is_empty());
        cursor.rewind();
        assert_eq!((cursor.rows(), cursor.next_len(3)), (0, 0));
    }
}
