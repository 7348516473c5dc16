using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>How far a structure that should be isotropic is not: see <c>docs/methods/anisotropy.md</c>.</summary>
[Operation("anisotropy", "Anisotropy of a phase: relative L2 differences of S₂ and of L between z and the image plane, and of ligament diameters between planes.")]
public sealed record Anisotropy : PhaseMeasure
{
    /// <summary>The longest distance.</summary>
    [Parameter("The longest distance; half the shortest extent, and at most 256 voxels, when left out.", Unit = "nm", Min = 0)]
    public double? Longest { get; init; }

    /// <inheritdoc/>
    public override bool Streams => Probabilities.Length == 0;

    /// <inheritdoc/>
    protected internal override Measured Once(IVolume source, Traversal walk, ulong seed)
    {
        var mask = Mask(source, "anisotropy", walk).AtLeast(Size3.Cube(4), "anisotropy");
        var setup = new CorrelationSetup(mask, Longest, walk);
        var points = TwoPoint.Along(setup, [Microstructure.Axis.X, Microstructure.Axis.Y, Microstructure.Axis.Z], periodic: false, walk.Part(0, 0.5));
        var (paths, planes, _) = LinealPath.Of(setup, null, walk.Part(0.5, 1));
        // radii that all three axes reach, as fine as the finest edge
        var step = mask.Voxel.Finest;
        var count = (int)Math.Floor(points.Min(curve => curve.X[^1]) / step + 1e-9) + 1;
        TiledCurve[] curves = [.. points, .. paths, .. planes];
        var unit = Lengths.Unit(mask.Info);
        (string Name, string? Axis, string Unit)[] names =
        [
            ("eL2TwoPoint", null, "1"), ("eL2LinealPath", null, "1"), ("eDiameter", null, "1"),
            .. planes.Select(plane => ("ligamentDiameter", (string?)plane.Name, unit)),
        ];
        var (sampled, diameters) = Sample([.. curves.Select(curve => curve.Y)]);
        double[] values =
        [
            Difference(sampled[0], sampled[1], sampled[2]), Difference(sampled[3], sampled[4], sampled[5]), OfDiameters(diameters[0], diameters[1], diameters[2]),
            .. diameters,
        ];
        var (intervals, bands) = TiledCurve.WithBands(curves, setup.Grid, setup.Weights(walk), Deviations, seed, walk);
        // a difference d of curves, estimated as D, has | ‖d‖ − ‖D‖ | ≤ ‖d − D‖, and the resampled ‖D* − D‖ shows how large that may be
        for (var i = 0; i < 3; i++) intervals[i] = intervals[i] is { } off ? new(Math.Max(0, values[i] - off.High), values[i] + off.High) : null;
        return new(
            [.. names.Select((n, i) => new Measurement(n.Name, mask.Phase.Name, n.Axis, values[i], n.Unit, intervals[i]?.Low, intervals[i]?.High, "anisotropy/block-bootstrap-95"))],
            [.. curves.Select((c, i) => new Curve((i < 3 ? "twoPoint-" : "linealPath-") + c.Name, c.X, c.Y, unit).With(bands[i]))]);

        (double[][] Sampled, double[] Diameters) Sample(double[][] y) => (
            [.. curves.Take(6).Select((curve, i) => Enumerable.Range(0, count).Select(k => TiledCurve.At(y[i], k * step / curve.X[1])).ToArray())],
            [.. planes.Select((plane, i) => Diameter(plane.X, y[6 + i]))]);

        double[] Deviations(double[][] y)
        {
            var (drawn, drawnDiameters) = Sample(y);
            double Off(int x, int z) => Relative(Minus(drawn[x], drawn[z]), Minus(sampled[x], sampled[z]), Norm(sampled[x]) + Norm(sampled[z]));
            double Between(int plane) => Math.Abs(drawnDiameters[plane] - drawnDiameters[0] - (diameters[plane] - diameters[0])) / diameters[0];
            return [(Off(0, 2) + Off(1, 2)) / 2, (Off(3, 5) + Off(4, 5)) / 2, (Between(1) + Between(2)) / 2, .. drawnDiameters];
        }
    }

    /// <summary>
    /// e_L2 = ½ [ 2‖fˣ−fᶻ‖/(‖fˣ‖+‖fᶻ‖) + 2‖fʸ−fᶻ‖/(‖fʸ‖+‖fᶻ‖) ] over equally spaced points (Sardhara et al. 2022, doi:10.3389/fmats.2022.837006).
    /// </summary>
    public static double Difference(ReadOnlySpan<double> x, ReadOnlySpan<double> y, ReadOnlySpan<double> z) => (Relative(x, z) + Relative(y, z)) / 2;

    /// <summary>e_D = ½ (|D_xz − D_xy| + |D_yz − D_xy|)/D_xy.</summary>
    public static double OfDiameters(double xy, double xz, double yz) => (Math.Abs(xz - xy) + Math.Abs(yz - xy)) / xy / 2;

    /// <summary>Mean ligament diameter: the area under L / L(0), by trapezoids.</summary>
    public static double Diameter(ReadOnlySpan<double> distance, ReadOnlySpan<double> path)
    {
        var area = 0.0;
        for (var k = 1; k < path.Length; k++) area += (distance[k] - distance[k - 1]) * (path[k] + path[k - 1]) / 2;
        return area / path[0];
    }

    private static double Relative(ReadOnlySpan<double> f, ReadOnlySpan<double> g) => Relative(f, g, Norm(f) + Norm(g));

    private static double Relative(ReadOnlySpan<double> f, ReadOnlySpan<double> g, double norms) => 2 * Norm(Minus(f, g)) / norms;

    private static double[] Minus(ReadOnlySpan<double> f, ReadOnlySpan<double> g)
    {
        var difference = f.ToArray();
        for (var i = 0; i < difference.Length; i++) difference[i] -= g[i];
        return difference;
    }

    private static double Norm(ReadOnlySpan<double> f)
    {
        var sum = 0.0;
        foreach (var value in f) sum += value * value;
        return Math.Sqrt(sum);
    }
}
