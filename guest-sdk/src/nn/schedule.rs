//! How the step size goes over a training run.

use std::f64::consts::PI;

/// A factor for the step size by the number of the step, from 0.
///
/// ```
/// use thimble_sdk::nn::Schedule;
/// let schedule = Schedule::Cosine { warmup: 10, total: 100, last: 0.0 };
/// assert_eq!((schedule.factor(0), schedule.factor(9), schedule.factor(55)), (0.1, 1.0, 0.5));
/// // In a loop: optimiser.set_learning_rate(base * schedule.factor(step));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// 1.
    Constant,
    /// `gamma` to the power of ⌊step ÷ `every`⌋, `torch.optim.lr_scheduler.StepLR`. Constant when `every` is 0.
    Step {
        /// Steps from one change to the next.
        every: u64,
        /// What the factor is multiplied with.
        gamma: f32,
    },
    /// A linear way up over `warmup` steps, (step + 1) ÷ `warmup`, then a linear way down that reaches `last` at `total`.
    Linear {
        /// Steps of the way up.
        warmup: u64,
        /// All steps; later ones stay at `last`.
        total: u64,
        /// The factor at the end.
        last: f32,
    },
    /// The same way up, then half a cosine down to `last` at `total` (Loshchilov, Hutter 2017, without restarts).
    Cosine {
        /// Steps of the way up.
        warmup: u64,
        /// All steps; later ones stay at `last`.
        total: u64,
        /// The factor at the end.
        last: f32,
    },
}

impl Schedule {
    /// The factor of step `step`.
    pub fn factor(self, step: u64) -> f32 {
        let factor = match self {
            Self::Constant => 1.0,
            Self::Step { every, gamma } => libm::pow(f64::from(gamma), step.checked_div(every).unwrap_or(0) as f64),
            Self::Linear { warmup, total, last } => ramp(step, warmup, total, last, |done| 1.0 - done),
            Self::Cosine { warmup, total, last } => {
                ramp(step, warmup, total, last, |done| 0.5 * (1.0 + libm::cos(PI * done)))
            }
        };
        factor as f32
    }
}

/// Up over `warmup`, then down along `shape`, which falls from 1 to 0 over 0 to 1.
fn ramp(step: u64, warmup: u64, total: u64, last: f32, shape: impl Fn(f64) -> f64) -> f64 {
    if step < warmup {
        return (step as f64 + 1.0) / warmup as f64;
    }
    let (done, all) = ((step - warmup) as f64, total.saturating_sub(warmup) as f64);
    let last = f64::from(last);
    if done < all { last + (1.0 - last) * shape(done / all) } else { last }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_those_of_the_formulas() {
        let step = Schedule::Step { every: 30, gamma: 0.5 };
        assert_eq!([0, 29, 30, 59, 60].map(|at| step.factor(at)), [1.0, 1.0, 0.5, 0.5, 0.25]);
        let linear = Schedule::Linear { warmup: 4, total: 12, last: 0.5 };
        assert_eq!([0, 3, 4, 8, 12, 99].map(|at| linear.factor(at)), [0.25, 1.0, 1.0, 0.75, 0.5, 0.5]);
        let cosine = Schedule::Cosine { warmup: 0, total: 6, last: 0.0 };
        assert_eq!([0, 2, 3, 4, 6, 7].map(|at| cosine.factor(at)), [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
        assert_eq!(Schedule::Constant.factor(u64::MAX), 1.0);
    }

    #[test]
    fn schedules_of_no_length_are_at_their_end() {
        assert_eq!(Schedule::Cosine { warmup: 0, total: 0, last: 0.3 }.factor(0), 0.3);
        assert_eq!(Schedule::Linear { warmup: 2, total: 1, last: 0.3 }.factor(2), 0.3);
        assert_eq!(Schedule::Step { every: 0, gamma: 0.1 }.factor(5), 1.0);
    }
}
