using System.Buffers;
using System.Globalization;

namespace Kerf.Volumes;

/// <summary>How well one class was found.</summary>
/// <param name="Label">The class.</param>
/// <param name="Iou">Intersection over union, TP/(TP + FP + FN).</param>
/// <param name="Dice">2·TP/(2·TP + FP + FN); the same number as F1.</param>
/// <param name="Precision">TP/(TP + FP); 0 when nothing was found.</param>
/// <param name="Recall">TP/(TP + FN); 0 when nothing was there.</param>
/// <param name="Fraction">Share of the judged voxels that the result calls so.</param>
/// <param name="TrueFraction">Share of the judged voxels that are so.</param>
public sealed record ClassScore(int Label, double Iou, double Dice, double Precision, double Recall, double Fraction, double TrueFraction);

/// <summary>What only two classes have: errors in percent, for the solid one.</summary>
/// <param name="Solid">The label that is taken as solid.</param>
/// <param name="Mp">Misplaced voxels, (1 − (TP + TN)/all)·100.</param>
/// <param name="Mgp">Misplaced solid voxels, (1 − TP/(TP + FN))·100.</param>
/// <param name="SolidFractionError">Relative error of the solid fraction, (found − true)/true.</param>
public sealed record BinaryScore(int Solid, double Mp, double Mgp, double SolidFractionError);

/// <summary>How well a segmentation agrees with the truth. See <c>docs/methods/compare.md</c>.</summary>
/// <param name="Voxels">Voxels judged.</param>
/// <param name="Accuracy">Share of them that carry the true label.</param>
/// <param name="MeanIoU">Mean over the classes that the truth or the result holds.</param>
/// <param name="MeanDice">Mean over the same classes.</param>
/// <param name="Awe">Average weighted error in percent: (1 − Σ IoUᵢ·pᵢ)·100, pᵢ the true fraction of class i.</param>
/// <param name="F1">Of two classes that of the solid one, of more the mean.</param>
/// <param name="Mse">Squared difference of the classes' indicators, mean over voxels and classes; of two classes the share of wrong voxels.</param>
/// <param name="Classes">In label order.</param>
/// <param name="Binary">Of two classes.</param>
public sealed record SegmentationScore(
    long Voxels, double Accuracy, double MeanIoU, double MeanDice, double Awe, double F1, double Mse, IReadOnlyList<ClassScore> Classes, BinaryScore? Binary);

/// <summary>How often each pair of a true and a found label occurs. Whole numbers, so neither threads nor blocks can change them.</summary>
public sealed class Confusion
{
    private const int Labels = 256;
    private readonly long[] _counts = new long[Labels * Labels];

    /// <summary>Voxels of label <paramref name="truth"/> that were called <paramref name="found"/>.</summary>
    public long this[int truth, int found] => _counts[truth * Labels + found];

    /// <summary>Labels of the truth, ascending, 0 among them.</summary>
    public int[] TrueLabels => [.. Enumerable.Range(0, Labels).Where(label => True(label) > 0)];

    /// <summary>Labels of the result where the truth holds any of <paramref name="judged"/>, ascending.</summary>
    public int[] FoundLabels(IEnumerable<int> judged) => [.. judged.SelectMany(t => Enumerable.Range(0, Labels).Where(f => this[t, f] > 0)).Distinct().Order()];

    /// <summary>The truth is a mask: 0 and one other label. Then 0 is a class of its own; elsewhere it means "not labelled".</summary>
    public bool IsMask => TrueLabels is [0, _];

    /// <summary>Counts two volumes, or a box of them, slice by slice.</summary>
    /// <exception cref="InputError">They differ in size, or the box does not lie inside them.</exception>
    public static Confusion Of(IVolume<byte> found, IVolume<byte> truth, Traversal walk, Box? box = null)
    {
        var size = truth.Info.Size;
        if (found.Info.Size != size) throw new InputError($"compare: the result is {found.Info.Size} voxels, the truth {size}; give volumes on one grid.");
        var region = box ?? Box.Whole(size);
        if (region.Count == 0 || !Box.Whole(size).Contains(region)) throw new InputError($"compare: the crop {region} is not inside the volume of {size}; move or shrink it.");
        var confusion = new Confusion();
        walk.ForEach(region.Size.Z, z =>
        {
            var slice = Box.Slice(region.Size, z).Shift(region.Start);
            var count = checked((int)slice.Count);
            var (real, seen) = (ArrayPool<byte>.Shared.Rent(count), ArrayPool<byte>.Shared.Rent(count));
            truth.Read(slice, real);
            found.Read(slice, seen);
            confusion.Add(real.AsSpan(0, count), seen.AsSpan(0, count));
            ArrayPool<byte>.Shared.Return(real);
            ArrayPool<byte>.Shared.Return(seen);
        });
        return confusion;
    }

    /// <summary>Counts voxels; from any thread.</summary>
    public void Add(ReadOnlySpan<byte> truth, ReadOnlySpan<byte> found)
    {
        var own = new int[Labels * Labels];
        for (var i = 0; i < truth.Length; i++) own[truth[i] * Labels + found[i]]++;
        lock (_counts)
        {
            for (var i = 0; i < own.Length; i++) _counts[i] += own[i];
        }
    }

    /// <summary>2·TP/(2·TP + FP + FN) of one label over the voxels whose true label is not 0; 1 when neither the truth nor the result holds it.</summary>
    public double Dice(int label) => Ratio(2 * this[label, label], True(label) + Found(label, Enumerable.Range(1, Labels - 1)), 1);

    /// <summary>The score. Voxels whose true label is 0 are not judged, unless 0 is a class.</summary>
    /// <param name="zeroIsClass">0 is a class, as in a mask.</param>
    /// <param name="solid">Of two classes the solid one; null takes the higher label.</param>
    /// <exception cref="InputError">Nothing to judge, no label in common, or no such solid.</exception>
    public SegmentationScore Score(bool zeroIsClass = false, int? solid = null)
    {
        int[] judged = [.. TrueLabels.Where(label => label > 0 || zeroIsClass)];
        if (judged.Length == 0) throw new InputError("compare: every voxel of the truth is 0 (not labelled); there is nothing to judge. If 0 is a class, add --dense.");
        var found = FoundLabels(judged);
        if (!judged.Intersect(found).Any())
            throw new InputError($"compare: the result holds the labels {string.Join(", ", found)}, the truth {string.Join(", ", judged)}; none is common, so number them alike.");
        int[] labels = [.. judged.Union(found.Where(label => label > 0 || zeroIsClass)).Order()];
        var voxels = judged.Sum(True);
        ClassScore[] classes = [.. labels.Select(label => Class(label, judged, voxels))];
        long right = judged.Sum(label => this[label, label]), wrong = labels.Sum(label => True(label) + Found(label, judged) - 2 * this[label, label]);
        var binary = labels.Length == 2 ? Binary(labels, classes, solid ?? labels[1], (double)right / voxels) : null;
        return new(voxels, (double)right / voxels, classes.Average(c => c.Iou), classes.Average(c => c.Dice), (1 - classes.Sum(c => c.Iou * c.TrueFraction)) * 100,
            binary is null ? classes.Average(c => c.Dice) : classes.First(c => c.Label == binary.Solid).Dice, (double)wrong / voxels / labels.Length, classes, binary);
    }

    private ClassScore Class(int label, int[] judged, long voxels)
    {
        long both = this[label, label], real = judged.Contains(label) ? True(label) : 0, seen = Found(label, judged);
        return new(label, Ratio(both, real + seen - both, 0), Ratio(2 * both, real + seen, 0), Ratio(both, seen, 0), Ratio(both, real, 0),
            (double)seen / voxels, (double)real / voxels);
    }

    private static BinaryScore Binary(int[] labels, ClassScore[] classes, int solid, double accuracy)
    {
        var score = classes.FirstOrDefault(c => c.Label == solid) ?? throw new InputError(string.Create(CultureInfo.InvariantCulture,
            $"compare: solid is {solid}, but the labels are {labels[0]} and {labels[1]}; give one of them."));
        return new(solid, (1 - accuracy) * 100, (1 - score.Recall) * 100, score.TrueFraction > 0 ? score.Fraction / score.TrueFraction - 1 : 0);
    }

    private long True(int label)
    {
        var sum = 0L;
        foreach (var count in _counts.AsSpan(label * Labels, Labels)) sum += count;
        return sum;
    }

    private long Found(int label, IEnumerable<int> judged) => judged.Sum(truth => this[truth, label]);

    private static double Ratio(long part, long whole, double none) => whole > 0 ? (double)part / whole : none;
}
