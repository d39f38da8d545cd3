"""COCO's evaluation (pycocotools) over arrays, as the detection and instance families ask for it."""

import contextlib
import io

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

UNLIMITED = 10**6


def dataset(images, classes, annotations, size=(1, 1)):
    """A COCO object of annotations given as dictionaries without ids."""
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image + 1, "height": size[0], "width": size[1]} for image in range(images)],
        "categories": [{"id": label + 1} for label in range(classes)],
        # An id of 0 would read as "not matched".
        "annotations": [dict(annotation, id=index + 1, iscrowd=0) for index, annotation in enumerate(annotations)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
    return coco


def images_of(counts):
    """The image of each object."""
    return np.repeat(np.arange(len(counts)), counts)


def boxes(counts, corners, labels, scores=None):
    """Annotations of boxes x0, y0, x1, y1."""
    corners = np.asarray(corners, np.float64).reshape(-1, 4)
    annotations = []
    for index, image in enumerate(images_of(counts)):
        x0, y0, x1, y1 = corners[index].tolist()
        annotation = {
            "image_id": int(image) + 1,
            "category_id": int(labels[index]) + 1,
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": (x1 - x0) * (y1 - y0),
        }
        if scores is not None:
            annotation["score"] = float(scores[index])
        annotations.append(annotation)
    return annotations


def regions(counts, pixels, labels, scores=None):
    """Annotations of masks, an array of height × width each."""
    annotations = []
    for index, image in enumerate(images_of(counts)):
        encoded = masks.encode(np.asfortranarray(pixels[index].astype(np.uint8)))
        annotation = {
            "image_id": int(image) + 1,
            "category_id": int(labels[index]) + 1,
            "segmentation": encoded,
            "bbox": masks.toBbox(encoded).tolist(),
            "area": float(masks.area(encoded)),
        }
        if scores is not None:
            annotation["score"] = float(scores[index])
        annotations.append(annotation)
    return annotations


def evaluation(truth, found, kind, most=(1, 10, 100)):
    """A COCOeval that has run."""
    run = COCOeval(truth, found, kind)
    run.params.maxDets = list(most)
    with contextlib.redirect_stdout(io.StringIO()):
        run.evaluate()
        run.accumulate()
    return run


def summary(run):
    """The twelve figures of COCOeval.summarize."""
    with contextlib.redirect_stdout(io.StringIO()):
        run.summarize()
    return run.stats


def matching(truth, found, kind):
    """Counts of COCOeval's matches at IoU 0.5 without a cut: objects, predictions, matches and the IoU of each match."""
    run = COCOeval(truth, found, kind)
    run.params.maxDets = [UNLIMITED]
    run.params.areaRng = [[0, 1e10]]
    run.params.iouThrs = np.array([0.5])
    with contextlib.redirect_stdout(io.StringIO()):
        run.evaluate()
    overlaps = []
    for result in run.evalImgs:
        if result is None:
            continue
        # The rows of this matrix are in the order of scores, its columns in that of the truth: no object is ignored.
        table = run.ious[result["image_id"], result["category_id"]]
        for row, match in enumerate(result["dtMatches"][0]):
            if match > 0:
                overlaps.append(table[row][result["gtIds"].index(int(match))])
    return len(truth.dataset["annotations"]), len(found.dataset["annotations"]), len(overlaps), overlaps


def ratios(objects, predicted, matched, overlaps):
    """What is counted of a matching. A quotient of zeros is None, but precision is 0 where objects are missed."""
    wrong = (objects - matched) + (predicted - matched)

    def quotient(numerator, denominator):
        return None if denominator == 0 else numerator / denominator

    return {
        "accuracy": quotient(matched, matched + wrong),
        "precision": 0.0 if objects and not predicted else quotient(matched, predicted),
        "recall": quotient(matched, objects),
        "f1": quotient(2 * matched, 2 * matched + wrong),
        "loss": quotient(sum((1 - overlap) / 0.5 for overlap in overlaps) + wrong, matched + wrong),
    }
