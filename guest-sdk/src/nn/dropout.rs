//! Dropout.

use super::{Layer, Workspace, check_len};
use crate::{Result, Rng};

/// Inverted dropout (Srivastava et al. 2014): in training each value is 0 with probability p, else divided by 1 − p; when
/// predicting it does nothing.
#[derive(Debug, Clone)]
pub struct Dropout {
    /// A value goes when 32 random bits are below this.
    threshold: u32,
    /// 1 ÷ (1 − p).
    scale: f32,
    rng: Rng,
    /// The factors of the batch in training, 0 or `scale`.
    factors: Vec<f32>,
}

impl Dropout {
    /// Drops with probability `p`, drawn from `rng`. A `p` outside 0 to 1 is taken as the nearer of the two; 1 drops everything.
    pub fn new(p: f32, rng: Rng) -> Self {
        let p = f64::from(p).clamp(0.0, 1.0);
        let scale = if p < 1.0 { (1.0 / (1.0 - p)) as f32 } else { 0.0 };
        Self { threshold: (p * 4_294_967_296.0) as u32, scale, rng, factors: Vec::new() }
    }
}

impl Layer for Dropout {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        Ok(inputs)
    }

    fn forward(&self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        check_len("y", y, x.len())?;
        y.copy_from_slice(x);
        Ok(())
    }

    fn train(&mut self, _workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        check_len("y", y, x.len())?;
        let Self { threshold, scale, ref mut rng, ref mut factors } = *self;
        factors.resize(x.len(), 0.0);
        factors.fill_with(|| if rng.next_u32() < threshold { 0.0 } else { scale });
        multiply(x, factors, y);
        Ok(())
    }

    fn backward(
        &mut self,
        _workspace: &mut Workspace,
        _x: &[f32],
        _y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let Some(dx) = dx else { return Ok(()) };
        check_len("dy", dy, self.factors.len())?;
        check_len("dx", dx, dy.len())?;
        multiply(dy, &self.factors, dx);
        Ok(())
    }

    fn only_trains(&self) -> bool {
        true
    }
}

fn multiply(x: &[f32], factors: &[f32], y: &mut [f32]) {
    for ((y, &x), &factor) in y.iter_mut().zip(x).zip(factors) {
        *y = x * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        check::layer(&mut Dropout::new(0.4, Rng::seeded(1)), 9, 4)
    }

    #[test]
    fn drops_as_often_as_asked_and_keeps_the_mean() -> Result<()> {
        let mut dropout = Dropout::new(0.25, Rng::seeded(1));
        let mut y = vec![0.0; 40_000];
        dropout.train(&mut Workspace::default(), &vec![3.0; 40_000], &mut y)?;
        let dropped = y.iter().filter(|&&y| y == 0.0).count();
        // Four standard deviations: √(40,000 · ¼ · ¾) = 87.
        assert!(dropped.abs_diff(10_000) < 348, "{dropped}");
        assert!(y.iter().all(|&y| y == 0.0 || y == 4.0));
        Ok(())
    }

    #[test]
    fn each_batch_drops_others_and_the_seed_decides_which() -> Result<()> {
        let batches = |seed| -> Result<Vec<[f32; 32]>> {
            let mut dropout = Dropout::new(0.5, Rng::seeded(seed));
            (0..2)
                .map(|_| {
                    let mut y = [0.0; 32];
                    dropout.train(&mut Workspace::default(), &[1.0; 32], &mut y).map(|()| y)
                })
                .collect()
        };
        let one = batches(1)?;
        assert_ne!(one[0], one[1]);
        assert_eq!((one == batches(1)?, one == batches(2)?), (true, false));
        Ok(())
    }

    #[test]
    fn the_ends_of_the_range_drop_nothing_and_everything() -> Result<()> {
        for (p, expected) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (2.0, 0.0)] {
            let mut y = [9.0; 8];
            Dropout::new(p, Rng::seeded(1)).train(&mut Workspace::default(), &[1.0; 8], &mut y)?;
            assert_eq!(y, [expected; 8], "p {p}");
        }
        Ok(())
    }
}
