using System.Buffers;
using System.Numerics.Tensors;
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
    private float[] _levels = [];

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
        if (set.Milling.Count > 0) perChannel += MillingBlock.Bytes(set, inner);
        return shared + Signals(channels) * perChannel;
    }

    /// <summary>Reads a block of all channels with its halo, mirrored at the volume's faces. An instance serves one specimen.</summary>
    public void Load(IReadOnlyList<IVolume<float>> channels, Box inner)
    {
        IVolume<float>[] signals = channels.Count > 1 ? [.. channels, new Difference(channels[0], channels[1])] : [.. channels];
        if (_levels.Length == 0) _levels = [.. signals.Select(Level)];
        Stride = FeatureBlock.RowStride(inner.Size.X);
        Plane = Stride * inner.Size.Y;
        for (var s = 0; s < signals.Length; s++)
        {
            _signals[s].Load(signals[s], inner, _levels[s]);
            if (_milling.Length > 0) _milling[s].Read(signals[s], inner);
            ScaleFilter.Ensure(ref _planes[s], Plane * PerSignal + 4 * TapRows.Padding);
        }
    }

    // the mean of the finite greys of a box in the middle of the volume: the same for every block and thread, and read at once
    private static float Level(IVolume<float> signal)
    {
        const int Most = 1 << 18;
        var size = signal.Info.Size;
        var columns = Math.Min(size.X, Most);
        var rows = Math.Min(size.Y, Most / columns);
        var box = new Size3(Math.Min(size.Z, Most / (columns * rows)), rows, columns);
        var greys = new float[box.Count];
        signal.Read(new(new((size.Z - box.Z) / 2, (size.Y - box.Y) / 2, (size.X - box.X) / 2), box), greys);
        var (sum, count) = (0.0, 0);
        foreach (var grey in greys)
            if (float.IsFinite(grey)) (sum, count) = (sum + grey, count + 1);
        return (float)(sum / Math.Max(1, count));
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

/// <summary>One channel less another on the same grid.</summary>
internal sealed class Difference(IVolume<float> channel, IVolume<float> other) : IVolume<float>
{
    public VolumeInfo Info => channel.Info;

    public void Read(Box box, Span<float> target)
    {
        var count = checked((int)box.Count);
        var buffer = ArrayPool<float>.Shared.Rent(count);
        channel.Read(box, target);
        other.Read(box, buffer);
        TensorPrimitives.Subtract(target[..count], buffer.AsSpan(0, count), target);
        ArrayPool<float>.Shared.Return(buffer);
    }
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
