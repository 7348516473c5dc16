using System.Numerics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Median over a box-shaped window; mirrored border. Equals scipy's median_filter(mode="mirror"). It takes lone bright or dark voxels and keeps
/// straight edges.
/// </summary>
public static class MedianDenoising
{
    /// <summary>Writes the filtered volume.</summary>
    /// <param name="source">Grey values; exact for each type.</param>
    /// <param name="target">A volume of the same size.</param>
    /// <param name="radius">Half-width of the window along (z, y, x) in voxels; the window holds at most 1,331 voxels.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">A radius is below 0, or the window too large.</exception>
    public static void Filter(IVolume source, IVolume target, Size3 radius, Traversal walk)
    {
        var window = radius * 2 + Size3.Cube(1);
        if (Math.Min(radius.Z, Math.Min(radius.Y, radius.X)) < 0 || window.Count > 1331)
        {
            throw new InputError(
                $"median radius is {radius} voxels; each must be 0 or more, and the window hold at most 1331 voxels (radius 5 in 3-D).");
        }
        Blocks.Map<float, float>(source.AsFloat(), target.AsFloatTarget(), radius, Border.Mirror, walk, (block, output) =>
        {
            var (outer, inner) = (block.Outer.Size, block.Inner.Size);
            var offsets = Offsets(window, outer);
            var lanes = new Vector<float>[offsets.Length / 2 + 2];
            Span<float> last = stackalloc float[Vector<float>.Count];
            for (var row = 0; row < inner.Z * inner.Y; row++)
            {
                var from = (row / inner.Y * outer.Y + row % inner.Y) * outer.X;
                var to = output.Slice(row * inner.X, inner.X);
                for (var x = 0; x < to.Length; x += Vector<float>.Count)
                {
                    // the last vector starts early, so that it ends with the row; a row shorter than a vector goes through a copy
                    var at = Math.Max(0, Math.Min(x, to.Length - Vector<float>.Count));
                    var median = to.Length >= Vector<float>.Count
                        ? Of(block.Voxels, from + at, offsets, lanes)
                        : OfShort(block.Voxels, from, offsets, lanes);
                    median.CopyTo(last);
                    last[..Math.Min(last.Length, to.Length)].CopyTo(to[at..]);
                }
            }
        });
    }

    private static int[] Offsets(Size3 window, Size3 outer)
    {
        var offsets = new int[window.Count];
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = (i / (window.Y * window.X) * outer.Y + i / window.X % window.Y) * outer.X + i % window.X;
        return offsets;
    }

    // The median of n values can be neither the least nor the greatest of any n/2 + 2 of them: drop both, take in the next one, until one is
    // left. Only lane-wise minima and maxima, so a vector of voxels costs what one does.
    private static Vector<float> Of(ReadOnlySpan<float> voxels, int from, int[] offsets, Span<Vector<float>> lanes)
    {
        if (offsets.Length == 1) return new(voxels[from..]);
        var count = offsets.Length / 2 + 2;
        for (var i = 0; i < count; i++) lanes[i] = new(voxels[(from + offsets[i])..]);
        for (var next = count; ; next++)
        {
            DropExtremes(lanes[..count]);
            if (next >= offsets.Length) return lanes[1];
            lanes[0] = new(voxels[(from + offsets[next])..]);
            count--;
        }
    }

    // leaves the least in front and the greatest at the end
    private static void DropExtremes(Span<Vector<float>> lanes)
    {
        var half = lanes.Length / 2;
        for (var i = 0; i < half; i++) Order(ref lanes[i], ref lanes[lanes.Length - 1 - i]);
        for (var i = 1; i < lanes.Length - half; i++) Order(ref lanes[0], ref lanes[i]);
        for (var i = half; i < lanes.Length - 1; i++) Order(ref lanes[i], ref lanes[^1]);
    }

    private static void Order(ref Vector<float> a, ref Vector<float> b) => (a, b) = (Vector.MinNative(a, b), Vector.MaxNative(a, b));

    private static Vector<float> OfShort(ReadOnlySpan<float> voxels, int from, int[] offsets, Span<Vector<float>> lanes)
    {
        var copy = new float[offsets[^1] + Vector<float>.Count];
        voxels[from..Math.Min(voxels.Length, from + copy.Length)].CopyTo(copy);
        return Of(copy, 0, offsets, lanes);
    }
}
