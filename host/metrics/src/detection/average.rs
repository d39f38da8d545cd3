//! Average precision and recall as COCO's evaluation defines them.

use super::{Corners, Detection, DetectionInputs};
use crate::family::Family;
use crate::inputs::InputError;
use crate::matching::by_score;
use crate::objects::{Group, NO_OBJECT, descending, for_each_group, objects_of_classes};
use crate::registry::Reads;
use crate::sum::{Sum, mean};
use crate::value::MetricValue;

/// IoU 0.50, 0.55, …, 0.95.
const THRESHOLDS: usize = 10;
/// The threshold of 0.50, and that of 0.75.
pub(super) const AT_50: usize = 0;
pub(super) const AT_75: usize = 5;
/// Recall 0, 0.01, …, 1.
const RECALLS: usize = 101;
/// Detections that count in each image and class.
const MOST_DETECTIONS: usize = 100;
/// What COCO's evaluation adds to the denominator of precision: the spacing of doubles at 1.
const SPACING: f64 = f64::EPSILON;

/// A detection of one class, and at which thresholds it is an object.
#[derive(Debug, Clone, Copy)]
struct Found {
    score: f32,
    /// How many detections of its image and class come before it.
    rank: u8,
    /// A bit for each threshold.
    hits: u16,
}

/// The detections of one class that has objects.
#[derive(Debug, Clone, Default)]
struct Class {
    objects: usize,
    /// The highest score first; of equals in the order of images and, within, of the submission.
    found: Vec<Found>,
}

/// Every class with its detections matched at every threshold.
#[derive(Debug)]
pub(super) struct Evaluation {
    classes: Vec<Class>,
}

impl Evaluation {
    /// Of checked inputs.
    pub(super) fn new(inputs: &DetectionInputs<'_>) -> Self {
        let numbers = objects_of_classes(inputs.truth.labels, inputs.truth.classes);
        let mut classes: Vec<_> = numbers.into_iter().map(|objects| Class { objects, found: Vec::new() }).collect();
        let mut matcher = Matcher::default();
        for_each_group(inputs.truth.objects(), inputs.objects(), inputs.scores, f64::NEG_INFINITY, |_, group| {
            if let Some(class) = classes.get_mut(group.class).filter(|class| class.objects > 0) {
                matcher.extend(inputs, group, &mut class.found);
            }
        });
        for class in &mut classes {
            class.found.sort_by(|one, other| descending(one.score, other.score));
        }
        Self { classes }
    }

    /// The mean of precision over recall points, classes with objects and the thresholds.
    pub(super) fn average_precision(&self, thresholds: &[usize]) -> MetricValue {
        let means =
            self.with_objects().flat_map(|class| thresholds.iter().map(move |&threshold| class.precision(threshold)));
        of_objects(mean(means))
    }

    /// The average precision of each class; none of a class without objects.
    pub(super) fn per_class(&self) -> impl Iterator<Item = Option<f64>> {
        self.classes.iter().map(|class| {
            (class.objects > 0).then(|| mean((0..THRESHOLDS).map(|threshold| class.precision(threshold))))?
        })
    }

    /// The average precision of the class that is found worst.
    pub(super) fn worst_class(&self) -> MetricValue {
        of_objects(self.per_class().flatten().reduce(f64::min))
    }

    /// The mean over classes with objects and thresholds of the share of objects that are found by the first `most`
    /// detections of each image and class.
    pub(super) fn average_recall(&self, most: usize) -> MetricValue {
        let recalls = self.with_objects().flat_map(|class| {
            (0..THRESHOLDS).map(move |threshold| {
                let counts = |found: &&Found| usize::from(found.rank) < most && found.hit(threshold);
                class.found.iter().filter(counts).count() as f64 / class.objects as f64
            })
        });
        of_objects(mean(recalls))
    }

    fn with_objects(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter().filter(|class| class.objects > 0)
    }
}

fn of_objects(value: Option<f64>) -> MetricValue {
    value.map_or_else(|| MetricValue::Undefined(NO_OBJECT.into()), MetricValue::Value)
}

/// Every threshold.
pub(super) const ALL: [usize; THRESHOLDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

impl Found {
    const fn hit(&self, threshold: usize) -> bool {
        self.hits >> threshold & 1 == 1
    }
}

impl Class {
    /// The mean over the recall points of the largest precision at that recall or above, 0 where it is not reached.
    fn precision(&self, threshold: usize) -> f64 {
        let mut hits = 0_usize;
        let mut curve: Vec<_> = (1..)
            .zip(&self.found)
            .map(|(rank, found): (usize, _)| {
                hits += usize::from(found.hit(threshold));
                (hits as f64 / self.objects as f64, hits as f64 / (rank as f64 + SPACING))
            })
            .collect();
        let mut envelope = 0.0_f64;
        for (_, precision) in curve.iter_mut().rev() {
            envelope = envelope.max(*precision);
            *precision = envelope;
        }
        let mut total = Sum::default();
        let mut place = 0;
        for point in 0..RECALLS {
            let wanted = if point + 1 == RECALLS { 1.0 } else { point as f64 * 0.01 };
            place += curve[place..].iter().take_while(|(recall, _)| *recall < wanted).count();
            total.add(curve.get(place).map_or(0.0, |&(_, precision)| precision));
        }
        total.value() / RECALLS as f64
    }
}

/// Matches the groups one after another, in the same buffers.
#[derive(Debug, Default)]
struct Matcher {
    boxes: Vec<Corners>,
    overlaps: Vec<f64>,
    free: Vec<bool>,
}

impl Matcher {
    /// Appends the group's detections that count.
    fn extend(&mut self, inputs: &DetectionInputs<'_>, group: &Group<'_>, found: &mut Vec<Found>) {
        let predicted = &group.predicted[..group.predicted.len().min(MOST_DETECTIONS)];
        let start = found.len();
        found.extend((0_u8..).zip(predicted).map(|(rank, &object)| Found {
            score: inputs.scores[object],
            rank,
            hits: 0,
        }));
        let width = group.truth.len();
        if width == 0 {
            return;
        }
        self.boxes.clear();
        self.boxes.extend(group.truth.iter().map(|&object| Corners::of(inputs.truth.boxes, object)));
        self.overlaps.clear();
        for &object in predicted {
            let corners = Corners::of(inputs.boxes, object);
            self.overlaps.extend(self.boxes.iter().map(|other| corners.iou(other)));
        }
        self.free.resize(width, true);
        let overlaps = &self.overlaps;
        for (bit, threshold) in thresholds().into_iter().enumerate() {
            let overlap = |prediction: usize, object: usize| overlaps[prediction * width + object];
            by_score(predicted.len(), threshold, &mut self.free, overlap, |prediction, _, _| {
                found[start + prediction].hits |= 1 << bit;
            });
        }
    }
}

/// As numpy.linspace(0.5, 0.95, 10), to the bit.
fn thresholds() -> [f64; THRESHOLDS] {
    let step = (0.95 - 0.5) / 9.0;
    let mut thresholds = ALL.map(|index| index as f64 * step + 0.5);
    thresholds[THRESHOLDS - 1] = 0.95;
    thresholds
}

/// The average precision of each class, 0 to 1: the mean over IoU 0.50, 0.55, …, 0.95 and over recall 0, 0.01, …, 1 of the
/// interpolated precision, as COCO's evaluation. A class without objects in the truth has none.
///
/// # Errors
/// The inputs break a rule; a prediction that does is named by its row.
pub fn average_precision_per_class(inputs: &DetectionInputs<'_>) -> Result<Vec<Option<f64>>, InputError> {
    Detection::check(inputs, Reads::Everything)?;
    Ok(Evaluation::new(inputs).per_class().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_those_of_linspace() {
        // numpy 2.4.6: numpy.linspace(0.5, 0.95, 10).
        let expected = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95];
        assert_eq!(thresholds(), expected);
    }

    #[test]
    fn detections_beyond_the_hundredth_of_an_image_and_class_do_not_count() {
        let truth =
            super::super::DetectionTruth { counts: &[1], boxes: &[0.0, 0.0, 2.0, 2.0], labels: &[0], classes: 1 };
        let value = |misses: usize| {
            let mut boxes = [9.0, 9.0, 10.0, 10.0].repeat(misses);
            boxes.extend([0.0, 0.0, 2.0, 2.0]);
            let objects = misses + 1;
            let inputs = DetectionInputs {
                truth,
                counts: &[i32::try_from(objects).unwrap_or(0)],
                boxes: &boxes,
                labels: &vec![0; objects],
                scores: &vec![0.5; objects],
            };
            Evaluation::new(&inputs).average_precision(&[AT_50]).value().unwrap_or(-1.0)
        };
        assert!((value(99) - 0.01).abs() < 1e-12 && value(100) == 0.0);
    }
}
