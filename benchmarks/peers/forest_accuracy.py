"""Ten forests of 100 trees, seeds 1 to 10, on 20,000 hard labelled voxels of 256^3 with 61 features, and the classes of eight of its slices: accuracy of Kerf's and of scikit-learn's, mean and deviation."""
import numpy as np

import _forest

RESULTS, ROUNDS, SEEDS = "forest-peers", 1, 10


def row(run, folder, threads, quick):
    image, truth, labels = _forest.stack(64 if quick else 256)
    kerf = _forest.Kerf(run, folder, image, labels)
    table, _, columns = kerf.tables(threads)
    wall, processor, _ = kerf("forest-seeds", threads)
    wanted = _forest.middle(truth)
    mine = [float(np.mean(votes.argmax(0) == wanted)) for votes in np.load(kerf.out).reshape(SEEDS, -1, wanted.size)]
    with _forest.Clock() as clock:
        theirs = [float(np.mean(_forest.forest(threads, seed).fit(table[:, :-1], table[:, -1]).predict(columns) == wanted)) for seed in range(1, SEEDS + 1)]
    spread = lambda scores: float(np.std(scores, ddof=1))
    return {"voxels": wanted.size, "kerf_s": wall, "kerf_processor_s": processor, "peer_s": clock.wall, "peer_processor_s": clock.processor,
            "kerf_accuracy": float(np.mean(mine)), "kerf_accuracy_deviation": spread(mine),
            "peer_accuracy": float(np.mean(theirs)), "peer_accuracy_deviation": spread(theirs)}


def ratios(row):
    error = ((row["kerf_accuracy_deviation"] ** 2 + row["peer_accuracy_deviation"] ** 2) / SEEDS) ** 0.5
    return {"accuracy_difference": row["kerf_accuracy"] - row["peer_accuracy"], "standard_error": error}
