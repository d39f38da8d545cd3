"""Time-to-event: scikit-survival and lifelines for the C-index, scikit-learn for F1."""

import lifelines.utils
import numpy as np
from sklearn import metrics
from sksurv.exceptions import NoComparablePairException
from sksurv.metrics import concordance_index_censored

LIBRARIES = ["scikit-survival", "lifelines", "scikit-learn", "numpy"]
NOTES = {
    "c_index": "concordance_index_censored, and concordance_index of lifelines the same but for risks nearer than 1e-8; null where "
    "no pair is comparable",
    "f1": "f1_score over the rows known at the horizon, the largest risks predicted positive; null without a positive",
}


def cases(rng):
    for index in range(60):
        rows = int(rng.integers(3, 40))
        times = rng.exponential(10, rows) + 0.1
        events = (rng.random(rows) < rng.uniform(0.3, 0.9)).astype(int)
        risks = -np.log(times) + rng.normal(size=rows)
        if index % 2:
            times, risks = np.ceil(times), np.round(risks)
        yield case(f"random {index}", times, events, risks, float(np.median(times)), float(rng.uniform(0.1, 0.9)))
    yield from edge_cases()


def edge_cases():
    ones, times = np.ones(4, int), np.array([1.0, 2, 3, 4])
    yield case("perfect", times, ones, -times, 2.0, 0.5)
    yield case("reversed", times, ones, times, 2.0, 0.5)
    yield case("equal risks", times, ones, np.zeros(4), 2.0, 0.5)
    yield case("risks nearer than the tolerance", times, ones, np.array([0, 5e-9, 1e-8, 3e-8]), 2.0, 0.5)
    yield case("equal event times", np.full(4, 2.0), ones, -times, 2.0, 0.5)
    yield case("event and censoring at one time", np.array([2.0, 2, 2, 3]), np.array([1, 0, 1, 0]), np.array([1.0, 2, 0, 0]), 2.0, 0.5)
    yield case("all censored", times, np.zeros(4, int), times, 2.0, 0.5)
    yield case("only the last has the event", times, np.array([0, 0, 0, 1]), times, 4.0, 0.5)
    yield case("no event until the horizon", times, ones, times, 0.5, 0.5)
    yield case("all events until the horizon", times, ones, times, 9.0, 0.5)
    yield case("no positive predicted", times, ones, -times, 2.0, 0.0)
    yield case("all predicted positive", times, ones, -times, 2.0, 1.0)
    yield case("one row", times[:1], ones[:1], times[:1], 2.0, 0.5)


def case(name, times, events, risks, horizon, prevalence):
    inputs = {"horizon": horizon, "prevalence": prevalence, "times": times, "events": events, "risks": risks}
    return name, inputs, {"c_index": c_index(times, events, risks), "f1": f1(times, events, risks, horizon, prevalence)}


def c_index(times, events, risks):
    if not events.any() or len(events) < 2:
        return None  # scikit-survival refuses such data.
    try:
        value = concordance_index_censored(events == 1, times, risks)[0]
    except NoComparablePairException:
        return None
    if np.isfinite(value) and (np.diff(np.unique(risks)) > 1e-6).all():
        assert np.isclose(value, lifelines.utils.concordance_index(times, -risks, events), rtol=1e-12)
    return value


def f1(times, events, risks, horizon, prevalence):
    known = (events == 1) | (times > horizon)
    positive, risks = (times <= horizon)[known], risks[known]
    if not positive.any():
        return None
    count = int(np.floor(prevalence * len(risks) + 0.5))
    threshold = np.sort(risks)[::-1][count - 1] if count else np.inf
    return metrics.f1_score(positive, risks >= threshold, zero_division=0)
