using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>One phase as several users segmented it.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Fractions">Its share of each user's labelled voxels.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="StandardDeviation">Their sample standard deviation, with n − 1.</param>
public sealed record PhaseVariance(Phase Phase, double[] Fractions, double Mean, double StandardDeviation);

/// <summary>Two users, counted from 0, and the percentage of voxels that they label differently.</summary>
public sealed record PairDifference(int A, int B, double Percent);

/// <summary>
/// How far several segmentations of one volume lie apart, by their phase fractions and voxel by voxel: user variance. See
/// <c>docs/methods/compare.md</c>.
/// </summary>
/// <param name="Phases">Per phase.</param>
/// <param name="Pairs">Per pair of users.</param>
/// <param name="MeanDifference">Mean of the pairs' percentages.</param>
public sealed record UserVariance(IReadOnlyList<PhaseVariance> Phases, IReadOnlyList<PairDifference> Pairs, double MeanDifference)
{
    /// <summary>Compares n segmentations, slice by slice. A voxel that both of a pair leave at 0 is not counted, unless 0 is a class.</summary>
    /// <param name="users">Two or more label volumes on one grid.</param>
    /// <param name="zeroIsClass">0 is a class. Also so when all volumes together hold only 0 and one other label: masks.</param>
    /// <param name="differences">One target per pair, in the order of <see cref="PairsOf"/>: takes 255 where the two differ, else 0; or null.</param>
    /// <param name="walk">Threads.</param>
    /// <exception cref="InputError">Fewer than two volumes, sizes that differ, or a volume without labels.</exception>
    public static UserVariance Of(IReadOnlyList<IVolume<byte>> users, bool zeroIsClass, IReadOnlyList<IWritableVolume<byte>>? differences, Traversal walk)
    {
        if (users.Count < 2) throw new InputError($"compare: {users.Count} segmentation given; user variance needs two or more.");
        var size = users[0].Info.Size;
        for (var u = 1; u < users.Count; u++)
            if (users[u].Info.Size != size) throw new InputError($"compare: segmentation {u + 1} is {users[u].Info.Size} voxels, the first {size}; give volumes on one grid.");
        var pairs = PairsOf(users.Count);
        var (counts, differ, empty) = (new long[users.Count][], new long[pairs.Count], new long[pairs.Count]);
        for (var u = 0; u < users.Count; u++) counts[u] = new long[256];
        walk.ForEach(size.Z, z => Slice(z, users, pairs, counts, differ, empty, differences));
        var labels = Enumerable.Range(0, 256).Where(label => counts.Any(user => user[label] > 0)).ToArray();
        var dense = zeroIsClass || labels is [0, _];
        double Labelled(int user) => counts[user].Sum() - (dense ? 0 : counts[user][0]);
        for (var u = 0; u < users.Count; u++)
            if (Labelled(u) == 0) throw new InputError($"compare: every voxel of segmentation {u + 1} is 0 (not labelled); leave it out, or add --dense if 0 is a class.");
        PairDifference[] apart = [.. pairs.Select((p, i) => new PairDifference(p.A, p.B, 100.0 * differ[i] / Math.Max(1, size.Count - (dense ? 0 : empty[i]))))];
        return new([.. labels.Where(label => label > 0 || dense).Select(label => Spread(Named(label, users), [.. counts.Select((c, u) => c[label] / Labelled(u))]))],
            apart, apart.Average(pair => pair.Percent));
    }

    /// <summary>All pairs of n users: (0, 1), (0, 2), … (1, 2), …</summary>
    public static IReadOnlyList<(int A, int B)> PairsOf(int users) => [.. from a in Enumerable.Range(0, users) from b in Enumerable.Range(a + 1, users - a - 1) select (a, b)];

    private static void Slice(int z, IReadOnlyList<IVolume<byte>> users, IReadOnlyList<(int A, int B)> pairs, long[][] counts, long[] differ, long[] empty, IReadOnlyList<IWritableVolume<byte>>? differences)
    {
        var slice = Box.Slice(users[0].Info.Size, z);
        var count = checked((int)slice.Count);
        var voxels = new byte[users.Count][];
        for (var u = 0; u < voxels.Length; u++)
        {
            users[u].Read(slice, voxels[u] = ArrayPool<byte>.Shared.Rent(count));
            var own = Histogram.Of<byte>(voxels[u].AsSpan(0, count));
            // whole numbers: the order of the slices does not show
            lock (counts) for (var label = 0; label < 256; label++) counts[u][label] += own.Counts[label];
        }
        var image = ArrayPool<byte>.Shared.Rent(count);
        for (var p = 0; p < pairs.Count; p++)
        {
            var (a, b) = (voxels[pairs[p].A], voxels[pairs[p].B]);
            var (apart, unlabelled) = (0, 0);
            for (var i = 0; i < count; i++)
            {
                var differs = a[i] != b[i];
                image[i] = differs ? (byte)255 : (byte)0;
                if (differs) apart++;
                else if (a[i] == 0) unlabelled++;
            }
            Interlocked.Add(ref differ[p], apart);
            Interlocked.Add(ref empty[p], unlabelled);
            differences?[p].Write(slice, image.AsSpan(0, count));
        }
        ArrayPool<byte>.Shared.Return(image);
        foreach (var rented in voxels) ArrayPool<byte>.Shared.Return(rented);
    }

    private static PhaseVariance Spread(Phase phase, double[] fractions)
    {
        var mean = fractions.Average();
        return new(phase, fractions, mean, Math.Sqrt(fractions.Sum(f => (f - mean) * (f - mean)) / (fractions.Length - 1)));
    }

    private static Phase Named(int label, IReadOnlyList<IVolume<byte>> users) =>
        label == 0 ? new(0, "background", "#000000") : users.SelectMany(u => u.Info.Phases ?? []).FirstOrDefault(p => p.Label == label) ?? Phase.Unnamed(label);
}
