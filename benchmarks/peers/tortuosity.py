"""TauFactor's tortuosity along z of a binary volume by a sparse matrix and SciPy's conjugate gradients (diagonal preconditioner, residual 1e-6); the value in every voxel. Kerf solves for PoreSpy's convention and the intervals too."""
import numpy as np
from scipy import ndimage, sparse
from scipy.sparse.linalg import LinearOperator, cg
from blobs import blobs as stack

DATA = (128, 128, 128)
ROUNDS = 3


def peer(stack, threads):
    open_ = stack > 0
    clusters, _ = ndimage.label(open_)
    through = np.intersect1d(clusters[0], clusters[-1])
    connected = np.isin(clusters, through[through > 0])
    number = np.full(stack.shape, -1)
    number[connected] = np.arange(connected.sum())
    rows, columns = [], []
    for axis in range(3):
        a, b = (np.take(number, range(*r), axis).ravel() for r in ((0, stack.shape[axis] - 1), (1, stack.shape[axis])))
        both = (a >= 0) & (b >= 0)
        rows += [a[both], b[both]]
        columns += [b[both], a[both]]
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    n = int(connected.sum())
    diagonal = np.bincount(rows, minlength=n).astype(float)
    inlet = np.zeros(n)
    inlet[number[0][connected[0]]] = 2
    diagonal += inlet
    diagonal[number[-1][connected[-1]]] += 2
    matrix = sparse.csr_matrix((np.full(rows.size, -1.0), (rows, columns)), (n, n)) + sparse.diags(diagonal)
    guess = 1 - (np.nonzero(connected)[0] + 0.5) / stack.shape[0]
    options = {"M": LinearOperator((n, n), lambda x: x / diagonal), "x0": guess}
    try:
        potentials, _ = cg(matrix, inlet, rtol=1e-6, **options)
    except TypeError:  # before SciPy 1.12
        potentials, _ = cg(matrix, inlet, tol=1e-6, **options)
    flow = float((inlet * (1 - potentials)).sum())
    conductivity = flow * stack.shape[0] / (stack.shape[1] * stack.shape[2])
    return np.full(stack.shape, open_.mean() / conductivity, np.float32)
