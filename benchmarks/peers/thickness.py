"""Local thickness as PoreSpy defines it (whole radii, smooth balls), by scipy's distance maps; the diameter, voxels. One thread."""
import numpy as np
from scipy import ndimage
from blobs import blobs as stack

# 512³ takes scipy a quarter of an hour a round
DATA = (256, 256, 256)
ROUNDS = 2


def peer(stack, threads):
    distance = ndimage.distance_transform_edt(stack)
    out = np.zeros(stack.shape, np.float32)
    for radius in range(1, int(distance.max()) + 1):
        out[(ndimage.distance_transform_edt(distance < radius) < radius) & (stack > 0)] = 2 * radius
    return out
