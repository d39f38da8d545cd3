//! What is counted of pixels, whatever image they are of.

use super::SegmentationInputs;
use crate::sum::{Sum, mean};
use crate::value::MetricValue;

const CLASSES: usize = super::MOST_CLASSES as usize;

/// How many pixels of each class are predicted to be of each class.
#[derive(Debug)]
pub(super) struct Confusion {
    /// The classes that the owner declared.
    declared: u32,
    /// Pixels of true class t and predicted class p, at 256 t + p.
    pixels: Vec<u64>,
    /// Pixels of each true class.
    truth: [u64; CLASSES],
    /// Pixels of each predicted class.
    predicted: [u64; CLASSES],
}

impl Confusion {
    /// Over all images; pixels whose label is to be ignored do not count.
    pub(super) fn new(inputs: &SegmentationInputs<'_>) -> Self {
        let mut pixels = vec![0_u64; CLASSES * CLASSES];
        for (&class, &predicted) in inputs.truth.masks.iter().zip(inputs.masks) {
            pixels[CLASSES * usize::from(class) + usize::from(predicted)] += 1;
        }
        if let Some(ignore) = inputs.truth.ignore {
            pixels[CLASSES * usize::from(ignore)..][..CLASSES].fill(0);
        }
        let (mut truth, mut predicted) = ([0; CLASSES], [0; CLASSES]);
        for (class, row) in pixels.chunks_exact(CLASSES).enumerate() {
            truth[class] = row.iter().sum();
            for (total, number) in predicted.iter_mut().zip(row) {
                *total += number;
            }
        }
        Self { declared: inputs.truth.classes, pixels, truth, predicted }
    }

    fn matched(&self, class: usize) -> u64 {
        self.pixels[(CLASSES + 1) * class]
    }

    fn all(&self) -> u64 {
        self.truth.iter().sum()
    }

    fn right(&self) -> u64 {
        (0..CLASSES).map(|class| self.matched(class)).sum()
    }

    /// Classes that the truth or the prediction holds.
    fn present(&self) -> impl Iterator<Item = usize> {
        (0..CLASSES).filter(|&class| self.truth[class] + self.predicted[class] > 0)
    }

    /// Classes that the truth holds.
    fn owned(&self) -> impl Iterator<Item = usize> {
        (0..CLASSES).filter(|&class| self.truth[class] > 0)
    }

    fn precision_of(&self, class: usize) -> f64 {
        or_zero(self.matched(class), self.predicted[class])
    }

    fn recall_of(&self, class: usize) -> f64 {
        or_zero(self.matched(class), self.truth[class])
    }

    fn dice_of(&self, class: usize) -> f64 {
        or_zero(2 * self.matched(class), self.truth[class] + self.predicted[class])
    }

    fn iou_of(&self, class: usize) -> f64 {
        let matched = self.matched(class);
        or_zero(matched, self.truth[class] + self.predicted[class] - matched)
    }

    fn average(&self, of: fn(&Self, usize) -> f64) -> MetricValue {
        mean(self.present().map(|class| of(self, class))).map_or_else(no_pixel, MetricValue::Value)
    }

    /// Of the foreground, where there is background and one foreground class.
    fn foreground(&self, of: fn(&Self, usize) -> f64) -> MetricValue {
        match (self.all(), self.truth[1] + self.predicted[1]) {
            (0, _) => no_pixel(),
            (_, 0) => MetricValue::Undefined("the foreground is empty, in truth and prediction".into()),
            _ => MetricValue::Value(of(self, 1)),
        }
    }

    /// The share of pixels whose class is right.
    pub(super) fn accuracy(&self) -> MetricValue {
        match self.all() {
            0 => no_pixel(),
            all => MetricValue::Value(self.right() as f64 / all as f64),
        }
    }

    /// The mean over classes of the share of right ones among pixels predicted to be of the class.
    pub(super) fn precision(&self) -> MetricValue {
        self.average(Self::precision_of)
    }

    /// The mean over classes of the share of the class's pixels that are found.
    pub(super) fn recall(&self) -> MetricValue {
        self.average(Self::recall_of)
    }

    /// The mean over classes of 2 TP / (2 TP + FP + FN).
    pub(super) fn f1(&self) -> MetricValue {
        self.average(Self::dice_of)
    }

    /// With two classes that of the foreground, with more the mean over classes.
    pub(super) fn dice(&self) -> MetricValue {
        if self.declared == 2 { self.foreground(Self::dice_of) } else { self.f1() }
    }

    /// 1 − Dice.
    pub(super) fn loss(&self) -> MetricValue {
        match self.dice() {
            MetricValue::Value(dice) => MetricValue::Value(1.0 - dice),
            undefined => undefined,
        }
    }

    /// With two classes that of the foreground, with more that of all pixels: each wrong one is in the union twice.
    pub(super) fn iou(&self) -> MetricValue {
        if self.declared == 2 {
            return self.foreground(Self::iou_of);
        }
        match self.all() {
            0 => no_pixel(),
            all => MetricValue::Value(self.right() as f64 / (2 * all - self.right()) as f64),
        }
    }

    /// The mean of IoU over classes.
    pub(super) fn mean_iou(&self) -> MetricValue {
        self.average(Self::iou_of)
    }

    /// The mean of IoU over pixels of the truth, each of which counts that of its class.
    pub(super) fn weighted_iou(&self) -> MetricValue {
        let total: Sum = self.owned().map(|class| self.iou_of(class) * self.truth[class] as f64).collect();
        match self.all() {
            0 => no_pixel(),
            all => MetricValue::Value(total.value() / all as f64),
        }
    }

    /// The mean over classes of the truth of the share of the class's pixels that are found.
    pub(super) fn mean_accuracy(&self) -> MetricValue {
        mean(self.owned().map(|class| self.recall_of(class))).map_or_else(no_pixel, MetricValue::Value)
    }
}

fn no_pixel() -> MetricValue {
    MetricValue::Undefined("no pixel counts".into())
}

/// A quotient; 0 where both are 0, as scikit-learn with `zero_division=0`.
fn or_zero(numerator: u64, denominator: u64) -> f64 {
    if denominator == 0 { 0.0 } else { numerator as f64 / denominator as f64 }
}
