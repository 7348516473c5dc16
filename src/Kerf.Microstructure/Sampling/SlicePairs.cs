using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>Gets a slice and the one after it (empty for the last); x fastest.</summary>
internal delegate void SlicePairWork(int z, ReadOnlySpan<byte> slice, ReadOnlySpan<byte> next);

/// <summary>Walks a volume two neighbouring slices at a time, for neighbourhoods of 2×2×2 voxels.</summary>
internal static class SlicePairs
{
    private const int Group = 16;

    /// <summary>Calls <paramref name="begin"/> for each group of slices; it returns the work for a pair of slices and what to do after the last.</summary>
    /// <param name="volume">What is read.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="begin">Called once per group, from several threads.</param>
    /// <param name="scratchBytes">Bytes that the work of one group allocates.</param>
    public static void ForEach(IVolume<byte> volume, Traversal walk, Func<(SlicePairWork Work, Action End)> begin, long scratchBytes = 0)
    {
        var size = volume.Info.Size;
        var affordable = Math.Max(1, walk.MemoryBytes / 2 / (2 * size.SliceCount + scratchBytes));
        walk.ForEach((size.Z + Group - 1) / Group, group =>
        {
            var (slice, next) = (new byte[size.SliceCount], new byte[size.SliceCount]);
            var (work, end) = begin();
            var (first, last) = (group * Group, Math.Min(size.Z, (group + 1) * Group));
            volume.Read(Box.Slice(size, first), slice);
            for (var z = first; z < last; z++)
            {
                var more = z + 1 < size.Z;
                if (more) volume.Read(Box.Slice(size, z + 1), next);
                work(z, slice, more ? next : []);
                (slice, next) = (next, slice);
            }
            end();
        }, (int)Math.Min(affordable, walk.Threads));
    }
}
