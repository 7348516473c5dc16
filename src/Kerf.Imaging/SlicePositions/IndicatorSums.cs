using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Kerf.Imaging;

/// <summary>
/// Weighted sums of where slices hold a label. There are no more different sums than patterns of slices that hold it, 65536 of 16 slices: each is computed once for a plane and looked up by
/// every pixel, instead of sixteen multiplications.
/// </summary>
internal static class IndicatorSums
{
    // pixels at a time: their patterns stay in the nearest cache
    private const int Run = 4096;

    /// <summary>The label of the highest sum at each pixel; the earlier one on a tie, <paramref name="none"/> where no sum is above <paramref name="floor"/>.</summary>
    /// <param name="slices">At most 16.</param>
    /// <param name="weights">Of the slices; sums are taken in their order, in single precision.</param>
    /// <param name="none">A label.</param>
    /// <param name="labels">What is compared.</param>
    /// <param name="floor">What a sum must be above.</param>
    /// <param name="result">Receives the labels.</param>
    public static void Highest(byte[][] slices, double[] weights, byte none, byte[] labels, float floor, byte[] result)
    {
        var sums = ArrayPool<float>.Shared.Rent(1 << slices.Length);
        sums[0] = 0;
        for (var k = 0; k < slices.Length; k++)
            for (var pattern = 0; pattern < 1 << k; pattern++) sums[pattern | 1 << k] = sums[pattern] + (float)weights[k];
        Span<ushort> patterns = stackalloc ushort[Run];
        Span<float> highest = stackalloc float[Run];
        for (var from = 0; from < result.Length; from += Run)
        {
            var made = result.AsSpan(from, Math.Min(Run, result.Length - from));
            made.Fill(none);
            highest.Fill(floor);
            foreach (var label in labels)
            {
                Patterns(slices, label, from, patterns[..made.Length]);
                for (var i = 0; i < made.Length; i++)
                {
                    var sum = sums[patterns[i]];
                    if (sum > highest[i]) (highest[i], made[i]) = (sum, label);
                }
            }
        }
        ArrayPool<float>.Shared.Return(sums);
    }

    // bit k: slice k holds the label
    private static void Patterns(byte[][] slices, byte label, int from, Span<ushort> patterns)
    {
        patterns.Clear();
        for (var k = 0; k < slices.Length; k++)
        {
            var slice = slices[k].AsSpan(from, patterns.Length);
            var whole = patterns.Length / Vector<byte>.Count;
            var bytes = MemoryMarshal.Cast<byte, Vector<byte>>(slice);
            var words = MemoryMarshal.Cast<ushort, Vector<ushort>>(patterns);
            for (var i = 0; i < whole; i++)
            {
                Vector.Widen(Vector.Equals(bytes[i], new Vector<byte>(label)) & Vector<byte>.One, out var low, out var high);
                words[2 * i] |= low << k;
                words[2 * i + 1] |= high << k;
            }
            for (var i = whole * Vector<byte>.Count; i < slice.Length; i++)
                if (slice[i] == label) patterns[i] |= (ushort)(1 << k);
        }
    }
}
