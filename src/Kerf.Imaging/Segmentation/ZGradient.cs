using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What the z-gradient takes for a structure that shines through a pore. Grey levels of the first detector.</summary>
public sealed record ZGradientOptions
{
    /// <summary>Below this grey a voxel is void, whatever comes.</summary>
    public double Dark { get; init; }

    /// <summary>From this grey on a voxel is void, whatever comes: the lit ground of wide pores.</summary>
    public double Bright { get; init; } = double.PositiveInfinity;

    /// <summary>A change by so many grey levels over two slices is abrupt: the end of a structure.</summary>
    public double Step { get; init; } = 30;

    /// <summary>A voxel whose grey differs from its structure's last slice by more than this share is void.</summary>
    public double Tolerance { get; init; } = 0.14;

    /// <summary>Slices to look ahead for the end of a structure.</summary>
    public int Window { get; init; } = 8;

    /// <summary>Smoothing within the slice before the profile is taken, in pixels.</summary>
    public double Sigma { get; init; } = 1;
}

/// <summary>
/// Threshold back-propagation along z, after Salzer et al. 2012 (doi:10.1016/j.matchar.2012.04.003): what shines through a pore brightens gradually
/// until the cut reaches it, and ends abruptly behind it. From that end the structure's grey is carried back as a local threshold. What is not void is
/// split by a threshold on the second detector. See <c>docs/methods/z-gradient.md</c>.
/// </summary>
public static class ZGradient
{
    /// <summary>Labels void, and what lies below and above the second detector's threshold. Border: nearest.</summary>
    /// <param name="first">The detector that sees into the pores.</param>
    /// <param name="second">The detector that tells the solids apart, on the same grid; null labels all solid 2.</param>
    /// <param name="split">Second detector: below it label 2, else 3.</param>
    /// <param name="target">Takes 1 void, 2, 3.</param>
    /// <param name="options">Greys.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <exception cref="InputError">The detectors' sizes differ, or an option is out of range.</exception>
    public static void Apply(IVolume first, IVolume? second, double split, IWritableVolume<byte> target, ZGradientOptions options, Traversal walk)
    {
        if (second is not null && second.Info.Size != first.Info.Size)
            throw new InputError($"second detector: is {second.Info.Size} voxels, the first is {first.Info.Size}; align and crop them to one grid first.");
        if (options.Window is < 1 or > 200) throw new InputError($"window: {options.Window} is out of range; give 1 to 200 slices.");
        if (!(options.Tolerance is >= 0 and < 1)) throw new InputError(FormattableString.Invariant($"tolerance: {options.Tolerance} is out of range; give 0 up to 1."));
        var taps = GaussianTaps.Smooth(options.Sigma, GaussianTaps.Radius(options.Sigma, 3));
        var other = second?.AsFloat();
        var halo = new Size3(options.Window + 1, taps.Length - 1, taps.Length - 1);
        Blocks.Map<float, byte>(first.AsFloat(), target, halo, Border.Nearest, walk, (block, labels) =>
        {
            var size = block.Inner.Size;
            var smooth = Smoothed(block.Voxels, block.Outer.Size, size, taps);
            var solid = new float[other is null ? 0 : labels.Length];
            other?.Read(block.Inner, solid);
            var plane = (int)size.SliceCount;
            for (var i = 0; i < labels.Length; i++)
            {
                // slice z of the block is slice z + window + 1 of what was read
                var profile = smooth.AsSpan(i % plane);
                labels[i] = IsVoid(profile, i / plane + options.Window + 1, plane, options) ? (byte)1 : other is null || solid[i] < split ? (byte)2 : (byte)3;
            }
        }, 2 * sizeof(float));
    }

    /// <summary>Whether a voxel of a profile along z is void.</summary>
    /// <param name="profile">Greys, one slice every <paramref name="step"/> values, from <c>Window + 1</c> slices before to as many after.</param>
    /// <param name="z">The voxel's slice in the profile.</param>
    /// <param name="step">Values from slice to slice.</param>
    /// <param name="options">Greys.</param>
    internal static bool IsVoid(ReadOnlySpan<float> profile, int z, int step, ZGradientOptions options)
    {
        var here = profile[z * step];
        if (here < options.Dark || here >= options.Bright) return true;
        var end = 1;
        while (end < options.Window && Math.Abs(profile[(z + end - 1) * step] - profile[(z + end + 1) * step]) < options.Step) end++;
        // the last slice before the change carries the structure's own grey
        var structure = profile[(z + end - 1) * step];
        return Math.Abs(here - structure) > structure * options.Tolerance;
    }

    private static float[] Smoothed(ReadOnlySpan<float> voxels, Size3 outer, Size3 inner, double[] taps)
    {
        var smooth = new float[outer.Z * inner.SliceCount];
        var rows = new double[inner.Y * outer.X];
        var reach = taps.Length - 1;
        for (var z = 0; z < outer.Z; z++)
        {
            var plane = voxels.Slice((int)(z * outer.SliceCount), (int)outer.SliceCount);
            for (var i = 0; i < rows.Length; i++)
            {
                var at = i + reach * outer.X;
                var sum = taps[0] * plane[at];
                for (var k = 1; k <= reach; k++) sum += taps[k] * (plane[at - k * outer.X] + (double)plane[at + k * outer.X]);
                rows[i] = sum;
            }
            for (var y = 0; y < inner.Y; y++)
            {
                for (var x = 0; x < inner.X; x++)
                {
                    var at = y * outer.X + x + reach;
                    var sum = taps[0] * rows[at];
                    for (var k = 1; k <= reach; k++) sum += taps[k] * (rows[at - k] + rows[at + k]);
                    smooth[z * inner.SliceCount + y * inner.X + x] = (float)sum;
                }
            }
        }
        return smooth;
    }
}
