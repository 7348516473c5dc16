#!/usr/bin/env python3
"""Features by vigra, arranged as benchmarks/peers/_forest.py does: image.npy (uint8), features.npy: 61 features of the middle slice, every second row and column from 4 to 42."""
import pathlib, sys

import numpy as np
from scipy import ndimage

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[3] / "benchmarks" / "peers"))
import _forest

random = np.random.default_rng(3)
shape = (40, 48, 48)
coarse, fine = (ndimage.gaussian_filter(random.standard_normal(shape), s) for s in (5, 1))
image = np.clip(np.rint(128 + 50 * coarse / coarse.std() + 15 * fine / fine.std()), 0, 255).astype(np.uint8)
np.save(here / "image.npy", image)
# vigra works in single precision: a constant taken off, which only the smoothed values see, leaves it its digits
features = np.stack([f[20, 4:44:2, 4:44:2] for f in _forest.features(image.astype(np.float32) - 128)])
features[:len(_forest.SCALES)] += 128
np.save(here / "features.npy", features.astype(np.float32))
