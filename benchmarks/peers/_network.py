"""Parts of the network entries: PyTorch's modules from the tests' reference, both sides in one run, in turns."""
import pathlib, statistics, sys

import numpy as np

import _forest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "Kerf.Tests" / "References" / "network"))
ROUNDS = 5


def modules():
    import make
    return make


def image(shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def kerf(run, folder, name, stack, threads):
    path, out = pathlib.Path(folder, "stack.npy"), pathlib.Path(folder, "out.npy")
    np.save(path, stack)
    said = run(name, path, threads, out).split()
    return float(said[-1]), float(said[0])


def predict(run, folder, threads, shape, model):
    """Three predictions of one tile: the median of rounds in turns."""
    import torch
    torch.set_num_threads(threads)
    model.eval()
    x = image(shape)
    tile = torch.from_numpy(x[None] if shape[0] == 1 else x[None, None])
    theirs, ours, half = [], [], []
    with torch.no_grad():
        torch.softmax(model(tile), 1)
        for _ in range(ROUNDS):
            ours.append(kerf(run, folder, "network-predict", x, threads))
            with _forest.Clock() as clock:
                for _ in range(3):
                    torch.softmax(model(tile), 1)
            theirs.append((clock.wall, clock.processor))
    half.append(kerf(run, folder, "network-predict-bf16", x, threads))
    middle = lambda rows, k: statistics.median(r[k] for r in rows)
    return {"kerf_s": middle(ours, 0) / 3, "kerf_processor_s": middle(ours, 1) / 3, "peer_s": middle(theirs, 0) / 3, "peer_processor_s": middle(theirs, 1) / 3,
            "kerf_bf16_s": half[0][0] / 3, "kerf_bf16_processor_s": half[0][1] / 3}
