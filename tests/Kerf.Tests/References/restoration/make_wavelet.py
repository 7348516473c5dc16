"""The wavelet-Fourier destriping of docs/methods/destripe.md by PyWavelets and numpy.fft, on image.u8 -> wavelet.f32."""
import numpy as np
import pywt

volume = np.fromfile("image.u8", np.uint8).reshape(3, 64, 72).astype(float)
LEVELS, MARGIN, DAMPING = 5, 8, 3.0


def good(n):
    while True:
        m = n
        for p in (2, 3, 5):
            while m % p == 0:
                m //= p
        if m == 1:
            return n
        n += 1


def mirror(i, n):
    period = 2 * (n - 1)
    i = i % period
    return i if i < n else period - i


def continued(image, axis):
    n = image.shape[axis]
    multiple = 2 ** LEVELS
    extra = multiple * good(-(-(n + MARGIN) // multiple)) - n
    parts = [image]
    for i in range(extra):
        t = (i + 1) / (extra + 1)
        share = t * t * (3 - 2 * t)
        a, b = (np.take(image, [mirror(j, n)], axis) for j in (n + i, i - extra))
        parts.append(a + share * (b - a))
    return np.concatenate(parts, axis)


def destriped(image):
    padded = continued(continued(image, 1), 0)
    sigma = DAMPING * padded.shape[0] / image.shape[0]
    approximation, details = padded, []
    for _ in range(LEVELS):
        approximation, (_, vertical, _) = pywt.dwt2(approximation, "db20", "periodization")
        k = np.minimum(np.arange(vertical.shape[0]), vertical.shape[0] - np.arange(vertical.shape[0]))
        slow = np.exp(-(k / sigma) ** 2 / 2)
        details.append(np.real(np.fft.ifft(np.fft.fft(vertical, axis=0) * slow[:, None], axis=0)))
    stripes = np.zeros_like(approximation)
    for vertical in reversed(details):
        none = np.zeros_like(vertical)
        stripes = pywt.idwt2((stripes, (none, vertical, none)), "db20", "periodization")
    stripes = stripes[: image.shape[0], : image.shape[1]]
    return image - (stripes - stripes.mean())


np.stack([destriped(s) for s in volume]).astype("<f4").tofile("wavelet.f32")
print("PyWavelets", pywt.__version__, "NumPy", np.__version__)
