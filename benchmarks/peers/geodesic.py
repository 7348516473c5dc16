"""Geodesic distances from the first slice through a binary volume, 26 neighbours, by scikit-image's MCP_Geometric (one thread: it has no more)."""
import numpy as np
from skimage.graph import MCP_Geometric
from blobs import blobs as stack

DATA = (256, 256, 256)
ROUNDS = 3


def peer(stack, threads):
    open_ = stack > 0
    starts = [(0, y, x) for y, x in np.argwhere(open_[0])]
    lengths, _ = MCP_Geometric(np.where(open_, 1.0, -1.0), fully_connected=True).find_costs(starts)
    return np.where(np.isfinite(lengths), lengths, 0).astype(np.float32)
