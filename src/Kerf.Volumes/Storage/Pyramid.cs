namespace Kerf.Volumes;

/// <summary>One level of a pyramid.</summary>
/// <param name="Number">0 is the full resolution.</param>
/// <param name="Size">Extent in voxels.</param>
/// <param name="Factor">Voxels of level 0 along each axis that one voxel stands for.</param>
internal readonly record struct PyramidLevel(int Number, Size3 Size, Size3 Factor)
{
    /// <summary>Folder of its array.</summary>
    public string Path => Number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Coarser copies of a volume for viewers.</summary>
internal static class Pyramid
{
    /// <summary>
    /// The levels of a volume: each halves the axes whose voxels are finer than √2 times the finest, rounding extents up, until no extent is above
    /// 256. So voxels become near cubic first.
    /// </summary>
    public static PyramidLevel[] Levels(Size3 size, VoxelSize? voxel, bool wanted)
    {
        var levels = new List<PyramidLevel> { new(0, size, Size3.Cube(1)) };
        var edges = voxel is { } v ? new[] { v.Z, v.Y, v.X } : [1.0, 1, 1];
        var factor = new[] { 1, 1, 1 };
        while (wanted && Math.Max(size.Z, Math.Max(size.Y, size.X)) > 256)
        {
            var finest = double.PositiveInfinity;
            for (var axis = 0; axis < 3; axis++) if (size[axis] > 1) finest = Math.Min(finest, edges[axis]);
            var next = new[] { size.Z, size.Y, size.X };
            for (var axis = 0; axis < 3; axis++)
            {
                if (size[axis] == 1 || edges[axis] * edges[axis] >= 2 * finest * finest) continue;
                edges[axis] *= 2;
                factor[axis] *= 2;
                next[axis] = (next[axis] + 1) / 2;
            }
            size = new(next[0], next[1], next[2]);
            levels.Add(new(levels.Count, size, new(factor[0], factor[1], factor[2])));
        }
        return [.. levels];
    }

    /// <summary>
    /// One box of the next coarser level: the mean of the up to 2×2×2 voxels (integers rounded half to even, floats summed in double), or for
    /// labels the most frequent of them, the lowest of equals.
    /// </summary>
    /// <param name="fine">The voxels of <paramref name="fineSize"/>, from twice the box's start on along the halved axes.</param>
    /// <param name="fineSize">Extent of the fine box.</param>
    /// <param name="step">1 or 2 along each axis.</param>
    /// <param name="labels">Most frequent instead of mean.</param>
    /// <param name="coarse">Receives the box.</param>
    /// <param name="coarseSize">Extent of the box.</param>
    public static void Halve<T>(ReadOnlySpan<T> fine, Size3 fineSize, Size3 step, bool labels, Span<T> coarse, Size3 coarseSize) where T : unmanaged
    {
        Span<T> group = stackalloc T[8];
        var target = 0;
        for (var z = 0; z < coarseSize.Z; z++)
        {
            for (var y = 0; y < coarseSize.Y; y++)
            {
                for (var x = 0; x < coarseSize.X; x++)
                {
                    var count = 0;
                    for (var fz = z * step.Z; fz < Math.Min((z + 1) * step.Z, fineSize.Z); fz++)
                        for (var fy = y * step.Y; fy < Math.Min((y + 1) * step.Y, fineSize.Y); fy++)
                            for (var fx = x * step.X; fx < Math.Min((x + 1) * step.X, fineSize.X); fx++)
                                group[count++] = fine[(fz * fineSize.Y + fy) * fineSize.X + fx];
                    coarse[target++] = labels ? Mode(group[..count]) : Mean(group[..count]);
                }
            }
        }
    }

    private static T Mean<T>(ReadOnlySpan<T> group) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            var sum = 0.0;
            foreach (var value in group) sum += (float)(object)value;
            return (T)(object)(float)(sum / group.Length);
        }
        var total = 0;
        foreach (var value in group) total += typeof(T) == typeof(byte) ? (byte)(object)value : (ushort)(object)value;
        var mean = (int)Math.Round((double)total / group.Length, MidpointRounding.ToEven);
        return typeof(T) == typeof(byte) ? (T)(object)(byte)mean : (T)(object)(ushort)mean;
    }

    private static T Mode<T>(Span<T> group) where T : unmanaged
    {
        var (first, same) = (group[0], 1);
        while (same < group.Length && EqualityComparer<T>.Default.Equals(group[same], first)) same++;
        if (same == group.Length) return first;
        group.Sort(Comparer<T>.Default.Compare);
        var (best, longest) = (group[0], 0);
        for (var i = 0; i < group.Length;)
        {
            var run = 1;
            while (i + run < group.Length && EqualityComparer<T>.Default.Equals(group[i], group[i + run])) run++;
            if (run > longest) (best, longest) = (group[i], run);
            i += run;
        }
        return best;
    }
}
