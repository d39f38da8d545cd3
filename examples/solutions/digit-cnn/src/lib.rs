//! A small convolutional network for images: one convolution, one pooling, one hidden layer.
#![forbid(unsafe_code)]

use thimble_sdk::nn::{
    Activation, Adam, Conv2d, Dense, Dropout, Image, Init, Pool2d, Sequential, Window, count_correct, cross_entropy,
    softmax,
};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Rng, Solution, journal};

/// Filters of the convolution, 3 × 3 pixels each.
const FILTERS: usize = 16;
/// Neurons of the hidden layer.
const HIDDEN: usize = 48;
/// Passes over the training split.
const EPOCHS: u64 = 30;
const LEARNING_RATE: f32 = 3e-3;
const DROPOUT: f32 = 0.2;

/// Trains the network with Adam.
#[derive(Debug)]
pub struct DigitCnn;

/// The trained network.
#[derive(Debug)]
pub struct Network {
    layers: Sequential,
    classes: usize,
}

fn network(metadata: &Metadata) -> Result<Sequential> {
    let [height, width, channels] = metadata.inputs.first().map(|field| &field.shape[..]).unwrap_or_default() else {
        return Err("the first input is no image".into());
    };
    let image = Image { height: *height, width: *width, channels: *channels };
    let convolution = Conv2d::new(image, FILTERS, Window { kernel: 3, stride: 1, padding: 1 }, Activation::Relu)?;
    let pool = Pool2d::max(convolution.output(), 2, 2)?;
    let hidden = Dense::new(pool.output().values(), HIDDEN, Activation::Relu);
    let scores = Dense::new(HIDDEN, metadata.num_classes, Activation::Identity);
    let dropout = Dropout::new(DROPOUT, Rng::seeded(metadata.seed + 1));
    Sequential::new(
        image.values(),
        vec![Box::new(convolution), Box::new(pool), Box::new(hidden), Box::new(dropout), Box::new(scores)],
    )
}

impl Solution for DigitCnn {
    type Model = Network;

    fn solve(train: &mut Loader, val: &mut Loader, metadata: &Metadata) -> Result<Network> {
        let classes = metadata.num_classes;
        let layers = network(metadata)?.initialised(Init::KaimingNormal, &mut Rng::seeded(metadata.seed));
        let mut network = Network { layers, classes };
        let mut adam = Adam::new(LEARNING_RATE);
        for epoch in 0..EPOCHS {
            for batch in train.by_ref() {
                let (images, labels) = (batch.images()?.scaled(), batch.labels()?);
                let loss = |scores: &[f32], gradient: &mut [f32]| cross_entropy(scores, labels, classes, gradient);
                network.layers.train(&images, loss)?;
                network.layers.step(&mut adam)?;
            }
            train.rewind();
            if epoch % 5 == 4 {
                let mut correct = 0;
                for batch in val.by_ref() {
                    correct += count_correct(network.predict(&batch)?.get()?, batch.labels()?, classes)?;
                }
                val.rewind();
                journal::record("val accuracy", epoch, correct as f64 / metadata.val_samples.max(1) as f64);
            }
        }
        Ok(network)
    }
}

impl Model for Network {
    fn parameters(&self) -> Parameters {
        self.layers.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self { layers: network(metadata)?.loaded(parameters)?, classes: metadata.num_classes })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let scores = self.layers.predict(&inputs.images()?.scaled())?;
        let mut probabilities = vec![0.0; scores.len()];
        softmax(&scores, self.classes, 1.0, &mut probabilities)?;
        Ok(Predictions::scores(inputs.rows(), probabilities))
    }
}

thimble_sdk::export!(DigitCnn);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Dtype, Field, Kind, Tensor};

    use super::*;

    /// Images of 4 × 4 pixels with a bright row or a bright column.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let labels: Vec<i64> = (0..rows).map(|row| (row % 2) as i64).collect();
        let mut pixels = vec![0_u8; rows * 16];
        for (image, &label) in pixels.chunks_mut(16).zip(&labels) {
            image.iter_mut().for_each(|pixel| *pixel = rng.below(80) as u8);
            let line = rng.below(4) as usize;
            (0..4).for_each(|step| image[if label == 0 { line * 4 + step } else { step * 4 + line }] = 220);
        }
        let label = Tensor::new("label", &[rows], labels);
        Loader::from_rows(vec![Tensor::new("image", &[rows, 4, 4, 1], pixels)], vec![label], 32)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let inputs = vec![Field::new("image", Dtype::U8, &[4, 4, 1])];
        let metadata = Metadata { inputs, num_classes: 2, ..Metadata::of(Kind::ImageClassification) };
        let model = DigitCnn::solve(&mut split(1, 256)?, &mut split(2, 64)?, &metadata)?;
        let model = Network::from_parameters(model.parameters(), &metadata)?;
        let batch = split(3, 32)?.next().ok_or("no batch")?;
        assert!(count_correct(model.predict(&batch)?.get()?, batch.labels()?, 2)? >= 31);
        Ok(())
    }
}
