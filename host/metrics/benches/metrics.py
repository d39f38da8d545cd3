"""Times pycocotools and scikit-learn on what the bench has written; run by metrics.rs.

    python metrics.py DIRECTORY BOXES_OF_AN_IMAGE

Prints a line for each metric: its name, the library, seconds, the value. Only the computation is timed, not the making of
the library's own objects; COCO's evaluation is spared all areas and cuts that the metric does not need.
"""

import contextlib
import importlib.metadata
import io
import pathlib
import sys
import time

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sklearn.metrics import roc_auc_score

RUNS = 3


def line(name, library, seconds, value):
    print(name, f"{library} {importlib.metadata.version(library)}", seconds, repr(float(value)), sep="\t", flush=True)


def dataset(boxes, labels, scores, per_image):
    images = len(labels) // per_image
    annotations = []
    for index, ((x0, y0, x1, y1), label) in enumerate(zip(boxes.astype(np.float64).tolist(), labels.tolist())):
        annotation = {"id": index + 1, "image_id": index // per_image, "category_id": label, "iscrowd": 0}
        annotation |= {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
        if scores is not None:
            annotation["score"] = float(scores[index])
        annotations.append(annotation)
    coco = COCO()
    coco.dataset = {"images": [{"id": image} for image in range(images)], "annotations": annotations}
    coco.dataset["categories"] = [{"id": int(label)} for label in np.unique(labels)]
    coco.createIndex()
    return coco


def mean_average_precision(directory, per_image):
    def read(name, kind):
        return np.fromfile(directory / name, kind)

    truth = dataset(read("truth", "<f4").reshape(-1, 4), read("labels", "<i8"), None, per_image)
    scores = read("scores", "<f4")
    found = dataset(read("found", "<f4").reshape(-1, 4), read("found_labels", "<i8"), scores, per_image)
    run = COCOeval(truth, found, "bbox")
    run.params.maxDets = [100]
    run.params.areaRng, run.params.areaRngLbl = [[0, 1e10]], ["all"]
    start = time.perf_counter()
    run.evaluate()
    run.accumulate()
    precision = run.eval["precision"]
    value = precision[precision > -1].mean()
    return time.perf_counter() - start, value


def area_under_curve(directory):
    classes, scores = np.fromfile(directory / "classes", "<i8"), np.fromfile(directory / "positive", "<f4")
    best = float("inf")
    for _ in range(RUNS):
        start = time.perf_counter()
        value = roc_auc_score(classes, scores)
        best = min(best, time.perf_counter() - start)
    return best, value


def main():
    directory, per_image = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    with contextlib.redirect_stdout(io.StringIO()):
        seconds, value = mean_average_precision(directory, per_image)
    line("map", "pycocotools", seconds, value)
    line("auc", "scikit-learn", *area_under_curve(directory))


if __name__ == "__main__":
    main()
