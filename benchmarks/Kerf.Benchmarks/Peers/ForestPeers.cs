using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Kerf.Imaging;
using Kerf.Volumes;

namespace Kerf.Benchmarks;

/// <summary>The work of <c>peers/forest.py</c>, each part alone and all together. Labels lie beside the stack as FILE.npy.labels.npy.</summary>
public static class ForestPeers
{
    // of a stack, whose voxels are predicted
    private const int Slices = 8;

    private static readonly FeatureSet Plain = new();

    /// <summary>All 61 features of every voxel, kept for one slice of one block; gives those of the middle slice, one per plane.</summary>
    public static Func<int, IVolume> Features(IVolume stack, string path) => threads =>
    {
        var size = stack.Info.Size;
        var result = new Volume<float>(new Size3(Plain.Features.Count, size.Y, size.X));
        Compute(stack.AsFloat(), threads, size.Z / 2, 1, (feature, z, y, x, row) => row.CopyTo(result.Data.AsSpan((feature * size.Y + y) * size.X + x)));
        return result;
    };

    /// <summary>A forest of 100 trees on the labelled voxels' features, which are computed before; gives those features, a sample per row, then its class.</summary>
    public static Func<int, IVolume> Train(IVolume stack, string path)
    {
        var (columns, classes) = Samples(stack, path);
        var table = new Volume<float>(new Size3(1, classes.Length, columns.Length + 1));
        for (var i = 0; i < classes.Length; i++)
        {
            for (var f = 0; f < columns.Length; f++) table.Data[i * (columns.Length + 1) + f] = columns[f][i];
            table.Data[i * (columns.Length + 1) + columns.Length] = classes[i];
        }
        return threads =>
        {
            var (forest, findings) = Forest.Train(columns, classes, classes.Max() + 1, new(), new() { Threads = threads });
            return Facts(table, new { outOfBagError = findings.OutOfBagError, depth = forest.Trees.Average(t => t.Depth), nodes = forest.Trees.Average(t => t.Nodes.Length) });
        };
    }

    /// <summary>Votes of 100 trees for eight slices whose features are computed before; gives probabilities, then the features.</summary>
    public static Func<int, IVolume> Predict(IVolume stack, string path)
    {
        var (samples, classes) = Samples(stack, path);
        var (forest, _) = Forest.Train(samples, classes, classes.Max() + 1, new(), new());
        var (size, columns) = (stack.Info.Size, Middle(stack));
        var steps = Steps(forest, columns);
        return threads =>
        {
            var (clock, before) = (Stopwatch.StartNew(), Process.GetCurrentProcess().TotalProcessorTime);
            var probabilities = forest.Probabilities(columns, new() { Threads = threads });
            var seconds = clock.Elapsed.TotalSeconds;
            var processorSeconds = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            var result = new Volume<float>(new Size3(probabilities.Length + columns.Length, Slices * size.Y, size.X));
            for (var p = 0; p < result.Info.Size.Z; p++)
                (p < probabilities.Length ? probabilities[p] : columns[p - probabilities.Length]).CopyTo(result.Data.AsSpan(p * columns[0].Length));
            return Facts(result, new { seconds, processorSeconds, voxels = columns[0].Length, steps, nodes = forest.Trees.Average(t => t.Nodes.Length) });
        };
    }

    /// <summary>Probabilities of the same slices by ten forests of seeds 1 to 10, one class per plane.</summary>
    public static Func<int, IVolume> Seeds(IVolume stack, string path)
    {
        var (samples, classes) = Samples(stack, path);
        var (size, columns) = (stack.Info.Size, Middle(stack));
        return threads =>
        {
            var count = classes.Max() + 1;
            var result = new Volume<float>(new Size3(10 * count, Slices * size.Y, size.X));
            for (var plane = 0; plane < result.Info.Size.Z; plane += count)
            {
                var (forest, _) = Forest.Train(samples, classes, count, new() { Seed = (ulong)(plane / count) + 1 }, new() { Threads = threads });
                var probabilities = forest.Probabilities(columns, new() { Threads = threads });
                for (var c = 0; c < count; c++) probabilities[c].CopyTo(result.Data.AsSpan((plane + c) * columns[0].Length));
            }
            return result;
        };
    }

    /// <summary>Strokes to labels of the whole stack: features of the labelled voxels, forest, prediction.</summary>
    public static Func<int, IVolume> EndToEnd(IVolume stack, string path)
    {
        var labels = Labels(path);
        return threads =>
        {
            var walk = new Traversal { Threads = threads };
            var (model, findings) = ForestTraining.Run([("grey", stack)], labels, new(), walk);
            var target = new Volume<byte>(stack.Info.Size);
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            var speed = ForestPrediction.Run(model, [stack], target, new(), walk);
            var processor = (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds;
            return Facts(target, new { voxelsPerSecond = speed, predictProcessorSeconds = processor, outOfBagError = findings.OutOfBagError });
        };
    }

    private static Volume<T> Facts<T>(Volume<T> volume, object facts) where T : unmanaged
    {
        var result = new Volume<T>(volume.Info with { Metadata = new Dictionary<string, string> { ["facts"] = JsonSerializer.Serialize(facts) } });
        volume.Data.CopyTo(result.Data.AsSpan());
        return result;
    }

    private static Volume<byte> Labels(string path) => Volume<byte>.Load((IVolume<byte>)NpyVolume.Open(path + ".labels.npy"));

    private static (float[][] Columns, byte[] Classes) Samples(IVolume stack, string path)
    {
        var labels = Labels(path);
        int[] places = [.. Enumerable.Range(0, labels.Data.Length).Where(i => labels.Data[i] > 0)];
        var size = stack.Info.Size;
        var columns = Plain.Features.Select(_ => new float[places.Length]).ToArray();
        Compute(stack.AsFloat(), 2, 0, size.Z, (feature, z, y, x, row) =>
        {
            var start = (z * size.Y + y) * size.X + x;
            var i = Array.BinarySearch(places, start);
            for (i = i < 0 ? ~i : i; i < places.Length && places[i] < start + row.Length; i++) columns[feature][i] = row[places[i] - start];
        });
        return (columns, [.. places.Select(i => (byte)(labels.Data[i] - 1))]);
    }

    // features of some slices in the middle, a column each
    private static float[][] Middle(IVolume stack)
    {
        var size = stack.Info.Size;
        var first = size.Z / 2;
        var columns = Plain.Features.Select(_ => new float[Slices * size.SliceCount]).ToArray();
        Compute(stack.AsFloat(), 2, first, Slices, (feature, z, y, x, row) => row.CopyTo(columns[feature].AsSpan(((z - first) * size.Y + y) * size.X + x)));
        return columns;
    }

    private delegate void Rows(int feature, int z, int y, int x, ReadOnlySpan<float> row);

    private static void Compute(IVolume<float> source, int threads, int first, int count, Rows wanted)
    {
        var grid = new BlockGrid(source.Info.Size, new(64, 64, 128));
        var idle = new ConcurrentBag<SignalFeatures>();
        new Traversal { Threads = threads }.ForEach(grid.Count, item =>
        {
            var inner = grid[item];
            if (!idle.TryTake(out var features)) features = new(Plain, 1);
            features.Load([source], inner);
            for (var z = 0; z < inner.Size.Z; z++)
            {
                features.Emit(z);
                var slice = inner.Start.Z + z;
                if (slice < first || slice >= first + count) continue;
                for (var f = 0; f < features.Count; f++)
                    for (var y = 0; y < inner.Size.Y; y++)
                        wanted(f, slice, inner.Start.Y + y, inner.Start.X, features.Values(f).Slice(y * features.Stride, inner.Size.X));
            }
            idle.Add(features);
        });
    }

    // steps of a voxel through one tree, mean
    private static double Steps(Forest forest, float[][] columns)
    {
        var (steps, voxels) = (0L, 256);
        Span<byte> bins = new byte[columns.Length];
        for (var v = 0; v < voxels; v++)
        {
            for (var f = 0; f < columns.Length; f++) bins[f] = forest.Bins.Bin(f, columns[f][v * (columns[f].Length / voxels)]);
            foreach (var tree in forest.Trees)
                for (var i = 0; !DecisionTree.IsLeaf(tree.Nodes[i]); steps++) i = DecisionTree.Next(tree.Nodes[i], bins[DecisionTree.Feature(tree.Nodes[i])]);
        }
        return (double)steps / voxels / forest.Trees.Count;
    }
}
