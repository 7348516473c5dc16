using System.Collections.Concurrent;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>The labelled voxels of a specimen, as a classifier learns from them: in the order of their places.</summary>
internal sealed class LabelledVoxels
{
    // labels are sparse: small blocks leave most of the volume untouched
    private static readonly Size3 Block = new(32, 64, 64);
    private readonly Labelled[] _samples;
    private readonly Size3 _size;

    private LabelledVoxels(Labelled[] samples, Size3 size, byte[] classes, Phase[] phases) => (_samples, _size, Classes, Phases) = (samples, size, classes, phases);

    /// <summary>The class of each voxel: which of <see cref="Phases"/> it is.</summary>
    public byte[] Classes { get; }

    /// <summary>The phases that are labelled, in the order of their labels.</summary>
    public Phase[] Phases { get; }

    /// <summary>Voxels of each class.</summary>
    public int[] Counts => [.. Phases.Select((_, c) => Classes.Count(k => k == c))];

    /// <summary>Finds them; of too many, an even random choice.</summary>
    /// <param name="channels">One or several detectors on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="dense">Label 0 is a phase too.</param>
    /// <param name="most">How many are wanted at most.</param>
    /// <param name="seed">Of the choice.</param>
    /// <param name="learner">Who needs them, for the error: "a forest".</param>
    /// <param name="walk">Threads, progress.</param>
    /// <exception cref="InputError">No labels, one class only, sizes that differ, two channels of one name.</exception>
    public static LabelledVoxels Of(IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, bool dense, int most, ulong seed, string learner, Traversal walk)
    {
        var info = channels[0].Volume.Info;
        ChannelGrid.Check(channels);
        ChannelGrid.CheckLabels(info, labels.Info);
        var samples = Sample(labels, dense, most, seed, walk);
        var used = samples.Select(s => s.Label).Distinct().Order().ToArray();
        if (used.Length == 0) throw new InputError("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.");
        if (used.Length == 1) throw new InputError($"labels: only label {used[0]} is used; {learner} needs two or more. Paint strokes of a second phase.");
        return new(samples, info.Size, [.. samples.Select(s => (byte)Array.IndexOf(used, s.Label))],
            [.. used.Select(label => labels.Info.Phases?.FirstOrDefault(p => p.Label == label) ?? Phase.Unnamed(label))]);
    }

    private readonly record struct Labelled(int Z, int Y, int X, byte Label);

    // of too many, each by the toss of its own coin
    private static Labelled[] Sample(IVolume<byte> labels, bool dense, int most, ulong seed, Traversal walk)
    {
        var size = labels.Info.Size;
        var counts = new long[size.Z];
        Blocks.ForEachSlice(labels, walk.Part(0, 0.5), (z, slice) =>
            counts[z] = dense ? size.SliceCount : size.SliceCount - slice.AsSpan(0, (int)size.SliceCount).Count((byte)0));
        var share = (double)most / Math.Max(1, counts.Sum());
        var found = new List<Labelled>[size.Z];
        Blocks.ForEachSlice(labels, walk.Part(0.5, 1), (z, slice) =>
        {
            var list = found[z] = [];
            for (var i = 0; i < size.SliceCount && counts[z] > 0; i++)
            {
                if (slice[i] == 0 && !dense) continue;
                if (share < 1 && new CounterRandom(seed, (ulong)(z * size.SliceCount + i)).NextDouble() >= share) continue;
                list.Add(new(z, i / size.X, i % size.X, slice[i]));
            }
        });
        return [.. found.SelectMany(list => list)];
    }

    /// <summary>The features of these voxels, one column each, computed only where there are some. Border: mirror.</summary>
    /// <param name="kind">The features.</param>
    /// <param name="channels">The specimen.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">The memory budget is too small.</exception>
    public float[][] Columns(IPixelFeatures kind, IReadOnlyList<IVolume> channels, Traversal walk)
    {
        var grid = new BlockGrid(_size, Block);
        var blocks = Enumerable.Range(0, _samples.Length).GroupBy(i =>
        {
            var s = _samples[i];
            return (s.Z / Block.Z * grid.Blocks.Y + s.Y / Block.Y) * grid.Blocks.X + s.X / Block.X;
        }).Select(group => group.ToArray()).ToArray();
        var columns = new float[kind.Names.Count][];
        for (var f = 0; f < columns.Length; f++) columns[f] = new float[_samples.Length];
        var make = kind.On(channels, walk with { Progress = null });
        var idle = new ConcurrentBag<IBlockFeatures>();
        walk.ForEach(blocks.Length, b =>
        {
            if (!idle.TryTake(out var features)) features = make();
            var members = blocks[b];
            var inner = Around(members);
            features.Load(inner);
            // members ascend, so slices do
            var z = -1;
            foreach (var i in members)
            {
                var s = _samples[i];
                if (s.Z != z) features.Emit((z = s.Z) - inner.Start.Z);
                var at = (s.Y - inner.Start.Y) * features.Stride + s.X - inner.Start.X;
                for (var f = 0; f < columns.Length; f++) columns[f][i] = features.Values(f)[at];
            }
            idle.Add(features);
        }, ForestPrediction.Affordable(kind.Bytes(Block), walk));
        return columns;
    }

    private Box Around(int[] members)
    {
        var (low, high) = (new Size3(int.MaxValue, int.MaxValue, int.MaxValue), new Size3(-1, -1, -1));
        foreach (var i in members)
        {
            var s = _samples[i];
            low = Size3.Min(low, new(s.Z, s.Y, s.X));
            high = new(Math.Max(high.Z, s.Z), Math.Max(high.Y, s.Y), Math.Max(high.X, s.X));
        }
        return new(low, high - low + new Size3(1, 1, 1));
    }
}
