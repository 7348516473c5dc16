using System.Collections.Concurrent;
using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What a prediction writes besides labels; each is filled when given.</summary>
public sealed record ForestMaps
{
    /// <summary>The probability of each phase, in the model's order.</summary>
    public IReadOnlyList<IWritableVolume<float>>? Probabilities { get; init; }

    /// <summary>1 − (p₁ − p₂), with the two highest probabilities: 0 where all trees agree, 1 where two phases tie.</summary>
    public IWritableVolume<float>? Uncertainty { get; init; }
}

/// <summary>
/// Classifies every voxel of a specimen with a trained forest. Features and forest go together block by block: features live for one slice of one
/// block, and memory does not grow with the volume.
/// </summary>
public static class ForestPrediction
{
    // the halo weighs least on large blocks, what filters keep between slices stays in the caches on small ones (measured best: 64×64×128); smaller ones for small budgets
    private static readonly Size3[] Edges = [new(64, 64, 128), new(48, 48, 96), new(32, 32, 64), new(16, 32, 32)];

    /// <summary>Writes the label of the most probable phase (the first of equals) of each voxel, and the maps asked for. Border: mirror.</summary>
    /// <param name="model">The forest.</param>
    /// <param name="channels">The channels it was trained on, in that order.</param>
    /// <param name="labels">Regions that are durable already in all targets are skipped.</param>
    /// <param name="maps">Further targets.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <returns>Voxels classified per second; 0 when there was nothing left to do.</returns>
    /// <exception cref="InputError">The stack does not fit the model, or the memory budget is too small.</exception>
    public static double Run(ForestModel model, IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, ForestMaps maps, Traversal walk)
    {
        model.Check(channels);
        var clock = Stopwatch.StartNew();
        var size = labels.Info.Size;
        IVolume<float>[] sources = [.. channels.Select(c => c.AsFloat())];
        var (edge, threads) = Plan(model, size, walk);
        var grid = new BlockGrid(size, edge);
        var idle = new ConcurrentBag<Worker>();
        var done = 0L;
        walk.ForEach(grid.Count, item =>
        {
            var inner = grid[item];
            if (labels.IsWritten(inner) && maps.Uncertainty?.IsWritten(inner) != false && maps.Probabilities?.All(p => p.IsWritten(inner)) != false) return;
            if (!idle.TryTake(out var worker)) worker = new(model, maps);
            worker.Predict(sources, inner, labels);
            idle.Add(worker);
            Interlocked.Add(ref done, inner.Count);
        }, threads);
        return done / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Threads that half the budget holds; the other half is left to the caches of the volumes.</summary>
    internal static int Affordable(long bytes, Traversal walk) => walk.MemoryBytes / 2 / bytes is >= 1 and var n ? (int)Math.Min(n, walk.Threads) : throw new InputError(
        $"memory budget of {walk.MemoryBytes >> 20} MiB is too small: the features of one block need {(2 * bytes >> 20) + 1} MiB. Raise --memory.");

    private static (Size3 Edge, int Threads) Plan(ForestModel model, Size3 volume, Traversal walk)
    {
        foreach (var deep in Edges)
        {
            var largest = volume.Z >= deep.Z ? deep : deep with { Y = 2 * deep.Y };
            var edge = Size3.Min(Size3.Min(largest, Size3.Cube(walk.BlockEdge)), volume);
            var bytes = SignalFeatures.Bytes(model.Features, model.Channels.Count, edge) + edge.Count * (1 + sizeof(float) * (model.Phases.Count + 1)) + (2 << 20);
            if (deep == Edges[^1] || walk.MemoryBytes / 2 / bytes >= walk.Threads) return (edge, Affordable(bytes, walk));
        }
        throw new UnreachableException();
    }

    // one per thread
    private sealed class Worker(ForestModel model, ForestMaps maps)
    {
        private readonly SignalFeatures _features = new(model.Features, model.Channels.Count);
        private readonly ForestTraversal _traversal = new(model.Forest);
        private readonly BinQuantiser _quantiser = new(model.Forest.Bins);
        private byte[] _labels = [];
        private readonly float[][] _probabilities = [.. Enumerable.Range(0, maps.Probabilities?.Count ?? 0).Select(_ => Array.Empty<float>())];
        private float[] _uncertainty = [];

        public void Predict(IReadOnlyList<IVolume<float>> channels, Box inner, IWritableVolume<byte> labels)
        {
            var count = (int)inner.Count;
            ScaleFilter.Ensure(ref _labels, count);
            ScaleFilter.Ensure(ref _uncertainty, maps.Uncertainty is null ? 0 : count);
            for (var c = 0; c < _probabilities.Length; c++) ScaleFilter.Ensure(ref _probabilities[c], count);
            _features.Load(channels, inner);
            for (var z = 0; z < inner.Size.Z; z++)
            {
                _features.Emit(z);
                for (var start = 0; start < _features.Plane; start += _traversal.Tile)
                {
                    var voxels = Math.Min(_traversal.Tile, _features.Plane - start);
                    for (var f = 0; f < _features.Count; f++) _traversal.Take(_quantiser, f, _features.Values(f).Slice(start, voxels));
                    _traversal.Vote(winnerOnly: maps.Probabilities is null && maps.Uncertainty is null);
                    Judge(inner.Size, z, start, voxels);
                }
            }
            // labels last: once they are there, the block is done
            for (var c = 0; c < _probabilities.Length; c++) maps.Probabilities![c].Write(inner, _probabilities[c].AsSpan(0, count));
            maps.Uncertainty?.Write(inner, _uncertainty.AsSpan(0, count));
            labels.Write(inner, _labels.AsSpan(0, count));
        }

        private void Judge(Size3 block, int z, int start, int voxels)
        {
            var whole = 1.0 / ((long)model.Forest.Trees.Count * DecisionTree.One);
            for (var v = 0; v < voxels; v++)
            {
                var (y, x) = Math.DivRem(start + v, _features.Stride);
                if (x >= block.X) continue;
                var at = (z * block.Y + y) * block.X + x;
                var votes = _traversal.Votes.AsSpan(v * _traversal.VoteStride, model.Phases.Count);
                var (best, first, second) = (0, -1, 0);
                for (var c = 0; c < votes.Length; c++)
                {
                    if (votes[c] > first) (best, second, first) = (c, first, votes[c]);
                    else if (votes[c] > second) second = votes[c];
                }
                _labels[at] = (byte)model.Phases[best].Label;
                if (maps.Uncertainty is not null) _uncertainty[at] = (float)(1 - (first - second) * whole);
                for (var c = 0; c < _probabilities.Length; c++) _probabilities[c][at] = (float)(votes[c] * whole);
            }
        }
    }
}
