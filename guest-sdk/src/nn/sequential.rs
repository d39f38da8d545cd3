//! Layers one after the other.

use std::cell::RefCell;

use super::clip::{coefficient, squares};
use super::lanes::scale;
use super::layer::{check_rows, grown};
use super::{Init, Layer, Optimiser, Slot, Visitor, Workspace, check_len};
use crate::{Error, Parameters, Result, Rng};

/// A network: layers one after the other, with the buffers they work in.
///
/// Built the same way for training and for prediction; then either [`Sequential::initialised`] or [`Sequential::loaded`]:
///
/// ```
/// use thimble_sdk::nn::{Activation, Adam, Dense, Dropout, Init, Sequential, argmax, cross_entropy};
/// use thimble_sdk::{Loader, Result, Rng, Tensor};
///
/// fn network() -> Result<Sequential> {
///     Sequential::new(2, vec![
///         Box::new(Dense::new(2, 16, Activation::Relu)),
///         Box::new(Dropout::new(0.1, Rng::seeded(2))),
///         Box::new(Dense::new(16, 2, Activation::Identity)),
///     ])
/// }
///
/// # fn main() -> Result<()> {
/// // Exclusive or, which no linear model can learn.
/// let features = Tensor::new("features", &[4, 2], vec![0.0_f32, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
/// let labels = Tensor::new("label", &[4], vec![0_i64, 1, 1, 0]);
/// let mut train = Loader::from_rows(vec![features], vec![labels], 4)?;
///
/// let mut network = network()?.initialised(Init::KaimingNormal, &mut Rng::seeded(1));
/// let mut adam = Adam::new(0.02);
/// for epoch in 0..200 {
///     for batch in train.by_ref() {
///         let (x, labels) = (batch.features()?.values, batch.labels()?);
///         let loss = network.train(x, |scores, gradient| cross_entropy(scores, labels, 2, gradient))?;
///         network.clip_gradients(1.0);
///         network.step(&mut adam)?;
///     }
///     train.rewind();
/// }
///
/// // What `Model::parameters`, `Model::from_parameters` and `Model::predict` do.
/// let parameters = network.parameters();
/// assert_eq!(parameters.count(), 2 * 16 + 16 + 16 * 2 + 2);
/// let network = self::network()?.loaded(parameters)?;
/// let scores = network.predict(&[0.0, 1.0, 1.0, 1.0])?;
/// assert_eq!((argmax(&scores[..2]), argmax(&scores[2..])), (Some(1), Some(0)));
/// # Ok(())
/// # }
/// ```
///
/// It is itself a [`Layer`], so networks nest. Buffers grow on first use and then stay: a training step after the first
/// allocates nothing.
#[derive(Debug)]
pub struct Sequential {
    inputs: usize,
    outputs: usize,
    stages: Vec<Stage>,
    /// The gradient between two layers, of odd and of even ones.
    between: [Vec<f32>; 2],
    /// What [`Sequential::train`] keeps of its caller's batch: the last layer's results and their gradient.
    scores: Vec<f32>,
    gradient: Vec<f32>,
    workspace: RefCell<Workspace>,
    /// When predicting: the results of odd and of even layers.
    predicting: RefCell<[Vec<f32>; 2]>,
}

/// Only a layer that calls the network it is in could see this.
const BUSY: &str = "the network is already predicting";

#[derive(Debug)]
struct Stage {
    layer: Box<dyn Layer>,
    /// Values in a row of y.
    width: usize,
    /// Results of the batch in training. The last layer has none: it writes to its caller.
    y: Vec<f32>,
}

impl Sequential {
    /// A network for rows of `inputs` values.
    ///
    /// # Errors
    /// There is no layer, or one does not take the rows that the one before it gives.
    pub fn new(inputs: usize, layers: Vec<Box<dyn Layer>>) -> Result<Self> {
        let mut width = inputs;
        let mut stages = Vec::with_capacity(layers.len());
        for (index, layer) in layers.into_iter().enumerate() {
            width = layer.outputs(width).map_err(|error| Error::from(format!("layer {index}: {error}")))?;
            stages.push(Stage { layer, width, y: Vec::new() });
        }
        if stages.is_empty() || inputs == 0 || stages.iter().any(|stage| stage.width == 0) {
            return Err("a network has at least one layer, and no rows without values".into());
        }
        Ok(Self {
            inputs,
            outputs: width,
            stages,
            between: Default::default(),
            scores: Vec::new(),
            gradient: Vec::new(),
            workspace: RefCell::default(),
            predicting: RefCell::default(),
        })
    }

    /// With all trainable tensors drawn anew, layer by layer.
    #[must_use]
    pub fn initialised(mut self, init: Init, rng: &mut Rng) -> Self {
        self.initialise(init, rng);
        self
    }

    /// With the numbers that [`Sequential::parameters`] gave.
    ///
    /// # Errors
    /// A tensor is missing, has another shape or type, or is one too many.
    pub fn loaded(mut self, mut parameters: Parameters) -> Result<Self> {
        self.take("", &mut parameters)?;
        match parameters.as_slice().first() {
            Some(left) => Err(format!("parameter `{}` belongs to no layer", left.name).into()),
            None => Ok(self),
        }
    }

    /// All that must survive training, named by layer and tensor as in PyTorch: `0.weight`, `0.bias`, `2.weight`, …
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        self.push("", &mut parameters);
        parameters
    }

    /// Adds the tensors of [`Sequential::parameters`], with `prefix` before their names, for models of several networks.
    pub fn push(&self, prefix: &str, parameters: &mut Parameters) {
        self.tensors(&mut |name, shape, values| parameters.push(format!("{prefix}{name}"), shape, values.to_vec()));
    }

    /// Takes back what [`Sequential::push`] added.
    ///
    /// # Errors
    /// A tensor is missing or has another shape or type.
    pub fn take(&mut self, prefix: &str, parameters: &mut Parameters) -> Result<()> {
        let mut taken = Vec::new();
        self.tensors(&mut |name, shape, _| taken.push(parameters.take_f32(&format!("{prefix}{name}"), shape)));
        let mut taken = taken.into_iter().collect::<Result<Vec<_>>>()?.into_iter();
        self.slots(&mut |slot| {
            if let Some(values) = taken.next() {
                slot.values.copy_from_slice(&values);
            }
        });
        Ok(())
    }

    /// The results for rows `x`, as when predicting: each from its own row alone.
    ///
    /// # Errors
    /// `x` is not whole rows.
    pub fn predict(&self, x: &[f32]) -> Result<Vec<f32>> {
        let mut y = vec![0.0; x.len() / self.inputs * self.outputs];
        let mut workspace = self.workspace.try_borrow_mut().map_err(|_| BUSY)?;
        self.forward(&mut workspace, x, &mut y)?;
        Ok(y)
    }

    /// A training pass forward and backward over the rows `x`. `loss` gets the results and writes the gradient by them, as
    /// [`cross_entropy`](super::cross_entropy) does. Returns the loss; leaves the gradients for [`Sequential::step`].
    ///
    /// # Errors
    /// `x` is not whole rows, or what `loss` fails with.
    pub fn train(&mut self, x: &[f32], loss: impl FnOnce(&[f32], &mut [f32]) -> Result<f32>) -> Result<f32> {
        let length = x.len() / self.inputs * self.outputs;
        let (mut y, mut dy) = (std::mem::take(&mut self.scores), std::mem::take(&mut self.gradient));
        y.resize(length, 0.0);
        dy.resize(length, 0.0);
        let mut workspace = self.workspace.take();
        let result = Layer::train(self, &mut workspace, x, &mut y)
            .and_then(|()| loss(&y, &mut dy))
            .and_then(|loss| self.backward(&mut workspace, x, &y, &mut dy, None).map(|()| loss));
        self.workspace.replace(workspace);
        (self.scores, self.gradient) = (y, dy);
        result
    }

    /// The results of the last [`Sequential::train`], from before its step.
    pub fn scores(&self) -> &[f32] {
        &self.scores
    }

    /// Scales all gradients down so that their global norm is at most `max_norm`. Returns the norm before.
    pub fn clip_gradients(&mut self, max_norm: f32) -> f32 {
        let mut total = 0.0;
        self.gradients(&mut |gradient| total += squares(gradient));
        let norm = total.sqrt() as f32;
        if let Some(factor) = coefficient(norm, max_norm) {
            self.gradients(&mut |gradient| scale(gradient, factor));
        }
        norm
    }

    /// Moves all trainable tensors against the gradients of the last [`Sequential::train`].
    ///
    /// # Errors
    /// There was none, or the optimiser has seen other tensors before.
    pub fn step(&mut self, optimiser: &mut impl Optimiser) -> Result<()> {
        optimiser.begin();
        let mut result = Ok(());
        self.slots(&mut |slot| {
            if let (Ok(()), Some(gradient)) = (&result, slot.gradient) {
                result = optimiser.update(slot.values, gradient);
            }
        });
        result.and_then(|()| optimiser.end())
    }

    /// The same network for prediction with fewer layers: those that [only train](Layer::only_trains) are gone, and an
    /// [`Affine`](super::Affine) map (a trained [`BatchNorm`](super::BatchNorm)) is taken over by the layer before it where that can. The
    /// names of [`Sequential::parameters`] count the layers that are left.
    #[must_use]
    pub fn folded(mut self) -> Self {
        let mut stages: Vec<Stage> = Vec::with_capacity(self.stages.len());
        let last = self.stages.len() - 1;
        for (index, stage) in self.stages.into_iter().enumerate() {
            let absorbed = match (stage.layer.affine(), stages.last_mut()) {
                (Some(affine), Some(before)) => before.layer.absorb(&affine),
                _ => false,
            };
            // A network keeps at least one layer.
            let idle = stage.layer.only_trains() && !(index == last && stages.is_empty());
            if !absorbed && !idle {
                stages.push(stage);
            }
        }
        self.stages = stages;
        self
    }

    fn gradients(&mut self, visit: &mut dyn FnMut(&mut [f32])) {
        self.slots(&mut |slot| slot.gradient.into_iter().for_each(&mut *visit));
    }

    /// Predicts, with the results between layers in `between`.
    fn run(&self, workspace: &mut Workspace, between: &mut [Vec<f32>; 2], x: &[f32], y: &mut [f32]) -> Result<()> {
        let rows = check_rows(x, self.inputs, y, self.outputs)?;
        let mut hidden = self.stages.iter().filter(|stage| !stage.layer.only_trains());
        let Some(last) = hidden.next_back() else {
            check_len("y", y, x.len())?;
            y.copy_from_slice(x);
            return Ok(());
        };
        let [mut from, mut to] = between.each_mut();
        let mut x = x;
        for stage in hidden {
            let y = grown(to, rows * stage.width);
            stage.layer.forward(workspace, x, y)?;
            std::mem::swap(&mut from, &mut to);
            x = &from[..rows * stage.width];
        }
        last.layer.forward(workspace, x, y)
    }
}

impl Layer for Sequential {
    fn outputs(&self, inputs: usize) -> Result<usize> {
        if inputs != self.inputs {
            return Err(format!("rows of {inputs} values, expected {}", self.inputs).into());
        }
        Ok(self.outputs)
    }

    fn forward(&self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let mut between = self.predicting.try_borrow_mut().map_err(|_| BUSY)?;
        self.run(workspace, &mut between, x, y)
    }

    fn train(&mut self, workspace: &mut Workspace, x: &[f32], y: &mut [f32]) -> Result<()> {
        let rows = check_rows(x, self.inputs, y, self.outputs)?;
        let mut x = x;
        let Some((last, hidden)) = self.stages.split_last_mut() else { return Ok(()) };
        for Stage { layer, width, y } in hidden {
            let y = grown(y, rows * *width);
            layer.train(workspace, x, y)?;
            x = y;
        }
        last.layer.train(workspace, x, y)
    }

    fn backward(
        &mut self,
        workspace: &mut Workspace,
        x: &[f32],
        y: &[f32],
        dy: &mut [f32],
        dx: Option<&mut [f32]>,
    ) -> Result<()> {
        let rows = check_rows(x, self.inputs, y, self.outputs)?;
        check_len("dy", dy, y.len())?;
        let [mut from, mut to] = self.between.each_mut();
        // The gradients by the first layer's x and the last one's results belong to the caller.
        let (mut dx, mut last) = (dx, Some((y, dy)));
        for index in (0..self.stages.len()).rev() {
            let (before, after) = self.stages.split_at_mut(index);
            let Some(Stage { layer, width, y }) = after.first_mut() else { break };
            let (y, dy) = last.take().unwrap_or_else(|| (&y[..rows * *width], &mut from[..rows * *width]));
            match before.last() {
                Some(Stage { y: x, width, .. }) => {
                    let length = rows * width;
                    layer.backward(workspace, &x[..length], y, dy, Some(grown(to, length)))?;
                }
                None => layer.backward(workspace, x, y, dy, dx.take())?,
            }
            std::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    fn initialise(&mut self, init: Init, rng: &mut Rng) {
        for stage in &mut self.stages {
            stage.layer.initialise(init, rng);
        }
    }

    fn tensors(&self, visit: &mut Visitor<'_>) {
        for (index, stage) in self.stages.iter().enumerate() {
            stage.layer.tensors(&mut |name, shape, values| visit(&format!("{index}.{name}"), shape, values));
        }
    }

    fn slots(&mut self, visit: &mut dyn FnMut(Slot<'_>)) {
        for stage in &mut self.stages {
            stage.layer.slots(visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::draw;
    use super::*;
    use crate::nn::{Activation, Adam, BatchNorm, Dense, Dropout, LayerNorm, Sgd, cross_entropy};

    const WIDTH: usize = 5;
    const CLASSES: usize = 3;

    /// A network in a network, with layers that train otherwise than they predict.
    fn network() -> Result<Sequential> {
        let block = Sequential::new(
            8,
            vec![
                Box::new(Dense::new(8, 8, Activation::Identity)),
                Box::new(BatchNorm::new(8)),
                Box::new(Activation::Relu),
                Box::new(Dropout::new(0.2, Rng::seeded(5))),
            ],
        )?;
        Sequential::new(
            WIDTH,
            vec![
                Box::new(Dense::new(WIDTH, 8, Activation::Gelu)),
                Box::new(block),
                Box::new(LayerNorm::new(8)),
                Box::new(Dense::new(8, CLASSES, Activation::Identity)),
            ],
        )
    }

    fn trained() -> Result<Sequential> {
        let mut rng = Rng::seeded(1);
        let mut network = network()?.initialised(Init::Default, &mut rng);
        let mut adam = Adam::new(0.01);
        for _ in 0..50 {
            let x = draw(&mut rng, 32 * WIDTH);
            let labels: Vec<i64> = x.chunks(WIDTH).map(|x| i64::from(x[0] > 0.0) + i64::from(x[1] > 0.0)).collect();
            network.train(&x, |scores, gradient| cross_entropy(scores, &labels, CLASSES, gradient))?;
            network.step(&mut adam)?;
        }
        Ok(network)
    }

    #[test]
    fn gradients_of_a_deep_network_agree_with_finite_differences() -> Result<()> {
        let layers = || -> Vec<Box<dyn Layer>> {
            vec![
                Box::new(Dense::new(WIDTH, 7, Activation::Tanh)),
                Box::new(LayerNorm::new(7)),
                Box::new(Dense::new(7, 6, Activation::Silu)),
                Box::new(BatchNorm::new(6)),
                Box::new(Dense::new(6, CLASSES, Activation::Identity)),
            ]
        };
        let mut rng = Rng::seeded(3);
        let (x, labels) = (draw(&mut rng, 4 * WIDTH), [0, 2, 1, 1]);
        let mut network = Sequential::new(WIDTH, layers())?.initialised(Init::XavierNormal, &mut rng);
        let loss = |scores: &[f32], gradient: &mut [f32]| cross_entropy(scores, &labels, CLASSES, gradient);
        network.train(&x, loss)?;
        let mut gradients = Vec::new();
        network.slots(&mut |slot| gradients.push(slot.gradient.map(|gradient| gradient.to_vec())));
        assert_eq!(gradients.len(), 12);
        for (which, gradient) in gradients.iter().enumerate().filter_map(|(which, g)| Some((which, g.as_ref()?))) {
            for (i, &g) in gradient.iter().enumerate() {
                let at = |step: f32| -> Result<f32> {
                    let mut nudged = Sequential::new(WIDTH, layers())?.loaded(network.parameters())?;
                    let mut index = 0;
                    nudged.slots(&mut |slot| {
                        if index == which {
                            slot.values[i] += step;
                        }
                        index += 1;
                    });
                    nudged.train(&x, loss)
                };
                let difference = (at(1.0 / 64.0)? - at(-1.0 / 64.0)?) * 32.0;
                assert!(
                    (g - difference).abs() < 5e-3 * (1.0 + g.abs()),
                    "tensor {which}, value {i}: {g} against {difference}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn predicts_from_its_parameters_alone() -> Result<()> {
        let (network, x) = (trained()?, draw(&mut Rng::seeded(2), 40 * WIDTH));
        let parameters = network.parameters();
        let names: Vec<_> = parameters.as_slice().iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names[..4], ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]);
        assert_eq!(names[4..8], ["1.1.weight", "1.1.bias", "1.1.running_mean", "1.1.running_var"]);
        let loaded = self::network()?.loaded(parameters)?;
        assert_eq!(loaded.predict(&x)?, network.predict(&x)?);
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_bits_it_gets_in_a_batch() -> Result<()> {
        let (network, x) = (trained()?, draw(&mut Rng::seeded(2), 9 * WIDTH));
        let batch = network.predict(&x)?;
        for (x, expected) in x.chunks(WIDTH).zip(batch.chunks(CLASSES)) {
            assert_eq!(network.predict(x)?, expected);
        }
        Ok(())
    }

    #[test]
    fn folding_keeps_the_function_and_drops_the_norms() -> Result<()> {
        let layers = || -> Vec<Box<dyn Layer>> {
            vec![
                Box::new(Dense::new(WIDTH, 8, Activation::Identity)),
                Box::new(BatchNorm::new(8)),
                Box::new(Activation::Relu),
                Box::new(Dropout::new(0.5, Rng::seeded(1))),
                Box::new(Dense::new(8, CLASSES, Activation::Identity)),
                Box::new(BatchNorm::new(CLASSES)),
            ]
        };
        let mut rng = Rng::seeded(4);
        let mut network = Sequential::new(WIDTH, layers())?.initialised(Init::Default, &mut rng);
        for _ in 0..20 {
            let x = draw(&mut rng, 16 * WIDTH);
            network.train(&x, |scores, gradient| cross_entropy(scores, &[1; 16], CLASSES, gradient))?;
            network.step(&mut Sgd::new(0.1))?;
        }
        let x = draw(&mut rng, 10 * WIDTH);
        let expected = network.predict(&x)?;
        let folded = network.folded();
        for (y, expected) in folded.predict(&x)?.into_iter().zip(expected) {
            assert!((y - expected).abs() < 1e-4, "{y}, expected {expected}");
        }
        assert_eq!(folded.parameters().count(), (WIDTH * 8 + 8 + 8 * CLASSES + CLASSES) as u64);
        Ok(())
    }

    #[test]
    fn clipping_bounds_the_norm_over_all_tensors() -> Result<()> {
        let mut network = network()?.initialised(Init::Default, &mut Rng::seeded(1));
        let x = draw(&mut Rng::seeded(2), 8 * WIDTH);
        network.train(&x, |scores, gradient| cross_entropy(scores, &[0; 8], CLASSES, gradient))?;
        let norm = network.clip_gradients(1e-2);
        assert!(norm > 1e-2);
        assert!((network.clip_gradients(1.0) - 1e-2).abs() < 1e-5);
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_named() -> Result<()> {
        let dense = |inputs, outputs| Box::new(Dense::new(inputs, outputs, Activation::Relu));
        let error = |result: Result<Sequential>| result.map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(
            error(Sequential::new(4, vec![dense(4, 3), dense(4, 2)])),
            Err("layer 1: rows of 3 values, expected 4".to_owned())
        );
        assert!(Sequential::new(4, vec![]).is_err());
        assert!(Sequential::new(4, vec![dense(4, 0)]).is_err());
        let mut parameters = network()?.parameters();
        parameters.push("9.weight", &[1], vec![0.0_f32]);
        assert_eq!(error(network()?.loaded(parameters)), Err("parameter `9.weight` belongs to no layer".to_owned()));
        assert!(network()?.predict(&[0.0; WIDTH + 1]).is_err());
        assert!(network()?.step(&mut Sgd::new(0.1)).is_err());
        Ok(())
    }
}
