//! What a [`Sequential`](super::Sequential) is made of.

use std::fmt;

use super::{Gemm, Init, check_len};
use crate::{Result, Rng};

/// One step of a network: maps rows x to rows y, and gradients by y to gradients by x.
///
/// Implement it for a layer of your own; its tensors and their gradients live in the layer. All calls get whole rows, as many
/// in x as in y, of the widths that [`Layer::outputs`] agreed to.
pub trait Layer: fmt::Debug {
    /// Values in a row of y when a row of x has `inputs`.
    ///
    /// # Errors
    /// The layer takes rows of another width.
    fn outputs(&self, inputs: usize) -> Result<usize>;

    /// Writes y as it is when predicting: each row from its own row of x alone.
    ///
    /// # Errors
    /// The slices do not have the lengths they should.
    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()>;

    /// Writes y as it is when training, and keeps what [`Layer::backward`] needs. Differs from [`Layer::forward`] where a layer
    /// is random or looks at the whole batch.
    ///
    /// # Errors
    /// The slices do not have the lengths they should.
    fn train(&mut self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        self.forward(workspace, x, y)
    }

    /// After [`Layer::train`] of `x` gave `y`: from `dy`, the gradient by y, sets the gradients of the layer's tensors (they do
    /// not add up over calls) and writes the gradient by x to `dx`, if asked for. May use `dy` as scratch.
    ///
    /// # Errors
    /// The slices do not have the lengths they should.
    fn backward(
        &mut self,
        workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()>;

    /// Draws the trainable tensors anew. New layers hold zeros (norms: scale 1, shift 0).
    fn initialise(&mut self, _init: Init, _rng: &mut Rng) {}

    /// Shows every tensor that must survive training: name, shape, values.
    fn tensors(&self, _visit: &mut Visitor<'_>) {}

    /// Lends the same tensors, in the same order, to be changed.
    fn slots(&mut self, _visit: &mut dyn FnMut(Slot<'_>)) {}

    /// Whether the layer does nothing when predicting.
    fn only_trains(&self) -> bool {
        false
    }

    /// The map y = scale · x + shift that the layer is when predicting, one pair per channel, if it is one.
    fn affine(&self) -> Option<Affine> {
        None
    }

    /// Takes over an affine map of its outputs, if it can: afterwards y is what `affine` made of the old y.
    fn absorb(&mut self, _affine: &Affine) -> bool {
        false
    }
}

/// What is shown a tensor: its name, its shape, its values.
pub type Visitor<'a> = dyn FnMut(&str, &[usize], &[f32]) + 'a;

/// A tensor of a layer.
#[derive(Debug)]
pub struct Slot<'a> {
    /// The numbers.
    pub values: &'a mut [f32],
    /// Their gradient from the last [`Layer::backward`] (empty before the first); `None` for what no optimiser moves.
    pub gradient: Option<&'a mut [f32]>,
}

/// y = scale · x + shift, per channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// One factor per channel.
    pub scale: Vec<f32>,
    /// One summand per channel.
    pub shift: Vec<f32>,
}

/// Memory that layers share: what one leaves here, the next overwrites.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// Matrix products.
    pub gemm: Gemm,
    /// Unrolled patches, padded images: whatever a layer needs while it runs.
    pub scratch: [Vec<f32>; 3],
}

/// The first `length` values of a buffer that grows to the largest length asked for. They hold what an earlier use left.
pub(super) fn grown(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    &mut buffer[..length]
}

/// A trainable tensor. The gradient is empty until training asks for it, so that a model that only predicts has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameter {
    pub(super) values: Vec<f32>,
    gradient: Vec<f32>,
}

impl Parameter {
    pub(super) fn new(values: Vec<f32>) -> Self {
        Self { values, gradient: Vec::new() }
    }

    /// The values, and their gradient set to 0.
    pub(super) fn cleared(&mut self) -> (&[f32], &mut [f32]) {
        self.gradient.clear();
        self.gradient.resize(self.values.len(), 0.0);
        (&self.values, &mut self.gradient)
    }

    /// The values and their gradient, for an optimiser.
    pub(super) fn update(&mut self) -> (&mut [f32], &[f32]) {
        (&mut self.values, &self.gradient)
    }

    pub(super) fn slot(&mut self) -> Slot<'_> {
        Slot { values: &mut self.values, gradient: Some(&mut self.gradient) }
    }
}

/// Rows of `width` values in x, after checking that they are whole and that y has as many rows, of `outputs` values.
pub(super) fn check_rows(x: &[f32], width: usize, y: &[f32], outputs: usize) -> Result<usize> {
    let rows = x.len() / width.max(1);
    check_len("x", x, rows * width)?;
    check_len("y", y, rows * outputs)?;
    Ok(rows)
}
