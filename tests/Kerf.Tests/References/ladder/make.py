"""A grey tree by scikit-learn and a seeded watershed by scikit-image; written beside what they were computed from."""
import json
import pathlib

import numpy as np
import skimage
import sklearn
from skimage.segmentation import watershed
from sklearn.tree import DecisionTreeClassifier

rng = np.random.default_rng(3)
# dark void, carbon, NMC, bright void
grey = np.concatenate([rng.normal(m, s, n) for m, s, n in [(20, 8, 150), (80, 10, 120), (125, 9, 140), (175, 14, 90)]]).clip(0, 255).round().astype(int)
label = np.repeat([1, 2, 3, 1], [150, 120, 140, 90])
trees = []
for depth in (1, 2, 3):
    tree = DecisionTreeClassifier(criterion="entropy", max_depth=depth, random_state=0).fit(grey[:, None], label)
    bounds = sorted(float(t) for t, f in zip(tree.tree_.threshold, tree.tree_.feature) if f >= 0)
    levels = np.arange(256)
    trees.append({"depth": depth, "thresholds": bounds, "labels": tree.predict(levels[:, None]).tolist()})

heights = rng.integers(0, 4000, (4, 12, 13))
seeds = np.where(rng.random(heights.shape) < 0.04, rng.integers(1, 4, heights.shape), 0)
floods = watershed(heights, seeds, connectivity=1)
pathlib.Path(__file__).parent.joinpath("ladder.json").write_text(json.dumps({
    "sklearn": sklearn.__version__, "skimage": skimage.__version__, "grey": grey.tolist(), "label": label.tolist(), "trees": trees,
    "shape": heights.shape, "heights": heights.ravel().tolist(), "seeds": seeds.ravel().tolist(), "flooded": floods.ravel().tolist()}))
