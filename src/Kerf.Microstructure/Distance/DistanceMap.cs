using System.Numerics.Tensors;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// Exact Euclidean distance of each voxel of a phase to the nearest voxel of anything else, centre to centre, on voxels of any shape; 0 outside the
/// phase. Outside the volume there is nothing: its border is no wall (as in scipy and PoreSpy). Lengths are nanometres, or voxels where the voxel
/// size is unknown. Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019; see <c>docs/methods/distance.md</c>.
/// </summary>
public static class DistanceMap
{
    private const int FirstHalo = 32;

    // per voxel of a slab: its distance, and its mask while it is read
    private const int SlabBytes = 5;

    /// <summary>The distance map of a mask (not 0 = in the phase) in memory: 4 bytes per voxel.</summary>
    /// <exception cref="InputError">The phase fills the volume, or the volume fits no array.</exception>
    public static Volume<float> Of(IVolume<byte> mask, Traversal walk)
    {
        var map = new Volume<float>(mask.Info with { Phases = null });
        Write(mask, map, walk with { MemoryBytes = long.MaxValue }, map.Data);
        return map;
    }

    /// <summary>
    /// Writes the distance map of a mask slab by slab, 5 bytes per voxel of a slab. A slab sees slices beyond its own, and more of them until it
    /// is sure that none further away can be nearer; so the slabs do not show in the result.
    /// </summary>
    /// <exception cref="InputError">The phase fills the volume, or the budget does not hold a slab as thick as the largest distance.</exception>
    public static void Write(IVolume<byte> mask, IWritableVolume<float> target, Traversal walk) => Write(mask, target, walk, null);

    /// <summary>Squared distances of the whole volume in units of the x edge: 4 bytes per voxel.</summary>
    internal static float[] Squared(IVolume<byte> mask, Traversal walk)
    {
        var squared = GC.AllocateUninitializedArray<float>(checked((int)mask.Info.Size.Count));
        SquaredDistance.Fill(mask, Box.Whole(mask.Info.Size), squared, Lengths.Voxel(mask.Info), walk);
        return float.IsPositiveInfinity(squared[0]) ? throw Filled() : squared;
    }

    /// <summary>The largest distance of the map, found in slabs that fit <paramref name="buffer"/>.</summary>
    internal static double Largest(IVolume<byte> mask, float[] buffer, Traversal walk)
    {
        var largest = 0f;
        Slabs(mask, walk with { MemoryBytes = 2L * SlabBytes * buffer.Length }, buffer, (squared, region, first, depth) =>
        {
            var plane = mask.Info.Size.SliceCount;
            // a slice at a time: a span of floats ends at 2^31, a slab need not
            for (var z = first; z < first + depth; z++)
                largest = Math.Max(largest, TensorPrimitives.Max<float>(squared.AsSpan((int)((z - region.Start.Z) * plane), (int)plane)));
        });
        return Math.Sqrt(largest) * Lengths.Voxel(mask.Info).X;
    }

    /// <summary>Called with squared distances in units of the x edge, the region they fill, and the slices of it (first, count) that are sure.</summary>
    internal delegate void Slab(float[] squared, Box region, int first, int depth);

    private static void Write(IVolume<byte> mask, IWritableVolume<float> target, Traversal walk, float[]? whole) =>
        Slabs(mask, walk, whole, (squared, region, first, depth) => Root(squared, region, first, depth, target, (float)Lengths.Voxel(mask.Info).X, walk));

    private static void Slabs(IVolume<byte> mask, Traversal walk, float[]? whole, Slab body)
    {
        var (size, voxel) = (mask.Info.Size, Lengths.Voxel(mask.Info));
        var affordable = (int)Math.Min(size.Z, Math.Min(walk.MemoryBytes / 2 / (SlabBytes * size.SliceCount), Array.MaxLength / size.SliceCount));
        var halo = affordable == size.Z ? 0 : Math.Clamp((affordable - 1) / 4, 1, FirstHalo);
        float[]? kept = null;
        for (var z = 0; z < size.Z;)
        {
            var depth = Math.Min(affordable - 2 * halo, size.Z - z);
            if (depth < 1) throw TooLittle(mask, walk);
            var start = Math.Max(0, z - halo);
            var region = Box.Slices(size, start, Math.Min(size.Z, z + depth + halo) - start);
            var squared = whole ?? Buffer(region, ref kept);
            SquaredDistance.Fill(mask, region, squared, voxel, walk.Part((double)z / size.Z, (double)(z + depth) / size.Z));
            if (Sure(squared, region, z, depth, size, voxel, walk))
            {
                body(squared, region, z, depth);
                z += depth;
            }
            else halo = Math.Min(2 * halo, (affordable - 1) / 2) is var wider && wider > halo ? wider : throw TooLittle(mask, walk);
        }
    }

    private static float[] Buffer(Box region, ref float[]? kept)
    {
        if (kept is null || kept.Length < region.Count) kept = GC.AllocateUninitializedArray<float>(checked((int)region.Count));
        return kept;
    }

    // no slice outside the region can hold anything nearer than what was found
    private static bool Sure(float[] squared, Box region, int first, int depth, Size3 size, VoxelSize voxel, Traversal walk)
    {
        var plane = (int)size.SliceCount;
        var weight = (double)SquaredDistance.Weights(voxel).Z;
        var unsure = 0;
        (walk with { Progress = null }).ForEach(depth, slice =>
        {
            var z = first + slice;
            var below = region.Start.Z == 0 ? double.PositiveInfinity : z - region.Start.Z + 1;
            var above = region.End.Z == size.Z ? double.PositiveInfinity : region.End.Z - z;
            var limit = Math.Min(below, above);
            var largest = TensorPrimitives.Max<float>(squared.AsSpan((int)((long)(z - region.Start.Z) * plane), plane));
            if (float.IsPositiveInfinity(largest) || largest > weight * limit * limit) Interlocked.Exchange(ref unsure, 1);
        });
        return unsure == 0;
    }

    private static void Root(float[] squared, Box region, int first, int depth, IWritableVolume<float> target, float edge, Traversal walk)
    {
        var size = target.Info.Size;
        var plane = (int)size.SliceCount;
        (walk with { Progress = null }).ForEach(depth, slice =>
        {
            var voxels = squared.AsSpan((int)((long)(first + slice - region.Start.Z) * plane), plane);
            TensorPrimitives.Sqrt(voxels, voxels);
            if (edge != 1) TensorPrimitives.Multiply(voxels, edge, voxels);
            if (target is not Volume<float> { Data: var data } || !ReferenceEquals(data, squared)) target.Write(Box.Slice(size, first + slice), voxels);
        });
    }

    internal static InputError Filled() => new("distance: every voxel is of the phase; there is nothing to measure the distance to. Choose another with --phase.");

    private static InputError TooLittle(IVolume<byte> mask, Traversal walk)
    {
        var size = mask.Info.Size;
        var slice = new byte[size.SliceCount];
        for (var z = 0; z < size.Z; z++)
        {
            mask.Read(Box.Slice(size, z), slice);
            if (slice.AsSpan().Contains((byte)0)) return new(
                $"distance: a memory budget of {walk.MemoryBytes >> 20} MiB does not hold as many slices of {size.Y}×{size.X} as the largest distance spans; "
                + $"{(2 * SlabBytes * size.Count >> 20) + 1} MiB hold the whole volume. Raise --memory.");
        }
        return Filled();
    }
}
