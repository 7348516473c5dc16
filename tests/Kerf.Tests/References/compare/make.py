"""Scores of random segmentations by scikit-learn; written beside the labels they belong to."""
import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics

rng = np.random.default_rng(7)
shape = (3, 9, 11)


def case(classes, zero):
    truth = rng.integers(0 if zero else 1, classes + 1, shape)
    found = np.where(rng.random(shape) < 0.7, truth, rng.integers(1, classes + 1, shape))
    keep = truth > 0
    t, f = truth[keep], found[keep]
    labels = list(range(1, classes + 1))
    per = dict(labels=labels, average=None, zero_division=0)
    out = {
        "truth": truth.ravel().tolist(), "found": found.ravel().tolist(), "labels": labels,
        "accuracy": metrics.accuracy_score(t, f),
        "iou": metrics.jaccard_score(t, f, **per).tolist(), "dice": metrics.f1_score(t, f, **per).tolist(),
        "precision": metrics.precision_score(t, f, **per).tolist(), "recall": metrics.recall_score(t, f, **per).tolist(),
        "meanIoU": metrics.jaccard_score(t, f, average="macro"), "meanDice": metrics.f1_score(t, f, average="macro"),
        "weightedIoU": metrics.jaccard_score(t, f, average="weighted"),
    }
    if classes == 2:
        out["f1"] = metrics.f1_score(t, f, pos_label=2)
        out["mse"] = metrics.mean_squared_error((t == 2).astype(float), (f == 2).astype(float))
    return out


cases = [case(2, False), case(3, True), case(5, True)]
here = pathlib.Path(__file__).parent
here.joinpath("scores.json").write_text(json.dumps({"shape": shape, "sklearn": sklearn.__version__, "cases": cases}))
