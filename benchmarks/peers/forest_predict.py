"""Probabilities of 100 trees grown on 20,000 hard labelled voxels by scikit-learn's predict_proba, the same features in memory, the same threads; eight slices of 256^2, in turns, median and best of nine."""
import numpy as np

import _forest

RESULTS, ROUNDS = "forest-peers", 1


def row(run, folder, threads, quick):
    image, truth, labels = _forest.stack(64 if quick else 256)
    kerf = _forest.Kerf(run, folder, image, labels)
    table, mine, columns = kerf.tables(threads)
    forest = _forest.forest(threads).fit(table[:, :-1], table[:, -1])
    forest.predict_proba(columns[:1000])
    times = []
    for _ in range(9):
        facts = kerf("forest-predict", threads)[2]
        with _forest.Clock() as clock:
            theirs = forest.predict_proba(columns)
        times.append((facts["seconds"], facts["processorSeconds"], clock.wall, clock.processor))
    wall, processor, peer_wall, peer_processor = np.median(times, axis=0).tolist()
    best, _, peer_best, _ = np.min(times, axis=0).tolist()
    wanted = _forest.middle(truth)
    return {"voxels": facts["voxels"], "kerf_s": wall, "kerf_processor_s": processor, "peer_s": peer_wall, "peer_processor_s": peer_processor,
            "kerf_best_s": best, "peer_best_s": peer_best, "ratio_best": peer_best / best,
            "kerf_accuracy": float(np.mean(mine.argmax(0) == wanted)), "peer_accuracy": float(np.mean(theirs.argmax(1) == wanted)),
            "steps_per_tree": facts["steps"], "nodes_per_tree": facts["nodes"]}
