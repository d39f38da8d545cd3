"""Writes the golden files: for each family of tasks, inputs and what the reference libraries make of them.

    python generate.py [FAMILY ...]

A family is a module beside this one with

    LIBRARIES   names of the packages whose versions the file records
    NOTES       what the expected values need said about them, by metric
    cases(rng)  yields (name, inputs, expected): `inputs` as the test in Rust reads them, `expected` a number or None
                (undefined) for each metric
"""

import importlib
import importlib.metadata
import json
import math
import pathlib
import sys
import warnings

import numpy as np

FAMILIES = ["classification", "regression", "forecast", "survival", "detection", "segmentation", "instances", "keypoints"]
SEED = 20_240_613


def plain(value):
    """What JSON can hold, with every digit that a double needs."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist()) if value.dtype != np.float32 else [plain(item) for item in value]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.float32):
        return float(str(value))  # The fewest digits that give the same single.
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value


def write(family):
    module = importlib.import_module(family)
    rng = np.random.default_rng([SEED, FAMILIES.index(family)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = [
            json.dumps(plain({"name": name, "inputs": inputs, "expected": expected}), ensure_ascii=False, allow_nan=False)
            for name, inputs, expected in module.cases(rng)
        ]
    versions = {library: importlib.metadata.version(library) for library in module.LIBRARIES}
    head = json.dumps({"versions": versions, "notes": module.NOTES}, ensure_ascii=False, indent=1).removesuffix("\n}")
    path = pathlib.Path(__file__).with_name(f"{family}.json")
    path.write_text(head + ',\n "cases": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    print(f"{path.name}: {len(lines)} cases")


if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        write(name)
