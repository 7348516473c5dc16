using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Thresholds learned from labelled voxels: a decision tree on the grey value alone, split where the entropy of the labels falls most. Depth 2 gives
/// up to three thresholds, so that one phase may own two ranges (dark pore and bright pore ground). See <c>docs/methods/learned-threshold.md</c>.
/// </summary>
public static class GreyTree
{
    /// <summary>Learns grey ranges, in ascending order; neighbouring ones of one label are joined.</summary>
    /// <param name="source">Grey values; floats are taken on 65,536 levels between their extremes.</param>
    /// <param name="labels">0 where nothing is labelled.</param>
    /// <param name="depth">Depth of the tree, 1 to 6.</param>
    /// <param name="walk">Threads.</param>
    /// <param name="only">Labels to tell apart; null takes all.</param>
    /// <param name="balance">Every label counts the same, however many voxels carry it.</param>
    /// <exception cref="InputError">Sizes differ, nothing is labelled, one label only, or the depth is out of range.</exception>
    public static IReadOnlyList<GreyRange> Learn(IVolume source, IVolume<byte> labels, int depth, Traversal walk, IReadOnlyCollection<int>? only = null, bool balance = false)
    {
        if (depth is < 1 or > 6) throw new InputError($"depth: {depth} is out of range; give 1 to 6.");
        if (labels.Info.Size != source.Info.Size)
            throw new InputError($"labels: are {labels.Info.Size} voxels, the image is {source.Info.Size}; labels need the image's grid, 0 where nothing is labelled.");
        var levels = Histogram.OfStack(source, walk.Part(0, 0.5));
        var counts = Count(source.AsFloat(), labels, levels, walk.Part(0.5, 1));
        int[] used = [.. Enumerable.Range(1, 255).Where(label => counts[label] is not null && only?.Contains(label) != false)];
        if (used.Length == 0) throw new InputError("labels: no voxel is labelled (all are 0). Paint strokes of at least two phases.");
        if (used.Length == 1) throw new InputError($"labels: only label {used[0]} is used; thresholds need two or more. Paint strokes of a second phase.");
        var tree = new Grower([.. used.Select(label => counts[label]!)], used, levels, balance);
        tree.Split(0, levels.Bins, double.NegativeInfinity, double.PositiveInfinity, depth);
        return tree.Ranges;
    }

    private static long[]?[] Count(IVolume<float> source, IVolume<byte> labels, Histogram levels, Traversal walk)
    {
        var (counts, size) = (new long[256][], source.Info.Size);
        Blocks.ForEachSlice(labels, walk, (z, drawn) =>
        {
            var count = (int)size.SliceCount;
            if (drawn.AsSpan(0, count).IndexOfAnyExcept((byte)0) < 0) return;
            var grey = new float[count];
            source.Read(Box.Slice(size, z), grey);
            // whole numbers: the order of the slices does not show
            lock (counts)
            {
                for (var i = 0; i < count; i++)
                    if (drawn[i] > 0 && float.IsFinite(grey[i])) (counts[drawn[i]] ??= new long[levels.Bins])[levels.BinOf(grey[i])]++;
            }
        });
        return counts;
    }

    private sealed class Grower(long[][] counts, int[] labels, Histogram levels, bool balance)
    {
        private readonly double[] _weights = [.. counts.Select(c => balance ? 1.0 / c.Sum() : 1)];

        public List<GreyRange> Ranges { get; } = [];

        public void Split(int from, int to, double low, double high, int depth)
        {
            var totals = Array.ConvertAll(counts, c => c.AsSpan(from, to - from).ToArray().Sum());
            if (depth > 0 && Cut(totals, from, to) is { } cut)
            {
                // midway between the two levels that it parts
                var middle = (levels.LevelOf(cut.Last) + levels.LevelOf(cut.Next)) / 2;
                Split(from, cut.Next, low, middle, depth - 1);
                Split(cut.Next, to, middle, high, depth - 1);
                return;
            }
            double[] shares = [.. totals.Zip(_weights, (n, w) => n * w)];
            var label = labels[Array.IndexOf(shares, shares.Max())];
            if (Ranges.Count > 0 && Ranges[^1].Label == label) Ranges[^1] = Ranges[^1] with { High = high };
            else Ranges.Add(new(label, low, high));
        }

        // the first of equal cuts; none when no cut lowers the entropy
        private (int Last, int Next)? Cut(long[] totals, int from, int to)
        {
            var (below, above) = (new long[totals.Length], totals.ToArray());
            var least = Entropy(totals) * (1 - 1e-12);
            (int Last, int Next)? best = null;
            for (int bin = from, last = -1; bin < to; bin++)
            {
                if (!counts.Any(c => c[bin] > 0)) continue;
                if (last >= 0 && Entropy(below) + Entropy(above) is var entropy && entropy < least) (least, best) = (entropy, (last, bin));
                for (var c = 0; c < totals.Length; c++) (below[c], above[c]) = (below[c] + counts[c][bin], above[c] - counts[c][bin]);
                last = bin;
            }
            return best;
        }

        // n·H of the labels, in nats
        private double Entropy(long[] totals)
        {
            double sum = 0, entropy = 0;
            for (var c = 0; c < totals.Length; c++) sum += totals[c] * _weights[c];
            for (var c = 0; c < totals.Length; c++)
                if (totals[c] > 0) entropy -= totals[c] * _weights[c] * Math.Log(totals[c] * _weights[c] / sum);
            return entropy;
        }
    }
}
