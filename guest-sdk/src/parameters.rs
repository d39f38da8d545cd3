//! What survives training.

use crate::{Element, Error, Result, Tensor, Values};

/// Named tensors, in order: everything that a predictor is given besides its inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(Vec<Tensor>);

impl Parameters {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tensor. The runner refuses names outside `[a-z0-9._-]{1,64}`, names used twice, text, ranks outside 1 to 8,
    /// a dimension 0, and a shape whose product is not the number of values.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize], values: impl Into<Values>) {
        self.0.push(Tensor::new(name, shape, values));
    }

    /// Takes the values of tensor `name` out.
    ///
    /// # Errors
    /// There is no such tensor, or its shape or type is another.
    pub fn take<T: Element>(&mut self, name: &str, shape: &[usize]) -> Result<Vec<T>> {
        let at = self.0.iter().position(|tensor| tensor.name == name).ok_or_else(|| {
            let names: Vec<_> = self.0.iter().map(|tensor| tensor.name.as_str()).collect();
            Error::from(format!("no parameter `{name}`, there is {names:?}"))
        })?;
        if self.0[at].shape != shape {
            return Err(format!("parameter `{name}` has shape {:?}, expected {shape:?}", self.0[at].shape).into());
        }
        self.0.remove(at).into_vec()
    }

    /// Takes the values of tensor `name` out, as f32.
    ///
    /// # Errors
    /// As [`Parameters::take`].
    pub fn take_f32(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.take(name, shape)
    }

    /// The parameter count as the runner computes it, without what the component's own bytes may add: the number of values,
    /// or their size in 32-bit words if that is more. Eight-bit values count one each, 64-bit values two.
    pub fn count(&self) -> u64 {
        let (mut values, mut bytes) = (0, 0);
        for tensor in &self.0 {
            let n = tensor.values.len() as u64;
            values += n;
            bytes += n * tensor.values.dtype().bytes();
        }
        values.max(bytes.div_ceil(4))
    }

    /// The tensors, in order.
    pub fn as_slice(&self) -> &[Tensor] {
        &self.0
    }

    /// The tensors, in order, moved.
    pub fn into_vec(self) -> Vec<Tensor> {
        self.0
    }
}

impl From<Vec<Tensor>> for Parameters {
    fn from(tensors: Vec<Tensor>) -> Self {
        Self(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("weight", &[2, 3], vec![1_f32; 6]);
        parameters.push("scale", &[2], vec![7_i8, 9]);
        parameters
    }

    #[test]
    fn tensors_are_taken_by_name_in_any_order() -> Result<()> {
        let mut parameters = sample();
        assert_eq!(parameters.take::<i8>("scale", &[2])?, [7, 9]);
        assert_eq!(parameters.take_f32("weight", &[2, 3])?, [1.0; 6]);
        assert!(parameters.as_slice().is_empty());
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_named_with_both_sides() {
        let text = |name, shape: &[usize]| sample().take_f32(name, shape).map_err(|error| error.to_string());
        assert_eq!(text("bias", &[2]), Err(r#"no parameter `bias`, there is ["weight", "scale"]"#.to_owned()));
        assert_eq!(text("weight", &[3, 2]), Err("parameter `weight` has shape [2, 3], expected [3, 2]".to_owned()));
        assert_eq!(text("scale", &[2]), Err("tensor `scale` holds s8, expected f32".to_owned()));
    }

    #[test]
    fn count_is_values_or_words_whichever_is_more() {
        let count = |values: Values| {
            let mut parameters = Parameters::new();
            parameters.push("x", &[values.len()], values);
            parameters.count()
        };
        assert_eq!(count(vec![0_f32; 5].into()), 5);
        assert_eq!(count(vec![0_i8; 5].into()), 5);
        assert_eq!(count(vec![0_i64; 5].into()), 10);
        assert_eq!(count(vec![0_f64; 5].into()), 10);
    }
}
