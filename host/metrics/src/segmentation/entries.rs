//! The list.

use super::boundary::{average_surface_distance, boundary_f1, boundary_iou, hausdorff};
use super::pixels::Confusion;
use super::{Segmentation, no_foreground, one_class};
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
    edge_cases: "pixels of the ignore label do not count",
    undefined_when: "no pixel counts",
    reference: "",
};

/// What means over classes do at their edges.
const CLASS_EDGES: &str = "pixels of the ignore label do not count; a class in neither truth nor prediction does not \
    count; a class on one side only counts 0";

/// What metrics of the foreground do at their edges.
const FOREGROUND_EDGES: &str = "pixels of the ignore label do not count; with two classes, class 1 is the foreground; with \
    more, a class in neither truth nor prediction does not count and one on one side only counts 0";

/// When metrics of the foreground divide zero by zero.
const NO_FOREGROUND: &str = "no pixel counts; or there are two classes and none is of class 1, in truth or prediction";

/// When boundaries have nothing to be around.
const NO_BOUNDARY: &str = "no pixel that counts is of a foreground class, in truth or prediction";

/// What distances of boundaries do at their edges.
const DISTANCE_EDGES: &str = "background, class 0, has no boundary; a class in neither truth nor prediction of an image \
    does not count; one on one side only counts the image's diagonal; pixels of the ignore label are of no class on either \
    side; beyond the image all is outside";

pub(super) const ENTRIES: &[Entry<Segmentation>] = &[
    Entry {
        metric: Metric {
            name: "accuracy",
            label: "Accuracy",
            description: "The share of pixels whose class is right; the same as pixel accuracy.",
            formula: "right pixels / pixels",
            reference: "scikit-learn 1.9.1, accuracy_score over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).accuracy(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "precision",
            label: "Precision",
            description: "How much of what is predicted to be of a class is, on average over classes.",
            formula: "mean over classes of TP / (TP + FP), in pixels",
            edge_cases: CLASS_EDGES,
            reference: "scikit-learn 1.9.1, precision_score(average='macro', zero_division=0) over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).precision(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "recall",
            label: "Recall",
            description: "How much of a class is found, on average over classes.",
            formula: "mean over classes of TP / (TP + FN), in pixels",
            edge_cases: CLASS_EDGES,
            reference: "scikit-learn 1.9.1, recall_score(average='macro', zero_division=0) over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).recall(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "f1",
            label: "F1 score",
            description: "The harmonic mean of precision and recall of a class, on average over classes.",
            formula: "mean over classes of 2 TP / (2 TP + FP + FN), in pixels",
            edge_cases: CLASS_EDGES,
            reference: "scikit-learn 1.9.1, f1_score(average='macro') over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).f1(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "loss",
            label: "Loss",
            description: "The Dice loss: what is missing to full agreement of the regions.",
            direction: Direction::LowerIsBetter,
            unit: Unit::None,
            formula: "1 − Dice",
            edge_cases: FOREGROUND_EDGES,
            undefined_when: NO_FOREGROUND,
            reference: "1 − `dice`; chosen because the training losses of submissions cannot be compared with each other",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).loss(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "iou",
            label: "Intersection over union",
            description: "How far true and predicted regions overlap: the foreground's with two classes, all pixels' with \
                more.",
            formula: "two classes: TP / (TP + FP + FN) of class 1; more: Σ TP / Σ (TP + FP + FN) over classes, in pixels",
            edge_cases: "pixels of the ignore label do not count; with more than two classes it is a / (2 − a) with a the \
                pixel accuracy, and ranks alike",
            undefined_when: NO_FOREGROUND,
            reference: "scikit-learn 1.9.1, jaccard_score with average='binary' for two classes and 'micro' for more, over \
                the pixels of all images; the foreground alone, because background is not what is looked for",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).iou(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "miou",
            label: "Mean IoU",
            description: "How far the true and predicted regions of a class overlap, on average over classes.",
            formula: "mean over classes of TP / (TP + FP + FN), in pixels",
            edge_cases: CLASS_EDGES,
            reference: "scikit-learn 1.9.1, jaccard_score(average='macro') over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).mean_iou(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "fwiou",
            label: "Frequency weighted IoU",
            description: "How far the true and predicted regions of a class overlap, each class weighted by its true pixels.",
            formula: "Σ over classes of pixels of the class / pixels · TP / (TP + FP + FN)",
            edge_cases: "pixels of the ignore label do not count; a class that the truth lacks has no weight",
            reference: "scikit-learn 1.9.1, jaccard_score(average='weighted') over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).weighted_iou(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "dice",
            label: "Dice coefficient",
            description: "Twice the overlap of true and predicted regions over their sizes; sensitive to small regions.",
            formula: "2 TP / (2 TP + FP + FN), in pixels: of class 1 with two classes, the mean over classes with more",
            edge_cases: FOREGROUND_EDGES,
            undefined_when: NO_FOREGROUND,
            reference: "scikit-learn 1.9.1, f1_score with average='binary' for two classes and 'macro' for more, over the \
                pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).dice(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "pixel_accuracy",
            label: "Pixel accuracy",
            description: "The share of pixels whose class is right; frequent classes dominate it.",
            formula: "right pixels / pixels",
            reference: "scikit-learn 1.9.1, accuracy_score over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).accuracy(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "mean_pixel_accuracy",
            label: "Mean pixel accuracy",
            description: "The share of a class's pixels that are found, on average over the classes of the truth.",
            formula: "mean over classes of the truth of TP / (TP + FN), in pixels",
            edge_cases: "pixels of the ignore label do not count; a class that the truth lacks does not count, unlike in \
                `recall`",
            reference: "scikit-learn 1.9.1, balanced_accuracy_score over the pixels of all images",
            ..SHARE
        },
        compute: |inputs, _| Confusion::new(inputs).mean_accuracy(),
        degenerate: one_class,
    },
    Entry {
        metric: Metric {
            name: "boundary_iou",
            label: "Boundary IoU",
            description: "How far the bands just inside the boundaries of true and predicted regions overlap.",
            formula: "mean over images and foreground classes of |T ∩ P| / |T ∪ P|, with T and P the pixels of the regions \
                that d erosions by a 3 × 3 square take away, d = max(1, round(0.02 · √(height² + width²)))",
            edge_cases: "background, class 0, does not count; a class in neither truth nor prediction of an image does not \
                count; one on one side only counts 0; pixels of the ignore label are of no class on either side; beyond the \
                image all is outside; halves round to even",
            undefined_when: NO_BOUNDARY,
            reference: "Cheng and others, CVPR 2021, mask_to_boundary(dilation_ratio=0.02), with SciPy 1.17.1 \
                ndimage.binary_erosion; a band of one pixel would depend on the resolution",
            ..SHARE
        },
        compute: |inputs, _| boundary_iou(inputs),
        degenerate: no_foreground,
    },
    Entry {
        metric: Metric {
            name: "boundary_f1",
            label: "Boundary F1 score",
            description: "How many pixels of each boundary lie near the other one.",
            formula: "mean over images and foreground classes of 2 P R / (P + R), with P (R) the share of predicted (true) \
                boundary pixels at most ⌈0.0075 · √(height² + width²)⌉ pixels from a true (predicted) one",
            edge_cases: "a boundary pixel has one of its four neighbours outside its region; background, class 0, does not \
                count; a class in neither truth nor prediction of an image does not count; one on one side only counts 0; \
                pixels of the ignore label are of no class on either side; beyond the image all is outside",
            undefined_when: NO_BOUNDARY,
            reference: "Csurka and others, BMVC 2013, as MATLAB's bfscore, with SciPy 1.17.1 \
                ndimage.distance_transform_edt; without a tolerance it would nearly always be 0",
            ..SHARE
        },
        compute: |inputs, _| boundary_f1(inputs),
        degenerate: no_foreground,
    },
    Entry {
        metric: Metric {
            name: "hausdorff",
            label: "Hausdorff distance",
            description: "How far the boundaries are apart where they are farthest.",
            direction: Direction::LowerIsBetter,
            range: Range::NOT_NEGATIVE,
            unit: Unit::Pixels,
            formula: "mean over images and foreground classes of max(max over T of d(t, P), max over P of d(p, T)), with T \
                and P the boundary pixels and d the Euclidean distance to the nearest",
            edge_cases: DISTANCE_EDGES,
            undefined_when: NO_BOUNDARY,
            reference: "SciPy 1.17.1, spatial.distance.directed_hausdorff both ways over the pixels that \
                ndimage.binary_erosion takes away; equal to torchmetrics 1.9.0 hausdorff_distance on square images, the only \
                ones it gets right; where a class is on one side only those give infinity, which no mean survives",
            ..SHARE
        },
        compute: |inputs, _| hausdorff(inputs),
        degenerate: no_foreground,
    },
    Entry {
        metric: Metric {
            name: "asd",
            label: "Average surface distance",
            description: "How far the boundaries are apart on average.",
            direction: Direction::LowerIsBetter,
            range: Range::NOT_NEGATIVE,
            unit: Unit::Pixels,
            formula: "mean over images and foreground classes of (Σ over T of d(t, P) + Σ over P of d(p, T)) / (|T| + |P|), \
                with T and P the boundary pixels and d the Euclidean distance to the nearest",
            edge_cases: DISTANCE_EDGES,
            undefined_when: NO_BOUNDARY,
            reference: "MONAI 1.6.1, compute_average_surface_distance(symmetric=True): one mean over the pixels of both, not \
                the mean of two means; where a class is on one side only it gives infinity, which no mean survives",
            ..SHARE
        },
        compute: |inputs, _| average_surface_distance(inputs),
        degenerate: no_foreground,
    },
];
