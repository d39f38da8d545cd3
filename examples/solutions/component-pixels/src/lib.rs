//! The class of each pixel: what stands out from the background is cut into pieces, and all pixels of a piece have the
//! class that a small network sees in its form.
#![forbid(unsafe_code)]

use shape_components::{Classifier, Shape, shapes};
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

/// Finds pieces in the training images and learns the class that most of their pixels have.
#[derive(Debug)]
pub struct ComponentPixels;

/// The classes of pieces. Class 0 is the background.
#[derive(Debug)]
pub struct Segmenter(Classifier);

/// The most frequent class of a piece's pixels, the first of equals.
fn majority(piece: &Shape, mask: &[u8], classes: usize) -> usize {
    let mut counts = vec![0; classes];
    for &pixel in piece.pixels() {
        if let Some(count) = counts.get_mut(usize::from(mask[pixel])) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    counts.iter().position(|&count| count == most).unwrap_or(0)
}

impl Solution for ComponentPixels {
    type Model = Segmenter;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Segmenter> {
        let mut examples = Vec::new();
        for batch in train.by_ref() {
            let images = batch.images()?;
            for (image, mask) in images.iter().zip(batch.masks()?.iter()) {
                for piece in shapes(image, images.width)? {
                    let class = majority(&piece, mask, metadata.num_classes);
                    examples.push((piece, class));
                }
            }
        }
        journal::log(format!("{} pieces", examples.len()));
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
        let mut masks = vec![0; images.values.len() / images.channels.max(1)];
        for (image, mask) in images.iter().zip(masks.chunks_exact_mut((images.height * images.width).max(1))) {
            for piece in shapes(image, images.width)? {
                let (class, _) = self.0.classify(&piece)?;
                piece.pixels().iter().for_each(|&pixel| mask[pixel] = class as u8);
            }
        }
        Ok(Predictions::masks(images.height, images.width, masks))
    }
}

thimble_sdk::export!(ComponentPixels);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Kind, Rng, Tensor};

    use super::*;

    /// Images of 20 × 20 pixels with a wide (class 1) or a square rectangle (class 2).
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let (mut pixels, mut mask) = (Vec::new(), Vec::new());
        for row in 0..rows {
            let (width, height) = ([12, 8][row % 2], [6, 8][row % 2]);
            let (x, y) = (1 + rng.below(6) as usize, 1 + rng.below(10) as usize);
            let inside =
                |pixel: usize| (x..x + width).contains(&(pixel % 20)) && (y..y + height).contains(&(pixel / 20));
            pixels.extend((0..400).map(|pixel| if inside(pixel) { 190 } else { 60 + rng.below(6) as u8 }));
            mask.extend((0..400).map(|pixel| if inside(pixel) { 1 + (row % 2) as u8 } else { 0 }));
        }
        let mask = Tensor::new("mask", &[rows, 20, 20], mask);
        Loader::from_rows(vec![Tensor::new("image", &[rows, 20, 20, 1], pixels)], vec![mask], 40)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let metadata = Metadata { num_classes: 3, ..Metadata::of(Kind::SemanticSegmentation) };
        let model = ComponentPixels::solve(&mut split(1, 80)?, &mut Loader::empty(), &metadata)?;
        let model = Segmenter::from_parameters(model.parameters(), &metadata)?;
        let batch = split(2, 20)?.next().ok_or("no batch")?;
        let predictions = model.predict(&batch)?;
        let pairs = predictions.get::<u8>()?.iter().zip(batch.masks()?.values);
        let wrong = pairs.filter(|(found, truth)| found != truth).count();
        // Smoothing rounds the corners.
        assert!(wrong < 20 * 400 / 25, "{wrong}");
        Ok(())
    }
}
