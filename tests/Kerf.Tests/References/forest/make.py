"""Makes the inputs of the model that later versions must read: two channels of a two-phase stack, and strokes. Then, with the Kerf that writes the format:

kerf train forest se.tif strokes.tif --channel inlens=inlens.tif --voxel 10,5,5 --out model-v1.kerf --trees 7 --phases pore,solid
kerf predict model-v1.kerf se.tif labels.tif --channel inlens=inlens.tif --voxel 10,5,5

strokes.tif is not kept."""
import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

rng = np.random.default_rng(3)
shape = (10, 44, 48)
solid = gaussian_filter(rng.normal(size=shape), 3) > 0
se = 90 + 70 * solid + rng.normal(0, 22, shape)
inlens = 120 + 40 * gaussian_filter(solid.astype(float), 1) + rng.normal(0, 18, shape)
strokes = np.where(solid, 8, 3) * (rng.random(shape) < 0.05)
for name, volume in (("se", se), ("inlens", inlens), ("strokes", strokes)):
    tifffile.imwrite(f"{name}.tif", np.clip(np.rint(volume), 0, 255).astype(np.uint8), imagej=True, resolution=(200, 200),
                     metadata={"axes": "ZYX", "spacing": 0.01, "unit": "um"}, compression=None)
