using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// Writes a stack as TIFF, slice by slice: little endian, uint8, uint16 or float32, with the description by which Fiji and ImageJ know slices,
/// voxel size (nm) and spacing; labels get a palette of their phases' colours. Classic TIFF, or BigTIFF as soon as the uncompressed voxels might
/// not fit 4 GiB. The same voxels give the same bytes. The file has its name only after <see cref="Complete"/>: it is whole or not there.
/// </summary>
public sealed class TiffWriter : IDisposable
{
    // compressed strips hold about this many bytes, so that a reader of a region need not unpack whole slices
    private const int StripBytes = 1 << 20;
    private readonly string _path;
    private readonly string _partial;
    private readonly FileStream _stream;
    private readonly VolumeInfo _info;
    private readonly bool _compress;
    private readonly bool _predict;
    private readonly bool _big;
    private readonly int _stripRows;
    private readonly List<long> _offsets = [];
    private readonly List<long> _counts = [];

    /// <summary>Begins a file.</summary>
    /// <param name="path">Its name, replaced at the end if it is there already.</param>
    /// <param name="info">Size, type, voxel size and phases.</param>
    /// <param name="compress">Deflate; without it each slice is one plain strip.</param>
    /// <param name="predictor">
    /// Differences along rows before Deflate (predictor 2; 3 for float): smaller files, but plain ImageJ ignores the tag and shows wrong pixels;
    /// Bio-Formats, libtiff and tifffile read it.
    /// </param>
    /// <param name="bigTiff">BigTIFF even when classic TIFF would do.</param>
    /// <exception cref="InputError">The file cannot be created, or a slice is larger than 2 GiB.</exception>
    public TiffWriter(string path, VolumeInfo info, bool compress = true, bool predictor = false, bool bigTiff = false)
    {
        var rowBytes = (long)info.Size.X * info.Type.Bytes();
        if (info.Size.Count <= 0 || rowBytes * info.Size.Y > Array.MaxLength)
            throw new InputError($"{path}: slices of {info.Size.Y}×{info.Size.X} {info.Type.Name()} do not fit a TIFF (1 voxel to 2 GiB each). Use .zarr.");
        (_path, _info, _compress, _predict) = (path, info, compress, compress && predictor);
        _stripRows = compress ? (int)Math.Clamp(StripBytes / rowBytes, 1, info.Size.Y) : info.Size.Y;
        var strips = (info.Size.Y + _stripRows - 1) / _stripRows;
        // an upper bound: Deflate adds at most 5 bytes per 16 KiB and a frame; a directory, its lists and its palette
        _big = bigTiff || rowBytes * info.Size.Y * (1 + 1.0 / 1024) * info.Size.Z + info.Size.Z * (strips * 40.0 + 4096) > 4.2e9;
        _partial = $"{path}.{Environment.ProcessId}-{Environment.CurrentManagedThreadId}{AtomicFile.PartialSuffix}";
        _stream = Guarded(() => new FileStream(_partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16));
        Put(_big ? [(byte)'I', (byte)'I', 43, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] : [(byte)'I', (byte)'I', 42, 0, 0, 0, 0, 0]);
    }

    /// <summary>Slices written so far.</summary>
    public int Written { get; private set; }

    /// <summary>Writes a whole volume, compressing slices on several threads within the walk's memory (or one slice at a time).</summary>
    /// <exception cref="InputError">As the constructor; or the disk is full.</exception>
    public static void Save(IVolume source, string path, Traversal walk, bool compress = true)
    {
        switch (source)
        {
            case IVolume<byte> bytes: Save(bytes, path, walk, compress); break;
            case IVolume<ushort> words: Save(words, path, walk, compress); break;
            case IVolume<float> floats: Save(floats, path, walk, compress); break;
            default: throw new NotSupportedException($"{source.GetType().Name} holds no voxels that a TIFF can store");
        }
    }

    /// <summary>Appends the next slice, x fastest.</summary>
    public void Write<T>(ReadOnlySpan<T> slice) where T : unmanaged
    {
        if (PixelTypes.Of<T>() != _info.Type) throw new ArgumentException($"the file holds {_info.Type.Name()}", nameof(slice));
        if (slice.Length != _info.Size.SliceCount) throw new ArgumentException($"{slice.Length} voxels are no slice of {_info.Size}", nameof(slice));
        Append(Encode(MemoryMarshal.AsBytes(slice)));
    }

    /// <summary>Writes the directories and gives the file its name.</summary>
    /// <exception cref="InputError">The disk is full.</exception>
    /// <exception cref="InvalidOperationException">Slices are missing.</exception>
    public void Complete()
    {
        if (Written != _info.Size.Z) throw new InvalidOperationException($"{Written} of {_info.Size.Z} slices were written");
        Guarded(() =>
        {
            TiffDirectoryWriter.Write(_stream, _big, Tags(), _info.Size.Z, _offsets, _counts, Put);
            _stream.Flush(flushToDisk: true);
            _stream.Dispose();
            File.Move(_partial, _path, overwrite: true);
            return true;
        });
    }

    /// <summary>Removes an incomplete file.</summary>
    public void Dispose()
    {
        // on a full disk closing fails too: it writes what is left in the buffer
        try { _stream.Dispose(); } catch (Exception exception) when (AtomicFile.Refused(exception)) { }
        try { File.Delete(_partial); } catch (Exception exception) when (AtomicFile.Refused(exception)) { }
    }

    private static void Save<T>(IVolume<T> source, string path, Traversal walk, bool compress) where T : unmanaged
    {
        using var writer = new TiffWriter(path, source.Info, compress);
        var size = source.Info.Size;
        // a batch of slices side by side, then one after another to the file: the order, and so the bytes, do not depend on the threads
        var sliceBytes = size.SliceCount * source.Info.Type.Bytes();
        var batch = (int)Math.Clamp(walk.MemoryBytes / 2 / Math.Max(1, 3 * sliceBytes), 1, 2L * walk.Threads);
        var encoded = new List<byte[]>[Math.Min(batch, size.Z)];
        for (var z = 0; z < size.Z; z += encoded.Length)
        {
            var (start, count) = (z, Math.Min(encoded.Length, size.Z - z));
            walk.Part((double)start / size.Z, (double)(start + count) / size.Z).ForEach(count, i =>
            {
                var slice = new T[size.SliceCount];
                source.Read(Box.Slice(size, start + i), slice);
                encoded[i] = writer.Encode(MemoryMarshal.AsBytes<T>(slice));
            });
            for (var i = 0; i < count; i++) writer.Append(encoded[i]);
        }
        writer.Complete();
    }

    private void Append(List<byte[]> strips)
    {
        if (Written == _info.Size.Z) throw new InvalidOperationException($"all {_info.Size.Z} slices are written");
        foreach (var strip in strips)
        {
            _offsets.Add(_stream.Position);
            _counts.Add(strip.Length);
            Put(strip);
            // TIFF wants even offsets; but ImageJ takes the slices of a plain stack to follow one another without a gap
            if (_compress && (strip.Length & 1) != 0) Put([0]);
        }
        Written++;
    }

    private List<byte[]> Encode(ReadOnlySpan<byte> slice)
    {
        var rowBytes = _info.Size.X * _info.Type.Bytes();
        var strips = new List<byte[]>();
        for (; slice.Length > 0; slice = slice[strips[^1].Length..])
        {
            strips.Add(slice[..Math.Min(slice.Length, _stripRows * rowBytes)].ToArray());
        }
        if (!_compress) return strips;
        for (var i = 0; i < strips.Count; i++)
        {
            if (_predict) TiffPredictor.Apply(strips[i], rowBytes, _info.Type);
            var packed = new MemoryStream();
            using (var deflate = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(strips[i]);
            strips[i] = packed.ToArray();
        }
        return strips;
    }

    // ascending tags; offsets and counts of the strips are added per slice
    private List<TiffDirectoryWriter.Tag> Tags()
    {
        var type = _info.Type;
        var labels = _info.Phases is { Count: > 0 } && type == PixelType.UInt8;
        List<TiffDirectoryWriter.Tag> tags =
        [
            new(TiffTag.SubfileType, 4, 1, [0, 0, 0, 0]),
            TiffDirectoryWriter.Long(TiffTag.Width, _info.Size.X),
            TiffDirectoryWriter.Long(TiffTag.Height, _info.Size.Y),
            TiffDirectoryWriter.Short(TiffTag.BitsPerSample, 8 * type.Bytes()),
            TiffDirectoryWriter.Short(TiffTag.Compression, _compress ? 8 : 1),
            TiffDirectoryWriter.Short(TiffTag.Photometric, labels ? 3 : 1),
            TiffDirectoryWriter.Text(TiffTag.Description, Description()),
            TiffDirectoryWriter.Short(TiffTag.SamplesPerPixel, 1),
            TiffDirectoryWriter.Long(TiffTag.RowsPerStrip, _stripRows),
            TiffDirectoryWriter.Text(TiffTag.Software, "Kerf"),
        ];
        if (_info.Voxel is { } voxel)
        {
            tags.Add(TiffDirectoryWriter.PerNanometre(TiffTag.XResolution, voxel.X));
            tags.Add(TiffDirectoryWriter.PerNanometre(TiffTag.YResolution, voxel.Y));
            tags.Add(TiffDirectoryWriter.Short(TiffTag.ResolutionUnit, 1));
        }
        if (_predict) tags.Add(TiffDirectoryWriter.Short(TiffTag.Predictor, type == PixelType.Float32 ? 3 : 2));
        if (labels) tags.Add(TiffDirectoryWriter.Palette(_info.Phases!));
        tags.Add(TiffDirectoryWriter.Short(TiffTag.SampleFormat, type == PixelType.Float32 ? 3 : 1));
        return tags;
    }

    private string Description()
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"ImageJ=1.54f\nimages={_info.Size.Z}\nslices={_info.Size.Z}\n");
        if (_info.Voxel is { } voxel) text += string.Create(CultureInfo.InvariantCulture, $"unit=nm\nspacing={voxel.Z:R}\n");
        text += "loop=false\n";
        return _info.Phases is { Count: > 0 } phases ? text + TiffPalette.Line(phases) : text;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (Exception exception) when (AtomicFile.Refused(exception))
        {
            throw Unwritable(exception);
        }
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (AtomicFile.Refused(exception))
        {
            throw Unwritable(exception);
        }
    }

    private InputError Unwritable(Exception exception) =>
        new($"{_path}: cannot be written ({exception.Message}). Check the folder, its rights and the space left on the disk.", exception);
}
