#!/usr/bin/env python3
"""Makes correlation.json: a random two-phase volume of 24x30x44 voxels of 10x5x5 nm and what numpy, scipy and scikit-image say of it."""
import json, pathlib
import numpy as np, scipy, skimage
from scipy import ndimage
from skimage.measure import euler_number, label

voxel = (10, 5, 5)
mask = (ndimage.gaussian_filter(np.random.default_rng(7).standard_normal((24, 30, 44)), (1, 2, 2)) > 0.02).astype(np.uint8)
padded = [2 * n for n in mask.shape]
sums = np.fft.irfftn(abs(np.fft.rfftn(mask, s=padded)) ** 2, s=padded)


def s2(*lag):
    pairs = np.prod([n - abs(d) for n, d in zip(mask.shape, lag)])
    return sums[tuple(d % n for d, n in zip(lag, padded))] / pairs


out = {"size": mask.shape, "mask": np.packbits(mask.ravel(), bitorder="little").tobytes().hex(), "curves": {}, "versions": [np.__version__, scipy.__version__, skimage.__version__]}
for axis, name in enumerate("zyx"):
    lags = range(mask.shape[axis] // 2 + 1)
    out["curves"]["twoPoint-" + name] = [s2(*[lag if a == axis else 0 for a in range(3)]) for lag in lags]
    path, moved = [], np.moveaxis(mask, axis, 0)
    run = moved
    for lag in lags:
        path.append(run.mean())
        run = run[:-1] & moved[lag + 1:]
    out["curves"]["linealPath-" + name] = path
for name, (rows, columns) in {"xy": (1, 2), "xz": (0, 2), "yz": (0, 1)}.items():
    step = min(voxel[rows], voxel[columns])
    longest = min(mask.shape[rows] // 2 * voxel[rows], mask.shape[columns] // 2 * voxel[columns])
    plane = np.array([[s2(*[{rows: r, columns: c}.get(a, 0) for a in range(3)]) for c in range(-mask.shape[columns] + 1, mask.shape[columns])] for r in range(mask.shape[rows])])
    curve = []
    for k in range(longest // step + 1):
        angle = np.pi * np.arange(4 * k) / (4 * k) if k else np.zeros(1)
        at = (k * step * np.sin(angle) / voxel[rows], k * step * np.cos(angle) / voxel[columns] + mask.shape[columns] - 1)
        curve.append(ndimage.map_coordinates(plane, at, order=1).mean())
    out["curves"]["twoPoint-" + name] = curve
labels = label(mask, connectivity=1)
both = lambda axis: set(np.unique(labels.take(0, axis))) & set(np.unique(labels.take(-1, axis))) - {0}
out.update(eulerNumber=int(euler_number(mask, connectivity=1)), partCount=int(labels.max()),
           percolatingFraction={n: float(np.isin(labels, list(both(a))).sum() / mask.sum()) for a, n in enumerate("zyx")})
pathlib.Path(__file__).with_name("correlation.json").write_text(json.dumps(out) + "\n")
