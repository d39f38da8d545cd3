//! The list.

use super::average::{ALL, AT_50, AT_75, Evaluation};
use super::overlap::mean_overlap;
use super::{Corners, Detection, no_object, tally};
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
    edge_cases: "",
    undefined_when: "there is no object in the truth",
    reference: "",
};

/// What average precision does at its edges.
const AVERAGE_PRECISION_EDGES: &str = "a class without objects in the truth does not count, and neither do detections of \
    it; detections in an image without objects are false; the first 100 detections of an image and class count, the \
    highest score first; equal scores keep the order of images and of the submission; of equal overlaps the last object is \
    taken; a class that is never detected counts 0";

/// What average recall does at its edges.
const AVERAGE_RECALL_EDGES: &str = "a class without objects in the truth does not count; the cut is per image and class, \
    not per image; equal scores keep the order of the submission; a class that is never detected counts 0";

/// What metrics of one matching do at their edges.
const MATCHING_EDGES: &str = "objects and detections match one to one within their image and class, the highest \
    score first, equal scores in the order of the submission; each takes the free object that it overlaps most, the last of \
    equals, if the IoU is 0.5 or more; detections with a score below the threshold (0.5 unless the owner sets another) are \
    left out";

/// When such a metric divides zero by zero.
const NOTHING: &str = "there is neither an object in the truth nor a detection that reaches the score threshold";

pub(super) const ENTRIES: &[Entry<Detection>] = &[
    Entry {
        metric: Metric {
            name: "accuracy",
            label: "Accuracy",
            description: "The share of objects found among all that exist or are claimed: there are no true negatives to \
                count.",
            formula: "TP / (TP + FP + FN), with TP the matched pairs at IoU ≥ 0.5 of the same class",
            edge_cases: MATCHING_EDGES,
            undefined_when: NOTHING,
            reference: "pycocotools 2.0.11, the matches of COCOeval at IoU 0.5 without a cut; the ratio is that of \
                StarDist's matching().accuracy and of the Data Science Bowl 2018, chosen because detection has no true \
                negatives",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).accuracy(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "loss",
            label: "Loss",
            description: "The localisation-recall-precision error: objects missed, detections that are none, and how far \
                the others are off, in one number.",
            direction: Direction::LowerIsBetter,
            unit: Unit::None,
            formula: "(Σ over TP of (1 − IoU) / 0.5 + FP + FN) / (TP + FP + FN), matched at IoU ≥ 0.5",
            edge_cases: MATCHING_EDGES,
            undefined_when: NOTHING,
            reference: "Oksuz and others, Localization Recall Precision, ECCV 2018, over the matches of pycocotools 2.0.11; \
                chosen because the training losses of submissions cannot be compared with each other",
            ..SHARE
        },
        compute: |inputs, options| tally(inputs, options).localisation_recall_precision(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "map",
            label: "Mean average precision",
            description: "How good the ranking of detections is, over all recalls, classes and demands on overlap.",
            formula: "mean over IoU 0.50, 0.55, …, 0.95, classes with objects and recall 0, 0.01, …, 1 of the largest \
                precision at that recall or above",
            edge_cases: AVERAGE_PRECISION_EDGES,
            reference: "pycocotools 2.0.11, COCOeval(iouType='bbox').stats[0], without crowds and without its upper limit \
                of areas",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).average_precision(&ALL),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "map_50",
            label: "Mean average precision @ IoU 0.50",
            description: "How good the ranking of detections is where half an overlap is enough.",
            formula: "mean over classes with objects and recall 0, 0.01, …, 1 of the largest precision at that recall or \
                above, at IoU 0.50",
            edge_cases: AVERAGE_PRECISION_EDGES,
            reference: "pycocotools 2.0.11, COCOeval(iouType='bbox').stats[1]",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).average_precision(&[AT_50]),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "map_75",
            label: "Mean average precision @ IoU 0.75",
            description: "How good the ranking of detections is where boxes must fit closely.",
            formula: "mean over classes with objects and recall 0, 0.01, …, 1 of the largest precision at that recall or \
                above, at IoU 0.75",
            edge_cases: AVERAGE_PRECISION_EDGES,
            reference: "pycocotools 2.0.11, COCOeval(iouType='bbox').stats[2]",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).average_precision(&[AT_75]),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "map_per_class",
            label: "Average precision of the worst class",
            description: "The average precision of the class that the model struggles with most; that of every class is \
                shown beside it.",
            formula: "minimum over classes with objects of the mean over IoU 0.50, 0.55, …, 0.95 and recall 0, 0.01, …, 1 of \
                the largest precision at that recall or above",
            edge_cases: AVERAGE_PRECISION_EDGES,
            reference: "pycocotools 2.0.11, the minimum over classes of the mean of COCOeval.eval['precision'] with all \
                areas and 100 detections; the minimum, because the mean is mAP itself",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).worst_class(),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "iou",
            label: "Intersection over union",
            description: "The mean overlap of detections with what they detect; whatever has no partner counts 0.",
            formula: "Σ over matched pairs of IoU / (pairs + unmatched objects + unmatched detections)",
            edge_cases: OVERLAP_EDGES,
            undefined_when: NOTHING,
            reference: "pycocotools 2.0.11, mask.iou, over a matching written for this metric; unmatched ones count, because \
                a mean over pairs alone rewards a single safe box",
            ..SHARE
        },
        compute: |inputs, options| mean_overlap(inputs, options, 0.0, Corners::iou),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "giou",
            label: "Generalised IoU",
            description: "The mean overlap less the empty part of the box around both; whatever has no partner counts −1.",
            range: Range::SIGNED_SHARE,
            unit: Unit::None,
            formula: "(Σ over matched pairs of (IoU − (C − U) / C) − unmatched objects − unmatched detections) / (pairs + \
                unmatched objects + unmatched detections), with U the area of the union and C of the smallest box around \
                both",
            edge_cases: OVERLAP_EDGES,
            undefined_when: NOTHING,
            reference: "torchvision 0.29.2, ops.generalized_box_iou in doubles, over the matching of `iou`; Rezatofighi and \
                others, CVPR 2019",
            ..SHARE
        },
        compute: |inputs, options| mean_overlap(inputs, options, -1.0, Corners::giou),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "mar_1",
            label: "Mean average recall @ 1 detection",
            description: "The share of objects found by the first detection of each image and class, over all demands on \
                overlap.",
            formula: "mean over IoU 0.50, 0.55, …, 0.95 and classes with objects of TP / objects, with the 1 highest score \
                of each image and class",
            edge_cases: AVERAGE_RECALL_EDGES,
            reference: "pycocotools 2.0.11, COCOeval(iouType='bbox').stats[6]: the only published definition",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).average_recall(1),
        degenerate: no_object,
    },
    Entry {
        metric: Metric {
            name: "mar_10",
            label: "Mean average recall @ 10 detections",
            description: "The share of objects found by the first 10 detections of each image and class, over all demands \
                on overlap.",
            formula: "mean over IoU 0.50, 0.55, …, 0.95 and classes with objects of TP / objects, with the 10 highest \
                scores of each image and class",
            edge_cases: AVERAGE_RECALL_EDGES,
            reference: "pycocotools 2.0.11, COCOeval(iouType='bbox').stats[7]: the only published definition",
            ..SHARE
        },
        compute: |inputs, _| Evaluation::new(inputs).average_recall(10),
        degenerate: no_object,
    },
];

/// What the mean overlaps do at their edges.
const OVERLAP_EDGES: &str = "pairs are made within an image and class, one to one, always of the two that overlap most and \
    at any IoU above 0, of equals the detection with the higher score, then the earlier object; detections with a score \
    below the threshold (0.5 unless the owner sets another) are left out";
