"""Not a peer: the binary volumes that shape entries share."""
import numpy as np
from scipy import ndimage


def blobs(shape, sigma=6, seed=1):
    """A levelled random field, half of it 1: about as thick as 4 sigma."""
    field = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return (ndimage.gaussian_filter(field, sigma, mode="wrap", truncate=3) > 0).astype(np.uint8), None
