"""The wedge filter by scipy.fft in single precision: half angle 5 degrees, stripes down the image, periods above 200 pixels stay."""
import numpy as np
from scipy import fft


def _fall(value, start, end):
    return np.where(value <= start, 1, np.where(value >= end, 0, 0.5 + 0.5 * np.cos(np.pi * (value - start) / (end - start))))


def _keep(height, width):
    fy, fx = np.abs(np.fft.fftfreq(height))[:, None], np.fft.rfftfreq(width)[None, :]
    angle = np.arctan2(np.maximum(0, fy - 1 / height), fx)
    half = np.radians(5)
    member = _fall(angle, half, 1.5 * half) * (1 - _fall(fx, 1 / 200, 1.5 / 200))
    member[:, 0] = 0
    return (1 - member).astype(np.float32)


def _padded(length):
    """The next product of 2, 3 and 5, 32 pixels away or more; where its pixels come from: mirrored from both ends, fading from one to the other."""
    padded = length + 32
    while _without(padded) > 1:
        padded += 1
    i = np.arange(padded - length)
    t = (i + 1) / (padded - length + 1)
    return length - 2 - i, padded - length - i, (t * t * (3 - 2 * t)).astype(np.float32)


def _without(n):
    for prime in (2, 3, 5):
        while n % prime == 0:
            n //= prime
    return n


def peer(stack, threads):
    depth, height, width = stack.shape
    (top, bottom, down), (left, right, across) = _padded(height), _padded(width)
    padded = np.empty((height + len(down), width + len(across)), np.float32)
    keep = _keep(*padded.shape)
    result = np.empty_like(stack)
    for k, image in enumerate(stack):
        padded[:height, :width] = image
        padded[:height, width:] = padded[:height, left] + across * (padded[:height, right] - padded[:height, left])
        padded[height:] = padded[top] + down[:, None] * (padded[bottom] - padded[top])
        clean = fft.irfft2(fft.rfft2(padded, workers=threads) * keep, s=padded.shape, workers=threads)[:height, :width]
        clean += image.mean() - clean.mean()
        result[k] = np.clip(np.rint(clean), 0, 255)
    return result
