using System.Runtime.InteropServices;

namespace Kerf.Volumes;

/// <summary>
/// How often each grey level occurs. Exact for integers: one bin a level (256 or 65,536 bins). Floats fall into 65,536 bins whose centres run
/// evenly from the smallest to the largest value, both of them levels; NaN and infinities are not counted. Counts are integers, so neither
/// threads nor blocks can change them.
/// </summary>
public sealed class Histogram
{
    private const int FloatBins = 65536;
    private readonly double _low;
    private readonly double _step;

    /// <summary>A histogram from counts that are there already; bin i stands for the level <paramref name="low"/> + i·<paramref name="step"/>.</summary>
    public Histogram(long[] counts, double low = 0, double step = 1)
    {
        (Counts, _low, _step) = (counts, low, step);
        foreach (var count in counts) Total += count;
    }

    /// <summary>Voxels in each bin.</summary>
    public long[] Counts { get; }

    /// <summary>Voxels counted.</summary>
    public long Total { get; private set; }

    /// <summary>The number of bins.</summary>
    public int Bins => Counts.Length;

    /// <summary>The lowest level that occurs; NaN when nothing was counted.</summary>
    public double Min => LevelAt(Array.FindIndex(Counts, count => count > 0));

    /// <summary>The highest level that occurs; NaN when nothing was counted.</summary>
    public double Max => LevelAt(Array.FindLastIndex(Counts, count => count > 0));

    /// <summary>Mean grey level (of the bin centres); NaN when nothing was counted.</summary>
    public double Mean
    {
        get
        {
            var sum = 0.0;
            for (var bin = 0; bin < Bins; bin++) sum += Counts[bin] * LevelOf(bin);
            return sum / Total;
        }
    }

    /// <summary>The histogram of a whole stack. Floats are read twice: for their range, then to count.</summary>
    public static Histogram OfStack(IVolume source, Traversal walk)
    {
        switch (source)
        {
            case IVolume<byte> bytes:
                return Sum(bytes, walk, () => new(new long[256]), (h, slice) => h.Count(slice));
            case IVolume<ushort> words:
                return Sum(words, walk, () => new(new long[65536]), (h, slice) => h.Count(slice));
            default:
                var floats = source.AsFloat();
                var (low, high) = Range(floats, walk);
                return Sum(floats, walk, () => OfRange(low, high), (h, slice) => h.Count(slice));
        }
    }

    /// <summary>The histogram of slice <paramref name="z"/>; for floats over the range of that slice.</summary>
    public static Histogram OfSlice(IVolume source, int z) => source switch
    {
        IVolume<byte> bytes => Of<byte>(Slice(bytes, z)),
        IVolume<ushort> words => Of<ushort>(Slice(words, z)),
        _ => Of<float>(Slice(source.AsFloat(), z)),
    };

    /// <summary>The histogram of some voxels (byte, ushort or float).</summary>
    public static Histogram Of<T>(ReadOnlySpan<T> voxels) where T : unmanaged
    {
        var histogram = PixelTypes.Of<T>() switch
        {
            PixelType.UInt8 => new(new long[256]),
            PixelType.UInt16 => new(new long[65536]),
            _ => OfRange(Range(MemoryMarshal.Cast<T, float>(voxels))),
        };
        histogram.Count(voxels);
        return histogram;
    }

    /// <summary>The grey level that a bin stands for.</summary>
    public double LevelOf(int bin) => _low + bin * _step;

    /// <summary>The bin that a grey level falls into; the first or last one beyond the range.</summary>
    public int BinOf(double level) => _step > 0 ? (int)Math.Clamp(Math.Round((level - _low) / _step), 0, Bins - 1) : 0;

    /// <summary>
    /// The lowest level at or below which at least <paramref name="percent"/> % of the voxels lie (0 gives the minimum, 100 the maximum; the
    /// inverse of the cumulative distribution, nothing interpolated). NaN when nothing was counted.
    /// </summary>
    public double Percentile(double percent)
    {
        if (!(percent is >= 0 and <= 100)) throw new InputError($"percentile is {percent}; it must be 0 to 100.");
        var wanted = Math.Max(1, Math.Ceiling(percent / 100 * Total));
        long below = 0;
        for (var bin = 0; bin < Bins; bin++)
        {
            below += Counts[bin];
            if (below >= wanted) return LevelOf(bin);
        }
        return double.NaN;
    }

    /// <summary>Adds the counts of another histogram over the same levels.</summary>
    public void Add(Histogram other)
    {
        if (other.Bins != Bins || other._low != _low || other._step != _step)
            throw new ArgumentException("the two have different levels", nameof(other));
        for (var bin = 0; bin < Bins; bin++) Counts[bin] += other.Counts[bin];
        Total += other.Total;
    }

    private double LevelAt(int bin) => bin < 0 ? double.NaN : LevelOf(bin);

    private void Count<T>(ReadOnlySpan<T> voxels) where T : unmanaged
    {
        switch (PixelTypes.Of<T>())
        {
            case PixelType.UInt8:
                Count(MemoryMarshal.Cast<T, byte>(voxels));
                break;
            case PixelType.UInt16:
                foreach (var level in MemoryMarshal.Cast<T, ushort>(voxels)) Counts[level]++;
                Total += voxels.Length;
                break;
            default:
                foreach (var level in MemoryMarshal.Cast<T, float>(voxels))
                {
                    if (!float.IsFinite(level)) continue;
                    Counts[BinOf(level)]++;
                    Total++;
                }
                break;
        }
    }

    // four tables in turn: equal neighbours would else wait for each other's store
    private void Count(ReadOnlySpan<byte> voxels)
    {
        Span<int> tables = stackalloc int[4 * 256];
        tables.Clear();
        for (var i = 0; i < voxels.Length; i++) tables[(i & 3) << 8 | voxels[i]]++;
        for (var i = 0; i < tables.Length; i++) Counts[i & 255] += tables[i];
        Total += voxels.Length;
    }

    private static Histogram OfRange((float Low, float High) range) => OfRange(range.Low, range.High);

    private static Histogram OfRange(float low, float high) =>
        low <= high ? new(new long[FloatBins], low, ((double)high - low) / (FloatBins - 1)) : new(new long[FloatBins]);

    private static T[] Slice<T>(IVolume<T> source, int z) where T : unmanaged
    {
        var voxels = new T[source.Info.Size.SliceCount];
        source.Read(Box.Slice(source.Info.Size, z), voxels);
        return voxels;
    }

    private delegate void Counting<T>(Histogram histogram, ReadOnlySpan<T> slice);

    private static Histogram Sum<T>(IVolume<T> source, Traversal walk, Func<Histogram> empty, Counting<T> count) where T : unmanaged
    {
        var sum = empty();
        var voxels = (int)source.Info.Size.SliceCount;
        Blocks.ForEachSlice(source, walk, (_, slice) =>
        {
            var part = empty();
            count(part, slice.AsSpan(0, voxels));
            lock (sum) sum.Add(part);
        });
        return sum;
    }

    private static (float Low, float High) Range(IVolume<float> source, Traversal walk)
    {
        var ranges = new (float Low, float High)[source.Info.Size.Z];
        var voxels = (int)source.Info.Size.SliceCount;
        Blocks.ForEachSlice(source, walk, (z, slice) => ranges[z] = Range(slice.AsSpan(0, voxels)));
        return (ranges.Min(r => r.Low), ranges.Max(r => r.High));
    }

    // low above high when there is no finite value
    private static (float Low, float High) Range(ReadOnlySpan<float> voxels)
    {
        var (low, high) = (float.MaxValue, float.MinValue);
        foreach (var level in voxels)
        {
            if (!float.IsFinite(level)) continue;
            if (level < low) low = level;
            if (level > high) high = level;
        }
        return (low, high);
    }
}
