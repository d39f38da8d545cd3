//! Points in the frame of a shape's own axes.
//!
//! A shape is moved, turned and scaled to one place, direction and size; there each point is a linear function of how
//! far the shape reaches and where it is wide. The same measures say whether a point is visible.
#![forbid(unsafe_code)]

mod frame;

use least_squares::LinearMap;
use thimble_sdk::{Batch, Loader, Metadata, Model, Parameters, Predictions, Result, Solution, journal};

use crate::frame::{Frame, MEASURES};

/// The penalty on the squared weights of scaled measures.
const PENALTY: f64 = 3.0;

/// Fits on the annotated points of the training split.
#[derive(Debug)]
pub struct KiteFrame;

/// The fitted maps: two outputs for the place of each point, then one for the visibility of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Corners {
    map: LinearMap,
    points: usize,
}

fn frames(batch: &Batch) -> Result<Vec<Frame>> {
    let images = batch.images()?;
    images.iter().map(|image| Frame::of(image, images.width)).collect()
}

fn points(metadata: &Metadata) -> Result<usize> {
    let points = metadata.outputs.first().and_then(|field| field.shape.first()).copied();
    points.ok_or_else(|| "the first output has no points".into())
}

impl Solution for KiteFrame {
    type Model = Corners;

    fn solve(train: &mut Loader, _val: &mut Loader, metadata: &Metadata) -> Result<Corners> {
        let points = points(metadata)?;
        let mut rows = Vec::new();
        // For each point: which rows show it, and where; and for each row whether it is visible.
        let mut shown = vec![(Vec::new(), Vec::new()); points];
        let mut visible = Vec::new();
        for batch in train.by_ref() {
            let truth = batch.keypoints()?;
            let truths = truth.places.chunks_exact(points).zip(truth.visibility.chunks_exact(points));
            for (frame, (places, visibility)) in frames(&batch)?.iter().zip(truths) {
                let measures = frame.measures();
                for (point, (rows, targets)) in shown.iter_mut().enumerate() {
                    if visibility[point] > 0 {
                        rows.push(measures.clone());
                        targets.push(frame.inwards(places[point].map(f64::from)).to_vec());
                    }
                }
                visible.push(visibility.iter().map(|&visibility| f64::from(u8::from(visibility == 2))).collect());
                rows.push(measures);
            }
        }
        journal::log(format!("{} shapes", rows.len()));
        let places = shown.iter().map(|(rows, targets)| LinearMap::ridge(rows, targets, PENALTY));
        let mut maps: Vec<LinearMap> = places.collect::<Result<_>>()?;
        maps.push(LinearMap::ridge(&rows, &visible, PENALTY)?);
        let map = LinearMap::stacked(&maps).ok_or("there are no points")?;
        Ok(Corners { map, points })
    }
}

impl Model for Corners {
    fn parameters(&self) -> Parameters {
        self.map.parameters()
    }

    fn from_parameters(parameters: Parameters, metadata: &Metadata) -> Result<Self> {
        let points = points(metadata)?;
        Ok(Self { map: LinearMap::from_parameters(parameters, MEASURES, 3 * points)?, points })
    }

    fn predict(&self, inputs: &Batch) -> Result<Predictions> {
        let (mut places, mut visibility) = (Vec::new(), Vec::new());
        for frame in frames(inputs)? {
            let outputs = self.map.apply(&frame.measures());
            let (pairs, visible) = outputs.split_at(2 * self.points);
            places.extend(pairs.as_chunks::<2>().0.iter().map(|&pair| frame.outwards(pair).map(|place| place as f32)));
            visibility.extend(visible.iter().map(|value| value.clamp(0.0, 1.0) as f32));
        }
        Ok(Predictions::keypoints(self.points, places, visibility))
    }
}

thimble_sdk::export!(KiteFrame);

#[cfg(test)]
mod tests {
    use thimble_sdk::{Dtype, Field, Kind, Rng, Tensor};

    use super::*;

    /// Wedges of any place and direction; the points are the tip and the middle of the wide end.
    fn split(seed: u64, rows: usize) -> Result<Loader> {
        let mut rng = Rng::seeded(seed);
        let (mut pixels, mut places) = (Vec::<u8>::new(), Vec::new());
        for _ in 0..rows {
            let (x, y, turn) =
                (rng.uniform(13.0, 19.0), rng.uniform(13.0, 19.0), f64::from(rng.uniform(0.0, std::f32::consts::TAU)));
            let (sin, cos) = (libm::sin(turn) as f32, libm::cos(turn) as f32);
            let inside = |pixel: usize| {
                let (dx, dy) = ((pixel % 32) as f32 + 0.5 - x, (pixel / 32) as f32 + 0.5 - y);
                let (u, v) = (dx * cos + dy * sin, dy * cos - dx * sin);
                (-5.0..10.0).contains(&u) && v.abs() < (10.0 - u) / 3.0
            };
            pixels.extend((0..1024).map(|pixel| if inside(pixel) { 190 } else { 60 }));
            places.extend([10.0, -5.0].into_iter().flat_map(|u| [x + u * cos, y + u * sin]));
        }
        let targets = vec![
            Tensor::new("keypoints", &[rows, 2, 2], places),
            Tensor::new("visibility", &[rows, 2], vec![2_u8; rows * 2]),
        ];
        Loader::from_rows(vec![Tensor::new("image", &[rows, 32, 32, 1], pixels)], targets, 40)
    }

    #[test]
    fn learns_and_predicts_from_its_parameters_alone() -> Result<()> {
        let outputs = vec![Field::new("keypoints", Dtype::F32, &[2, 2])];
        let metadata = Metadata { outputs, ..Metadata::of(Kind::KeypointDetection) };
        let model = KiteFrame::solve(&mut split(1, 120)?, &mut Loader::empty(), &metadata)?;
        let model = Corners::from_parameters(model.parameters(), &metadata)?;
        let batch = split(2, 40)?.next().ok_or("no batch")?;
        let predictions = model.predict(&batch)?;
        let (found, _) = predictions.get::<f32>()?.as_chunks::<2>();
        let distances = found.iter().zip(batch.keypoints()?.places).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
        let far = distances.filter(|distance| *distance > 2.0).count();
        assert!(far <= 2, "{far} of 80");
        Ok(())
    }
}
