//! Masks of bright shapes: what stands out from the background is cut into pieces, and a small network tells their
//! classes.
#![forbid(unsafe_code)]

use shape_components::{Classifier, Shape, shapes};
use thimble_sdk::{Batch, Instance, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// A piece has the class of an object with at least this overlap (pixels of the intersection over those of the union).
const OVERLAP: f64 = 0.5;

/// Finds pieces in the training images and learns their classes from the masks of objects.
#[derive(Debug)]
pub struct ComponentMasks;

/// The classes of pieces.
#[derive(Debug)]
pub struct Segmenter(Classifier);

fn overlap(piece: &Shape, mask: &[u8]) -> f64 {
    let common = piece.pixels().iter().filter(|&&pixel| mask[pixel] == 1).count();
    let of_mask = mask.iter().filter(|&&pixel| pixel == 1).count();
    common as f64 / (piece.pixels().len() + of_mask - common).max(1) as f64
}

impl Solution for ComponentMasks {
    type Model = Segmenter;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Segmenter> {
        let (mut examples, mut objects) = (Vec::new(), 0);
        for batch in train.by_ref() {
            let images = batch.images()?;
            for (image, truths) in images.iter().zip(batch.instances()?) {
                objects += truths.len();
                for piece in shapes(image, images.width)? {
                    let truth = truths.iter().find(|truth| overlap(&piece, &truth.mask) >= OVERLAP);
                    examples.extend(truth.map(|truth| (piece, truth.class)));
                }
            }
        }
        journal::log(format!("{} of {objects} objects are pieces", examples.len()));
        Ok(Segmenter(Classifier::fit(&examples, metadata.num_classes, metadata.seed)?))
    }
}

impl Model for Segmenter {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(Classifier::from_parameters(parameters, metadata.num_classes)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let images = inputs.images()?;
        let instance = |piece: Shape| -> Result<Instance> {
            let (class, score) = self.0.classify(&piece)?;
            Ok(Instance { mask: piece.mask(images.height * images.width), class, score })
        };
        let row = |image| shapes(image, images.width)?.into_iter().map(instance).collect::<Result<Vec<_>>>();
        let rows: Vec<Vec<Instance>> = images.iter().map(row).collect::<Result<_>>()?;
        Ok(Predictions::instances(images.height, images.width, &rows))
    }
}

thimble_sdk::export!(ComponentMasks);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Kind, Rng, Tensor};

    use super::*;

    /// Images of 24 × 24 pixels with a wide rectangle (class 0) above a square one (class 1); every fourth has only the
    /// first.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let (mut pixels, mut counts, mut masks, mut labels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let number = if row % 4 == 0 { 1 } else { 2 };
            let places: Vec<(usize, usize)> = (0..2).map(|class| (1 + rng.below(9) as usize, 1 + 12 * class)).collect();
            let inside = |class: usize, pixel: usize| {
                let ((x, y), width, height) = (places[class], [12, 8][class], [6, 8][class]);
                (x..x + width).contains(&(pixel % 24)) && (y..y + height).contains(&(pixel / 24))
            };
            let bright = |pixel: usize| (0..number).any(|class| inside(class, pixel));
            pixels.extend((0..576).map(|pixel| if bright(pixel) { 190 } else { 60 + rng.below(6) as u8 }));
            counts.push(number as i32);
            for class in 0..number {
                masks.extend((0..576).map(|pixel| u8::from(inside(class, pixel))));
                labels.push(class as i64);
            }
        }
        let targets = vec![
            Tensor::new("counts", &[rows], counts),
            Tensor::new("masks", &[labels.len(), 24, 24], masks),
            Tensor::new("labels", &[labels.len()], labels),
        ];
        Loader::from_rows(vec![Tensor::new("image", &[rows, 24, 24, 1], pixels)], targets, 40)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata { num_classes: 2, ..Metadata::of(Kind::InstanceSegmentation) };
        let model = ComponentMasks::solve(&mut split(1, 80)?, &mut Loader::empty(), &metadata)?;
        let model = Segmenter::from_parameters(model.parameters(), &metadata)?;
        let batch = split(2, 20)?.next().ok_or("no batch")?;
        let predictions = model.predict(&batch)?;
        assert_eq!(predictions.get::<i32>()?, batch.targets.get("counts")?.get::<i32>()?);
        assert_eq!(predictions.as_slice()[2].get::<i64>()?, batch.targets.get("labels")?.get::<i64>()?);
        Ok(())
    }
}
