"""Writes the tables beside it from the copies that Python packages ship.

    pip install scikit-learn statsmodels lifelines && python convert.py

Each file has a line of column names, then a line a row. Numbers are the shortest text that reads as the same double.
"""

from pathlib import Path

from lifelines.datasets import load_rossi
from sklearn.datasets import load_breast_cancer, load_diabetes
from statsmodels.datasets import sunspots


def write(name, columns, rows):
    lines = [",".join(columns)] + [",".join(f"{float(value):g}" if float(value) == float(f"{float(value):g}")
                                            else repr(float(value)) for value in row) for row in rows]
    Path(__file__).with_name(name).write_text("\n".join(lines) + "\n")


cancer = load_breast_cancer()
# scikit-learn has 0 for malignant; here it is 1.
rows = [[*row, 1 - target] for row, target in zip(cancer.data, cancer.target)]
write("breast-cancer.csv", [*cancer.feature_names, "malignant"], rows)

diabetes = load_diabetes(scaled=False)
columns = ["age", "sex", "bmi", "bp", "tc", "ldl", "hdl", "tch", "ltg", "glu", "progression"]
write("diabetes.csv", columns, [[*row, target] for row, target in zip(diabetes.data, diabetes.target)])

write("sunspots.csv", ["year", "sunspots"], sunspots.load_pandas().data.to_numpy())

rossi = load_rossi()
columns = ["fin", "age", "race", "wexp", "mar", "paro", "prio", "week", "arrest"]
write("rossi.csv", columns, rossi[columns].to_numpy())
