"""Small PNGs of every kind, written by Pillow and pypng from values that a formula tells (the test computes them again).
Run in this folder: python3 make_png.py. Needs numpy, Pillow and pypng (Debian: python3-png)."""
import numpy as np
import png
from PIL import Image, PngImagePlugin

W, H = 13, 11
y, x = np.mgrid[0:H, 0:W]


def value(channel, top):
    """Values 0 … top that no filter predicts."""
    return (x * 37 + y * 101 + x * y * 7 + channel * 59) * (top // 255 if top > 255 else 1) % (top + 1)


def planes(channels, top):
    return np.stack([value(c, top) for c in range(channels)], -1)


def pypng(name, channels, depth, **kind):
    rows = planes(channels, 2 ** depth - 1).reshape(H, W * channels)
    with open(name, "wb") as file:
        png.Writer(W, H, greyscale=channels < 3, alpha=channels == 4, bitdepth=depth, **kind).write(file, rows.tolist())


for depth in (2, 4, 8, 16):
    pypng(f"grey{depth}.png", 1, depth)
for depth in (1, 2, 4, 8, 16):
    pypng(f"grey{depth}-interlaced.png", 1, depth, interlace=True)
for depth in (8, 16):
    pypng(f"rgb{depth}-interlaced.png", 3, depth, interlace=True)
    pypng(f"rgba{depth}.png", 4, depth)
pypng("rgb16.png", 3, 16)

Image.fromarray(value(0, 1).astype(bool)).save("grey1.png")
Image.fromarray(planes(3, 255).astype(np.uint8)).save("rgb8.png")
Image.fromarray(planes(2, 255).astype(np.uint8), "LA").save("grey-alpha8.png")
for bits in (1, 2, 4, 8):
    count = min(2 ** bits, 7)
    labels = Image.fromarray((value(0, 255) % count).astype(np.uint8), "P")
    labels.putpalette([v for i in range(count) for v in (i * 30, 255 - i * 20, i * 11 + 5)])
    labels.save(f"palette{bits}.png", bits=bits)

# chunks that tempt a reader to change values: gamma 1/2.2 (ten times over), sRGB, pixel density, significant bits, background, transparency
tempting = PngImagePlugin.PngInfo()
tempting.add(b"gAMA", (454545).to_bytes(4, "big"))
tempting.add(b"sRGB", b"\0")
tempting.add(b"sBIT", b"\x0c")
tempting.add_text("Title", "a text")
Image.fromarray(value(0, 65535).astype(np.uint16)).save("grey16-gamma.png", pnginfo=tempting, dpi=(300, 300))
