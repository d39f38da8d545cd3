//! What a curve is made of.

use thimble_sdk::Result;
use thimble_sdk::nn::count_correct;

/// Rows, right answers and loss, over the batches of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    rows: usize,
    correct: usize,
    loss: f64,
}

impl Tally {
    /// Adds a batch with its mean loss.
    ///
    /// # Errors
    /// A label is outside the classes, or the scores are not one row per label.
    pub fn add(&mut self, scores: &[f32], labels: &[i64], loss: f32) -> Result<()> {
        self.rows += labels.len();
        self.correct += count_correct(scores, labels, scores.len() / labels.len().max(1))?;
        self.loss += f64::from(loss) * labels.len() as f64;
        Ok(())
    }

    /// Mean loss of a row, in nats when it is the cross-entropy; 0 without rows.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.rows.max(1) as f64
    }

    /// Share of right answers, 0 to 1; 0 without rows.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.rows.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_weigh_as_many_rows_as_they_have() -> Result<()> {
        let mut tally = Tally::default();
        assert_eq!((tally.mean_loss(), tally.accuracy()), (0.0, 0.0));
        tally.add(&[1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[0, 0, 1], 1.0)?;
        tally.add(&[0.0, 1.0], &[1], 5.0)?;
        assert_eq!((tally.mean_loss(), tally.accuracy()), (2.0, 0.75));
        Ok(())
    }
}
