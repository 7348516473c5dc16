using System.Collections.Concurrent;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Walks planes in order and hands each the fields of the slices that it is made of, each computed once or seldom more.</summary>
internal static class FillTraversal
{
    /// <summary>Calls <paramref name="make"/> for each plane that is not written yet.</summary>
    /// <param name="source">Holds the slices at planes <paramref name="knots"/>.</param>
    /// <param name="target">Receives the planes.</param>
    /// <param name="knots">Planes of the source that hold slices.</param>
    /// <param name="step">Distance of target planes in source planes.</param>
    /// <param name="method">How planes between are weighted.</param>
    /// <param name="reach">Slices on each side.</param>
    /// <param name="fieldBytes">Bytes that <paramref name="load"/> keeps of one slice.</param>
    /// <param name="load">A slice's plane number → its fields.</param>
    /// <param name="make">Weights, fields of the weighted slices, result: an array that holds what it held.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    public static void Run<TVoxel, TField>(
        IVolume<TVoxel> source, IWritableVolume<TVoxel> target, int[] knots, double step, FillMethod method, int reach, long fieldBytes,
        Func<TVoxel[], TField> load, Action<KnotWeights, TField[], TVoxel[]> make, Traversal walk)
        where TVoxel : unmanaged
    {
        var size = source.Info.Size;
        var count = checked((int)size.SliceCount);
        var window = method switch { FillMethod.Nearest => 1, FillMethod.Linear or FillMethod.Flow => 2, _ => 2 * reach };
        var affordable = walk.MemoryBytes / 2 / Math.Max(1, fieldBytes);
        if (affordable < window + 2)
        {
            throw new InputError($"fill: memory budget of {walk.MemoryBytes >> 20} MiB is too small: {window + 2} slices of {size.Y}×{size.X} need {2 * (window + 2) * fieldBytes >> 20} MiB. Raise --memory.");
        }
        var kept = new ConcurrentDictionary<int, Lazy<TField>>();
        // planes are large, and making room for each anew would cost more than filling it
        var spare = new ConcurrentBag<TVoxel[]>();
        var capacity = (int)Math.Min(affordable, window + 2 * walk.Threads + 2);
        walk.ForEach(target.Info.Size.Z, z =>
        {
            var box = Box.Slice(target.Info.Size, z);
            if (target.IsWritten(box)) return;
            var weights = KnotWeights.Of(method, knots, z * step, reach);
            if (!spare.TryTake(out var result)) result = new TVoxel[count];
            if (weights.Weights.Length == 1) source.Read(Box.Slice(size, knots[weights.First]), result);
            else make(weights, [.. Enumerable.Range(weights.First, weights.Weights.Length).Select(Field)], result);
            target.Write(box, result);
            spare.Add(result);
        });

        TField Field(int knot)
        {
            var field = kept.GetOrAdd(knot, number => new(() =>
            {
                var voxels = new TVoxel[count];
                source.Read(Box.Slice(size, knots[number]), voxels);
                return load(voxels);
            })).Value;
            // planes come in ascending order, so the lowest slice is the first that nobody asks for again
            if (kept.Count > capacity) kept.TryRemove(kept.Keys.Min(), out _);
            return field;
        }
    }
}
