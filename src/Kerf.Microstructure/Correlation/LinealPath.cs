using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>The lineal path function L and the chord lengths of a phase: see <c>docs/methods/lineal-path.md</c>.</summary>
[Operation("lineal-path", "Lineal path function L and chord lengths of a phase along x, y and z, and L averaged over the directions of each plane.")]
public sealed record LinealPath : PhaseMeasure
{
    private const int Angles = 16;

    /// <summary>The longest distance.</summary>
    [Parameter("The longest distance; half the extent, and at most 256 voxels, when left out.", Unit = "nm", Min = 0)]
    public double? Longest { get; init; }

    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "lineal-path", walk);
        if (Axis is null) mask.AtLeast(new(2, 2, 2), "lineal-path");
        var setup = new CorrelationSetup(mask, Longest, walk);
        var found = Of(setup, Axis, walk);
        var along = found.Along.ToArray();
        TiledCurve[] curves = [.. along, .. found.InPlanes];
        var (intervals, bands) = TiledCurve.WithBands(curves, setup.Grid, setup.Weights(walk),
            drawn => [.. along.Select((curve, i) => MeanChord(curve.X, drawn[i]))], seed, walk);
        var unit = Lengths.Unit(mask.Info);
        return new(
            [.. along.Select((curve, i) => new Measurement("meanChord", mask.Phase.Name, curve.Name, MeanChord(curve.X, curve.Y), unit,
                intervals[i]?.Low, intervals[i]?.High, "lineal-path/block-bootstrap-95"))],
            [.. curves.Select((curve, i) => new Curve($"linealPath-{curve.Name}", curve.X, curve.Y, unit).With(bands[i])), .. found.Chords]);
    }

    /// <summary>
    /// Along axes exactly: of the segments of k + 1 voxels that lie in the specimen, the share that lies wholly in the phase (Lu and Torquato 1992,
    /// doi:10.1103/PhysRevA.45.922). In planes the same on digital lines in 16 directions, interpolated linearly and averaged.
    /// </summary>
    internal static (List<TiledCurve> Along, List<TiledCurve> InPlanes, List<Curve> Chords) Of(CorrelationSetup setup, Axis? only, Traversal walk)
    {
        var (along, planes, chords) = (new List<TiledCurve>(), new List<TiledCurve>(), new List<Curve>());
        for (var normal = 0; normal < 3; normal++)
        {
            var edges = setup.Edges(normal);
            var (rows, columns) = ((Axis)Planes.RowAxis(normal), (Axis)Planes.ColumnAxis(normal));
            // x and y from the xy planes, z from the xz planes
            var wanted = ((Axis[])[columns, rows]).Where(axis => normal == 0 || (normal == 1 && axis == Microstructure.Axis.Z)).Where(axis => only is null || axis == only).ToArray();
            if (only is not null && wanted.Length == 0) continue;
            Direction[] directions = [.. only is null ? Enumerable.Range(0, Angles).Select(i => Direction.At(Math.PI * i / Angles, edges))
                : wanted.Select(axis => Direction.At(axis == columns ? 0 : Math.PI / 2, edges))];
            var part = walk.Part(normal / 3.0, (normal + 1) / 3.0);
            var runs = RunLengths.Of(setup.Mask, normal, directions, setup.Grid, part);
            var room = setup.Specimen is null ? RunLengths.Room(setup.Size, normal, directions)
                : [.. RunLengths.Of(setup.Specimen, normal, directions, setup.Grid, part).Counts.Select(Total)];
            foreach (var axis in wanted)
            {
                var i = only is not null ? 0 : axis == columns ? 0 : Angles / 2;
                along.Add(new(axis.Letter(), [.. Enumerable.Range(0, setup.Steps((int)axis) + 1).Select(k => k * setup.Mask.Voxel[(int)axis])],
                    Shares(runs.Counts[i], room[i], setup.Steps((int)axis))));
                chords.Add(Chords(runs.Whole[i], setup, axis));
            }
            if (only is null) planes.Add(InPlane(setup, normal, directions, runs, room));
        }
        along.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return (along, planes, chords);
    }

    /// <summary>Mean chord: the phase's share over the share of steps that leave it, times the step; infinite where none leaves.</summary>
    internal static double MeanChord(double[] x, double[] y) => x[1] * y[0] / (y[0] - y[1]);

    private static TiledCurve InPlane(CorrelationSetup setup, int normal, Direction[] directions, RunLengths runs, long[][] room)
    {
        var (step, count) = setup.Radii(normal);
        var tiles = Enumerable.Range(0, setup.Grid.Count).Select(_ => new double[count]).ToArray();
        for (var i = 0; i < directions.Length; i++)
        {
            var shares = Shares(runs.Counts[i], room[i], (int)Math.Ceiling((count - 1) * step / directions[i].Step) + 1);
            for (var tile = 0; tile < tiles.Length; tile++)
            {
                for (var k = 0; k < count; k++) tiles[tile][k] += TiledCurve.At(shares[tile], k * step / directions[i].Step) / directions.Length;
            }
        }
        return new(CorrelationSetup.PlaneName(normal), [.. Enumerable.Range(0, count).Select(k => k * step)], tiles);
    }

    // by tile and steps: segments in the phase over all segments there is room for
    private static double[][] Shares(long[][] runs, long[] room, int steps)
    {
        var all = RunLengths.Segments(room, steps);
        return Array.ConvertAll(runs, tile => RunLengths.Segments(tile, steps).Zip(all, (segments, possible) => possible > 0 ? segments / possible : 0).ToArray());
    }

    private static long[] Total(long[][] tiles)
    {
        var sum = new long[tiles[0].Length];
        foreach (var tile in tiles)
        {
            for (var i = 0; i < sum.Length; i++) sum[i] += tile[i];
        }
        return sum;
    }

    // density of the lengths of whole chords; a long one fits into the volume at fewer places, and weighs more for it
    private static Curve Chords(long[] whole, CorrelationSetup setup, Axis axis)
    {
        var (edge, extent) = (setup.Mask.Voxel[(int)axis], setup.Size[(int)axis]);
        var last = Math.Max(1, Array.FindLastIndex(whole, count => count > 0));
        var weighted = Enumerable.Range(1, last).Select(length => length < extent - 1 ? (double)whole[length] / (extent - 1 - length) : 0).ToArray();
        var sum = weighted.Sum() * edge;
        return new($"chordLength-{axis.Letter()}", [.. weighted.Select((_, i) => (i + 1) * edge)], [.. weighted.Select(w => sum > 0 ? w / sum : 0)], Lengths.Unit(setup.Mask.Info));
    }
}
