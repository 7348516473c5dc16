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


def peer(stack, threads):
    height, width = (fft.next_fast_len(n + 32, real=True) for n in stack.shape[1:])
    pad = [(0, height - stack.shape[1]), (0, width - stack.shape[2])]
    keep = _keep(height, width)
    result = np.empty_like(stack)
    for k, image in enumerate(stack):
        padded = np.pad(image.astype(np.float32), pad, mode="reflect")
        clean = fft.irfft2(fft.rfft2(padded, workers=threads) * keep, s=padded.shape, workers=threads)[: stack.shape[1], : stack.shape[2]]
        clean += image.mean() - clean.mean()
        result[k] = np.clip(np.rint(clean), 0, 255)
    return result
