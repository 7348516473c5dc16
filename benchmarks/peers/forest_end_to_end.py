"""Labels of a whole stack from 20,000 labelled voxels: vigra's features on its one thread and scikit-learn's forest; 256^3 voxels of 16 bits, the same threads."""
import numpy as np

import _forest

RESULTS, ROUNDS, PART = "forest-peers", 1, 1 << 20


def row(run, folder, threads, quick):
    image, truth, labels = _forest.stack(48 if quick else 256)
    kerf = _forest.Kerf(run, folder, image, labels)
    wall, processor, facts = kerf("forest-end-to-end", threads)
    mine = np.load(kerf.out)
    with _forest.Clock() as clock:
        # feature by feature, as they come: single values far apart would cost more than the forest; rows a part at a time, which need no second copy of all
        columns = np.empty((61, image.size), np.float32)
        for f, values in enumerate(_forest.features(image)):
            columns[f] = values.ravel()
        known = labels.ravel() > 0
        forest = _forest.forest(threads).fit(columns[:, known].T, labels.ravel()[known])
        theirs = np.empty(image.size, labels.dtype)
        for start in range(0, image.size, PART):
            theirs[start:start + PART] = forest.predict(np.ascontiguousarray(columns[:, start:start + PART].T))
        theirs = theirs.reshape(image.shape)
    scored = labels == 0
    return {"voxels": image.size, "kerf_s": wall, "kerf_processor_s": processor, "peer_s": clock.wall, "peer_processor_s": clock.processor,
            "kerf_accuracy": float(np.mean((mine == truth + 1)[scored])), "peer_accuracy": float(np.mean((theirs == truth + 1)[scored])),
            "kerf_predict_voxels_per_s": facts["voxelsPerSecond"]}
