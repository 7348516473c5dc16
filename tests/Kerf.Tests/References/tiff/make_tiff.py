"""Small TIFF files by other programs: tifffile writes, libtiff's tiffcp recompresses. Run: /usr/bin/python3 make_tiff.py
(Debian: python3-tifffile 2023.2.3, libtiff-tools 4.5.0). Values follow formulas that the tests repeat:
grey v(z,y,x) = (7x + 13y + 29z) mod 251, word = 257 v + x, float = (v - 100) / 8 + x / 1024."""
import os, subprocess
import numpy as np, tifffile

here = os.path.dirname(os.path.abspath(__file__))
Z, Y, X = 3, 21, 37
z, y, x = np.mgrid[0:Z, 0:Y, 0:X]
v = (7 * x + 13 * y + 29 * z) % 251
grey, word, real = v.astype("u1"), (257 * v + x).astype("u2"), ((v - 100) / 8 + x / 1024).astype("f4")
path = lambda name: os.path.join(here, name + ".tif")
plain = dict(photometric="minisblack", metadata=None)


def save(name, data, **options):
    tifffile.imwrite(path(name), data, **{**plain, **options})


def copy(name, source, *options):
    subprocess.run(["tiffcp", *options, path(source), path(name)], check=True)


save("u8", grey); save("u16", word); save("f32", real)
save("u16-be", word, byteorder=">"); save("u16-big", word, bigtiff=True); save("u16-be-big", word, byteorder=">", bigtiff=True)
save("u16-deflate", word, compression="zlib"); save("u8-tiled", grey, tile=(16, 16)); save("i8", (v - 125).astype("i1"))
save("i16", (word.astype("i4") - 32768).astype("i2")); save("i16-be", (word.astype("i4") - 32768).astype("i2"), byteorder=">")
save("u32", word.astype("u4") * 100); save("i32", -word.astype("i4") * 100); save("u32-large", np.full((4, 4), 2**24 + 1, "u4"))
save("f16", real.astype("f2")); save("f64", real[:1].astype("f8")); save("f64-be", real[:1].astype("f8"), byteorder=">")
save("white-is-zero", 255 - grey, photometric="miniswhite"); save("bit", (v % 2).astype(bool)); save("bit-white", (v % 2 == 0).astype(bool), photometric="miniswhite")
copy("u8-lzw", "u8", "-c", "lzw", "-r", "8"); copy("u8-lzw-predictor", "u8", "-c", "lzw:2", "-r", "8"); copy("u16-lzw-predictor-be", "u16", "-B", "-c", "lzw:2")
copy("u8-packbits", "u8", "-c", "packbits"); copy("u16-deflate-predictor", "u16", "-c", "zip:2", "-r", "5"); copy("u16-tiled-deflate", "u16", "-c", "zip:2", "-t", "-w", "16", "-l", "32")
copy("f32-predictor", "f32", "-c", "zip:3"); copy("f32-lzw-predictor2-tiled", "f32", "-c", "lzw:2", "-t", "-w", "48", "-l", "16")
copy("f64-predictor", "f64", "-c", "zip:3"); copy("bit-lzw", "bit", "-c", "lzw"); copy("bit-low-first", "bit", "-f", "lsb2msb"); copy("u8-big-lzw", "u8", "-8", "-c", "lzw")
# libtiff 4.5.0 cannot read the big-endian predictor 3 that it writes: numpy does the differences (Adobe's technical note 3), one page
planes = np.frombuffer(real[0].astype(">f4").tobytes(), "u1").reshape(Y, X, 4).transpose(0, 2, 1).reshape(Y, 4 * X)
save("f32-predictor-be", np.diff(planes, axis=1, prepend=planes[:, :1] * 0).astype("u1"), byteorder=">", compression="zlib", software=False)
with tifffile.TiffFile(path("f32-predictor-be"), mode="r+b") as file:
    tags = file.pages[0].tags
    tags["ImageWidth"].overwrite(X); tags["BitsPerSample"].overwrite(32)
    # two tags that are not needed become predictor 3 and sample format 3
    file.filehandle.seek(tags["YResolution"].offset); file.filehandle.write(bytes.fromhex("013d 0003 0000 0001 0003 0000"))
    file.filehandle.seek(tags["ResolutionUnit"].offset); file.filehandle.write(bytes.fromhex("0153 0003 0000 0001 0003 0000"))
# a string table that fills up and is cleared
noise = np.random.default_rng(1).integers(0, 256, (1, 90, 80), "u1")
save("noise", noise); copy("noise-lzw", "noise", "-c", "lzw", "-r", "90")
rgb = np.stack([grey[0], grey[1], grey[2]], -1)
save("rgb", rgb, photometric="rgb"); copy("rgb-planar", "rgb", "-p", "separate"); copy("rgb-lzw-predictor", "rgb", "-c", "lzw:2"); save("rgb16-be", np.stack([word[0], word[1], word[2]], -1), photometric="rgb", byteorder=">")
save("rgb-grey", np.stack([grey[0]] * 3, -1), photometric="rgb")
two = np.stack([grey[0], grey[1]], -1)
tifffile.imwrite(path("two-samples"), two, photometric="minisblack", planarconfig="contig", metadata=None)
colours = np.zeros((3, 256), "u2"); colours[:, 1] = 257 * np.array([0xE8, 0xE6, 0xDF]); colours[:, 2] = 257 * np.array([0x3B, 0x7D, 0xD8])
save("palette", (v % 3).astype("u1"), photometric="palette", colormap=colours)
ramp = np.stack([257 * np.arange(256)] * 3).astype("u2"); save("palette-grey", grey, photometric="palette", colormap=ramp)
tifffile.imwrite(path("imagej"), word, imagej=True, resolution=(1 / 0.005, 1 / 0.004), metadata={"unit": "um", "spacing": 0.02, "axes": "ZYX"})
tifffile.imwrite(path("imagej-escaped"), grey, imagej=True, resolution=(200, 200), metadata={"unit": "\\u00B5m", "spacing": 0.02, "axes": "ZYX"})
tifffile.imwrite(path("imagej-channels"), np.stack([grey, 250 - grey], 1), imagej=True, metadata={"axes": "ZCYX"})
tifffile.imwrite(path("imagej-inch"), grey, imagej=True, resolution=(300, 300), metadata={"unit": "inch", "axes": "ZYX"})
tifffile.imwrite(path("ome"), np.stack([word[:2], word[:2] // 2]), ome=True, photometric="minisblack",
    metadata={"axes": "CZYX", "PhysicalSizeX": 5.0, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.006, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 2e-5, "PhysicalSizeZUnit": "mm", "Channel": {"Name": ["SE2", "InLens"]}})
save("dpi", grey, resolution=(300, 300), resolutionunit="inch")
fei = "[User]\r\nDate=01/02/2020\r\n\r\n[Beam]\r\nHV=2000\r\nBeam=EBeam\r\n\r\n[EBeam]\r\nHV=2000\r\nWD=0.00396\r\n\r\n[Scan]\r\nPixelWidth=2.5e-009\r\nPixelHeight=3.0e-009\r\n\r\n[Stage]\r\nStageT=0.907571\r\n\r\n[Detectors]\r\nNumber=1\r\nName=TLD\r\n\r\n[PrivateFei]\r\nDatabarHeight=59\r\n"
save("fei", grey[0], extratags=[(34682, "s", 0, fei, True)]); save("fei-sfeg", grey[0], extratags=[(34680, "s", 0, fei, True)])
zeiss = b"0\r\n0\r\nAP_WD\r\nWD =  5.1 mm\r\nAP_ACTUALKV\r\nEHT =   900 V\r\nDP_DETECTOR_CHANNEL\r\nSignal A = ESB\r\nAP_STAGE_AT_T\r\nStage at T =  54.0 \xb0\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 0.0125 ?m\r\n"
save("zeiss-corrupt", grey[0], extratags=[(34118, 2, len(zeiss) + 1, zeiss, True)])
fibics = '<?xml version="1.0" encoding="iso-8859-1"?><Fibics version="1.2"><Image><Width>37</Width><Height>21</Height></Image><Scan><FOV_X units="um">0.37</FOV_X><FOV_Y units="um">0.252</FOV_Y></Scan><ATLAS3D><Slice><ZPos>1.25</ZPos><ZIndex>7</ZIndex></Slice></ATLAS3D></Fibics>'
save("fibics", grey[0], extratags=[(51023, "s", 0, fibics, True)])
tescan = "\0\1\2[MAIN]\r\nDevice=TESCAN\r\nPixelSizeX=5e-009\r\nPixelSizeY=5e-009\r\nImageStripSize=96\r\n[SEM]\r\nDetector=SE\r\nHV=5000.0\r\nStageTilt=55.0\r\nWD=0.009\r\n"
save("tescan", grey[0], extratags=[(50431, 7, len(tescan), tescan.encode("latin1"), True)])
