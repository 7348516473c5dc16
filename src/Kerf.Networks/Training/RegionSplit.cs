using Kerf.Volumes;

namespace Kerf.Networks;

/// <summary>
/// Training, validation and test as boxes along one axis: no voxel lies in two, and no patch looks over a cut. The cuts share the labelled voxels out, so that
/// a few labelled slices split as well as a labelled volume. Slices are shared out along z; for patches that are deep in z they are cut along y or x instead: a thin
/// part would be filled up with its mirror image, and no specimen looks like one, where what shines through a pore lies before it.
/// </summary>
internal static class RegionSplit
{
    /// <summary>Three boxes, in the order of training, validation, test.</summary>
    /// <param name="labels">Labels.</param>
    /// <param name="classes">Class of each label, −1 for none.</param>
    /// <param name="shares">Of the labelled voxels.</param>
    /// <param name="fold">Which of <paramref name="folds"/> equal parts is the test; the next one is validation, the others are training.</param>
    /// <param name="folds">0 for the plain split.</param>
    /// <param name="deep">Patches reach over slices: 3-D.</param>
    /// <param name="walk">Threads.</param>
    public static (Box[] Training, Box Validation, Box Test) Of(IVolume<byte> labels, int[] classes, IReadOnlyList<double> shares, int fold, int folds, bool deep, Traversal walk)
    {
        var size = labels.Info.Size;
        var wide = Math.Max(size.Y, size.X);
        var axis = (deep ? size.Z > 2 * wide : size.Z >= Math.Max(8, wide / 8)) ? 0 : size.Y >= size.X ? 1 : 2;
        var counts = Counts(labels, classes, axis, walk);
        if (folds == 0)
        {
            var (a, b) = (Cut(counts, shares[0]), Cut(counts, shares[0] + shares[1]));
            return ([Slab(size, axis, 0, a)], Slab(size, axis, a, b), Slab(size, axis, b, size[axis]));
        }
        int[] cuts = [.. Enumerable.Range(0, folds + 1).Select(k => k == folds ? size[axis] : Cut(counts, (double)k / folds))];
        Box Part(int k) => Slab(size, axis, cuts[k % folds], cuts[k % folds + 1]);
        var (test, validation) = (fold, folds == 2 ? fold : (fold + 1) % folds);
        return ([.. Enumerable.Range(0, folds).Where(k => k != test && k != validation).Select(Part)], Part(validation), Part(test));
    }

    private static long[] Counts(IVolume<byte> labels, int[] classes, int axis, Traversal walk)
    {
        var size = labels.Info.Size;
        var perSlice = new long[size.Z][];
        Blocks.ForEachSlice(labels, walk with { Progress = null }, (z, slice) =>
        {
            var counts = perSlice[z] = new long[axis == 0 ? 1 : size[axis]];
            for (var i = 0; i < size.SliceCount; i++)
                if (classes[slice[i]] >= 0) counts[axis == 0 ? 0 : axis == 1 ? i / size.X : i % size.X]++;
        });
        return axis == 0 ? [.. perSlice.Select(c => c[0])] : [.. Enumerable.Range(0, size[axis]).Select(i => perSlice.Sum(c => c[i]))];
    }

    // the place up to which that share of the labelled voxels lies
    private static int Cut(long[] counts, double share)
    {
        var wanted = share * counts.Sum();
        var sum = 0.0;
        for (var i = 0; i < counts.Length; i++)
        {
            if (sum >= wanted - 0.5) return i;
            sum += counts[i];
        }
        return counts.Length;
    }

    private static Box Slab(Size3 size, int axis, int from, int to)
    {
        var (start, extent) = (new int[3], new[] { size.Z, size.Y, size.X });
        (start[axis], extent[axis]) = (from, to - from);
        return new(new(start[0], start[1], start[2]), new(extent[0], extent[1], extent[2]));
    }
}
