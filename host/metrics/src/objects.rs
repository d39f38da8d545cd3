//! Objects of images: a varying number in each, with classes and scores. What detection and instance segmentation share.

use std::cmp::Ordering;
use std::ops::Range;

use crate::inputs::InputError;

/// The most classes of objects: tables of one entry a class stay small.
pub(crate) const MOST_CLASSES: u32 = 65_536;

/// Why a metric of objects says nothing.
pub(crate) const NO_OBJECT: &str = "there is no object in the truth";

/// Whose rows an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Truth,
    Predictions,
}

impl Side {
    /// A row that breaks a rule.
    pub(crate) const fn row(self, row: usize, reason: String) -> InputError {
        match self {
            Self::Truth => InputError::Truth { row, reason },
            Self::Predictions => InputError::Prediction { row, reason },
        }
    }

    /// Its own words for a count that does not fit.
    pub(crate) const fn pick(self, truth: &'static str, predictions: &'static str) -> &'static str {
        match self {
            Self::Truth => truth,
            Self::Predictions => predictions,
        }
    }
}

/// The objects of all images of one side, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Objects<'a> {
    pub(crate) counts: &'a [i32],
    pub(crate) labels: &'a [i64],
}

/// Checks that a length is the expected one.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), InputError> {
    if expected == found { Ok(()) } else { Err(InputError::Length { what, expected, found }) }
}

/// Checks counts and classes; an error names the image and the object in it.
pub(crate) fn check_objects(side: Side, objects: Objects<'_>, classes: u32) -> Result<(), InputError> {
    if classes > MOST_CLASSES {
        let reason = format!("is {classes}, it is at most {MOST_CLASSES}");
        return Err(InputError::Setting { name: "classes", reason });
    }
    let mut total = 0_usize;
    for (image, &count) in objects.counts.iter().enumerate() {
        let count = usize::try_from(count).map_err(|_| side.row(image, format!("its number of objects is {count}")))?;
        total = total.saturating_add(count);
    }
    let what = side.pick("classes of objects in the truth", "classes of predicted objects");
    check_length(what, total, objects.labels.len())?;
    check_each(side, objects.counts, |object| {
        let label = objects.labels[object];
        if (0..i64::from(classes)).contains(&label) {
            return None;
        }
        Some(format!("its class is {label}, classes are 0 to {}", classes.saturating_sub(1)))
    })
}

/// Checks the scores of predicted objects whose counts are checked.
pub(crate) fn check_scores(counts: &[i32], objects: usize, scores: &[f32]) -> Result<(), InputError> {
    check_length("scores of predicted objects", objects, scores.len())?;
    check_each(Side::Predictions, counts, |object| {
        let score = scores[object];
        (!(0.0..=1.0).contains(&score)).then(|| format!("its score is {score}, scores are 0 to 1"))
    })
}

/// Calls `fault` with each object, image after image; what it finds is the error. The counts are checked.
pub(crate) fn check_each(
    side: Side,
    counts: &[i32],
    mut fault: impl FnMut(usize) -> Option<String>,
) -> Result<(), InputError> {
    for (image, objects) in images(counts).enumerate() {
        for (position, object) in objects.enumerate() {
            if let Some(reason) = fault(object) {
                return Err(side.row(image, format!("object {position}: {reason}")));
            }
        }
    }
    Ok(())
}

/// The objects of each image, by their places in the list of all. The counts are checked.
pub(crate) fn images(counts: &[i32]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0_usize;
    counts.iter().map(move |&count| {
        let end = start.saturating_add(usize::try_from(count).unwrap_or(0));
        std::mem::replace(&mut start, end)..end
    })
}

/// The number of objects of each class.
pub(crate) fn objects_of_classes(labels: &[i64], classes: u32) -> Vec<usize> {
    let mut numbers = vec![0; classes as usize];
    for &label in labels {
        if let Some(number) = usize::try_from(label).ok().and_then(|label| numbers.get_mut(label)) {
            *number += 1;
        }
    }
    numbers
}

/// The objects of one class in one image, by their places in the lists of all.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) class: usize,
    /// In the order in which they were given.
    pub(crate) truth: &'a [usize],
    /// The highest score first, equal scores in the order in which they were given.
    pub(crate) predicted: &'a [usize],
}

/// Calls `visit` for each class in each image that has an object of it on either side, image after image, classes
/// ascending. Predictions with a score below `threshold` are left out. The inputs are checked.
pub(crate) fn for_each_group(
    truth: Objects<'_>,
    predicted: Objects<'_>,
    scores: &[f32],
    threshold: f64,
    mut visit: impl FnMut(usize, &Group<'_>),
) {
    let (mut owned, mut given) = (Vec::new(), Vec::new());
    let pairs = images(truth.counts).zip(images(predicted.counts));
    for (image, (owned_range, given_range)) in pairs.enumerate() {
        owned.clear();
        owned.extend(owned_range);
        owned.sort_by_key(|&object: &usize| truth.labels[object]);
        given.clear();
        given.extend(given_range.filter(|&object| f64::from(scores[object]) >= threshold));
        given.sort_by(|&one: &usize, &other: &usize| {
            let by_class = predicted.labels[one].cmp(&predicted.labels[other]);
            by_class.then_with(|| descending(scores[one], scores[other]))
        });
        let (mut owned, mut given) = (owned.as_slice(), given.as_slice());
        while let Some(label) = first_class(truth.labels, owned, predicted.labels, given) {
            let (truth_group, owned_rest) = split_class(truth.labels, owned, label);
            let (predicted_group, given_rest) = split_class(predicted.labels, given, label);
            (owned, given) = (owned_rest, given_rest);
            let class = usize::try_from(label).unwrap_or(0);
            visit(image, &Group { class, truth: truth_group, predicted: predicted_group });
        }
    }
}

/// The higher of two scores first; a negative zero is a zero.
pub(crate) fn descending(one: f32, other: f32) -> Ordering {
    other.partial_cmp(&one).unwrap_or(Ordering::Equal)
}

fn first_class(truth: &[i64], owned: &[usize], predicted: &[i64], given: &[usize]) -> Option<i64> {
    match (owned.first(), given.first()) {
        (Some(&one), Some(&other)) => Some(truth[one].min(predicted[other])),
        (Some(&one), None) => Some(truth[one]),
        (None, Some(&other)) => Some(predicted[other]),
        (None, None) => None,
    }
}

fn split_class<'a>(labels: &[i64], sorted: &'a [usize], label: i64) -> (&'a [usize], &'a [usize]) {
    sorted.split_at(sorted.partition_point(|&object| labels[object] <= label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_holds_one_class_of_one_image_in_the_order_of_scores() {
        let truth = Objects { counts: &[2, 0, 1], labels: &[1, 0, 2] };
        let predicted = Objects { counts: &[4, 1, 0], labels: &[1, 1, 3, 1, 0] };
        let mut groups = Vec::new();
        for_each_group(truth, predicted, &[0.2, 0.9, 0.5, 0.9, 0.4], 0.3, |image, group| {
            groups.push((image, group.class, group.truth.to_vec(), group.predicted.to_vec()));
        });
        let expected = [
            (0, 0, vec![1], vec![]),
            (0, 1, vec![0], vec![1, 3]),
            (0, 3, vec![], vec![2]),
            (1, 0, vec![], vec![4]),
            (2, 2, vec![2], vec![]),
        ];
        assert_eq!(groups, expected);
    }

    #[test]
    fn a_fault_is_named_by_its_image_and_its_object() {
        let objects = Objects { counts: &[1, 0, 2], labels: &[0, 1, 7] };
        let error = check_objects(Side::Predictions, objects, 3).expect_err("7 is no class").to_string();
        assert_eq!(error, "row 2 of the predictions: object 1: its class is 7, classes are 0 to 2");
        let error =
            check_objects(Side::Truth, Objects { counts: &[1, -1], labels: &[0] }, 3).expect_err("a negative count");
        assert_eq!(error.to_string(), "row 1 of the truth: its number of objects is -1");
        let error = check_scores(&[1, 1], 2, &[0.5, f32::NAN]).expect_err("no number").to_string();
        assert_eq!(error, "row 1 of the predictions: object 0: its score is NaN, scores are 0 to 1");
    }

    #[test]
    fn counts_that_sum_beyond_the_objects_are_an_error() {
        let objects = Objects { counts: &[i32::MAX; 4], labels: &[0] };
        let error = check_objects(Side::Truth, objects, 1).expect_err("one object").to_string();
        assert_eq!(error, "1 classes of objects in the truth, expected 8589934588");
        assert!(check_objects(Side::Truth, Objects { counts: &[], labels: &[] }, MOST_CLASSES).is_ok());
        assert!(check_objects(Side::Truth, Objects { counts: &[], labels: &[] }, MOST_CLASSES + 1).is_err());
    }
}
