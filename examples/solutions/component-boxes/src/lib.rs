//! Boxes around bright shapes: what stands out from the background is cut into pieces, and a small network tells their
//! classes.
#![forbid(unsafe_code)]

use shape_components::{Classifier, Shape, shapes};
use thimble_sdk::{Batch, Loader, Metadata, Model, Object, Parameters, Predictions, Result, Solution, journal};

/// A piece has the class of a box with at least this overlap (area of the intersection over that of the union).
const OVERLAP: f32 = 0.5;

/// Finds pieces in the training images and learns their classes from the boxes around them.
#[derive(Debug)]
pub struct ComponentBoxes;

/// The classes of pieces.
#[derive(Debug)]
pub struct Detector(Classifier);

/// The pieces in each image of a batch.
fn pieces(batch: &Batch) -> Result<Vec<Vec<Shape>>> {
    let images = batch.images()?;
    images.iter().map(|image| shapes(image, images.width)).collect()
}

fn overlap(a: [f32; 4], b: [f32; 4]) -> f32 {
    let area = |[x0, y0, x1, y1]: [f32; 4]| (x1 - x0).max(0.0) * (y1 - y0).max(0.0);
    let common = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    common / (area(a) + area(b) - common).max(f32::MIN_POSITIVE)
}

impl Solution for ComponentBoxes {
    type Model = Detector;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Detector> {
        let (mut examples, mut found, mut objects) = (Vec::new(), 0, 0);
        for batch in train.by_ref() {
            for (pieces, truths) in pieces(&batch)?.into_iter().zip(batch.objects()?) {
                objects += truths.len();
                found += pieces.len();
                for piece in pieces {
                    let bounds = piece.bounds();
                    let truth = truths.iter().find(|truth| overlap(truth.bounds, bounds) >= OVERLAP);
                    examples.extend(truth.map(|truth| (piece, truth.class)));
                }
            }
        }
        journal::log(format!("{} of {objects} objects are among {found} pieces", examples.len()));
        Ok(Detector(Classifier::fit(&examples, metadata.num_classes, metadata.seed)?))
    }
}

impl Model for Detector {
    fn parameters(&self) -> Parameters {
        self.0.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        Ok(Self(Classifier::from_parameters(parameters, metadata.num_classes)?))
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let object = |piece: &Shape| -> Result<Object> {
            let (class, score) = self.0.classify(piece)?;
            Ok(Object { bounds: piece.bounds(), class, score })
        };
        let row = |pieces: Vec<Shape>| pieces.iter().map(object).collect::<Result<Vec<_>>>();
        Ok(Predictions::objects(&pieces(inputs)?.into_iter().map(row).collect::<Result<Vec<_>>>()?))
    }
}

thimble_sdk::export!(ComponentBoxes);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Kind, Rng, Tensor};

    use super::*;

    /// Images of 20 × 20 pixels with a wide (class 0) or a square rectangle (class 1), or with nothing.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let (mut pixels, mut counts, mut boxes, mut labels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let (class, there) = (row % 2, row % 5 > 0);
            let (width, height) = ([10, 7][class], [6, 7][class]);
            let (x, y) = (1 + rng.below(8) as usize, 1 + rng.below(10) as usize);
            let inside =
                |pixel: usize| (x..x + width).contains(&(pixel % 20)) && (y..y + height).contains(&(pixel / 20));
            pixels.extend((0..400).map(|pixel| if there && inside(pixel) { 190 } else { 60 + rng.below(6) as u8 }));
            counts.push(i32::from(there));
            if there {
                boxes.extend([x, y, x + width, y + height].map(|place| place as f32));
                labels.push(class as i64);
            }
        }
        let targets = vec![
            Tensor::new("counts", &[rows], counts),
            Tensor::new("boxes", &[labels.len(), 4], boxes),
            Tensor::new("labels", &[labels.len()], labels),
        ];
        Loader::from_rows(vec![Tensor::new("image", &[rows, 20, 20, 1], pixels)], targets, 40)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata { num_classes: 2, ..Metadata::of(Kind::ObjectDetection) };
        let model = ComponentBoxes::solve(&mut split(1, 120)?, &mut Loader::empty(), &metadata)?;
        let model = Detector::from_parameters(model.parameters(), &metadata)?;
        let batch = split(2, 40)?.next().ok_or("no batch")?;
        let predictions = model.predict(&batch)?;
        assert_eq!(predictions.get::<i32>()?, batch.targets.get("counts")?.get::<i32>()?);
        let labels = predictions.as_slice()[2].get::<i64>()?;
        assert_eq!(labels, batch.targets.get("labels")?.get::<i64>()?);
        let found = predictions.as_slice()[1].get::<f32>()?.as_chunks::<4>().0;
        assert!(found.iter().zip(batch.objects()?.concat()).all(|(a, b)| overlap(*a, b.bounds) > 0.7));
        Ok(())
    }
}
