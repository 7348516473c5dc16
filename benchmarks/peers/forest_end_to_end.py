"""Labels of a whole stack from 20,000 labelled voxels: vigra's features on its one thread and scikit-learn's forest; the same stack of 128^3, the same threads."""
import numpy as np

import _forest

RESULTS, ROUNDS = "forest-peers", 1


def row(run, folder, threads, quick):
    image, truth, labels = _forest.stack(48 if quick else 128)
    kerf = _forest.Kerf(run, folder, image, labels)
    wall, processor, facts = kerf("forest-end-to-end", threads)
    mine = np.load(kerf.out)
    with _forest.Clock() as clock:
        columns = np.empty((image.size, 61), np.float32)
        for f, values in enumerate(_forest.features(image)):
            columns[:, f] = values.ravel()
        known = labels.ravel() > 0
        forest = _forest.forest(threads).fit(columns[known], labels.ravel()[known])
        theirs = forest.predict(columns).reshape(image.shape)
    scored = labels == 0
    return {"voxels": image.size, "kerf_s": wall, "kerf_processor_s": processor, "peer_s": clock.wall, "peer_processor_s": clock.processor,
            "kerf_accuracy": float(np.mean((mine == truth + 1)[scored])), "peer_accuracy": float(np.mean((theirs == truth + 1)[scored])),
            "kerf_predict_voxels_per_s": facts["voxelsPerSecond"]}
