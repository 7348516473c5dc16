using System.Buffers;
using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Local thickness: for each voxel of a phase the diameter of the largest ball that lies in the phase and covers the voxel (Hildebrand and
/// Rüegsegger 1997, doi:10.1046/j.1365-2818.1997.1340694.x); 0 outside. A ball is centred on a voxel, its radius is that voxel's distance to the
/// nearest voxel outside the phase, and it covers what is strictly nearer than its radius. Every radius that occurs is used. The volume's border is
/// no wall. Nanometres, or voxels where the voxel size is unknown. See <c>docs/methods/thickness.md</c>.
/// </summary>
public static class LocalThickness
{
    // slices that a thread paints at a time: their bits stay in the cache
    private const int Band = 16;

    /// <summary>Squared distances that agree to this share count as equal, so that rounding of voxel edges like 2, 3, 5 nm decides nothing.</summary>
    internal const float Tie = 1e-6f;

    // bytes per voxel of a region: its mask while it is read, its distances, the balls
    private const int RegionBytes = 6;

    /// <summary>The map in memory: 10 bytes per voxel while it is made, 4 in the end.</summary>
    /// <exception cref="InputError">The phase fills the volume, or the volume fits no array.</exception>
    public static Volume<float> Of(IVolume<byte> mask, Traversal walk)
    {
        var map = new Volume<float>(mask.Info with { Phases = null });
        Write(mask, map, walk with { MemoryBytes = long.MaxValue });
        return map;
    }

    /// <summary>Writes the map of a mask (not 0 = in the phase), within the memory budget: in slabs when the distances of the whole do not fit.</summary>
    /// <exception cref="InputError">The phase fills the volume, or the budget does not hold a slab of four times the largest distance.</exception>
    public static void Write(IVolume<byte> mask, IWritableVolume<float> target, Traversal walk) =>
        ForEachSlice(mask, walk, (z, thickness) => target.Write(Box.Slice(mask.Info.Size, z), thickness));

    /// <summary>Called with the local thickness of each slice, from several threads and in no fixed order.</summary>
    public delegate void SliceBody(int z, ReadOnlySpan<float> thickness);

    /// <summary>Computes the map and hands it out slice by slice; only slabs of it are ever held.</summary>
    /// <exception cref="InputError">As <see cref="Write"/>.</exception>
    public static void ForEachSlice(IVolume<byte> mask, Traversal walk, SliceBody body)
    {
        var (size, voxel) = (mask.Info.Size, Lengths.Voxel(mask.Info));
        var affordable = Math.Min(walk.MemoryBytes / 2 / (RegionBytes * size.SliceCount), Array.MaxLength / size.SliceCount);
        if (affordable >= size.Z)
        {
            Slab(mask, Box.Whole(size), 0, size.Z, size.Z, GC.AllocateUninitializedArray<float>((int)size.Count), walk, body);
            return;
        }
        var squared = GC.AllocateUninitializedArray<float>((int)(affordable * size.SliceCount));
        // balls that touch a slab begin up to one radius away, and what limits them lies up to another one beyond
        var reach = (int)Math.Ceiling(DistanceMap.Largest(mask, squared, walk.Part(0, 0.3)) / voxel.Z) + 1;
        var depth = (int)affordable - 4 * reach;
        if (depth < 1) throw new InputError(
            $"local thickness: the largest ball reaches over {reach} slices, and a memory budget of {walk.MemoryBytes >> 20} MiB holds {affordable} slices of "
            + $"{size.Y}×{size.X}; it takes {4 * reach + 1}. Raise --memory to {(2L * RegionBytes * size.SliceCount * Math.Min(size.Z, 4 * reach + Band) >> 20) + 1} MiB.");
        for (var z = 0; z < size.Z; z += depth)
        {
            var start = Math.Max(0, z - 2 * reach);
            var count = Math.Min(depth, size.Z - z);
            Slab(mask, Box.Slices(size, start, Math.Min(size.Z, z + count + 2 * reach) - start), z, count, reach, squared,
                walk.Part(0.3 + 0.7 * z / size.Z, 0.3 + 0.7 * (z + count) / size.Z), body);
        }
    }

    private static void Slab(IVolume<byte> mask, Box region, int first, int depth, int reach, float[] squared, Traversal walk, SliceBody body)
    {
        var (size, voxel) = (region.Size, Lengths.Voxel(mask.Info));
        var weights = SquaredDistance.Weights(voxel);
        SquaredDistance.Fill(mask, region, squared, voxel, walk.Part(0, 0.3));
        if (size == mask.Info.Size && float.IsPositiveInfinity(squared[0])) throw DistanceMap.Filled();
        var from = Math.Max(region.Start.Z, first - reach);
        var balls = new Ridge.Ball[Math.Min(region.End.Z, first + depth + reach) - from][];
        var largest = new float[balls.Length];
        walk.Part(0.3, 0.35).ForEach(balls.Length, i => largest[i] = TensorPrimitives.Max<float>(Slice(squared, size, from + i - region.Start.Z)));
        var ridge = new Ridge(largest.Max(), weights);
        walk.Part(0.35, 0.6).ForEach(balls.Length, i => balls[i] = ridge.OfSlice(squared, size, from + i - region.Start.Z, region.Start.Z));
        walk.Part(0.6, 1).ForEach((depth + Band - 1) / Band, band =>
        {
            var z = first + band * Band;
            var count = Math.Min(Band, first + depth - z);
            var painted = ArrayPool<float>.Shared.Rent((int)(count * size.SliceCount));
            new BallPainter(new(count, size.Y, size.X), z, weights, squared, z - region.Start.Z).Paint(balls, painted);
            for (var i = 0; i < count; i++)
            {
                var slice = painted.AsSpan((int)(i * size.SliceCount), (int)size.SliceCount);
                TensorPrimitives.Sqrt(slice, slice);
                TensorPrimitives.Multiply(slice, (float)(2 * voxel.X), slice);
                body(z + i, slice);
            }
            ArrayPool<float>.Shared.Return(painted);
        });
    }

    private static Span<float> Slice(float[] squared, Size3 size, int z) => squared.AsSpan((int)(z * size.SliceCount), (int)size.SliceCount);
}
