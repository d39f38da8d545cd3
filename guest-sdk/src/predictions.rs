//! What a model predicts.

use crate::{Element, Result, Tensor};

/// The predictions of one batch: the tensors that [`Metadata::outputs`](crate::Metadata) lists.
///
/// | task | constructor |
/// |---|---|
/// | the three classifications | [`Predictions::scores`] |
/// | object detection | [`Predictions::objects`] |
/// | semantic segmentation | [`Predictions::masks`] |
/// | instance segmentation | [`Predictions::instances`] |
/// | keypoint detection | [`Predictions::keypoints`] |
/// | tabular regression | [`Predictions::values`] |
/// | time series forecasting | [`Predictions::forecasts`] |
/// | time to event | [`Predictions::risks`] |
///
/// ```
/// # use thimble_sdk::Predictions;
/// let predictions = Predictions::scores(2, vec![0.5_f32, 2.0, -1.0, 0.0, 1.0, 3.0]);
/// assert_eq!(predictions.shape(), [2, 3]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions(Vec<Tensor>);

/// An object in an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// x0, y0, x1, y1 in pixels: x0 < x1, y0 < y1, the origin at the corner of the image.
    pub bounds: [f32; 4],
    /// Its class, 0 to `num_classes` − 1.
    pub class: usize,
    /// How sure it is, 0 to 1; 1 for a true one.
    pub score: f32,
}

/// An object in an image with the pixels that it covers.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Height × width pixels, row after row: 1 inside, 0 outside; at least one 1.
    pub mask: Vec<u8>,
    /// Its class, 0 to `num_classes` − 1.
    pub class: usize,
    /// How sure it is, 0 to 1; 1 for a true one.
    pub score: f32,
}

impl Predictions {
    /// Classification: the scores of all classes for each of `rows` rows, row after row. The predicted class is the largest
    /// score, the first of equals. Where the challenge has a metric of probabilities they must be 0 to 1 and sum to 1
    /// ([`nn::softmax`](crate::nn)).
    pub fn scores(rows: usize, scores: Vec<f32>) -> Self {
        Self::from(Tensor::new("scores", &[rows, scores.len() / rows.max(1)], scores))
    }

    /// Regression: one number for each row.
    pub fn values(values: Vec<f64>) -> Self {
        Self::from(Tensor::new("values", &[values.len()], values))
    }

    /// Forecasting: the next values for each of `rows` rows, row after row.
    pub fn forecasts(rows: usize, values: Vec<f64>) -> Self {
        Self::from(Tensor::new("horizon", &[rows, values.len() / rows.max(1)], values))
    }

    /// Time to event: one risk for each row, the larger the earlier the event.
    pub fn risks(risks: Vec<f64>) -> Self {
        Self::from(Tensor::new("risk", &[risks.len()], risks))
    }

    /// Semantic segmentation: the class of each pixel of each image, row after row.
    pub fn masks(height: usize, width: usize, classes: Vec<u8>) -> Self {
        let rows = classes.len() / (height * width).max(1);
        Self::from(Tensor::new("mask", &[rows, height, width], classes))
    }

    /// Object detection: the objects of each row.
    pub fn objects(rows: &[Vec<Object>]) -> Self {
        let objects = || rows.iter().flatten();
        let boxes: Vec<f32> = objects().flat_map(|object| object.bounds).collect();
        Self(vec![
            counts(rows),
            Tensor::new("boxes", &[boxes.len() / 4, 4], boxes),
            labels(objects().map(|object| object.class)),
            scores(objects().map(|object| object.score)),
        ])
    }

    /// Instance segmentation: the objects of each row, in images of this size.
    pub fn instances(height: usize, width: usize, rows: &[Vec<Instance>]) -> Self {
        let objects = || rows.iter().flatten();
        let masks: Vec<u8> = objects().flat_map(|object| object.mask.iter().copied()).collect();
        Self(vec![
            counts(rows),
            Tensor::new("masks", &[masks.len() / (height * width).max(1), height, width], masks),
            labels(objects().map(|object| object.class)),
            scores(objects().map(|object| object.score)),
        ])
    }

    /// Keypoint detection: x and y of each of `points` points in pixels, and how sure it is that the point is visible (0 to 1,
    /// visible from 0.5 on), row after row.
    pub fn keypoints(points: usize, places: Vec<[f32; 2]>, visibility: Vec<f32>) -> Self {
        let rows = visibility.len() / points.max(1);
        let places: Vec<f32> = places.into_iter().flatten().collect();
        Self(vec![
            Tensor::new("keypoints", &[rows, points, 2], places),
            Tensor::new("visibility", &[rows, points], visibility),
        ])
    }

    /// The values of the first tensor: all there is, for the tasks that predict one.
    ///
    /// # Errors
    /// They are of another type, or there is no tensor.
    pub fn get<T: Element>(&self) -> Result<&[T]> {
        self.0.first().ok_or("there are no predictions")?.get()
    }

    /// The shape of the first tensor.
    pub fn shape(&self) -> &[usize] {
        self.0.first().map_or(&[], |tensor| &tensor.shape)
    }

    /// The tensors, in order.
    pub fn as_slice(&self) -> &[Tensor] {
        &self.0
    }

    /// The tensors, in order.
    pub fn into_tensors(self) -> Vec<Tensor> {
        self.0
    }
}

/// One tensor.
impl From<Tensor> for Predictions {
    fn from(tensor: Tensor) -> Self {
        Self(vec![tensor])
    }
}

/// Several tensors, in the order of [`Metadata::outputs`](crate::Metadata).
impl From<Vec<Tensor>> for Predictions {
    fn from(tensors: Vec<Tensor>) -> Self {
        Self(tensors)
    }
}

/// The host refuses a row with more objects than it has room to count.
fn counts<T>(rows: &[Vec<T>]) -> Tensor {
    let counts: Vec<i32> = rows.iter().map(|row| i32::try_from(row.len()).unwrap_or(i32::MAX)).collect();
    Tensor::new("counts", &[counts.len()], counts)
}

fn labels(classes: impl Iterator<Item = usize>) -> Tensor {
    let labels: Vec<i64> = classes.map(|class| class as i64).collect();
    Tensor::new("labels", &[labels.len()], labels)
}

fn scores(scores: impl Iterator<Item = f32>) -> Tensor {
    let scores: Vec<f32> = scores.collect();
    Tensor::new("scores", &[scores.len()], scores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_all_rows_stand_one_after_the_other() -> Result<()> {
        let object = |class: usize| Object { bounds: [0.0, 1.0, 2.0, 3.0], class, score: 0.5 };
        let predictions = Predictions::objects(&[vec![object(1)], Vec::new(), vec![object(0), object(2)]]);
        let [counts, boxes, labels, scores] = predictions.as_slice() else { return Err("four tensors".into()) };
        assert_eq!(counts.get::<i32>()?, [1, 0, 2]);
        assert_eq!((&boxes.shape[..], boxes.get::<f32>()?.len()), (&[3, 4][..], 12));
        assert_eq!(labels.get::<i64>()?, [1, 0, 2]);
        assert_eq!(scores.get::<f32>()?, [0.5; 3]);
        Ok(())
    }

    #[test]
    fn no_object_at_all_is_a_prediction() {
        let predictions = Predictions::instances(2, 2, &[Vec::new(), Vec::new()]);
        let shapes: Vec<_> = predictions.as_slice().iter().map(|tensor| tensor.shape.clone()).collect();
        assert_eq!(shapes, [vec![2], vec![0, 2, 2], vec![0], vec![0]]);
    }

    #[test]
    fn points_have_places_and_visibilities() {
        let predictions = Predictions::keypoints(2, vec![[0.0, 1.0]; 4], vec![1.0; 4]);
        let shapes: Vec<_> = predictions.as_slice().iter().map(|tensor| tensor.shape.clone()).collect();
        assert_eq!(shapes, [vec![2, 2, 2], vec![2, 2]]);
    }
}
