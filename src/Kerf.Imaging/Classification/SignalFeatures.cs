using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// The features of all signals of a specimen on one block: those of each channel, then, of two or more channels, those of the difference of the first
/// two. Buffers are kept between blocks; one instance per thread.
/// </summary>
internal sealed class SignalFeatures
{
    private readonly FeatureBlock[] _signals;
    private readonly MillingBlock[] _milling;
    private readonly float[][] _planes;
    private readonly FeatureSet _set;
    private float[] _voxels = [], _first = [], _levels = [];

    public SignalFeatures(FeatureSet set, int channels)
    {
        _set = set;
        var scratch = new PresmoothScratch();
        _signals = [.. Enumerable.Range(0, Signals(channels)).Select(_ => new FeatureBlock(set, scratch))];
        _milling = set.Milling.Count == 0 ? [] : [.. _signals.Select(_ => new MillingBlock(set))];
        _planes = [.. _signals.Select(_ => Array.Empty<float>())];
        PerSignal = set.Count;
    }

    /// <summary>Features of one signal; signal s holds features s·PerSignal and up.</summary>
    public int PerSignal { get; }

    /// <summary>All features.</summary>
    public int Count => PerSignal * _signals.Length;

    /// <summary>Values per row of a plane.</summary>
    public int Stride { get; private set; }

    /// <summary>Values per plane.</summary>
    public int Plane { get; private set; }

    /// <summary>Channels, and the difference of the first two.</summary>
    public static int Signals(int channels) => channels > 1 ? channels + 1 : 1;

    /// <summary>Names of all features in their order.</summary>
    public static IReadOnlyList<string> Names(FeatureSet set, IReadOnlyList<string> channels)
    {
        if (channels.Count == 1) return set.Names;
        string[] signals = [.. channels, $"{channels[0]} - {channels[1]}"];
        return [.. from signal in signals from feature in set.Names select $"{signal}: {feature}"];
    }

    /// <summary>Bytes that a thread holds for blocks of a size.</summary>
    public static long Bytes(FeatureSet set, int channels, Size3 inner)
    {
        var (shared, perChannel) = FeatureBlock.Bytes(set, inner);
        // one more float copy of the input, to take differences
        if (set.Milling.Count > 0) perChannel += MillingBlock.Bytes(set, inner);
        return shared + Signals(channels) * perChannel + (channels > 1 ? Box.Whole(inner).Grow(set.Halo).Count * sizeof(float) : 0);
    }

    /// <summary>Reads a block of all channels with its halo, mirrored at the volume's faces. An instance serves one specimen.</summary>
    public void Load(IReadOnlyList<IVolume<float>> channels, Box inner)
    {
        var (volume, outer) = (channels[0].Info.Size, inner.Grow(_set.Halo));
        var count = checked((int)outer.Count);
        if (_levels.Length == 0) _levels = Levels(channels);
        ScaleFilter.Ensure(ref _voxels, count);
        Stride = FeatureBlock.RowStride(inner.Size.X);
        Plane = Stride * inner.Size.Y;
        var voxels = _voxels.AsSpan(0, count);
        for (var c = 0; c < channels.Count; c++)
        {
            Borders.Read(channels[c], outer, Border.Mirror, voxels);
            Take(c, voxels, inner, volume, _levels[c]);
            if (c == 0 && channels.Count > 1)
            {
                ScaleFilter.Ensure(ref _first, count);
                voxels.CopyTo(_first);
            }
            if (c != 1) continue;
            for (var i = 0; i < count; i++) voxels[i] = _first[i] - voxels[i];
            Take(_signals.Length - 1, voxels, inner, volume, _levels[^1]);
        }
        for (var s = 0; s < _signals.Length; s++) ScaleFilter.Ensure(ref _planes[s], Plane * PerSignal + 4 * TapRows.Padding);
    }

    // of each signal the mean of the finite greys of a box in the middle of the volume: the same for every block and thread, and read at once
    private static float[] Levels(IReadOnlyList<IVolume<float>> channels)
    {
        const int Most = 1 << 18;
        var size = channels[0].Info.Size;
        var columns = Math.Min(size.X, Most);
        var rows = Math.Min(size.Y, Most / columns);
        var box = new Size3(Math.Min(size.Z, Most / (columns * rows)), rows, columns);
        var greys = channels.Select(channel =>
        {
            var read = new float[box.Count];
            channel.Read(new(new((size.Z - box.Z) / 2, (size.Y - box.Y) / 2, (size.X - box.X) / 2), box), read);
            return read;
        }).ToList();
        if (greys.Count > 1) greys.Add([.. greys[0].Zip(greys[1], (a, b) => a - b)]);
        return [.. greys.Select(g => (float)g.Where(float.IsFinite).Select(v => (double)v).DefaultIfEmpty().Average())];
    }

    private void Take(int signal, ReadOnlySpan<float> voxels, Box inner, Size3 volume, float level)
    {
        _signals[signal].Load(voxels, inner, volume, level);
        if (_milling.Length > 0) _milling[signal].Take(voxels, inner);
    }

    /// <summary>Computes one slice of the block; then <see cref="Values"/> holds it.</summary>
    public void Emit(int z)
    {
        for (var s = 0; s < _signals.Length; s++)
        {
            _signals[s].Emit(z, _planes[s], Plane, Stride);
            if (_milling.Length > 0) _milling[s].Emit(z, _planes[s], _signals[s].Count, Plane, Stride);
        }
    }

    /// <summary>One feature of the slice, rows <see cref="Stride"/> apart; what lies between them is of no meaning.</summary>
    public ReadOnlySpan<float> Values(int feature) => _planes[feature / PerSignal].AsSpan(feature % PerSignal * Plane, Plane);
}

/// <summary>The features of a set on all signals of a specimen.</summary>
/// <param name="Set">The features of one channel.</param>
/// <param name="Channels">Names of the channels.</param>
internal sealed record SignalKind(FeatureSet Set, IReadOnlyList<string> Channels) : IPixelFeatures
{
    public IReadOnlyList<string> Names => SignalFeatures.Names(Set, Channels);

    public long Bytes(Size3 inner) => SignalFeatures.Bytes(Set, Channels.Count, inner);

    public Func<IBlockFeatures> On(IReadOnlyList<IVolume> channels, Traversal walk)
    {
        IVolume<float>[] sources = [.. channels.Select(c => c.AsFloat())];
        return () => new Bound(new(Set, sources.Length), sources);
    }

    private sealed class Bound(SignalFeatures features, IVolume<float>[] sources) : IBlockFeatures
    {
        public int Stride => features.Stride;

        public void Load(Box inner) => features.Load(sources, inner);

        public void Emit(int z) => features.Emit(z);

        public ReadOnlySpan<float> Values(int feature) => features.Values(feature);
    }
}
