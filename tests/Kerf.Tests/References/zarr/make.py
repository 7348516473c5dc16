#!/usr/bin/env python3
"""Writes arrays.tar.gz beside this file: small zarr arrays by python3-zarr 2.13 (v2), and zarr v3 arrays put together from the specification.

Every array holds value(z, y, x) = (7 z + 3 y + x) mod 100 on 5 x 6 x 7 voxels in chunks of 3 x 4 x 4, but where its name says otherwise.
"""
import gzip, json, os, shutil, struct, tarfile, tempfile
import numpy as np
import zarr
from numcodecs import Blosc, GZip, Zlib, Zstd

SHAPE, CHUNK = (5, 6, 7), (3, 4, 4)
z, y, x = np.indices(SHAPE)
values = (7 * z + 3 * y + x) % 100
root = tempfile.mkdtemp()


def v2(name, dtype="|u1", compressor=None, order="C", data=values, **more):
    array = zarr.open(os.path.join(root, name), mode="w", zarr_version=2, shape=data.shape, dtype=dtype, fill_value=0,
                      chunks=more.pop("chunks", CHUNK) if data.ndim == 3 else (1, 1) + CHUNK, compressor=compressor, order=order, **more)
    array[...] = data


for cname in ("lz4", "lz4hc", "zstd", "zlib", "blosclz"):
    for shuffle in (0, 1, 2):
        v2(f"v2-blosc-{cname}-{shuffle}", "<u2", Blosc(cname, 5, shuffle), chunks=SHAPE)
v2("v2-zstd", "<u2", Zstd(3))
v2("v2-gzip", "<u2", GZip(3), chunks=(5, 6, 4))
v2("v2-zlib", "<u2", Zlib(3), chunks=(5, 6, 4))
v2("v2-none", "<u2")
v2("v2-nested", "|u1", Zstd(3), dimension_separator="/")
for dtype in ("|b1", "|i1", ">u2", "<i2", ">i2", "<u4", ">i4", "<f2", "<f4", ">f4", "<f8", ">f8"):
    v2("v2-dtype-" + dtype[1:] + ("-big" if dtype[0] == ">" else ""), dtype, Zstd(3), data=values - (50 if dtype[1] in "if" else 0), chunks=(5, 6, 4))
v2("v2-order-f", "<u2", Zstd(3), order="F")
v2("v2-five-axes", "<u2", Zstd(3), data=np.stack([values, values + 100])[None])
v2("v2-inexact", "<f8", None, data=values + 0.1)
partial = zarr.open(os.path.join(root, "v2-fill"), mode="w", zarr_version=2, shape=SHAPE, chunks=CHUNK, dtype="<f4", fill_value=-1.5)
partial[:2] = values[:2]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack("<I", crc ^ 0xFFFFFFFF)


def put(name, path, data):
    path = os.path.join(root, name, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "wb").write(data)


def v3(name, codecs, encode, dtype="uint16", key=lambda i: "c/" + "/".join(map(str, i)), keys=("default", "/"), chunk=CHUNK, step=CHUNK, missing=()):
    put(name, "zarr.json", json.dumps(dict(
        zarr_format=3, node_type="array", shape=SHAPE, data_type=dtype, fill_value=9, attributes={}, codecs=codecs,
        chunk_grid=dict(name="regular", configuration=dict(chunk_shape=chunk)),
        chunk_key_encoding=dict(name=keys[0], configuration=dict(separator=keys[1])))).encode())
    for i in np.ndindex(*[-(-s // c) for s, c in zip(SHAPE, chunk)]):
        block = np.full(chunk, 9, "<u2")
        part = values[tuple(slice(k * c, (k + 1) * c) for k, c in zip(i, chunk))]
        block[tuple(slice(0, s) for s in part.shape)] = part
        if i not in missing:
            put(name, key(i), encode(block))


little, big = (dict(name="bytes", configuration=dict(endian=e)) for e in ("little", "big"))
zstd = dict(name="zstd", configuration=dict(level=3, checksum=False))
crc = dict(name="crc32c")
v3("v3-plain", [little], lambda b: b.tobytes())
v3("v3-big", [big, dict(name="gzip", configuration=dict(level=5))], lambda b: gzip.compress(b.astype(">u2").tobytes(), 5))
v3("v3-zstd-crc32c", [little, zstd, crc], lambda b: (lambda e: e + crc32c(e))(Zstd(3).encode(b.tobytes())))
v3("v3-blosc", [little, dict(name="blosc", configuration=dict(cname="lz4", clevel=5, shuffle="shuffle", typesize=2, blocksize=0))],
   lambda b: Blosc("lz4", 5, 1).encode(b))
v3("v3-transpose", [dict(name="transpose", configuration=dict(order=[2, 0, 1])), little], lambda b: b.transpose(2, 0, 1).tobytes())
v3("v3-keys-v2", [little], lambda b: b.tobytes(), key=lambda i: ".".join(map(str, i)), keys=("v2", "."))
v3("v3-fill", [little], lambda b: b.tobytes(), missing=[(0, 0, 0), (1, 1, 1)])


def shard(at_end):
    def encode(block):
        offset, index, body = 0 if at_end else 16 * 8 + 4, b"", b""
        for i in np.ndindex(2, 2, 2):
            inner = block[tuple(slice(k * c, (k + 1) * c) for k, c in zip(i, CHUNK))]
            if (inner == 9).all():
                index += b"\xff" * 16
                continue
            data = Zstd(3).encode(inner.tobytes())
            index += struct.pack("<QQ", offset + len(body), len(data))
            body += data
        index += crc32c(index)
        return body + index if at_end else index + body
    return encode


for location in ("start", "end"):
    v3("v3-shards-" + location, [dict(name="sharding_indexed", configuration=dict(
        chunk_shape=CHUNK, codecs=[little, zstd], index_codecs=[little, crc], index_location=location))], shard(location == "end"), chunk=(6, 8, 8))

# a 0.4 image whose scale is split between the dataset and the multiscale, in micrometres
v2("ome-0.4/s0", "<u2", Zstd(3))
put("ome-0.4", ".zgroup", b'{"zarr_format": 2}')
put("ome-0.4", ".zattrs", json.dumps(dict(multiscales=[dict(
    version="0.4", axes=[dict(name=n, type="space", unit="micrometer") for n in "zyx"],
    datasets=[dict(path="s0", coordinateTransformations=[dict(type="scale", scale=[2, 1, 1]), dict(type="translation", translation=[1, 0, 0])])],
    coordinateTransformations=[dict(type="scale", scale=[0.01, 0.005, 0.004])])])).encode())

def plain(info):
    info.mtime = info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


with gzip.GzipFile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrays.tar.gz"), "wb", 9, mtime=0) as out:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(os.listdir(root)):
            tar.add(os.path.join(root, name), name, filter=plain)
shutil.rmtree(root)
