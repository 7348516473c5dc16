using System.Collections.Concurrent;
using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Writes features as volumes, for other tools: training and prediction never store them.</summary>
public static class FeatureExtraction
{
    /// <summary>Chunks that suit <see cref="Run"/>: blocks are made of whole ones, so that few are under construction at a time.</summary>
    public static readonly Size3 Chunk = new(16, 128, 128);

    private static readonly Size3[] Edges = [new(64, 128, 128), new(16, 128, 128)];

    /// <summary>Names of the features of a specimen, in their order.</summary>
    /// <param name="set">The features of one channel.</param>
    /// <param name="channels">Names of the channels; of several, the difference of the first two has features too.</param>
    public static IReadOnlyList<string> Names(FeatureSet set, IReadOnlyList<string> channels) => SignalFeatures.Names(set, channels);

    /// <summary>Computes every feature of every voxel. Border: mirror. Features as ilastik: see <see cref="FeatureSet"/>.</summary>
    /// <param name="channels">The channels on one grid.</param>
    /// <param name="set">The features of each.</param>
    /// <param name="targets">One per name; regions that are durable already in all are skipped.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <returns>Voxels per second; 0 when there was nothing left to do.</returns>
    /// <exception cref="InputError">The channels' extents differ, or the memory budget is too small.</exception>
    public static double Run(IReadOnlyList<IVolume> channels, FeatureSet set, IReadOnlyList<IWritableVolume<float>> targets, Traversal walk)
    {
        set.Check();
        var size = channels[0].Info.Size;
        if (channels.FirstOrDefault(c => c.Info.Size != size) is { } other)
            throw new InputError($"channels: one is {other.Info.Size} voxels, the first {size}; align and crop them to one grid first.");
        var clock = Stopwatch.StartNew();
        IVolume<float>[] sources = [.. channels.Select(c => c.AsFloat())];
        var (edge, threads) = Plan(set, channels.Count, size, walk);
        var grid = new BlockGrid(size, edge);
        var idle = new ConcurrentBag<SignalFeatures>();
        var done = 0L;
        walk.ForEach(grid.Count, item =>
        {
            var inner = grid[item];
            if (targets.All(t => t.IsWritten(inner))) return;
            if (!idle.TryTake(out var features)) features = new(set, channels.Count);
            features.Load(sources, inner);
            var plane = new float[inner.Size.SliceCount];
            for (var z = 0; z < inner.Size.Z; z++)
            {
                features.Emit(z);
                var slice = new Box(inner.Start + new Size3(z, 0, 0), inner.Size with { Z = 1 });
                for (var f = 0; f < targets.Count; f++)
                {
                    var values = features.Values(f);
                    for (var y = 0; y < inner.Size.Y; y++) values.Slice(y * features.Stride, inner.Size.X).CopyTo(plane.AsSpan(y * inner.Size.X));
                    targets[f].Write(slice, plane);
                }
            }
            idle.Add(features);
            Interlocked.Add(ref done, inner.Count);
        }, threads);
        return done / clock.Elapsed.TotalSeconds;
    }

    private static (Size3 Edge, int Threads) Plan(FeatureSet set, int channels, Size3 volume, Traversal walk)
    {
        // a block's chunks are under construction until its last slice
        long Bytes(Size3 edge) => SignalFeatures.Bytes(set, channels, edge)
            + SignalFeatures.Signals(channels) * set.Count * Size3.Min(Chunk, edge).Count * sizeof(float) * 2;
        var edges = Edges.Select(edge => Size3.Min(edge, volume)).ToArray();
        var chosen = walk.MemoryBytes / 2 / Bytes(edges[0]) >= walk.Threads ? edges[0] : edges[1];
        return (chosen, ForestPrediction.Affordable(Bytes(chosen), walk));
    }
}
