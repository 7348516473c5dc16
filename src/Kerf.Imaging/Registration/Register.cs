using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What registering found, as kept in <c>transforms.json</c>.</summary>
/// <param name="Shifts">For each slice [dy, dx]: the displacement of its content against the reference's slice, in pixels.</param>
/// <param name="Coherence">For each slice, 0 to 1, how alike the two are: low where the box shows different things.</param>
/// <param name="Box">Where was looked: y start, y end, x start, x end.</param>
public sealed record RegisterTransforms(double[][] Shifts, double[] Coherence, int[] Box);

/// <summary>Moves each slice of a channel onto the same slice of another channel. See docs/methods/register.md.</summary>
[Operation("register", "Moves each slice onto the same slice of a reference channel, to a fraction of a pixel: voltages or detectors of one specimen.")]
public sealed record Register : Step
{
    // pixels around a displacement that is known already
    private const int Near = 3;

    /// <summary>The reference channel.</summary>
    [Parameter("The channel that stays where it is, on the same grid: of several voltages the middle one.", IsPath = true)]
    public string Reference { get; init; } = "";

    /// <summary>Where to look.</summary>
    [Parameter("Look only at this box, y start, y end, x start, x end: a mark through which nothing shines. Left out: looked for, as where both channels show the same in all slices.", Unit = "pixels")]
    public int[]? Box { get; init; }

    /// <summary>Largest displacement.</summary>
    [Parameter("Largest displacement between a slice and its reference.", Unit = "pixels", Min = 1)]
    public int MaxShift { get; init; } = 64;

    /// <summary>Edge of the tiles that vote.</summary>
    [Parameter("Edge of the square tiles that each find their own displacement; the vote of tiles that move unlike the others is dropped.", Unit = "pixels", Min = 16)]
    public int Tile { get; init; } = 48;

    /// <summary>How slices are resampled.</summary>
    [Parameter("How slices are resampled: cubic, linear (never overshoots), lanczos (sharpest), nearest (whole pixels).")]
    public SliceInterpolation Interpolation { get; init; }

    /// <summary>Grey value of what no image covers.</summary>
    [Parameter("Grey value where a moved slice has no pixels; if not set, its nearest pixel is repeated.", Unit = "grey levels")]
    public double? Fill { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        if (Reference.Length == 0) throw new InputError("register: there is no reference. Name the channel that stays where it is: --reference PATH.");
        var reference = VolumeFile.Open(Reference);
        using var held = reference as IDisposable;
        var source = run.Source.AsFloat();
        var found = run.Remember("transforms", () => Estimate(source, reference.AsFloat(), this, run.Walk.Part(0, 0.7)));
        run.Fact("shifts", found.Shifts);
        run.Fact("box", found.Box);
        run.Fact("meanCoherence", Math.Round(found.Coherence.Average(), 4));
        Align.Apply(source, run.CreateGrey(), found.Shifts, Interpolation, Fill, run.Walk.Part(0.7, 1));
    }

    /// <summary>Estimates the displacement of each slice against the reference's. Slices are independent of each other.</summary>
    /// <exception cref="InputError">The volumes differ in size, or the box or the slices are too small.</exception>
    public static RegisterTransforms Estimate(IVolume<float> source, IVolume<float> reference, Register how, Traversal walk)
    {
        var size = source.Info.Size;
        if (reference.Info.Size != size) throw new InputError($"register: the reference has {reference.Info.Size} voxels, the volume {size}; crop or resample them to one grid.");
        _ = Align.Region(how.Box, size, "register");
        var box = how.Box ?? FiducialBox.Find(source, reference, how, walk.Part(0, 0.3));
        var found = Measure(source, reference, [.. Enumerable.Range(0, size.Z)], how with { Box = box }, walk.Part(0.3, 1));
        return new([.. found.Select(f => (double[])[Math.Round(f.Y, 4), Math.Round(f.X, 4)])], [.. found.Select(f => Math.Round(f.Coherence, 4))], box);
    }

    /// <summary>The displacement of some slices within <see cref="Box"/>, and how alike they are there: looked for as far as <see cref="MaxShift"/>, or close to where each slice is known to be.</summary>
    internal static (double Y, double X, double Coherence)[] Measure(
        IVolume<float> source, IVolume<float> reference, int[] slices, Register how, Traversal walk, (double Y, double X)[]? near = null)
    {
        var size = source.Info.Size;
        var region = Align.Region(how.Box, size, "register");
        var tiles = new TileSpectra(region, Math.Min(how.Tile, Math.Max(16, Math.Min(region.Size.Y, region.Size.X) * 2 / 3)));
        var fine = new PairShift(tiles);
        // in a small box a large displacement can take one mark for the next: the whole slice has its say
        Rough[] roughs = near is null ? [new(region, how.MaxShift), new(Align.Region(null, size, "register"), how.MaxShift)] : [];
        var found = new (double, double, double)[slices.Length];
        walk.ForEach(slices.Length, i =>
        {
            var (moved, still) = (new float[size.SliceCount], new float[size.SliceCount]);
            source.Read(Volumes.Box.Slice(size, slices[i]), moved);
            reference.Read(Volumes.Box.Slice(size, slices[i]), still);
            (double Y, double X, double Coherence) From((double Y, double X) start, int reach)
            {
                var cut = (Y: (int)Math.Round(start.Y), X: (int)Math.Round(start.X));
                var (y, x) = Position(fine.Measure(tiles.Of(moved, size.X, cut.Y, cut.X), tiles.Of(still, size.X, 0, 0), cut, Math.Min(how.MaxShift, reach), out var alike));
                return (y, x, alike);
            }
            found[i] = near is null ? roughs.Select(rough => From(rough.Find(moved, still, size.X), rough.Reach)).MaxBy(one => one.Coherence) : From(near[i], Near);
        });
        return found;
    }

    // the displacement of a region as a whole, in pixels of a binned image
    private sealed class Rough(Box region, int maxShift)
    {
        private readonly int _binning = Drift.Binning(region);
        private readonly TileSpectra _spectra =
            new(Volumes.Box.Whole(new(1, region.Size.Y / Drift.Binning(region), region.Size.X / Drift.Binning(region))), int.MaxValue);

        // pixels that the truth may be away
        public int Reach => Math.Max(4, 2 * _binning);

        public (double Y, double X) Find(float[] moved, float[] still, int width)
        {
            Tile?[] Binned(float[] slice) => _spectra.Of(Drift.Bin(slice, width, region, _binning), region.Size.X / _binning, 0, 0);
            var (y, x) = Position(new PairShift(_spectra).Measure(Binned(moved), Binned(still), (0, 0), (int)Math.Ceiling((double)maxShift / _binning), out _));
            return (y * _binning, x * _binning);
        }
    }

    // tiles vote as in align, for a stack of two: the reference and the slice
    private static (double Y, double X) Position(List<(double Y, double X, double WeightY, double WeightX)> tiles) =>
        Trajectory.Solve([.. tiles.Select(t => new Displacement(1, 1, t.Y, t.X, t.WeightY, t.WeightX))], 2).Positions[1];
}
