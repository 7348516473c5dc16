using System.Collections.Concurrent;
using System.Diagnostics;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Classifies every voxel of a specimen with boosted trees, block by block: features live for one slice of one block.</summary>
public static class BoostedPrediction
{
    private const int Tile = 256;

    // the halo weighs least on large blocks; smaller ones for small budgets
    private static readonly Size3[] Edges = [new(64, 128, 128), new(32, 64, 64), new(16, 32, 32)];

    /// <summary>See <see cref="PixelClassifier.Predict"/>.</summary>
    public static double Run(BoostedModel model, IReadOnlyList<IVolume> channels, IWritableVolume<byte> labels, ForestMaps maps, Traversal walk)
    {
        model.Check(channels);
        var clock = Stopwatch.StartNew();
        var kinds = BoostedModel.Kinds(model.Features, model.Channels, model.Further);
        var makers = kinds.Select(kind => kind.On(channels, walk with { Progress = null })).ToArray();
        var (edge, threads) = Plan(model, kinds, labels.Info.Size, walk);
        var grid = new BlockGrid(labels.Info.Size, edge);
        var idle = new ConcurrentBag<Worker>();
        var done = 0L;
        walk.ForEach(grid.Count, item =>
        {
            var inner = grid[item];
            if (labels.IsWritten(inner) && maps.Uncertainty?.IsWritten(inner) != false && maps.Probabilities?.All(p => p.IsWritten(inner)) != false) return;
            if (!idle.TryTake(out var worker)) worker = new(model, maps, [.. kinds.Zip(makers, (kind, make) => (make(), kind.Names.Count))]);
            worker.Predict(inner, labels);
            idle.Add(worker);
            Interlocked.Add(ref done, inner.Count);
        }, threads);
        return done / clock.Elapsed.TotalSeconds;
    }

    private static (Size3 Edge, int Threads) Plan(BoostedModel model, IReadOnlyList<IPixelFeatures> kinds, Size3 volume, Traversal walk)
    {
        foreach (var largest in Edges)
        {
            var edge = Size3.Min(Size3.Min(largest, Size3.Cube(walk.BlockEdge)), volume);
            var bytes = kinds.Sum(kind => kind.Bytes(edge)) + edge.Count * (1 + sizeof(float) * (model.Phases.Count + 1)) + model.Trees.Features * Tile * sizeof(float);
            if (largest == Edges[^1] || walk.MemoryBytes / 2 / bytes >= walk.Threads) return (edge, ForestPrediction.Affordable(bytes, walk));
        }
        throw new UnreachableException();
    }

    // one per thread
    private sealed class Worker(BoostedModel model, ForestMaps maps, (IBlockFeatures Block, int Count)[] kinds)
    {
        private readonly float[] _tile = new float[model.Trees.Features * Tile], _found = new float[model.Phases.Count * Tile];
        private readonly float[][] _probabilities = [.. Enumerable.Range(0, maps.Probabilities?.Count ?? 0).Select(_ => Array.Empty<float>())];
        private byte[] _labels = [];
        private float[] _uncertainty = [];

        public void Predict(Box inner, IWritableVolume<byte> labels)
        {
            var count = (int)inner.Count;
            ScaleFilter.Ensure(ref _labels, count);
            ScaleFilter.Ensure(ref _uncertainty, maps.Uncertainty is null ? 0 : count);
            for (var c = 0; c < _probabilities.Length; c++) ScaleFilter.Ensure(ref _probabilities[c], count);
            foreach (var (block, _) in kinds) block.Load(inner);
            for (var z = 0; z < inner.Size.Z; z++)
            {
                foreach (var (block, _) in kinds) block.Emit(z);
                for (var y = 0; y < inner.Size.Y; y++)
                    for (var x = 0; x < inner.Size.X; x += Tile) Judge(inner.Size, z, y, x, Math.Min(Tile, inner.Size.X - x));
            }
            // labels last: once they are there, the block is done
            for (var c = 0; c < _probabilities.Length; c++) maps.Probabilities![c].Write(inner, _probabilities[c].AsSpan(0, count));
            maps.Uncertainty?.Write(inner, _uncertainty.AsSpan(0, count));
            labels.Write(inner, _labels.AsSpan(0, count));
        }

        private void Judge(Size3 size, int z, int y, int x, int count)
        {
            var feature = 0;
            foreach (var (block, features) in kinds)
            {
                for (var f = 0; f < features; f++, feature++)
                {
                    var from = block.Values(f).Slice(y * block.Stride + x, count);
                    var to = _tile.AsSpan(feature * Tile, count);
                    for (var v = 0; v < count; v++) to[v] = BoostedTrees.Clean(from[v]);
                }
            }
            model.Trees.Predict(_tile, Tile, count, _found);
            var start = (z * size.Y + y) * size.X + x;
            for (var v = 0; v < count; v++)
            {
                var (best, first, second) = (0, -1f, 0f);
                for (var c = 0; c < model.Phases.Count; c++)
                {
                    var p = _found[c * Tile + v];
                    if (p > first) (best, second, first) = (c, Math.Max(0, first), p);
                    else if (p > second) second = p;
                }
                _labels[start + v] = (byte)model.Phases[best].Label;
                if (maps.Uncertainty is not null) _uncertainty[start + v] = 1 - (first - second);
                for (var c = 0; c < _probabilities.Length; c++) _probabilities[c][start + v] = _found[c * Tile + v];
            }
        }
    }
}
