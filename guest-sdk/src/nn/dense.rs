//! The fully connected layer with its activation.

use super::{Activation, Affine, Gemm, Init, Layer, Linear, LinearGradients, Slot, Visitor, Workspace};
use crate::{Result, Rng};

/// y = activation(x · Wᵀ + b): a [`Linear`] whose results are passed over once more.
#[derive(Debug, Clone)]
pub struct Dense {
    product: Trainable,
    activation: Activation,
    /// x · Wᵀ + b of the batch in training, for activations whose derivative looks at it.
    before: Vec<f32>,
}

impl Dense {
    /// A layer of zeros, to be initialised or loaded.
    pub fn new(inputs: usize, outputs: usize, activation: Activation) -> Self {
        Self::from_linear(Linear::zeros(inputs, outputs), activation)
    }

    /// A layer of given numbers.
    pub fn from_linear(linear: Linear, activation: Activation) -> Self {
        Self { product: Trainable::new(linear), activation, before: Vec::new() }
    }

    /// W and b.
    pub fn linear(&self) -> &Linear {
        &self.product.linear
    }
}

impl Layer for Dense {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        let linear = self.linear();
        if inputs != linear.inputs() {
            return Err(format!("rows of {inputs} values, expected {}", linear.inputs()).into());
        }
        Ok(linear.outputs())
    }

    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.linear().forward(&mut workspace.gemm, x, y)?;
        self.activation.apply(y);
        Ok(())
    }

    fn train(&mut self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.linear().forward(&mut workspace.gemm, x, y)?;
        if self.activation.needs_input() {
            self.before.clear();
            self.before.extend_from_slice(y);
        }
        self.activation.apply(y);
        Ok(())
    }

    fn backward(
        &mut self,
        workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        self.activation.backward(&self.before, y, dy)?;
        self.product.clear_gradients();
        self.product.backward(&mut workspace.gemm, x, dy)?;
        dx.map_or(Ok(()), |dx| self.linear().backward_input(&mut workspace.gemm, dy, dx))
    }

    fn initialise(&mut self, init: Init, rng: &mut Rng) {
        let (fan_in, fan_out) = (self.linear().inputs(), self.linear().outputs());
        self.product.initialise(init, fan_in, fan_out, rng);
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        let linear = self.linear();
        visit("weight", &[linear.outputs(), linear.inputs()], linear.weight());
        visit("bias", &[linear.outputs()], linear.bias());
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        self.product.slots(visit);
    }

    fn absorb(&mut self, affine: &Affine) -> bool {
        self.activation == Activation::Identity && self.product.linear.absorb(affine).is_ok()
    }
}

/// A [`Linear`] with the gradients of the last batch, which a model that only predicts does not have.
#[derive(Debug, Clone)]
pub(super) struct Trainable {
    pub(super) linear: Linear,
    gradients: Option<LinearGradients>,
}

impl Trainable {
    pub(super) fn new(linear: Linear) -> Self {
        Self { linear, gradients: None }
    }

    pub(super) fn clear_gradients(&mut self) {
        self.gradients.get_or_insert_with(|| self.linear.gradients()).clear();
    }

    pub(super) fn backward(&mut self, gemm: &mut Gemm, x: &[f32], dy: &[f32]) -> Result<()> {
        let gradients = self.gradients.get_or_insert_with(|| self.linear.gradients());
        self.linear.backward(gemm, x, dy, gradients)
    }

    pub(super) fn initialise(&mut self, init: Init, fan_in: usize, fan_out: usize, rng: &mut Rng) {
        let (weight, bias) = self.linear.parts_mut();
        init.fill(weight, bias, fan_in, fan_out, rng);
    }

    pub(super) fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        let (weight, bias) = self.linear.parts_mut();
        let (by_weight, by_bias) = self.gradients.as_mut().map(LinearGradients::parts_mut).unwrap_or_default();
        visit(Slot { values: weight, gradient: Some(by_weight) });
        visit(Slot { values: bias, gradient: Some(by_bias) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use super::*;

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        for activation in [Activation::Identity, Activation::Tanh, Activation::Gelu] {
            check::layer(&mut Dense::new(5, 3, activation), 5, 4)?;
        }
        Ok(())
    }

    #[test]
    fn is_the_linear_layer_and_then_the_activation() -> Result<()> {
        let linear = Linear::new(3, 4, &mut Rng::seeded(1));
        let (x, mut expected, mut y) = ([0.5, -1.0, 2.0], [0.0; 4], [0.0; 4]);
        linear.forward(&mut Gemm::new(), &x, &mut expected)?;
        Activation::Sigmoid.apply(&mut expected);
        Dense::from_linear(linear, Activation::Sigmoid).forward(&mut Workspace::default(), &x, &mut y)?;
        assert_eq!(y, expected);
        Ok(())
    }
}
