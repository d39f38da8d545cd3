"""The AUC of scikit-learn and the best of three times that it takes, as JSON, of the rows that against_python.rs wrote.

    python against_python.py LABELS SCORES
"""

import json
import sys
import time

import numpy as np
from sklearn.metrics import roc_auc_score

labels = np.fromfile(sys.argv[1], "<i8")
scores = np.fromfile(sys.argv[2], "<f4").reshape(-1, 2)[:, 1].copy()
best = float("inf")
for _ in range(3):
    start = time.perf_counter()
    auc = roc_auc_score(labels, scores)
    best = min(best, time.perf_counter() - start)
print(json.dumps({"auc": float(auc), "seconds": best}))
