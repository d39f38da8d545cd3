//! A linear classifier to start from.
//!
//! 1. Features are shifted and scaled to mean 0 and variance 1 over the training rows.
//! 2. The layer starts as the nearest class mean in that space.
//! 3. Adam on softmax cross-entropy improves it; the epoch that classifies the validation rows best is kept.
//! 4. Shift and scale are folded into the layer, so they cost neither parameters nor FLOPs.
#![forbid(unsafe_code)]

use thimble_sdk::nn::{Adam, Gemm, Linear, LinearGradients, count_correct, cross_entropy};
use thimble_sdk::{
    Batch, Error, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal,
};

/// Passes over the training rows.
const EPOCHS: u64 = 20;
/// Step size of Adam.
const LEARNING_RATE: f32 = 1e-3;

/// How to train. Everything it may know of the challenge is in `metadata`.
#[derive(Debug)]
pub struct Starter;

/// What training makes: one linear layer, scores = x · Wᵀ + b.
#[derive(Debug)]
pub struct Classifier(Linear);

impl Solution for Starter {
    type Model = Classifier;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Classifier> {
        let scaling = Scaling::of(train, metadata.input_dim)?;
        let layer = nearest_mean(train, &scaling, metadata.num_classes)?;
        let mut trainer = Trainer::new(layer, scaling);
        let mut best = (trainer.accuracy(val)?, trainer.layer.clone());
        journal::record("val accuracy", 0, best.0);
        for epoch in 1..=EPOCHS {
            let loss = trainer.epoch(train)?;
            let accuracy = trainer.accuracy(val)?;
            journal::record("train loss", epoch, loss);
            journal::record("val accuracy", epoch, accuracy);
            if accuracy > best.0 {
                best = (accuracy, trainer.layer.clone());
            }
        }
        Ok(Classifier(trainer.scaling.folded_into(&best.1)?))
    }
}

impl Model for Classifier {
    /// Every number that survives training. Their count is what the challenge limits.
    fn parameters(&self) -> Parameters {
        let Self(layer) = self;
        let mut parameters = Parameters::new();
        parameters.push(
            "weight",
            &[layer.outputs(), layer.inputs()],
            layer.weight().to_vec(),
        );
        parameters.push("bias", &[layer.outputs()], layer.bias().to_vec());
        parameters
    }

    /// In a fresh instance that has seen no data.
    fn from_parameters(mut parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let (classes, width) = (metadata.num_classes, metadata.input_dim);
        let weight = parameters.take_f32("weight", &[classes, width])?;
        let bias = parameters.take_f32("bias", &[classes])?;
        Ok(Self(Linear::from_parts(width, weight, bias)?))
    }

    /// One row of scores for each row of inputs; the largest is the answer.
    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let Self(layer) = self;
        let mut scores = vec![0.0; inputs.rows() * layer.outputs()];
        layer.forward(&mut Gemm::new(), inputs.features()?.values, &mut scores)?;
        Ok(Predictions::scores(inputs.rows(), scores))
    }
}

/// x̂ = (x − mean) · scale, feature by feature.
struct Scaling {
    mean: Vec<f32>,
    scale: Vec<f32>,
}

impl Scaling {
    fn of(train: &mut Loader, width: usize) -> Result<Self> {
        let (mut sum, mut square, mut rows) = (vec![0.0_f64; width], vec![0.0_f64; width], 0.0);
        for batch in train.by_ref() {
            for row in batch.features()?.iter() {
                rows += 1.0;
                for ((sum, square), &x) in sum.iter_mut().zip(&mut square).zip(row) {
                    *sum += f64::from(x);
                    *square += f64::from(x) * f64::from(x);
                }
            }
        }
        train.rewind();
        let mean: Vec<f64> = sum.iter().map(|sum| sum / rows).collect();
        // A feature that never varies says nothing: its scale is 0.
        let scale = mean.iter().zip(&square).map(|(mean, square)| {
            match (square / rows - mean * mean).sqrt() {
                deviation if deviation > 1e-6 => (1.0 / deviation) as f32,
                _ => 0.0,
            }
        });
        Ok(Self {
            scale: scale.collect(),
            mean: mean.iter().map(|&mean| mean as f32).collect(),
        })
    }

    /// Writes the scaled rows of `x` to `scaled`.
    fn apply(&self, x: &[f32], scaled: &mut Vec<f32>) {
        scaled.clear();
        for row in x.chunks_exact(self.mean.len()) {
            scaled.extend(
                row.iter()
                    .zip(&self.mean)
                    .zip(&self.scale)
                    .map(|((x, mean), scale)| (x - mean) * scale),
            );
        }
    }

    /// The layer that gives on x what `layer` gives on x̂.
    fn folded_into(&self, layer: &Linear) -> Result<Linear> {
        let width = self.mean.len();
        let (mut weight, mut bias) = (layer.weight().to_vec(), layer.bias().to_vec());
        for (row, bias) in weight.chunks_exact_mut(width).zip(&mut bias) {
            for ((w, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *w *= scale;
                *bias -= *w * mean;
            }
        }
        Linear::from_parts(width, weight, bias)
    }
}

/// The nearest class mean as a linear layer: ‖x − μ‖² = ‖x‖² − 2 (μ·x − ½‖μ‖²), so μ is the weight and −½‖μ‖² the bias.
/// Both are divided by √width: no answer changes, and the softmax is not so sure that nothing is left to learn.
fn nearest_mean(train: &mut Loader, scaling: &Scaling, classes: usize) -> Result<Linear> {
    let width = scaling.mean.len();
    let (mut weight, mut rows) = (vec![0.0_f32; classes * width], vec![0.0_f32; classes]);
    let mut scaled = Vec::new();
    for batch in train.by_ref() {
        scaling.apply(batch.features()?.values, &mut scaled);
        for (row, &label) in scaled.chunks_exact(width).zip(batch.labels()?) {
            let class = usize::try_from(label).ok().filter(|&class| class < classes);
            let class = class
                .ok_or_else(|| Error::from(format!("label {label}, expected below {classes}")))?;
            rows[class] += 1.0;
            for (mean, x) in weight[class * width..][..width].iter_mut().zip(row) {
                *mean += (x - *mean) / rows[class];
            }
        }
    }
    train.rewind();
    let share = 1.0 / (width as f32).sqrt();
    let bias = weight
        .chunks_exact(width)
        .map(|mean| -0.5 * share * mean.iter().map(|m| m * m).sum::<f32>())
        .collect();
    weight.iter_mut().for_each(|w| *w *= share);
    Linear::from_parts(width, weight, bias)
}

/// A layer in training, and what a step needs besides it; buffers grow with the first batch, then stay.
struct Trainer {
    layer: Linear,
    scaling: Scaling,
    adam: Adam,
    gradients: LinearGradients,
    gemm: Gemm,
    scaled: Vec<f32>,
    scores: Vec<f32>,
    scores_gradient: Vec<f32>,
}

impl Trainer {
    fn new(layer: Linear, scaling: Scaling) -> Self {
        let (gradients, adam) = (layer.gradients(), Adam::new(LEARNING_RATE));
        let (gemm, scaled, scores, scores_gradient) =
            (Gemm::new(), Vec::new(), Vec::new(), Vec::new());
        Self {
            layer,
            scaling,
            adam,
            gradients,
            gemm,
            scaled,
            scores,
            scores_gradient,
        }
    }

    /// Trains on every batch once. Returns the mean loss per row, in nats.
    fn epoch(&mut self, train: &mut Loader) -> Result<f64> {
        let (mut total, mut rows) = (0.0, 0);
        for batch in train.by_ref() {
            total += f64::from(self.step(&batch)?) * batch.rows() as f64;
            rows += batch.rows();
        }
        train.rewind();
        Ok(total / rows.max(1) as f64)
    }

    fn step(&mut self, batch: &Batch) -> Result<f32> {
        self.forward(batch)?;
        self.scores_gradient.resize(self.scores.len(), 0.0);
        let loss = cross_entropy(
            &self.scores,
            batch.labels()?,
            self.layer.outputs(),
            &mut self.scores_gradient,
        )?;
        self.gradients.clear();
        self.layer.backward(
            &mut self.gemm,
            &self.scaled,
            &self.scores_gradient,
            &mut self.gradients,
        )?;
        self.adam.step(self.layer.updates(&self.gradients))?;
        Ok(loss)
    }

    fn forward(&mut self, batch: &Batch) -> Result<()> {
        self.scaling
            .apply(batch.features()?.values, &mut self.scaled);
        self.scores.resize(batch.rows() * self.layer.outputs(), 0.0);
        self.layer
            .forward(&mut self.gemm, &self.scaled, &mut self.scores)
    }

    /// The share of rows that the layer classifies right.
    fn accuracy(&mut self, val: &mut Loader) -> Result<f64> {
        let (mut correct, mut rows) = (0, 0);
        for batch in val.by_ref() {
            self.forward(&batch)?;
            correct += count_correct(&self.scores, batch.labels()?, self.layer.outputs())?;
            rows += batch.rows();
        }
        val.rewind();
        Ok(correct as f64 / rows.max(1) as f64)
    }
}

thimble_sdk::export!(Starter);
