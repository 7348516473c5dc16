"""100 trees on 20,000 hard labelled voxels with 61 features by scikit-learn's RandomForestClassifier, the same matrix, the same threads. Kerf's time includes out-of-bag error and permutation importance."""
import numpy as np

import _forest

RESULTS = "forest-peers"


def row(run, folder, threads, quick):
    image, truth, labels = _forest.stack(64 if quick else 128)
    kerf = _forest.Kerf(run, folder, image, labels)
    wall, processor, facts = kerf("forest-train", threads)
    table = np.load(kerf.out)[0]
    forest = _forest.forest(threads)
    with _forest.Clock() as clock:
        forest.fit(table[:, :-1], table[:, -1])
    return {"samples": len(table), "kerf_s": wall, "kerf_processor_s": processor, "peer_s": clock.wall, "peer_processor_s": clock.processor,
            "kerf_error": facts["outOfBagError"], "kerf_nodes": facts["nodes"], "peer_nodes": float(np.mean([t.tree_.node_count for t in forest.estimators_]))}
