#!/usr/bin/env python3
"""Reference maps by scipy and scikit-image for distance, local thickness and particles. Run in this folder."""
import numpy as np
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

random = np.random.default_rng(3)
mask = ndimage.gaussian_filter(random.standard_normal((18, 24, 28)), (1.2, 2.4, 2.4)) > -0.01
np.save("mask.npy", mask.astype(np.uint8))
voxel = (10, 5, 5)
distance = ndimage.distance_transform_edt(mask, sampling=voxel)
np.save("distance.npy", distance.astype(np.float32))

# Hildebrand and Rüegsegger, as PoreSpy builds it, but over every radius that occurs; the diameter
thickness = np.zeros(mask.shape)
for radius in np.unique(distance[mask]):
    thickness[(ndimage.distance_transform_edt(distance < radius * (1 - 1e-9), sampling=voxel) < radius * (1 - 1e-9)) & mask] = 2 * radius
np.save("thickness.npy", thickness.astype(np.float32))

# six balls that overlap their neighbours a little, cubic voxels
z, y, x = np.mgrid[:24, :40, :56]
balls = np.zeros((24, 40, 56), bool)
for k, radius in enumerate((8, 7, 6, 7, 8, 7)):
    balls |= (z - 11.3) ** 2 + (y - 10.2 - 17 * (k // 3)) ** 2 + (x - 11.1 - 13 * (k % 3)) ** 2 < radius ** 2
np.save("balls.npy", balls.astype(np.uint8))
height = ndimage.distance_transform_edt(balls)
basins = watershed(-height, label(h_maxima(height, 1), connectivity=3), mask=balls)
np.save("basins.npy", basins.astype(np.uint16))
print(mask.mean(), distance.max(), thickness.max(), basins.max())
