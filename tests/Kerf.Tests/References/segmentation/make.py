"""Makes segmentation.json: thresholds, hysteresis, Gabor responses and morphology by scikit-image and SciPy. Run with Debian's python3."""
import base64, json, pathlib
import numpy as np, scipy, skimage
from scipy import ndimage as ndi
from skimage.filters import apply_hysteresis_threshold, threshold_multiotsu, threshold_otsu
from skimage.morphology import ball, binary_closing, binary_opening, remove_small_objects

rng = np.random.default_rng(11)
pack = lambda a: base64.b64encode(np.ascontiguousarray(a).tobytes()).decode()
bits = lambda mask: pack(np.packbits(mask))
field = lambda shape, s: (lambda f: f / f.std())(ndi.gaussian_filter(rng.normal(size=shape), s))

f = field((40, 48), 3)
image = np.clip(np.choose((f > -.3).astype(int) + (f > .7), [40, 95, 175]) + rng.normal(size=f.shape) * 14, 0, 255).astype(np.uint8)
words = (image.astype(np.uint16) * 211 + rng.integers(0, 211, image.shape)).astype(np.uint16)
grey = field((10, 24, 28), 1.5) * 40 + 120
volume = np.clip(grey, 0, 255).astype(np.uint8)

def gabor(wavelength, thetas, psi, sigma, gamma):
    r = max(1, round(3 * sigma * max(1, 1 / gamma)))
    y, x = np.mgrid[-r:r + 1, -r:r + 1].astype(float)
    k = 0
    for t in np.deg2rad(thetas):
        u, v = x * np.cos(t) + y * np.sin(t), -x * np.sin(t) + y * np.cos(t)
        k = k + np.exp(-(u ** 2 + gamma ** 2 * v ** 2) / (2 * sigma ** 2)) * np.cos(2 * np.pi * u / wavelength + np.deg2rad(psi)) / len(thetas)
    return pack(ndi.convolve(image.astype(float), k, mode='mirror')[::2, ::2].astype(np.float32))

filters = [(8, [0], 0, 2, 1), (7, [30], 0, 2, .5), (6, [90], 90, 1.5, .7), (9, [0, 45, 90, 135], 0, 2, 1), (5, [120], 40, 1, 1), (12, [45], 25, 3, 1)]
mask = field((14, 22, 26), 1.2) > .2
speckled = mask ^ (rng.random(mask.shape) < .03)
out = dict(
    versions=dict(numpy=np.__version__, scipy=scipy.__version__, skimage=skimage.__version__),
    image=pack(image), height=40, width=48, words=pack(words),
    otsu=int(threshold_otsu(image)), multi={str(n): [int(t) for t in threshold_multiotsu(image, n)] for n in (2, 3, 4, 5)},
    otsuVolume=int(threshold_otsu(volume)), volume=pack(volume), volumeSize=volume.shape,
    # voxels at or above 150 are sure, at or above 120 possible: skimage compares with >
    hysteresis=bits(apply_hysteresis_threshold(volume, 119, 149)),
    hysteresisSlices=bits(np.stack([apply_hysteresis_threshold(s, 119, 149) for s in volume])),
    gabor=[dict(wavelength=w, theta=t, psi=p, sigma=s, gamma=g, response=gabor(w, t, p, s, g)) for w, t, p, s, g in filters],
    maskSize=mask.shape, mask=bits(mask), speckled=bits(speckled),
    opened={str(r): bits(binary_opening(mask, ball(r))) for r in (1, 2)},
    closed={str(r): bits(binary_closing(mask, ball(r))) for r in (1, 2)},
    big6=bits(remove_small_objects(speckled, 20, connectivity=1)),
    big26=bits(remove_small_objects(speckled, 20, connectivity=3)),
    # holes of the mask: regions that do not reach the border, 26-connected
    filled=bits(ndi.binary_fill_holes(speckled, np.ones((3, 3, 3)))),
    filledSlices=bits(np.stack([ndi.binary_fill_holes(s, np.ones((3, 3))) for s in speckled])),
    labelled6=int(ndi.label(speckled)[1]), labelled26=int(ndi.label(speckled, np.ones((3, 3, 3)))[1]),
)
pathlib.Path(__file__).with_name('segmentation.json').write_text(json.dumps(out, indent=0) + '\n')
