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
    public override Measured Run(IVolume source, Traversal walk, ulong seed)
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
        var values = Numbers([.. curves.Select(curve => curve.Y)]);
        var intervals = TiledCurve.Intervals(curves, setup.Grid, setup.Weights(walk), Numbers, seed, walk);
        return new(
            [.. names.Select((n, i) => new Measurement(n.Name, mask.Phase.Name, n.Axis, values[i], n.Unit, intervals[i]?.Low, intervals[i]?.High, "anisotropy/block-bootstrap-95"))],
            [.. points.Select(c => new Curve($"twoPoint-{c.Name}", c.X, c.Y, unit)), .. paths.Concat(planes).Select(c => new Curve($"linealPath-{c.Name}", c.X, c.Y, unit))]);

        double[] Numbers(double[][] y)
        {
            var sampled = curves.Take(6).Select((curve, i) => Enumerable.Range(0, count).Select(k => TiledCurve.At(y[i], k * step / curve.X[1])).ToArray()).ToArray();
            var diameters = planes.Select((plane, i) => Diameter(plane.X, y[6 + i])).ToArray();
            return [Difference(sampled[0], sampled[1], sampled[2]), Difference(sampled[3], sampled[4], sampled[5]), OfDiameters(diameters[0], diameters[1], diameters[2]), .. diameters];
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

    private static double Relative(ReadOnlySpan<double> f, ReadOnlySpan<double> g)
    {
        var (difference, ofF, ofG) = (0.0, 0.0, 0.0);
        for (var i = 0; i < f.Length; i++)
        {
            difference += (f[i] - g[i]) * (f[i] - g[i]);
            ofF += f[i] * f[i];
            ofG += g[i] * g[i];
        }
        return 2 * Math.Sqrt(difference) / (Math.Sqrt(ofF) + Math.Sqrt(ofG));
    }
}
