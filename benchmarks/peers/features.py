"""All 61 features by vigra on its one thread, 128^3; Kerf on the same and, five times a round, on 256^3 with two threads; features kept for one slice of a block."""
import numpy as np

import _forest

RESULTS, ROUNDS = "forest-peers", 5


def row(run, folder, threads, quick):
    small, large = _forest.stack(64 if quick else 128), None if quick else _forest.stack(256)
    kerf = _forest.Kerf(run, folder, small[0], small[2])
    wall, processor, _ = kerf("features", threads)
    ours = np.load(kerf.out)
    voxels = small[0].size
    with _forest.Clock() as clock:
        # vigra works in single precision: a constant taken off, which only the smoothed values see, leaves it its digits
        theirs = [f[len(f) // 2].copy() for f in _forest.features(small[0].astype(np.float32) - 27000)]
    inner = np.s_[24:-24, 24:-24] if quick else np.s_[40:-40, 40:-40]
    for f in range(len(_forest.SCALES)):
        theirs[f] += 27000
    error = [float(np.sqrt(np.mean((a[inner] - b[inner]) ** 2) / np.mean(b[inner].astype(np.float64) ** 2))) for a, b in zip(ours, theirs)]
    result = {"voxels": voxels, "kerf_s": wall, "kerf_processor_s": processor, "peer_s": clock.wall, "peer_processor_s": clock.processor,
              "relative_error_median": float(np.median(error)), "relative_error_max": max(error)}
    if large:
        # vigra takes thirteen seconds, over which the machine's moods even out: as many of Kerf's
        kerf = _forest.Kerf(run, folder, large[0], large[2])
        calls = np.array([kerf("features", threads)[:2] for _ in range(5)])
        wall, processor = np.median(calls, axis=0).tolist()
        result |= {"kerf_256_s": wall, "kerf_256_processor_s": processor, "kerf_256_best_s": float(calls[:, 0].min()), "peer_best_s": clock.wall}
    return result


def ratios(row):
    if "kerf_256_s" not in row:
        return {}
    per_voxel = row["peer_s"] / row["voxels"]
    return {"kerf_256_voxels_per_s": 256 ** 3 / row["kerf_256_s"], "kerf_256_best_voxels_per_s": 256 ** 3 / row["kerf_256_best_s"],
            "ratio_256": 256 ** 3 * per_voxel / row["kerf_256_s"], "ratio_256_best": 256 ** 3 * row["peer_best_s"] / row["voxels"] / row["kerf_256_best_s"]}
