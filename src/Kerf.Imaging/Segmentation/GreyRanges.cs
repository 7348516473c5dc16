using System.Globalization;
using System.Runtime.InteropServices;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Grey values from <paramref name="Low"/> up to, but without, <paramref name="High"/> belong to phase <paramref name="Label"/>.</summary>
public readonly record struct GreyRange(int Label, double Low, double High)
{
    /// <summary>Reads "LABEL=low..high"; a missing end is open: "1=..28", "3=77..".</summary>
    /// <exception cref="InputError">The text is no range.</exception>
    public static GreyRange Parse(string text)
    {
        var wrong = new InputError(
            $"ranges: \"{text}\" is not a range; write LABEL=low..high with a label of 1 to 255 and low below high, like 1=0..28.");
        var equals = text.Split('=', StringSplitOptions.TrimEntries);
        var ends = equals.Length == 2 ? equals[1].Split("..", StringSplitOptions.TrimEntries) : [];
        if (ends.Length != 2 || !int.TryParse(equals[0], NumberStyles.None, CultureInfo.InvariantCulture, out var label)) throw wrong;
        var range = new GreyRange(label, End(ends[0], double.NegativeInfinity), End(ends[1], double.PositiveInfinity));
        return label is >= 1 and <= 255 && range.Low < range.High ? range : throw wrong;

        double End(string end, double open) =>
            end.Length == 0 ? open : double.TryParse(end, NumberStyles.Float, CultureInfo.InvariantCulture, out var level) ? level : throw wrong;
    }

    /// <summary>"LABEL=low..high".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Label}={(double.IsInfinity(Low) ? "" : Low)}..{(double.IsInfinity(High) ? "" : High)}");
}

/// <summary>Grey value → label, from half-open ranges. What lies in none of them (NaN too) gets label 0.</summary>
public sealed class GreyRanges
{
    private readonly double[] _bounds;
    private readonly byte[] _labels;
    private byte[]? _table;

    /// <summary>Ranges in any order; one phase may own several.</summary>
    /// <exception cref="InputError">Two ranges overlap.</exception>
    public GreyRanges(IEnumerable<GreyRange> ranges)
    {
        var sorted = ranges.OrderBy(range => range.Low).ToArray();
        var bounds = new List<double>();
        var labels = new List<byte> { 0 };
        for (var i = 0; i < sorted.Length; i++)
        {
            if (i > 0 && sorted[i].Low < sorted[i - 1].High)
                throw new InputError($"ranges: {sorted[i - 1]} and {sorted[i]} overlap; a range ends below its high, so write 1=0..28 and 2=28..49.");
            if (i > 0 && sorted[i].Low == sorted[i - 1].High) labels.RemoveAt(labels.Count - 1);
            else bounds.Add(sorted[i].Low);
            bounds.Add(sorted[i].High);
            labels.AddRange([(byte)sorted[i].Label, 0]);
        }
        (_bounds, _labels) = ([.. bounds], [.. labels]);
    }

    /// <summary>Label 1 below the first threshold, 2 from there to the second, and so on.</summary>
    /// <exception cref="InputError">The thresholds do not ascend.</exception>
    public static GreyRanges Between(IReadOnlyList<double> thresholds)
    {
        var ranges = new GreyRange[thresholds.Count + 1];
        for (var i = 0; i < ranges.Length; i++)
        {
            var low = i == 0 ? double.NegativeInfinity : thresholds[i - 1];
            var high = i == thresholds.Count ? double.PositiveInfinity : thresholds[i];
            if (!(low < high)) throw new InputError(FormattableString.Invariant($"thresholds: {low} is followed by {high}; they must ascend."));
            ranges[i] = new(i + 1, low, high);
        }
        return new(ranges);
    }

    /// <summary>The label of a grey value.</summary>
    public byte Of(double grey)
    {
        var i = 0;
        while (i < _bounds.Length && grey >= _bounds[i]) i++;
        return double.IsNaN(grey) ? (byte)0 : _labels[i];
    }

    /// <summary>Labels a row of bytes, ushorts or floats.</summary>
    public void Apply<T>(ReadOnlySpan<T> grey, Span<byte> labels) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            var floats = MemoryMarshal.Cast<T, float>(grey);
            for (var i = 0; i < floats.Length; i++) labels[i] = Of(floats[i]);
            return;
        }
        var table = _table ??= [.. Enumerable.Range(0, 65536).Select(level => Of(level))];
        if (typeof(T) == typeof(byte))
        {
            var bytes = MemoryMarshal.AsBytes(grey);
            for (var i = 0; i < bytes.Length; i++) labels[i] = table[bytes[i]];
        }
        else
        {
            var words = MemoryMarshal.Cast<T, ushort>(grey);
            for (var i = 0; i < words.Length; i++) labels[i] = table[words[i]];
        }
    }

    /// <summary>The grey volume seen as labels; nothing is copied.</summary>
    public IVolume<byte> View(IVolume grey) => grey switch
    {
        IVolume<byte> bytes => new Labelled<byte>(bytes, this),
        IVolume<ushort> words => new Labelled<ushort>(words, this),
        _ => new Labelled<float>(grey.AsFloat(), this),
    };

    /// <summary>Labels a whole volume.</summary>
    /// <param name="grey">Grey values of any type.</param>
    /// <param name="target">Takes the labels.</param>
    /// <param name="ofSlice">The ranges of each slice.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static void Apply(IVolume grey, IWritableVolume<byte> target, Func<int, GreyRanges> ofSlice, Traversal walk)
    {
        switch (grey)
        {
            case IVolume<byte> bytes: Apply(bytes, target, ofSlice, walk); break;
            case IVolume<ushort> words: Apply(words, target, ofSlice, walk); break;
            default: Apply(grey.AsFloat(), target, ofSlice, walk); break;
        }
    }

    private static void Apply<T>(IVolume<T> grey, IWritableVolume<byte> target, Func<int, GreyRanges> ofSlice, Traversal walk) where T : unmanaged =>
        Blocks.Map<T, byte>(grey, target, default, Border.Zero, walk, (block, labels) =>
        {
            var plane = (int)block.Inner.Size.SliceCount;
            for (var z = 0; z < block.Inner.Size.Z; z++)
                ofSlice(block.Inner.Start.Z + z).Apply(block.Voxels.Slice(z * plane, plane), labels.Slice(z * plane, plane));
        });

    private sealed class Labelled<T>(IVolume<T> grey, GreyRanges ranges) : IVolume<byte> where T : unmanaged
    {
        public VolumeInfo Info { get; } = grey.Info with { Type = PixelType.UInt8 };

        public void Read(Box box, Span<byte> target)
        {
            var count = checked((int)box.Count);
            if (grey is IVolume<byte> bytes)
            {
                bytes.Read(box, target);
                ranges.Apply<byte>(target[..count], target);
                return;
            }
            var buffer = System.Buffers.ArrayPool<T>.Shared.Rent(count);
            grey.Read(box, buffer);
            ranges.Apply<T>(buffer.AsSpan(0, count), target);
            System.Buffers.ArrayPool<T>.Shared.Return(buffer);
        }
    }
}
