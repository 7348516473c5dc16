using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Curve skeleton by thinning in the order of the distance map: voxels are taken from the wall inwards while that changes no topology and does not eat
/// the end of a curve (Pudney 1998, doi:10.1006/cviu.1998.0680). One result whatever the threads: ties fall to the parity of z, y, x, then to the first voxel.
/// </summary>
internal static class Thinning
{
    /// <summary>The voxels of the skeleton, ascending; <paramref name="mask"/> (not 0 = in the phase) is thinned to them.</summary>
    public static int[] Thin(byte[] mask, float[] squared, Size3 size, Traversal walk)
    {
        var left = OutermostFirst(squared, size);
        var all = Math.Max(1, left.Length);
        for (var before = -1; left.Length != before;)
        {
            before = left.Length;
            var kept = 0;
            for (var i = 0; i < left.Length; i++)
            {
                if ((i & 0xfffff) == 0) walk.Cancellation.ThrowIfCancellationRequested();
                var voxel = left[i];
                var around = Neighbourhood(mask, size, voxel);
                // an end has one neighbour; a lone voxel stays
                if (System.Numerics.BitOperations.PopCount(around & ~SimplePoint.Centre) > 1 && SimplePoint.Is(around)) mask[voxel] = 0;
                else left[kept++] = voxel;
            }
            Array.Resize(ref left, kept);
            walk.Progress?.Report(1 - (double)kept / all);
        }
        Array.Sort(left);
        return left;
    }

    /// <summary>A bit per voxel of the 3×3×3 neighbourhood that is in the mask; outside the volume is nothing.</summary>
    public static uint Neighbourhood(byte[] mask, Size3 size, int voxel)
    {
        var (z, y, x) = (voxel / (size.Y * size.X), voxel / size.X % size.Y, voxel % size.X);
        var (bits, bit) = (0u, 0);
        for (var k = z - 1; k <= z + 1; k++)
        {
            for (var j = y - 1; j <= y + 1; j++, bit += 3)
            {
                if ((uint)k >= size.Z || (uint)j >= size.Y) continue;
                var row = (k * size.Y + j) * size.X + x;
                if (x > 0 && mask[row - 1] != 0) bits |= 1u << bit;
                if (mask[row] != 0) bits |= 2u << bit;
                if (x < size.X - 1 && mask[row + 1] != 0) bits |= 4u << bit;
            }
        }
        return bits;
    }

    // by counting; within a level by the parity of z, y and x, so that no voxel is followed by its neighbour: a sweep would eat a free end whole
    private static int[] OutermostFirst(float[] squared, Size3 size)
    {
        var highest = 0f;
        foreach (var value in squared) highest = Math.Max(highest, value);
        var first = new int[8 * ((int)MathF.Ceiling(highest) + 1) + 1];
        ForEach((_, key) => first[key + 1]++);
        for (var key = 1; key < first.Length; key++) first[key] += first[key - 1];
        var order = new int[first[^1]];
        ForEach((voxel, key) => order[first[key]++] = voxel);
        return order;

        void ForEach(Action<int, int> body)
        {
            for (int z = 0, i = 0; z < size.Z; z++)
            {
                for (var y = 0; y < size.Y; y++)
                {
                    for (var x = 0; x < size.X; x++, i++)
                    {
                        if (squared[i] > 0) body(i, 8 * (int)MathF.Ceiling(squared[i]) + ((z & 1) << 2 | (y & 1) << 1 | x & 1));
                    }
                }
            }
        }
    }
}
