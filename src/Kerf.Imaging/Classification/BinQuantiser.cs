using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>
/// Puts rows of feature values into bins: the binary search of <see cref="FeatureBins.Bin"/> without branches, four values side by side. A feature's thresholds
/// are filled up to 255 with infinity, which no value exceeds, so that every search takes eight steps.
/// </summary>
internal sealed class BinQuantiser
{
    private readonly float[] _thresholds;

    public BinQuantiser(FeatureBins bins)
    {
        _thresholds = new float[bins.Features * FeatureBins.Most];
        Array.Fill(_thresholds, float.PositiveInfinity);
        for (var f = 0; f < bins.Features; f++) bins.Thresholds(f).CopyTo(_thresholds.AsSpan(f * FeatureBins.Most));
    }

    /// <summary>Writes the bin of value i of a feature to <paramref name="target"/>[i·stride].</summary>
    public void Bin(int feature, ReadOnlySpan<float> values, Span<byte> target, int stride)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(target.Length, (values.Length - 1) * stride);
        ref var thresholds = ref _thresholds[feature * FeatureBins.Most];
        ref var value = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(target);
        var i = 0;
        for (; i <= values.Length - 4; i += 4)
        {
            ref var four = ref Unsafe.Add(ref value, i);
            var (v0, v1, v2, v3) = (four, Unsafe.Add(ref four, 1), Unsafe.Add(ref four, 2), Unsafe.Add(ref four, 3));
            nint b0 = 0, b1 = 0, b2 = 0, b3 = 0;
            for (nint half = FeatureBins.Most / 2; half > 0; half >>= 1)
            {
                ref var middle = ref Unsafe.Add(ref thresholds, half - 1);
                b0 += v0 > Unsafe.Add(ref middle, b0) ? half : 0;
                b1 += v1 > Unsafe.Add(ref middle, b1) ? half : 0;
                b2 += v2 > Unsafe.Add(ref middle, b2) ? half : 0;
                b3 += v3 > Unsafe.Add(ref middle, b3) ? half : 0;
            }
            Unsafe.Add(ref to, i * stride) = (byte)b0;
            Unsafe.Add(ref to, (i + 1) * stride) = (byte)b1;
            Unsafe.Add(ref to, (i + 2) * stride) = (byte)b2;
            Unsafe.Add(ref to, (i + 3) * stride) = (byte)b3;
        }
        for (; i < values.Length; i++)
        {
            nint bin = 0;
            for (nint half = FeatureBins.Most / 2; half > 0; half >>= 1) bin += Unsafe.Add(ref value, i) > Unsafe.Add(ref thresholds, bin + half - 1) ? half : 0;
            Unsafe.Add(ref to, i * stride) = (byte)bin;
        }
    }
}
