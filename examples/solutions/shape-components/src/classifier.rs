//! The class of a shape by its measures.

use least_squares::Scaling;
use thimble_sdk::nn::{Activation, Adam, Dense, Init, Sequential, argmax, cross_entropy, softmax};
use thimble_sdk::{Parameters, Result, Rng};

use crate::shape::Shape;

/// Measures of a shape.
const MEASURES: usize = 8;
const HIDDEN: usize = 16;
const EPOCHS: usize = 60;
/// Shapes of a step.
const BATCH: usize = 32;
const LEARNING_RATE: f32 = 0.01;

/// A small network on the measures of a shape.
#[derive(Debug)]
pub struct Classifier {
    scaling: Scaling,
    layers: Sequential,
    classes: usize,
}

fn network(classes: usize) -> Result<Sequential> {
    let hidden = Dense::new(MEASURES, HIDDEN, Activation::Tanh);
    Sequential::new(MEASURES, vec![Box::new(hidden), Box::new(Dense::new(HIDDEN, classes, Activation::Identity))])
}

impl Classifier {
    /// Learns from shapes and their classes.
    ///
    /// # Errors
    /// A class is not below `classes`, or there are no shapes.
    pub fn fit(examples: &[(Shape, usize)], classes: usize, seed: u64) -> Result<Self> {
        let rows: Vec<Vec<f64>> = examples.iter().map(|(shape, _)| shape.measures()).collect();
        if rows.is_empty() {
            return Err("no shape was found in any image".into());
        }
        let scaling = Scaling::fit(&rows);
        let mut rng = Rng::seeded(seed);
        let mut classifier =
            Self { scaling, layers: network(classes)?.initialised(Init::XavierNormal, &mut rng), classes };
        let inputs: Vec<Vec<f32>> = examples.iter().map(|(shape, _)| classifier.input(shape)).collect();
        let mut order: Vec<usize> = (0..inputs.len()).collect();
        let mut adam = Adam::new(LEARNING_RATE);
        for epoch in 0..EPOCHS {
            rng.shuffle(&mut order);
            adam.learning_rate = LEARNING_RATE * (1.0 - epoch as f32 / EPOCHS as f32);
            for batch in order.chunks(BATCH) {
                let x: Vec<f32> = batch.iter().flat_map(|&row| inputs[row].iter().copied()).collect();
                let labels: Vec<i64> = batch.iter().map(|&row| examples[row].1 as i64).collect();
                let loss = |scores: &[f32], gradient: &mut [f32]| cross_entropy(scores, &labels, classes, gradient);
                classifier.layers.train(&x, loss)?;
                classifier.layers.step(&mut adam)?;
            }
        }
        Ok(classifier)
    }

    fn input(&self, shape: &Shape) -> Vec<f32> {
        self.scaling.apply(&shape.measures()).into_iter().map(|value| value as f32).collect()
    }

    /// The most probable class, and its probability.
    ///
    /// # Errors
    /// None that a fitted or loaded classifier has.
    pub fn classify(&self, shape: &Shape) -> Result<(usize, f32)> {
        let scores = self.layers.predict(&self.input(shape))?;
        let mut probabilities = vec![0.0; self.classes];
        softmax(&scores, self.classes, 1.0, &mut probabilities)?;
        let class = argmax(&probabilities).unwrap_or(0);
        Ok((class, probabilities[class]))
    }

    /// Everything it has learned.
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        parameters.push("means", &[MEASURES], self.scaling.means.clone());
        parameters.push("spreads", &[MEASURES], self.scaling.spreads.clone());
        self.layers.push("network", &mut parameters);
        parameters
    }

    /// From what [`Self::parameters`] gave.
    ///
    /// # Errors
    /// A parameter is missing or of another shape.
    pub fn from_parameters(mut parameters: Parameters, classes: usize) -> Result<Self> {
        let scaling = Scaling {
            means: parameters.take("means", &[MEASURES])?,
            spreads: parameters.take("spreads", &[MEASURES])?,
        };
        let mut layers = network(classes)?;
        layers.take("network", &mut parameters)?;
        Ok(Self { scaling, layers, classes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::shapes;

    /// A bright square or disc somewhere.
    fn example(rng: &mut Rng, class: usize) -> Result<(Shape, usize)> {
        let (x, y, size) = (rng.uniform(8.0, 16.0), rng.uniform(8.0, 16.0), rng.uniform(4.0, 6.0));
        let is_bright = |pixel: usize| {
            let (u, v) = ((pixel % 24) as f32 - x, (pixel / 24) as f32 - y);
            if class == 0 { u.abs().max(v.abs()) < size } else { u * u + v * v < size * size }
        };
        let image: Vec<u8> = (0..576).map(|pixel| if is_bright(pixel) { 180 } else { 60 }).collect();
        let shape = shapes(&image, 24)?.into_iter().next().ok_or("no shape")?;
        Ok((shape, class))
    }

    #[test]
    fn squares_and_discs_are_told_apart_from_parameters_alone() -> Result<()> {
        let mut rng = Rng::seeded(1);
        let mut examples = |count: usize| (0..count).map(|i| example(&mut rng, i % 2)).collect::<Result<Vec<_>>>();
        let classifier = Classifier::fit(&examples(60)?, 2, 0)?;
        let classifier = Classifier::from_parameters(classifier.parameters(), 2)?;
        for (shape, class) in examples(20)? {
            assert_eq!(classifier.classify(&shape)?.0, class);
        }
        Ok(())
    }
}
