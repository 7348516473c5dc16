using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>The two-point correlation S₂ of a phase: see <c>docs/methods/correlation.md</c>.</summary>
[Operation("correlation", "Two-point correlation S₂ of a phase along x, y and z and averaged over the directions of each plane, without wrap-around.")]
public sealed record TwoPoint : PhaseMeasure
{
    /// <summary>Opposite borders touch.</summary>
    [Parameter("Opposite borders of the volume touch: for simulated periodic structures only.")]
    public bool Periodic { get; init; }

    /// <summary>The longest distance.</summary>
    [Parameter("The longest distance; half the extent, and at most 256 voxels, when left out.", Unit = "nm", Min = 0)]
    public double? Longest { get; init; }

    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "correlation", walk).AtLeast(Axis is { } axis ? Only(axis) : new(2, 2, 2), "correlation");
        var setup = new CorrelationSetup(mask, Longest, walk);
        var curves = Along(setup, Axes, Periodic, walk.Part(0, Axis is null ? 0.3 : 1));
        var (intervals, bands) = TiledCurve.WithBands(curves, setup.Grid, setup.Weights(walk), drawn => [drawn[0][0], .. drawn.Select((y, i) => Length(curves[i].X, y))], seed, walk);
        List<Measurement> measurements = [Measurement("fraction", null, curves[0].Y[0], "1", intervals[0])];
        for (var i = 0; i < curves.Length; i++)
            measurements.Add(Measurement("correlationLength", curves[i].Name, Length(curves[i].X, curves[i].Y), Lengths.Unit(mask.Info), intervals[i + 1]));
        var all = curves.Select((curve, i) => new Curve($"twoPoint-{curve.Name}", curve.X, curve.Y, Lengths.Unit(mask.Info)).With(bands[i])).ToList();
        for (var normal = 0; Axis is null && normal < 3; normal++)
            all.Add(InPlane(setup, normal, Periodic, walk.Part(0.3 + 0.7 * normal / 3, 0.3 + 0.7 * (normal + 1) / 3)));
        return new(measurements, all);

        Measurement Measurement(string name, string? along, double value, string unit, Interval? interval) =>
            new(name, mask.Phase.Name, along, value, unit, interval?.Low, interval?.High, "correlation/block-bootstrap-95");
    }

    /// <summary>
    /// S₂ along axes, exact: the share of the pairs of voxels at a distance, of those that lie in the specimen, that are both in the phase
    /// (Torquato 2002, doi:10.1007/978-1-4757-6355-3).
    /// </summary>
    internal static TiledCurve[] Along(CorrelationSetup setup, IReadOnlyList<Axis> axes, bool periodic, Traversal walk)
    {
        var counts = new PairCounts(setup.Grid, periodic);
        var room = setup.Specimen is null ? null : new PairCounts(setup.Grid, periodic);
        return [.. axes.Select((axis, i) =>
        {
            var part = walk.Part((double)i / axes.Count, (i + 1.0) / axes.Count);
            var steps = setup.Steps((int)axis);
            counts.Count(setup.Mask, axis, steps, part);
            room?.Count(setup.Specimen!, axis, steps, part);
            var pairs = Enumerable.Range(0, steps + 1).Select(lag => room is null ? counts.Room(axis, lag) : [.. room[axis].Select(tile => (double)tile[lag])]).ToArray();
            var sums = Array.ConvertAll(pairs, tiles => tiles.Sum());
            var last = Array.FindLastIndex(sums, pair => pair > 0);
            var x = Enumerable.Range(0, last + 1).Select(lag => lag * setup.Mask.Voxel[(int)axis]).ToArray();
            return new TiledCurve(axis.Letter(), x, Shares(counts, axis, pairs[..(last + 1)], sums), [.. x.Select((_, lag) => counts.Total(axis, lag) / sums[lag])]);
        })];
    }

    // S₂ = covariance + φ². A tile's share of the first is Σ (m − φ)(m′ − φ) over its pairs, of the second what follows from its own voxels: else how
    // much of the phase happens to lie beside a tile, or how many of its partners the border takes, would look like a difference between axes.
    private static double[][] Shares(PairCounts counts, Axis axis, double[][] pairs, double[] sums)
    {
        var (tiles, linear) = (counts[axis], counts.Linear(axis));
        var shares = tiles.Select(_ => new double[pairs.Length]).ToArray();
        var all = counts.Total(axis, 0);
        var fraction = all / sums[0];
        for (var lag = 0; lag < pairs.Length; lag++)
        {
            var rest = counts.Total(axis, lag) / sums[lag];
            for (var tile = 0; tile < tiles.Length; tile++)
            {
                var covariance = tiles[tile][lag] - fraction * linear[tile][lag] + fraction * fraction * pairs[lag][tile];
                var square = 2 * fraction * tiles[tile][0] - fraction * fraction * pairs[0][tile];
                shares[tile][lag] = covariance / sums[lag] + square / sums[0];
                rest -= shares[tile][lag];
            }
            // what the borders leave over goes to the tiles as the phase does
            for (var tile = 0; tile < tiles.Length; tile++) shares[tile][lag] += rest * tiles[tile][0] / all;
        }
        return shares;
    }

    /// <summary>S₂ averaged over the directions of the planes across an axis.</summary>
    internal static Curve InPlane(CorrelationSetup setup, int normal, bool periodic, Traversal walk)
    {
        var ((step, count), edges) = (setup.Radii(normal), setup.Edges(normal));
        var (rows, columns) = (setup.Size[Planes.RowAxis(normal)], setup.Size[Planes.ColumnAxis(normal)]);
        int Last(int extent, double edge) => Math.Min(extent - 1, (int)Math.Ceiling((count - 1) * step / edge - 1e-9));
        var longest = (Last(rows, edges.Rows), Last(columns, edges.Columns));
        var sums = PlaneCorrelation.Of(setup.Mask, normal, longest, periodic, walk);
        var room = setup.Specimen is null ? null : PlaneCorrelation.Of(setup.Specimen, normal, longest, periodic, walk);
        var y = PlaneCorrelation.AngleAverage(Ratio, edges, step, count, longest);
        return new($"twoPoint-{CorrelationSetup.PlaneName(normal)}", [.. y.Select((_, k) => k * step)], y, Lengths.Unit(setup.Mask.Info));

        double Ratio(int r, int c)
        {
            var pairs = room?[r, c] ?? sums.Room(r, c);
            // displacements that hardly any pair has, in a specimen of odd shape
            return pairs < 0.5 ? 0 : Math.Max(0, sums[r, c]) / pairs;
        }
    }

    /// <summary>∫ (S₂ − φ²)/(φ − φ²) dr up to its first zero: how far the structure remembers itself.</summary>
    private static double Length(double[] x, double[] y)
    {
        var fraction = y[0];
        var sum = 0.0;
        for (var k = 1; k < y.Length; k++)
        {
            var (before, here) = (Scaled(y[k - 1]), Scaled(y[k]));
            if (!(here > 0)) return sum + x[1] * before / 2 * (before / (before - here));
            sum += x[1] * (before + here) / 2;
        }
        return sum;

        double Scaled(double value) => (value - fraction * fraction) / (fraction - fraction * fraction);
    }

    private static Size3 Only(Axis axis) => new(axis == Microstructure.Axis.Z ? 2 : 1, axis == Microstructure.Axis.Y ? 2 : 1, axis == Microstructure.Axis.X ? 2 : 1);
}
