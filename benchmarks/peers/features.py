"""All 61 features of 256^3 voxels of 16 bits: vigra on its one thread, Kerf on two, five times a round; 128^3 beside it, on which the two are compared too; Kerf keeps one slice of a block."""
import numpy as np

import _forest

RESULTS, ROUNDS = "forest-peers", 3


def row(run, folder, threads, quick):
    small, large = _forest.stack(64 if quick else 128), _forest.stack(96 if quick else 256)
    kerf = _forest.Kerf(run, folder, small[0], small[2])
    small_wall, small_processor, _ = kerf("features", threads)
    ours = np.load(kerf.out)
    with _forest.Clock() as small_clock:
        # vigra works in single precision: a constant taken off, which only the smoothed values see, leaves it its digits
        theirs = [f[len(f) // 2].copy() for f in _forest.features(small[0].astype(np.float32) - 27000)]
    inner = np.s_[24:-24, 24:-24] if quick else np.s_[40:-40, 40:-40]
    for f in range(len(_forest.SCALES)):
        theirs[f] += 27000
    error = [float(np.sqrt(np.mean((a[inner] - b[inner]) ** 2) / np.mean(b[inner].astype(np.float64) ** 2))) for a, b in zip(ours, theirs)]
    kerf = _forest.Kerf(run, folder, large[0], large[2])
    # Kerf's calls are short, vigra's is as long as the machine's moods: some before it, some after it
    calls = [kerf("features", threads)[:2] for _ in range(3)]
    with _forest.Clock() as clock:
        for _ in _forest.features(large[0].astype(np.float32)):
            pass
    calls = np.array(calls + [kerf("features", threads)[:2] for _ in range(2)])
    wall, processor = np.median(calls, axis=0).tolist()
    return {"voxels": large[0].size, "kerf_s": wall, "kerf_processor_s": processor, "kerf_best_s": float(calls[:, 0].min()),
            "peer_s": clock.wall, "peer_processor_s": clock.processor, "peer_best_s": clock.wall,
            "relative_error_median": float(np.median(error)), "relative_error_max": max(error),
            "kerf_128_s": small_wall, "kerf_128_processor_s": small_processor, "peer_128_s": small_clock.wall, "peer_128_processor_s": small_clock.processor}


def ratios(row):
    return {"kerf_voxels_per_s": row["voxels"] / row["kerf_s"], "kerf_best_voxels_per_s": row["voxels"] / row["kerf_best_s"],
            "peer_voxels_per_s": row["voxels"] / row["peer_s"], "ratio_best": row["peer_best_s"] / row["kerf_best_s"],
            "ratio_128": row["peer_128_s"] / row["kerf_128_s"]}
