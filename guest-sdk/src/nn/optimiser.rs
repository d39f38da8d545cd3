//! What all optimisers have in common.

use super::check_len;
use crate::Result;

/// A rule that moves tensors against their gradients, one step at a time.
///
/// The first step decides which tensors there are; later steps must name the same in the same order. A step is
/// [`Optimiser::begin`], [`Optimiser::update`] for each tensor, [`Optimiser::end`]; [`Optimiser::step`] is the three in one.
pub trait Optimiser {
    /// Starts a step.
    fn begin(&mut self);

    /// Moves the next tensor.
    ///
    /// # Errors
    /// `tensor` and `gradient` differ in length, or the tensor is not that of the first step.
    fn update(&mut self, tensor: &mut [f32], gradient: &[f32]) -> Result<()>;

    /// Ends a step.
    ///
    /// # Errors
    /// The step had fewer tensors than the first.
    fn end(&mut self) -> Result<()>;

    /// Sets the step size, for instance to a base times the factor of a [`Schedule`](super::Schedule).
    fn set_learning_rate(&mut self, learning_rate: f32);

    /// A whole step over pairs of (tensor, gradient).
    ///
    /// # Errors
    /// As [`Optimiser::update`] and [`Optimiser::end`]. Some tensors may have moved then.
    fn step<'a>(&mut self, tensors: impl IntoIterator<Item = (&'a mut [f32], &'a [f32])>) -> Result<()>
    where
        Self: Sized,
    {
        self.begin();
        tensors.into_iter().try_for_each(|(tensor, gradient)| self.update(tensor, gradient))?;
        self.end()
    }
}

/// What an optimiser remembers: the number of steps, and `N` values for each value of each tensor.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory<const N: usize> {
    steps: u32,
    next: usize,
    tensors: Vec<[Vec<f32>; N]>,
}

impl<const N: usize> Memory<N> {
    pub(super) fn new() -> Self {
        Self { steps: 0, next: 0, tensors: Vec::new() }
    }

    /// Counts the step.
    pub(super) fn begin(&mut self) {
        self.steps = self.steps.saturating_add(1);
        self.next = 0;
    }

    /// Steps begun.
    pub(super) fn steps(&self) -> u32 {
        self.steps
    }

    /// The memory of the next tensor, zeros at first.
    pub(super) fn next(&mut self, tensor: &[f32], gradient: &[f32]) -> Result<&mut [Vec<f32>; N]> {
        check_len("gradient", gradient, tensor.len())?;
        if self.steps == 1 && self.next == self.tensors.len() {
            self.tensors.push(std::array::from_fn(|_| vec![0.0; tensor.len()]));
        }
        let expected = self.tensors.len();
        let memory = self.tensors.get_mut(self.next).ok_or_else(|| wrong_number(self.next + 1, expected))?;
        if let Some(first) = memory.first() {
            check_len("tensor", tensor, first.len())?;
        }
        self.next += 1;
        Ok(memory)
    }

    pub(super) fn end(&self) -> Result<()> {
        if self.next == self.tensors.len() { Ok(()) } else { Err(wrong_number(self.next, self.tensors.len()).into()) }
    }
}

#[cold]
fn wrong_number(actual: usize, expected: usize) -> String {
    format!("step of {actual} tensors, expected {expected}")
}

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::nn::{Adam, Optimiser as _, Sgd};

    #[test]
    fn other_tensors_than_at_first_are_an_error() -> Result<()> {
        let (mut x, mut y, mut adam) = ([0.0_f32; 2], [0.0; 3], Adam::new(0.1));
        let mut step = |tensors: Vec<(&mut [f32], &[f32])>| adam.step(tensors).map_err(|error| error.to_string());
        assert_eq!(step(vec![(&mut x, &[1.0; 2])]), Ok(()));
        assert_eq!(step(vec![(&mut y, &[1.0; 3])]), Err("tensor has 3 values, expected 2".to_owned()));
        assert_eq!(step(vec![(&mut x, &[1.0; 1])]), Err("gradient has 1 values, expected 2".to_owned()));
        assert_eq!(step(vec![]), Err("step of 0 tensors, expected 1".to_owned()));
        let two = step(vec![(&mut x, &[1.0; 2]), (&mut y, &[1.0; 3])]);
        assert_eq!(two, Err("step of 2 tensors, expected 1".to_owned()));
        Ok(())
    }

    #[test]
    fn a_slice_of_any_length_is_a_step() -> Result<()> {
        let mut tensors = vec![vec![1.0_f32; 3]; 4];
        let gradient = [0.5; 3];
        Sgd::new(1.0).step(tensors.iter_mut().map(|tensor| (&mut tensor[..], &gradient[..])))?;
        assert_eq!(tensors, vec![vec![0.5; 3]; 4]);
        Ok(())
    }
}
