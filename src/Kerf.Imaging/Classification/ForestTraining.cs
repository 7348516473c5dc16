using System.Collections.Concurrent;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>How a forest is trained on a specimen.</summary>
public sealed record ForestTrainingOptions
{
    /// <summary>The features of each channel; σ in voxels.</summary>
    public FeatureSet Features { get; init; } = new();

    /// <summary>Takes σ as a length in units of the finest voxel edge, so that anisotropic voxels get matching kernels; needs the voxel size.</summary>
    public bool Physical { get; init; }

    /// <summary>Label 0 is a phase too, instead of meaning "not labelled".</summary>
    public bool Dense { get; init; }

    /// <summary>Labelled voxels used at most; of more, an even random choice is taken.</summary>
    public int MaxSamples { get; init; } = 200_000;

    /// <summary>How the forest is grown.</summary>
    public ForestOptions Forest { get; init; } = new();
}

/// <summary>Trains a forest on labelled voxels of a specimen.</summary>
public static class ForestTraining
{
    // labels are sparse: small blocks leave most of the volume untouched
    private static readonly Size3 Block = new(32, 64, 64);

    /// <summary>
    /// Computes the features of labelled voxels, and only where there are some, and grows a forest on them. Breiman 2001, doi:10.1023/A:1010933404324;
    /// features as ilastik, Berg et al. 2019, doi:10.1038/s41592-019-0582-9. Border: mirror.
    /// </summary>
    /// <param name="channels">One or several detectors on one grid, with their names.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="options">Features, seed, trees.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">No labels, one class only, sizes that differ, a voxel size that is needed and unknown.</exception>
    public static (ForestModel Model, ForestFindings Findings) Run(
        IReadOnlyList<(string Name, IVolume Volume)> channels, IVolume<byte> labels, ForestTrainingOptions options, Traversal walk)
    {
        if (options.MaxSamples is < 2 or > 4_000_000) throw new InputError($"max samples: {options.MaxSamples} is out of range; give 2 to 4000000.");
        string[] names = [.. channels.Select(c => c.Name)];
        if (names.Distinct().Count() != names.Length) throw new InputError($"channels: {string.Join(", ", names)}: two have one name; give each its own.");
        var info = channels[0].Volume.Info;
        foreach (var (name, volume) in channels)
        {
            if (volume.Info.Size != info.Size)
                throw new InputError($"channel {name}: is {volume.Info.Size} voxels, {names[0]} is {info.Size}; align and crop them to one grid first.");
        }
        if (labels.Info.Size != info.Size)
            throw new InputError($"labels: are {labels.Info.Size} voxels, the image is {info.Size}; labels need the image's grid, 0 where nothing is labelled.");
        options.Features.Check();
        var set = options.Physical ? options.Features.Scaled(info.RequireVoxel("a forest with σ as a length")) : options.Features;
        var samples = Sample(labels, options, walk);
        var used = samples.Select(s => s.Label).Distinct().Order().ToArray();
        if (used.Length == 0) throw new InputError("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.");
        if (used.Length == 1) throw new InputError($"labels: only label {used[0]} is used; a forest needs two or more. Paint strokes of a second phase.");
        var columns = Features([.. channels.Select(c => c.Volume.AsFloat())], set, samples, walk.Part(0.1, 0.6));
        byte[] classes = [.. samples.Select(s => (byte)Array.IndexOf(used, s.Label))];
        var (forest, findings) = Forest.Train(columns, classes, used.Length, options.Forest, walk.Part(0.6, 1));
        Phase[] phases = [.. used.Select(label => labels.Info.Phases?.FirstOrDefault(p => p.Label == label) ?? Phase.Unnamed(label))];
        var groups = set.Groups;
        return (new(forest, set)
        {
            Channels = names,
            Voxel = info.Voxel,
            Physical = options.Physical,
            Phases = phases,
            Training = new(options.Forest, [.. used.Select((_, c) => classes.Count(k => k == c))], findings)
            {
                Importance = ForestImportance.Tables(findings, SignalFeatures.Names(set, names), [.. columns.Select((_, f) => groups[f % groups.Count])], [.. phases.Select(p => p.Name)]),
            },
        }, findings);
    }

    private readonly record struct Labelled(int Z, int Y, int X, byte Label);

    // the labelled voxels in the order of their places; of too many, each by the toss of its own coin
    private static Labelled[] Sample(IVolume<byte> labels, ForestTrainingOptions options, Traversal walk)
    {
        var size = labels.Info.Size;
        var counts = new long[size.Z];
        Blocks.ForEachSlice(labels, walk.Part(0, 0.05), (z, slice) =>
            counts[z] = options.Dense ? size.SliceCount : size.SliceCount - slice.AsSpan(0, (int)size.SliceCount).Count((byte)0));
        var share = (double)options.MaxSamples / Math.Max(1, counts.Sum());
        var found = new List<Labelled>[size.Z];
        Blocks.ForEachSlice(labels, walk.Part(0.05, 0.1), (z, slice) =>
        {
            var list = found[z] = [];
            for (var i = 0; i < size.SliceCount && counts[z] > 0; i++)
            {
                if (slice[i] == 0 && !options.Dense) continue;
                if (share < 1 && new CounterRandom(options.Forest.Seed, (ulong)(z * size.SliceCount + i)).NextDouble() >= share) continue;
                list.Add(new(z, i / size.X, i % size.X, slice[i]));
            }
        });
        return [.. found.SelectMany(list => list)];
    }

    private static float[][] Features(IReadOnlyList<IVolume<float>> channels, FeatureSet set, Labelled[] samples, Traversal walk)
    {
        var grid = new BlockGrid(channels[0].Info.Size, Block);
        var blocks = Enumerable.Range(0, samples.Length).GroupBy(i =>
        {
            var s = samples[i];
            return (s.Z / Block.Z * grid.Blocks.Y + s.Y / Block.Y) * grid.Blocks.X + s.X / Block.X;
        }).Select(group => group.ToArray()).ToArray();
        var columns = new float[SignalFeatures.Signals(channels.Count) * set.Count][];
        for (var f = 0; f < columns.Length; f++) columns[f] = new float[samples.Length];
        var idle = new ConcurrentBag<SignalFeatures>();
        var threads = ForestPrediction.Affordable(SignalFeatures.Bytes(set, channels.Count, Block), walk);
        walk.ForEach(blocks.Length, b =>
        {
            if (!idle.TryTake(out var features)) features = new(set, channels.Count);
            var members = blocks[b];
            var inner = Around(members, samples);
            features.Load(channels, inner);
            // members ascend, so slices do
            var z = -1;
            foreach (var i in members)
            {
                var s = samples[i];
                if (s.Z != z) features.Emit((z = s.Z) - inner.Start.Z);
                var at = (s.Y - inner.Start.Y) * features.Stride + s.X - inner.Start.X;
                for (var f = 0; f < columns.Length; f++) columns[f][i] = features.Values(f)[at];
            }
            idle.Add(features);
        }, threads);
        return columns;
    }

    private static Box Around(int[] members, Labelled[] samples)
    {
        var (low, high) = (new Size3(int.MaxValue, int.MaxValue, int.MaxValue), new Size3(-1, -1, -1));
        foreach (var i in members)
        {
            var s = samples[i];
            low = Size3.Min(low, new(s.Z, s.Y, s.X));
            high = new(Math.Max(high.Z, s.Z), Math.Max(high.Y, s.Y), Math.Max(high.X, s.X));
        }
        return new(low, high - low + new Size3(1, 1, 1));
    }
}
