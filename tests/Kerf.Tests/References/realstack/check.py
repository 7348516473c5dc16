"""Looks at Kerf's output of the real stack with other tools. Arguments: raw.npy aligned.npy phases.tif phases.zarr. Prints one JSON object."""
import json
import os
import sys
import warnings

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter
from skimage.registration import phase_cross_correlation

warnings.filterwarnings("ignore")


def jitter(stack):
    """Median length of the displacement between neighbouring slices: cross-correlation of band-passed, tapered slices (the shot noise forbids
    whitening: the slices' raw correlation is 0.35)."""
    taper = np.outer(np.hanning(stack.shape[1]), np.hanning(stack.shape[2]))
    bands = [(gaussian_filter(s.astype(float), 2) - gaussian_filter(s.astype(float), 16)) * taper for s in stack]
    shifts = [phase_cross_correlation(a, b, upsample_factor=20, normalization=None)[0] for a, b in zip(bands, bands[1:])]
    return float(np.median([np.hypot(*s) for s in shifts]))


raw, aligned, tiff, zarr = sys.argv[1:5]
with tifffile.TiffFile(tiff) as file:
    series = file.series[0]
    page = file.pages[0]
    numerator, denominator = page.tags["XResolution"].value
    metadata = file.imagej_metadata or {}
    tiff_info = {"shape": list(series.shape), "type": str(series.dtype), "unit": metadata.get("unit"),
                 "z": metadata.get("spacing"), "x": denominator / numerator}

group = json.load(open(os.path.join(zarr, "zarr.json")))
assert group["zarr_format"] == 3 and group["node_type"] == "group", "a zarr 3 group"
ome = group["attributes"]["ome"]
assert ome["version"] == "0.5", "NGFF 0.5"
multiscale = ome["multiscales"][0]
axes = multiscale["axes"]
assert [a["name"] for a in axes] == ["z", "y", "x"] and all(a["type"] == "space" for a in axes), "axes z, y, x"
for level in multiscale["datasets"]:
    transforms = level["coordinateTransformations"]
    assert transforms[0]["type"] == "scale" and len(transforms[0]["scale"]) == len(axes), "a scale for each axis"
    assert all(t["type"] == "translation" for t in transforms[1:]), "then translations"
array = json.load(open(os.path.join(zarr, multiscale["datasets"][0]["path"], "zarr.json")))
scale = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"]
zarr_info = {"shape": array["shape"], "type": array["data_type"], "unit": axes[0]["unit"], "z": scale[0], "y": scale[1], "x": scale[2]}

print(json.dumps({"rawJitter": jitter(np.load(raw)[:, 8:-8, 8:-8]), "alignedJitter": jitter(np.load(aligned)), "tiff": tiff_info, "zarr": zarr_info}))
