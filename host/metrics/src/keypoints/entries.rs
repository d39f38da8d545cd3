//! The list.

use super::places::{FOUND, Found, absolute_error, loss, position_error, similarity, visibility_accuracy};
use super::{Keypoints, no_visibility, no_visible_point};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};

/// What most of these metrics have in common.
const SHARE: Metric = Metric {
    name: "",
    label: "",
    description: "",
    direction: Direction::HigherIsBetter,
    ranks_by_magnitude: false,
    range: Range::SHARE,
    unit: Unit::Share,
    reads: Reads::Everything,
    formula: "",
    edge_cases: "only points that are visible in the truth count; whether they are predicted to be does not matter",
    undefined_when: "no point of the truth is visible",
    reference: "",
};

/// What precision, recall and F1 share.
const FOUND_SHARE: Metric = Metric {
    edge_cases: "a point is predicted to be visible from 0.5 on; without a box the smallest around the visible points \
        counts, with fewer than two of them or all at one place the image; a point that is visible, predicted to be and out \
        of reach is both a false positive and a false negative; pooled over all points",
    undefined_when: "no point is visible, in truth or prediction",
    reference: "the ratios of scikit-learn 1.9.1 over points within PCK@0.20, in NumPy: no implementation is published; \
        chosen so that a point counts only if both its place and its visibility are right",
    ..SHARE
};

/// A share of correct points.
const fn correct(name: &'static str, label: &'static str, description: &'static str, formula: &'static str) -> Metric {
    Metric {
        name,
        label,
        description,
        formula,
        edge_cases: "only points that are visible in the truth count, each once, whatever its instance; without a box the \
            smallest around the visible points counts, with fewer than two of them or all at one place the image; a point at \
            the very limit is correct; whether a point is predicted to be visible does not matter",
        reference: "Yang and Ramanan 2013, in NumPy, pooled over all points, not averaged over kinds of points; the longer \
            side of the instance's box is the measure, not the image, whose size says nothing about the instance",
        ..SHARE
    }
}

pub(super) const ENTRIES: &[Entry<Keypoints>] = &[
    Entry {
        metric: Metric {
            name: "precision",
            label: "Precision",
            description: "The share of points predicted to be visible that are, and where they are predicted.",
            formula: "TP / (TP + FP), with TP the points visible, predicted to be and within 0.20 · max(width, height) of the \
                instance's box, FP all others predicted to be visible; 0 where none is and some are visible",
            ..FOUND_SHARE
        },
        compute: |inputs, _| Found::within(inputs, FOUND).precision(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "recall",
            label: "Recall",
            description: "The share of visible points that are predicted to be, and where they are.",
            formula: "TP / (TP + FN), with TP the points visible, predicted to be and within 0.20 · max(width, height) of the \
                instance's box, FN all others that are visible",
            undefined_when: "no point of the truth is visible",
            ..FOUND_SHARE
        },
        compute: |inputs, _| Found::within(inputs, FOUND).recall(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "f1",
            label: "F1 score",
            description: "The harmonic mean of precision and recall.",
            formula: "2 TP / (2 TP + FP + FN), with TP the points visible, predicted to be and within 0.20 · max(width, \
                height) of the instance's box",
            ..FOUND_SHARE
        },
        compute: |inputs, _| Found::within(inputs, FOUND).f1(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "loss",
            label: "Loss",
            description: "The mean squared error of coordinates as shares of the image.",
            direction: Direction::LowerIsBetter,
            range: Range::NOT_NEGATIVE,
            unit: Unit::None,
            formula: "mean over visible points and both axes of ((x̂ − x) / width)² and ((ŷ − y) / height)²",
            reference: "scikit-learn 1.9.1, mean_squared_error of the coordinates divided by the image's sides; chosen \
                because the training losses of submissions cannot be compared with each other",
            ..SHARE
        },
        compute: |inputs, _| loss(inputs),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "mae",
            label: "Mean absolute error",
            description: "How far coordinates are off on average, in pixels.",
            direction: Direction::LowerIsBetter,
            range: Range::NOT_NEGATIVE,
            unit: Unit::Pixels,
            formula: "mean over visible points and both axes of |x̂ − x| and |ŷ − y|",
            reference: "scikit-learn 1.9.1, mean_absolute_error of the coordinates",
            ..SHARE
        },
        compute: |inputs, _| absolute_error(inputs),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck",
            "Percentage of correct keypoints",
            "The share of points predicted within a fifth of the instance's longer side; the same as PCK@0.20.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.20 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, FOUND).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck@0.05",
            "PCK@0.05",
            "The share of points predicted within 0.05 of the instance's longer side: the strictest.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.05 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, 0.05).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck@0.10",
            "PCK@0.10",
            "The share of points predicted within 0.10 of the instance's longer side.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.10 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, 0.10).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck@0.20",
            "PCK@0.20",
            "The share of points predicted within 0.20 of the instance's longer side.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.20 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, 0.20).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck@0.30",
            "PCK@0.30",
            "The share of points predicted within 0.30 of the instance's longer side.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.30 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, 0.30).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: correct(
            "pck@0.50",
            "PCK@0.50",
            "The share of points predicted within 0.50 of the instance's longer side: the most lenient.",
            "share of visible points with ‖p̂ − p‖ ≤ 0.50 · max(width, height) of the instance's box",
        ),
        compute: |inputs, _| Found::within(inputs, 0.50).correct(),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "oks",
            label: "Object keypoint similarity",
            description: "How similar predicted and true points of an instance are, given its size and how exactly each \
                point can be annotated.",
            formula: "mean over instances of the mean over visible points of exp(−d² / (2 s² (2σ)²)), with s² the annotated \
                area, else the area of the box, at least 1",
            edge_cases: "an instance without a visible point does not count; without an area and a box the smallest box \
                around the visible points counts, with fewer than two of them or all at one place the image",
            reference: "pycocotools 2.0.11, COCOeval.computeOks, whose variance is (2σ)²; one prediction an instance, so that \
                nothing is matched",
            ..SHARE
        },
        compute: |inputs, _| similarity(inputs),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "mpjpe",
            label: "Mean per joint position error",
            description: "How far points are from where they are predicted on average, in pixels of the image.",
            direction: Direction::LowerIsBetter,
            range: Range::NOT_NEGATIVE,
            unit: Unit::Pixels,
            formula: "mean over visible points of ‖p̂ − p‖",
            reference: "NumPy, linalg.norm; pixels of the original image",
            ..SHARE
        },
        compute: |inputs, _| position_error(inputs),
        degenerate: no_visible_point,
    },
    Entry {
        metric: Metric {
            name: "visibility_accuracy",
            label: "Visibility accuracy",
            description: "The share of points whose visibility is predicted right, wherever they are.",
            formula: "share of points with (v > 0) = (v̂ ≥ 0.5)",
            edge_cases: "every point counts, visible or not",
            undefined_when: "there is no point",
            reference: "scikit-learn 1.9.1, accuracy_score of v > 0 and v̂ ≥ 0.5",
            ..SHARE
        },
        compute: |inputs, _| visibility_accuracy(inputs),
        degenerate: no_visibility,
    },
];
