"""Drift between consecutive slices by scikit-image's phase correlation (a twentieth of a pixel), slices moved back by scipy's cubic spline."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.ndimage import shift
from skimage.registration import phase_cross_correlation

found = None


def peer(stack, threads):
    global found
    with ThreadPoolExecutor(threads) as pool:
        steps = list(pool.map(lambda k: phase_cross_correlation(stack[k - 1], stack[k], upsample_factor=20, return_error=False), range(1, len(stack))))
        shifts = np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])
        found = -shifts
        return np.stack(list(pool.map(lambda k: shift(stack[k], shifts[k], order=3, mode="nearest"), range(len(stack)))))


def check(ours, drift):
    """Root mean square distance of both from the drift that the stack was made with, in pixels."""
    rms = lambda shifts: float(np.sqrt(np.mean((np.asarray(shifts) - drift) ** 2)))
    return {"kerf_error_px": rms(ours["shifts"]), "peer_error_px": rms(found)}
