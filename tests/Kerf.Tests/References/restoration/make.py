"""Makes the reference files of the restoration tests with scipy and scikit-image: python3 make.py, in this folder."""
import numpy as np
from scipy import ndimage
from skimage import exposure, restoration

SHAPE = (3, 64, 72)
z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
random = np.random.default_rng(12)
clean = np.where((y - 30) ** 2 + (x - 40 + z) ** 2 < 300, 60, 150) + 25 * np.sin(x / 5) * np.cos(y / 7)
image = np.clip(np.round(clean + random.normal(0, 12, SHAPE)), 0, 255).astype(np.uint8)
image.tofile("image.u8")
grey = image.astype(np.float64)


def save(name, array):
    np.asarray(array, np.float32).tofile(name + ".f32")


def nlm(f, patch, search, h, sigma):
    """Non-local means by definition: square patches, self weight 1, mirrored border."""
    halo = patch + search
    padded = np.pad(f, halo, mode="reflect")
    inner = tuple(slice(halo, halo + n) for n in f.shape)
    total, weights = np.zeros(f.shape), np.zeros(f.shape)
    for ty in range(-search, search + 1):
        for tx in range(-search, search + 1):
            moved = np.roll(padded, (-ty, -tx), (0, 1))
            distance = ndimage.uniform_filter((padded - moved) ** 2, 2 * patch + 1)[inner]
            w = np.exp(-np.maximum(distance - 2 * sigma**2, 0) / h**2)
            total += w * moved[inner]
            weights += w
    return total / weights


save("gaussian", ndimage.gaussian_filter(grey, 1.1, mode="mirror"))
save("gaussian-anisotropic", ndimage.gaussian_filter(grey, (0.5, 1, 2), mode="mirror"))
save("median-5x5", ndimage.median_filter(grey, (1, 5, 5), mode="mirror"))
save("median-3x3x3", ndimage.median_filter(grey, 3, mode="mirror"))
save("nlm", [nlm(s, 2, 5, 12, 12) for s in grey])
save("nlm-skimage", [restoration.denoise_nl_means(s, 5, 5, h=12, sigma=12, fast_mode=True) for s in grey])
save("tv", [restoration.denoise_tv_chambolle(s, weight=20, eps=0, max_num_iter=31) for s in grey])
save("tv-3d", restoration.denoise_tv_chambolle(grey, weight=20, eps=0, max_num_iter=31))
save("clahe", exposure.equalize_adapthist(image[0], (8, 9), clip_limit=0.05, nbins=256))
