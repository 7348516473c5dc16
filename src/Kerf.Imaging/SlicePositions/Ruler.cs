using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>What there was to see of a ruler.</summary>
/// <param name="Box">Rows and columns of the band: y start, y end, x start, x end.</param>
/// <param name="Profiles">The band's profile in each slice.</param>
/// <param name="Marks">Column of each mark in each slice, within the box; NaN where it was not used. None when no marks could be followed.</param>
/// <param name="Lost">Slices that show too few marks to tell their depth, ascending.</param>
public sealed record RulerSight(int[] Box, float[][] Profiles, double[][] Marks, int[] Lost);

/// <summary>A ruler that was read.</summary>
/// <param name="Thickness">The thicknesses.</param>
/// <param name="Sight">What they come from.</param>
/// <param name="Residual">Root mean square misfit of the marks, in pixels.</param>
public sealed record RulerReading(SliceThickness Thickness, RulerSight Sight, double Residual);

/// <summary>
/// Thickness from ruler marks on the specimen: two trenches run parallel to the milling direction and stay where they are, two are inclined to it and move from slice to
/// slice (T-II; Jones et al. 2014, doi:10.1016/j.ultramic.2013.11.006). See docs/methods/slice-thickness.md.
/// </summary>
public static class Ruler
{
    private const int FewestColumns = 64;

    // a mark farther than this many robust deviations from the model of its slice is dropped
    private const double Odd = 4;

    /// <summary>Reads the ruler.</summary>
    /// <param name="source">Grey slices with a pixel size; they need not be aligned.</param>
    /// <param name="angle">Between the inclined and the parallel trenches, in degrees.</param>
    /// <param name="box">Rows and columns of the band with the marks; null looks for it.</param>
    /// <param name="walk">Threads, budget, progress.</param>
    /// <param name="look">Receives what was seen, also when it is refused then: to draw it.</param>
    /// <exception cref="InputError">No marks, or too few slices that show them; a wrong box or angle; no pixel size.</exception>
    public static RulerReading Read(IVolume<float> source, double angle, int[]? box, Traversal walk, Action<RulerSight>? look = null)
    {
        var (size, voxel) = (source.Info.Size, source.Info.RequireVoxel("thickness by a ruler"));
        if (!(angle is >= 5 and <= 85)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"thickness: --angle is {angle}; allowed: 5 to 85 degrees between the inclined and the parallel marks."));
        if (size.Z < 3) throw new InputError($"thickness: {size.Z} slices are too few to follow marks; at least 3 are needed.");
        var bands = box is null ? Bands(size) : [Checked(box, size)];
        (int[] Band, float[][] Profiles, RulerMark[] Marks, double Score)? best = null;
        (int[] Band, float[][] Profiles, double Contrast)? plain = null;
        for (var i = 0; i < bands.Length; i++)
        {
            var band = bands[i];
            var profiles = RulerProfiles.Read(source, band[0], band[1], band[2], band[3], walk.Part((double)i / bands.Length, (i + 1.0) / bands.Length));
            if (Contrast(profiles) is var contrast && !(contrast <= plain?.Contrast)) plain = (band, profiles, contrast);
            var (spots, scale) = RulerProfiles.Spots(profiles);
            if (RulerTracks.Find(spots) is not { } marks) continue;
            RulerTemplate.Refine(profiles, marks, (int)Math.Ceiling(2.5 * scale));
            if (marks.Any(m => !m.X.Any(double.IsFinite))) continue;
            // most sightings, then the steadiest distances
            var score = marks.Sum(m => m.X.Count(double.IsFinite)) - Fit(marks, 1, size.Z).Residual;
            if (best is null || score > best.Value.Score) best = (band, profiles, marks, score);
        }
        if (best is not { } found)
        {
            look?.Invoke(new(plain!.Value.Band, plain.Value.Profiles, [], [.. Enumerable.Range(0, size.Z)]));
            throw new InputError("thickness: no ruler was found: at least one mark that stays and one that moves must be followed through most slices. " +
                "Give the rows of the ruler with --box y0,y1,x0,x1, and look at them (--report FILE.html).");
        }
        var perNanometre = Math.Tan(angle * Math.PI / 180) / voxel.X;
        var fit = Fit(found.Marks, perNanometre, size.Z);
        int[] lost = [.. Enumerable.Range(0, size.Z).Where(z => !double.IsFinite(fit.Depth[z]))];
        var sight = new RulerSight(found.Band, found.Profiles, [.. found.Marks.Select(m => m.X)], lost);
        look?.Invoke(sight);
        return new(Thicknesses(fit, lost), sight, fit.Residual);
    }

    // depth in nanometres and its standard error for each slice, NaN where the marks do not tell
    private sealed record Depths(double[] Depth, double[] Error, double Residual);

    // x = a + drift + sign·g·depth for each mark and slice: alternately drift and depth of each slice (2×2 normal equations) and a of each mark
    private static Depths Fit(RulerMark[] marks, double g, int slices)
    {
        var offsets = Array.ConvertAll(marks, m => m.X.First(double.IsFinite));
        var used = Array.ConvertAll(marks, m => Array.ConvertAll(m.X, double.IsFinite));
        var (drift, depth, factor) = (new double[slices], new double[slices], new double[slices]);
        var residual = 0.0;
        for (var round = 0; round < 60; round++)
        {
            for (var z = 0; z < slices; z++) (drift[z], depth[z], factor[z]) = Solve(z);
            for (var m = 1; m < marks.Length; m++)
            {
                var left = Left(m).Where(l => double.IsFinite(l.Value)).ToArray();
                if (left.Length > 0) offsets[m] += Median(left.Select(l => l.Value));
            }
            var all = Enumerable.Range(0, marks.Length).SelectMany(m => Left(m).Select(l => (m, l.Slice, l.Value))).Where(l => double.IsFinite(l.Value)).ToArray();
            var freedom = all.Length - 2 * factor.Count(double.IsFinite);
            residual = freedom > 0 ? Math.Sqrt(all.Sum(l => l.Value * l.Value) / freedom) : 0.1;
            // odd sightings (a crossing, a scratch) are dropped once the model has settled
            if (round is not (20 or 35)) continue;
            var robust = 1.4826 * Median(all.Select(l => Math.Abs(l.Value))) + 1e-3;
            foreach (var (m, z, value) in all)
                if (Math.Abs(value) > Odd * robust) used[m][z] = false;
        }
        for (var m = 0; m < marks.Length; m++)
            for (var z = 0; z < slices; z++)
                if (!used[m][z]) marks[m].X[z] = double.NaN;
        return new(depth, [.. factor.Select(f => residual * f)], residual);

        (double Drift, double Depth, double Factor) Solve(int z)
        {
            double n = 0, s = 0, ss = 0, y = 0, sy = 0;
            for (var m = 0; m < marks.Length; m++)
            {
                if (!used[m][z]) continue;
                var (slope, value) = (marks[m].Sign * g, marks[m].X[z] - offsets[m]);
                n++;
                s += slope;
                ss += slope * slope;
                y += value;
                sy += slope * value;
            }
            var determinant = n * ss - s * s;
            return determinant < 1e-12 ? (double.NaN, double.NaN, double.NaN)
                : ((ss * y - s * sy) / determinant, (n * sy - s * y) / determinant, Math.Sqrt(n / determinant));
        }

        IEnumerable<(int Slice, double Value)> Left(int m) => Enumerable.Range(0, slices).Where(z => used[m][z])
            .Select(z => (z, marks[m].X[z] - offsets[m] - drift[z] - marks[m].Sign * g * depth[z]));
    }

    private static SliceThickness Thicknesses(Depths fit, int[] blind)
    {
        var slices = fit.Depth.Length;
        if (blind.Length > slices / 4)
            throw new InputError($"thickness: the marks were not found in {blind.Length} of {slices} slices ({List(blind)}); give their rows with --box y0,y1,x0,x1, and look at them (--report FILE.html).");
        var depth = (double[])fit.Depth.Clone();
        foreach (var z in blind) depth[z] = Between(fit.Depth, z);
        // marks move one way or the other
        if (depth[^1] < depth[0]) depth = Array.ConvertAll(depth, d => -d);
        var unmeasured = blind.SelectMany(z => new[] { z - 1, z }).Where(k => k >= 0 && k < slices - 1).ToHashSet();
        var (thickness, error) = (new double[slices - 1], new double[slices - 1]);
        for (var k = 0; k < thickness.Length; k++)
        {
            thickness[k] = Math.Max(depth[k + 1] - depth[k], 1e-3);
            error[k] = Math.Sqrt(fit.Error[k] * fit.Error[k] + fit.Error[k + 1] * fit.Error[k + 1]);
        }
        string[] warnings = blind.Length == 0 ? [] : [$"the marks were not found in slices {List(blind)}; their thickness is interpolated and flagged."];
        return SliceThickness.Of(thickness, error, unmeasured, warnings);
    }

    private static double Between(double[] depth, int z)
    {
        var before = Array.FindLastIndex(depth, z, double.IsFinite);
        var after = Array.FindIndex(depth, z, double.IsFinite);
        return before < 0 ? depth[after] - (after - z) * Typical() : after < 0 ? depth[before] + (z - before) * Typical()
            : depth[before] + (depth[after] - depth[before]) * (z - before) / (after - before);

        double Typical()
        {
            var known = Enumerable.Range(0, depth.Length).Where(k => double.IsFinite(depth[k])).ToArray();
            return (depth[known[^1]] - depth[known[0]]) / (known[^1] - known[0]);
        }
    }

    private static string List(int[] slices) => slices.Length <= 8 ? string.Join(", ", slices) : string.Join(", ", slices[..8]) + ", …";

    // bands of a twelfth of the height, overlapping by half
    private static int[][] Bands(Size3 size)
    {
        var height = Math.Clamp(size.Y / 12, 8, 64);
        return [.. Enumerable.Range(0, Math.Max(1, (size.Y - height) / (height / 2) + 1)).Select(i => (int[])[i * (height / 2), Math.Min(size.Y, i * (height / 2) + height), 0, size.X])];
    }

    private static int[] Checked(int[] box, Size3 size) =>
        box is [>= 0 and var y0, var y1, >= 0 and var x0, var x1] && y0 < y1 && y1 <= size.Y && x1 - x0 >= FewestColumns && x1 <= size.X ? box : throw new InputError(
            $"thickness: --box is {string.Join(',', box)}; it must be y start, y end, x start, x end inside 0,{size.Y},0,{size.X} and at least {FewestColumns} columns wide.");

    // of the mean profile
    private static double Contrast(float[][] profiles)
    {
        double[] mean = [.. Enumerable.Range(0, profiles[0].Length).Select(x => profiles.Average(p => p[x]))];
        return mean.Max() - mean.Min();
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}
