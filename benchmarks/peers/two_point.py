"""Two-point correlation without wrap-around, along 3 axes and averaged in 3 planes, by one scipy FFT padded to 768 cubed (float32, all threads)."""
import numpy as np, scipy.fft
from scipy import ndimage
from blobs import blobs

DATA = (512, 512, 512)
ROUNDS = 3


def stack(shape):
    return blobs(shape, sigma=4)


def peer(stack, threads):
    size, longest = stack.shape, [min(n // 2, 256) for n in stack.shape]
    padded = [scipy.fft.next_fast_len(n + lag, real=True) for n, lag in zip(size, longest)]
    spectrum = scipy.fft.rfftn(stack.astype(np.float32), s=padded, workers=threads)
    power = spectrum.real ** 2 + spectrum.imag ** 2
    del spectrum
    sums = scipy.fft.irfftn(power, s=padded, workers=threads)
    out = np.zeros((6, 65, max(longest) + 65), np.float32)  # what run.py compares lies within its margin of 32
    for i, axis in enumerate((2, 1, 0)):
        at = [0, 0, 0]
        at[axis] = slice(0, longest[axis] + 1)
        out[i, 32, 32:33 + longest[axis]] = sums[tuple(at)] / (stack.size / size[axis] * (size[axis] - np.arange(longest[axis] + 1)))
    for i, (rows, columns) in enumerate(((1, 2), (0, 2), (0, 1))):
        at = [0, 0, 0]
        at[rows], at[columns] = np.arange(longest[rows] + 1)[:, None], np.arange(-longest[columns], longest[columns] + 1)[None, :]
        other = 3 - rows - columns
        plane = sums[tuple(at)] / (size[other] * (size[rows] - at[rows]) * (size[columns] - abs(at[columns])))
        radius = min(longest[rows], longest[columns])
        for k in range(radius + 1):
            angle = np.pi * np.arange(4 * k) / (4 * k) if k else np.zeros(1)
            out[3 + i, 32, 32 + k] = ndimage.map_coordinates(plane, (k * np.sin(angle), k * np.cos(angle) + longest[columns]), order=1, mode="nearest").mean()
    return out
