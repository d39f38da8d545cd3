"""Instance segmentation: the matches of pycocotools over masks."""

import numpy as np

import coco
import regions

LIBRARIES = ["numpy", "pycocotools", "scipy"]
NOTES = {
    "accuracy": "of COCO's matches at IoU 0.5 with no limit of detections; the others alike",
    "precision": "0 where objects are missed and nothing is predicted",
    "masks": "runs: a value, how often it comes, the next value, and so on",
}


def expected(given, threshold, size):
    truth = given["truth"]
    images, classes = len(truth["counts"]), truth["classes"]
    owned = coco.regions(truth["counts"], truth["masks"], truth["labels"])
    found = coco.regions(given["counts"], given["masks"], given["labels"], given["scores"])
    sure = [annotation for annotation in found if annotation["score"] >= threshold]
    owned, sure = (coco.dataset(images, classes, annotations, size) for annotations in (owned, sure))
    return coco.ratios(*coco.matching(owned, sure, "segm"))


def inputs(size, classes, truth, found):
    """Of a list of (class, mask) for each image, and of (class, mask, score)."""

    def stack(images):
        masks = [mask for image in images for _, mask, *_ in image]
        return np.array(masks, np.uint8).reshape(-1, *size)

    return {
        "truth": {
            "size": list(size),
            "counts": [len(image) for image in truth],
            "masks": stack(truth),
            "labels": [int(label) for image in truth for label, _ in image],
            "classes": classes,
        },
        "counts": [len(image) for image in found],
        "masks": stack(found),
        "labels": [int(label) for image in found for label, _, _ in image],
        "scores": np.array([score for image in found for _, _, score in image], np.float32),
    }


def case(rng, index):
    size = (int(rng.integers(6, 24)), int(rng.integers(6, 32)))
    classes = int(rng.integers(1, 4))
    truth, found = [], []
    for _ in range(int(rng.integers(1, 5))):
        own = [(rng.integers(0, classes), regions.blob(rng, size)) for _ in range(int(rng.integers(0, 4)))]
        seen = []
        for label, mask in own:
            if rng.random() < 0.8:
                label = label if rng.random() < 0.85 else rng.integers(0, classes)
                seen.append((label, regions.disturbed(rng, mask, rng.choice([0.0, 0.1, 0.4]))))
        seen += [(rng.integers(0, classes), regions.blob(rng, size)) for _ in range(int(rng.integers(0, 3)))]
        rng.shuffle(seen)
        scores = np.ceil(rng.random(len(seen)) * 4) / 4 if index % 2 else rng.random(len(seen))
        truth.append(own)
        found.append([(label, mask, score) for (label, mask), score in zip(seen, scores)])
    return inputs(size, classes, truth, found)


def edges():
    size = (4, 6)
    one, half, far = (np.zeros(size, np.uint8) for _ in range(3))
    one[0, :], half[0, :3], far[3, 5] = 1, 1, 1
    yield "perfect", inputs(size, 1, [[(0, one)]], [[(0, one, 1.0)]])
    yield "half an overlap", inputs(size, 1, [[(0, one)]], [[(0, half, 0.5)]])
    yield "off", inputs(size, 1, [[(0, one)]], [[(0, far, 0.9)]])
    yield "nothing found", inputs(size, 1, [[(0, one)]], [[]])
    yield "nothing at all", inputs(size, 2, [[], []], [[], []])
    yield "no object", inputs(size, 2, [[], []], [[(1, far, 0.9)], []])
    yield "wrong class", inputs(size, 2, [[(0, one)]], [[(1, one, 0.9)]])
    yield "equal scores, equal masks", inputs(size, 1, [[(0, one), (0, one)]], [[(0, one, 0.75), (0, half, 0.75), (0, one, 0.75)]])
    yield "low scores", inputs(size, 1, [[(0, one)], [(0, far)]], [[(0, one, 0.25)], [(0, far, 0.125)]])


def cases(rng):
    for name, given in edges():
        yield name, packed(given), expected(given, 0.5, given["truth"]["size"])
    for index in range(56):
        given, threshold = case(rng, index), float(rng.choice([0.0, 0.25, 0.5]))
        values = expected(given, threshold, given["truth"]["size"])
        yield f"random {index}", packed(given) | {"score_threshold": threshold}, values


def packed(given):
    truth = given["truth"] | {"masks": regions.runs(given["truth"]["masks"])}
    return given | {"truth": truth, "masks": regions.runs(given["masks"])}
