"""The electrode recipe by scikit-image and SciPy: Otsu on the stack, the rest reversed, a Gabor filter (wavelength 12, sigma 1.5, gamma 1, mean of four
orientations as one kernel), response 185 and above is pore. Labels 1 = pore, 2 = electrolyte, 3 = active material."""
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

RADIUS = 4  # 3 sigma, rounded to even


def _kernel(wavelength=12, sigma=1.5):
    y, x = np.mgrid[-RADIUS:RADIUS + 1, -RADIUS:RADIUS + 1].astype(float)
    envelope = np.exp(-(x ** 2 + y ** 2) / (2 * sigma ** 2))
    kernel = sum(envelope * np.cos(2 * np.pi * (x * np.cos(t) + y * np.sin(t)) / wavelength) for t in np.deg2rad([0, 45, 90, 135]))
    return (kernel / np.abs(kernel).sum()).astype(np.float32)


def _slice(image, threshold):
    active = image > threshold
    response = ndimage.convolve(np.where(active, 0, 255 - image).astype(np.float32), _kernel(), mode='mirror')
    return np.where(active, 3, np.where(response >= 185, 1, 2)).astype(np.uint8)


def peer(stack, threads):
    work = partial(_slice, threshold=threshold_otsu(stack))
    if threads == 1:
        return np.stack([work(image) for image in stack])
    with ProcessPoolExecutor(threads) as pool:
        return np.stack(list(pool.map(work, stack)))
