//! What a submission implements.

use crate::{Batch, Loader, Metadata, Parameters, Predictions, Result};

/// How a model is trained.
pub trait Solution: 'static {
    /// What training makes.
    type Model: Model;

    /// Trains on `train`, may look at `val`, and returns the model. Nothing but its [`Model::parameters`] survives.
    ///
    /// # Errors
    /// Any error ends the run with the verdict `solution_error`.
    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Self::Model>;
}

/// A trained model: numbers, and what to do with them.
pub trait Model: Sized + 'static {
    /// Every number that prediction needs. Their count is the model's size, trainable or not.
    fn parameters(&self) -> Parameters;

    /// Rebuilds the model, in an instance that never saw the training data, from exactly what [`Model::parameters`] gave.
    ///
    /// # Errors
    /// Any error ends the run with the verdict `solution_error`.
    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self>;

    /// Predicts one batch; `inputs` has no targets. What a task asks for is listed at [`Predictions`]; for classification it is
    /// [`Predictions::scores`].
    ///
    /// Rows come in no particular order and batches may have any size, so what is predicted for a row must depend on that
    /// row alone.
    ///
    /// # Errors
    /// Any error ends the run with the verdict `solution_error`.
    fn predict(&self, inputs: &Batch) -> Result<Predictions>;
}
