//! The statement's baseline: inputs → 384 → classes with a ReLU between, Adam, 50 epochs of cross-entropy, PyTorch's
//! default initialisation.
#![forbid(unsafe_code)]

use thimble_sdk::nn::{Adam, Gemm, Linear, LinearGradients, count_correct, cross_entropy, relu, relu_backward};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

/// Neurons of the hidden layer.
const HIDDEN: usize = 384;
/// Passes over the training split.
const EPOCHS: u64 = 50;
/// Step size of Adam.
const LEARNING_RATE: f32 = 1e-3;
/// Epochs from one look at the validation split to the next. Each costs a ninth of an epoch.
const VALIDATE_EVERY: u64 = 5;

/// Trains an [`Mlp`].
#[derive(Debug)]
pub struct Baseline;

/// A network with one hidden layer.
#[derive(Debug)]
pub struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Solution for Baseline {
    type Model = Mlp;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Mlp> {
        let mut rng = Rng::seeded(metadata.seed);
        let mut trainer = Trainer::new(Mlp {
            hidden: Linear::new(metadata.input_dim, HIDDEN, &mut rng),
            output: Linear::new(HIDDEN, metadata.num_classes, &mut rng),
        });
        for epoch in 1..=EPOCHS {
            let training = trainer.epoch(train)?;
            journal::record("train loss", epoch, training.mean_loss());
            journal::record("train accuracy", epoch, training.accuracy());
            if epoch % VALIDATE_EVERY == 0 {
                journal::record("val accuracy", epoch, trainer.validate(val)?.accuracy());
            }
        }
        Ok(trainer.model)
    }
}

impl Mlp {
    /// Writes the output of the hidden layer and the scores of `rows` rows `x` to `buffers`.
    fn forward(&self, x: &[f32], rows: usize, buffers: &mut Buffers) -> Result<()> {
        buffers.hidden.resize(rows * self.hidden.outputs(), 0.0);
        buffers.scores.resize(rows * self.output.outputs(), 0.0);
        self.hidden.forward(&mut buffers.gemm, x, &mut buffers.hidden)?;
        relu(&mut buffers.hidden);
        self.output.forward(&mut buffers.gemm, &buffers.hidden, &mut buffers.scores)
    }
}

impl Model for Mlp {
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, layer) in [("hidden", &self.hidden), ("output", &self.output)] {
            parameters.push(format!("{name}.weight"), &[layer.outputs(), layer.inputs()], layer.weight().to_vec());
            parameters.push(format!("{name}.bias"), &[layer.outputs()], layer.bias().to_vec());
        }
        parameters
    }

    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let mut layer = |name: &str, inputs, outputs| {
            let weight = parameters.take_f32(&format!("{name}.weight"), &[outputs, inputs])?;
            Linear::from_parts(inputs, weight, parameters.take_f32(&format!("{name}.bias"), &[outputs])?)
        };
        Ok(Self {
            hidden: layer("hidden", metadata.input_dim, HIDDEN)?,
            output: layer("output", HIDDEN, metadata.num_classes)?,
        })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let mut buffers = Buffers::default();
        self.forward(inputs.features()?.values, inputs.rows(), &mut buffers)?;
        Ok(Predictions::scores(inputs.rows(), buffers.scores))
    }
}

/// What a batch needs besides the network; grown by the first batch, then kept.
#[derive(Default)]
struct Buffers {
    gemm: Gemm,
    hidden: Vec<f32>,
    scores: Vec<f32>,
    hidden_gradient: Vec<f32>,
    scores_gradient: Vec<f32>,
}

struct Trainer {
    model: Mlp,
    adam: Adam,
    hidden: LinearGradients,
    output: LinearGradients,
    buffers: Buffers,
}

impl Trainer {
    fn new(model: Mlp) -> Self {
        let (hidden, output) = (model.hidden.gradients(), model.output.gradients());
        Self { model, adam: Adam::new(LEARNING_RATE), hidden, output, buffers: Buffers::default() }
    }

    /// Trains on all batches of the epoch.
    fn epoch(&mut self, train: &mut Loader) -> Result<Tally> {
        let mut tally = Tally::default();
        for batch in train.by_ref() {
            let loss = self.step(&batch)?;
            tally.add(&batch, &self.buffers.scores, loss)?;
        }
        train.rewind();
        Ok(tally)
    }

    /// One step of Adam. Returns the loss before it; the scores before it stay in the buffers.
    fn step(&mut self, batch: &Batch) -> Result<f32> {
        let Self { model, adam, hidden, output, buffers } = self;
        let x = batch.features()?.values;
        model.forward(x, batch.rows(), buffers)?;

        let Buffers { gemm, hidden: activation, scores, hidden_gradient, scores_gradient } = buffers;
        scores_gradient.resize(scores.len(), 0.0);
        hidden_gradient.resize(activation.len(), 0.0);
        let loss = cross_entropy(scores, batch.labels()?, model.output.outputs(), scores_gradient)?;
        output.clear();
        model.output.backward(gemm, activation, scores_gradient, output)?;
        model.output.backward_input(gemm, scores_gradient, hidden_gradient)?;
        relu_backward(activation, hidden_gradient)?;
        hidden.clear();
        model.hidden.backward(gemm, x, hidden_gradient, hidden)?;

        let [hidden_weight, hidden_bias] = model.hidden.updates(hidden);
        let [output_weight, output_bias] = model.output.updates(output);
        adam.step([hidden_weight, hidden_bias, output_weight, output_bias])?;
        Ok(loss)
    }

    /// Counts on all batches of the validation split.
    fn validate(&mut self, val: &mut Loader) -> Result<Tally> {
        let mut tally = Tally::default();
        for batch in val.by_ref() {
            self.model.forward(batch.features()?.values, batch.rows(), &mut self.buffers)?;
            tally.add(&batch, &self.buffers.scores, 0.0)?;
        }
        val.rewind();
        Ok(tally)
    }
}

/// What a curve is made of.
#[derive(Default)]
struct Tally {
    rows: usize,
    correct: usize,
    loss: f64,
}

impl Tally {
    fn add(&mut self, batch: &Batch, scores: &[f32], loss: f32) -> Result<()> {
        let labels = batch.labels()?;
        self.rows += labels.len();
        self.correct += count_correct(scores, labels, scores.len() / labels.len().max(1))?;
        self.loss += f64::from(loss) * labels.len() as f64;
        Ok(())
    }

    fn mean_loss(&self) -> f64 {
        self.loss / self.rows.max(1) as f64
    }

    fn accuracy(&self) -> f64 {
        self.correct as f64 / self.rows.max(1) as f64
    }
}

thimble_sdk::export!(Baseline);

#[cfg(test)]
mod tests {
    use thimble_sdk::nn::argmax;
    use thimble_sdk::testing::PublicData;

    use thimble_sdk::Tensor;

    use super::*;

    /// `cargo xtask examples` writes it.
    const PUBLIC_DATA: &str =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/datasets/export/imagenet-pareto-500k");

    const WIDTH: usize = 16;
    const CLASSES: usize = 4;

    /// Rows around one random prototype per class.
    fn synthetic(rng: &mut Rng, prototypes: &[f32], rows: usize) -> (Tensor, Tensor) {
        let labels: Vec<i64> = (0..rows).map(|row| (row % CLASSES) as i64).collect();
        let features: Vec<f32> = labels
            .iter()
            .flat_map(|&label| &prototypes[label as usize * WIDTH..][..WIDTH])
            .map(|x| x + 0.3 * rng.normal())
            .collect();
        (Tensor::new("features", &[rows, WIDTH], features), Tensor::new("label", &[rows], labels))
    }

    fn metadata(seed: u64) -> Metadata {
        Metadata { seed, ..Metadata::classification(WIDTH, CLASSES) }
    }

    fn solve(seed: u64) -> Result<(Mlp, Tensor, Tensor)> {
        let mut rng = Rng::seeded(99);
        let prototypes: Vec<f32> = (0..CLASSES * WIDTH).map(|_| rng.normal()).collect();
        let mut split = |rows| synthetic(&mut rng, &prototypes, rows);
        let ((x, y), (val_x, val_y), (test_x, test_y)) = (split(100), split(20), split(60));
        let mut train = Loader::from_rows(vec![x], vec![y], 32)?.shuffled(5);
        let mut val = Loader::from_rows(vec![val_x], vec![val_y], 32)?;
        Ok((Baseline::solve(&mut train, &mut val, &metadata(seed))?, test_x, test_y))
    }

    /// The original reached 0.9014.
    #[test]
    fn public_data_is_learnt_as_well_as_by_the_original() -> Result<()> {
        let evaluation = PublicData::open(PUBLIC_DATA)?.evaluate::<Baseline>()?;
        assert_eq!(evaluation.parameters.count(), 197_120);
        assert!((0.88..=0.92).contains(&evaluation.accuracy), "{}", evaluation.accuracy);
        Ok(())
    }

    #[test]
    fn the_baseline_has_the_parameters_of_the_statement() {
        let mut rng = Rng::seeded(0);
        let model = Mlp { hidden: Linear::new(384, HIDDEN, &mut rng), output: Linear::new(HIDDEN, 128, &mut rng) };
        assert_eq!(model.parameters().count(), 197_120);
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let (model, x, y) = solve(1)?;
        let model = Mlp::from_parameters(model.parameters(), &metadata(1))?;
        let scores = model.predict(&Batch::from_inputs(vec![x])?)?;
        assert_eq!(scores.shape(), [60, CLASSES]);
        let correct = count_correct(scores.get()?, y.get()?, CLASSES)?;
        assert!(correct >= 57, "{correct} of 60");
        Ok(())
    }

    #[test]
    fn the_seed_decides_every_bit() -> Result<()> {
        let parameters = |seed| solve(seed).map(|(model, ..)| model.parameters());
        assert_eq!(parameters(1)?, parameters(1)?);
        assert_ne!(parameters(1)?, parameters(2)?);
        Ok(())
    }

    #[test]
    fn a_row_alone_gets_the_scores_it_gets_in_a_batch() -> Result<()> {
        let (model, x, _) = solve(1)?;
        let batch = model.predict(&Batch::from_inputs(vec![x.clone()])?)?;
        let row = Tensor::new("features", &[1, WIDTH], x.get::<f32>()?[..WIDTH].to_vec());
        let alone = model.predict(&Batch::from_inputs(vec![row])?)?;
        assert_eq!(alone.get::<f32>()?, &batch.get::<f32>()?[..CLASSES]);
        assert!(argmax(alone.get()?).is_some());
        Ok(())
    }
}
