//! The list.

use super::{Instances, no_object, tally};
use crate::family::Entry;
use crate::registry::{Direction, Metric, Range, Reads, Unit};

/// What these metrics have in common.
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
    edge_cases: "objects match one to one within their image and class by the IoU of their masks, the highest score first, \
        equal scores in the order of the submission; each takes the free object that it overlaps most, the last of equals, \
        if the IoU is 0.5 or more; predictions with a score below the threshold (0.5 unless the owner sets another) are \
        left out; pooled over images and classes",
    undefined_when: "there is neither an object in the truth nor a prediction that reaches the score threshold",
    reference: "pycocotools 2.0.11, the matches of COCOeval(iouType='segm') at IoU 0.5 without a cut; the ratio is that of \
        StarDist's matching(), chosen because it is what the field counts of one matching",
};

pub(super) const ENTRIES: &[Entry<Instances>] = &[
    Entry {
        metric: Metric {
            name: "accuracy",
            label: "Accuracy",
            description: "The share of objects found among all that exist or are claimed: there are no true negatives to \
                count.",
            formula: "TP / (TP + FP + FN), with TP the matched pairs at mask IoU ≥ 0.5 of the same class",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).accuracy(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "precision",
            label: "Precision",
            description: "The share of predicted objects that exist.",
            formula: "TP / (TP + FP), with TP the matched pairs at mask IoU ≥ 0.5 of the same class; 0 where objects exist \
                and none is predicted",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).precision(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "recall",
            label: "Recall",
            description: "The share of existing objects that are found.",
            formula: "TP / (TP + FN), with TP the matched pairs at mask IoU ≥ 0.5 of the same class",
            undefined_when: "there is no object in the truth",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).recall(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "f1",
            label: "F1 score",
            description: "The harmonic mean of the share of predicted objects that exist and of existing ones that are \
                found.",
            formula: "2 TP / (2 TP + FP + FN), with TP the matched pairs at mask IoU ≥ 0.5 of the same class",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).f1(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "loss",
            label: "Loss",
            description: "The localisation-recall-precision error: objects missed, predictions that are none, and how far \
                the masks of the others are off, in one number.",
            direction: Direction::LowerIsBetter,
            unit: Unit::None,
            formula: "(Σ over TP of (1 − IoU) / 0.5 + FP + FN) / (TP + FP + FN), matched at mask IoU ≥ 0.5",
            reference: "Oksuz and others, Localization Recall Precision, ECCV 2018, over the matches of pycocotools 2.0.11; \
                chosen because the training losses of submissions cannot be compared with each other",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).localisation_recall_precision(),
        degenerate: no_object,
    },
];
