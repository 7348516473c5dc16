"""Data and parts of the forest entries: a hard stack, ilastik's features by vigra, the clock."""
import json, pathlib, resource, time

import numpy as np

SEED = 5
SCALES = (0.3, 0.7, 1.0, 1.6, 3.5, 5.0, 10.0)


def stack(edge):
    """16-bit grey values of three phases whose noise is twice their contrast; the truth; 20,000 labelled voxels (1, 2, 3), which makes deep trees."""
    from scipy import ndimage
    random = np.random.default_rng(SEED)
    field = ndimage.gaussian_filter(random.standard_normal((edge,) * 3).astype(np.float32), 2.5)
    truth = np.digitize(field / field.std(), [-0.5, 0.6]).astype(np.uint8)
    grey = ndimage.gaussian_filter(np.choose(truth, [24000, 27000, 30000]).astype(np.float32), 0.8)
    image = np.clip(grey + 6000 * random.standard_normal(grey.shape), 0, 65535).astype(np.uint16)
    labels = np.zeros_like(truth)
    chosen = random.choice(truth.size, min(20_000, truth.size // 8), replace=False)
    labels.ravel()[chosen] = truth.ravel()[chosen] + 1
    return image, truth, labels


def features(image):
    """The 61 features arranged as ilastik does: smooth first, filter at min(sigma, 1); the structure tensor's scales as ilastik's engine takes them."""
    from vigra import filters as v
    image = image.astype(np.float32)
    smoothed = {s: v.gaussianSmoothing(image, s if s <= 1 else (s * s - 1) ** 0.5, window_size=3.5) for s in SCALES}
    fine = lambda s: min(s, 1.0)
    for s in SCALES:
        yield v.gaussianSmoothing(smoothed[s], fine(s), window_size=2)
    for s in SCALES[1:]:
        yield v.laplacianOfGaussian(smoothed[s], fine(s), window_size=2)
    for s in SCALES[1:]:
        yield v.gaussianGradientMagnitude(smoothed[s], fine(s), window_size=2)
    for s in SCALES[1:]:
        yield v.gaussianSmoothing(smoothed[s], fine(s), window_size=2) - v.gaussianSmoothing(smoothed[s], 0.66 * fine(s), window_size=2)
    for s in SCALES[1:]:
        yield from np.moveaxis(np.asarray(v.structureTensorEigenvalues(smoothed[s], 0.5 * fine(s), fine(s), window_size=2)), -1, 0)
    for s in SCALES[1:]:
        yield from np.moveaxis(np.asarray(v.hessianOfGaussianEigenvalues(smoothed[s], fine(s), window_size=2)), -1, 0)


class Clock:
    """Seconds on the wall and of all processors."""

    def __enter__(self):
        self._wall, self._processor = time.perf_counter(), self._used()
        return self

    def __exit__(self, *_):
        self.wall, self.processor = time.perf_counter() - self._wall, self._used() - self._processor

    @staticmethod
    def _used():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


class Kerf:
    """Kerf's side of an entry: run(name) gives wall seconds, processor seconds, facts and the path of what it left."""

    def __init__(self, run, folder, image, labels):
        self.path, self.out, self._run = f"{folder}/stack-{len(image)}.npy", f"{folder}/out.npy", run
        np.save(self.path, image)
        np.save(self.path + ".labels.npy", labels)

    def __call__(self, name, threads):
        facts = pathlib.Path(self.out + ".json")
        facts.unlink(missing_ok=True)
        words = self._run(name, self.path, threads, self.out).split()
        return float(words[-1]), float(words[0]), json.loads(facts.read_text()) if facts.exists() else {}

    def tables(self, threads):
        """The labelled voxels (61 features and the class, a row each), then of eight slices in the middle Kerf's probabilities and the features, a row per voxel."""
        self("forest-train", threads)
        samples = np.load(self.out)[0]
        voxels = self("forest-predict", threads)[2]["voxels"]
        out = np.load(self.out).reshape(-1, voxels)
        return samples, out[:-61], np.ascontiguousarray(out[-61:].T)


def middle(truth):
    """The true classes of those slices."""
    return truth[len(truth) // 2:len(truth) // 2 + 8].ravel()


def forest(threads, seed=1):
    from sklearn.ensemble import RandomForestClassifier
    return RandomForestClassifier(100, n_jobs=threads, random_state=seed, max_features="sqrt")
