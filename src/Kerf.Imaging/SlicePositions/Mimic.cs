using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Makes what an uneven microscope would have cut from a finely sampled truth. See docs/methods/slice-positions.md.</summary>
[Operation("mimic", "Takes slices of a finely sampled volume at uneven depths, as a microscope cuts them: test data for thickness, reposition and fill.")]
public sealed record Mimic : Step
{
    /// <summary>Mean thickness.</summary>
    [Parameter("Mean slice thickness.", Unit = "nm", Min = 0.001)]
    public double Mean { get; init; } = 10.16;

    /// <summary>Standard deviation of the thickness.</summary>
    [Parameter("Standard deviation of the slice thickness; 0 for even slices.", Unit = "nm", Min = 0)]
    public double Sd { get; init; } = 3.12;

    /// <summary>What depths are rounded to.</summary>
    [Parameter("Depths are whole multiples of this. Left out: the volume's slice distance.", Unit = "nm", Min = 0.001)]
    public double? Grid { get; init; }

    /// <inheritdoc/>
    public override void Run(StepRun run)
    {
        var info = run.Source.Info;
        var voxel = info.RequireVoxel("mimic");
        var grid = Grid ?? voxel.Z;
        var perGrid = grid / voxel.Z;
        if (Math.Abs(perGrid - Math.Round(perGrid)) > 1e-6 || perGrid < 0.5)
            throw new InputError($"mimic: a grid of {grid} nm is no whole multiple of the volume's slice distance, {voxel.Z} nm.");
        var planes = Cut(info.Size.Z, (int)Math.Round(perGrid), grid, Mean, Sd, run.Seed);
        double[] depths = [.. planes.Select(plane => plane * voxel.Z)];
        run.Fact("depths", depths);
        run.Deliver("depths.csv", SliceDepths.ToCsv(depths));
        var target = run.Create(info with
        {
            Size = info.Size with { Z = planes.Length },
            Voxel = new(Mean, voxel.Y, voxel.X),
            Metadata = new Dictionary<string, string>(info.Metadata) { [SliceDepths.DepthsKey] = SliceDepths.Join(depths) },
        });
        Planes.Copy(run.Source, target, z => planes[z], run.Walk);
    }

    /// <summary>
    /// Planes of the truth that are cut: the first, then by steps drawn from a gamma distribution (shape = (mean/sd)², scale = sd²/mean) and rounded to
    /// the grid, at least one grid plane each, while they last.
    /// </summary>
    /// <param name="count">Planes of the truth.</param>
    /// <param name="perGrid">Planes to a step of the grid.</param>
    /// <param name="grid">What thicknesses are rounded to, in nanometres.</param>
    /// <param name="mean">Nanometres.</param>
    /// <param name="sd">Nanometres; 0 for even slices.</param>
    /// <param name="seed">Another seed, other thicknesses.</param>
    public static int[] Cut(int count, int perGrid, double grid, double mean, double sd, ulong seed)
    {
        var planes = new List<int>();
        for (var plane = 0; plane < count;)
        {
            planes.Add(plane);
            var random = new CounterRandom(seed, (ulong)planes.Count);
            var thickness = sd > 0 ? random.NextGamma(mean / sd * (mean / sd), sd * sd / mean) : mean;
            plane += perGrid * Math.Max(1, (int)Math.Round(thickness / grid));
        }
        return [.. planes];
    }
}
