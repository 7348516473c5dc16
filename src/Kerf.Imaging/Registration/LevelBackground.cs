using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>
/// Drift from what shines through open pores: the ground of a pore lies where it lies until the cut gets there, so it stands still in x and y (lies level in a z–y reslice) however the
/// structure slants. RF 2.2.1. See docs/methods/align.md.
/// </summary>
internal static class LevelBackground
{
    private const double Smoothing = 1.2;

    // pixels kept away from a pore's outline, which is blurred and moves
    private const int Rim = 5;
    private const int Rounds = 30;

    // a tile votes when so many of its pixels are pore in both slices
    private const int FewestPixels = 60;

    // a smoothed slice and where it shows the ground of pores
    private sealed record Ground(float[] Grey, bool[] Open, int Height, int Width);

    /// <summary>Positions of all slices against slice 0, the residual, and for each slice the share of the region that both it and the one before show as pore.</summary>
    /// <param name="source">Grey slices.</param>
    /// <param name="region">Where to look.</param>
    /// <param name="dark">Grey below which a pixel is pore.</param>
    /// <param name="how">Neighbours, tile, reach.</param>
    /// <param name="rough">Where correlation put the slices: a start for neighbours.</param>
    /// <param name="walk">Threads; they change nothing.</param>
    public static ((double Y, double X)[] Positions, double Residual, double[] Shared) Estimate(
        IVolume<float> source, Box region, double dark, Align how, (double Y, double X)[] rough, Traversal walk)
    {
        var size = source.Info.Size;
        var lags = Enumerable.Range(0, how.Neighbours).Select(i => 1 << i).Where(lag => lag < size.Z).ToArray();
        var shared = new double[size.Z];
        var pairs = new List<Displacement>();
        // neighbours start where correlation put them, longer lags where neighbours do
        var positions = rough;
        for (var l = 0; l < lags.Length; l++)
        {
            var lag = lags[l];
            var found = new List<Displacement>[size.Z];
            walk.Part((double)l / lags.Length, (l + 1.0) / lags.Length).ForEach(size.Z - lag, i =>
            {
                var (earlier, later) = (Read(source, i, region, dark), Read(source, i + lag, region, dark));
                var start = (positions[i + lag].Y - positions[i].Y, positions[i + lag].X - positions[i].X);
                found[i + lag] = Measure(earlier, later, start, how, i + lag, lag, out var share);
                if (lag == 1) shared[i + lag] = share;
            });
            pairs.AddRange(found.Where(list => list is not null).SelectMany(list => list));
            positions = Trajectory.Solve(pairs, size.Z).Positions;
        }
        if (size.Z > 1 && shared.Skip(1).Order().ElementAt((size.Z - 1) / 2) < 0.01)
        {
            throw new InputError("align: hardly any pore is open from slice to slice, so there is no background to lay level. Give --dark GREY, the grey below which a pixel is pore, or choose --criterion likeness.");
        }
        var (solved, residual) = Trajectory.Solve(pairs, size.Z);
        return (solved, residual, shared);
    }

    private static Ground Read(IVolume<float> source, int z, Box region, double dark)
    {
        var (height, width) = (region.Size.Y, region.Size.X);
        var slice = new float[region.Size.SliceCount];
        source.Read(new(new(z, region.Start.Y, region.Start.X), new(1, height, width)), slice);
        var smooth = SliceMotion.Blur(slice, height, width, Smoothing);
        var open = new bool[slice.Length];
        for (var i = 0; i < open.Length; i++) open[i] = smooth[i] < dark;
        open = Eroded(Eroded(open, height, width, 1, width), width, height, width, 1);
        return new(smooth, open, height, width);
    }

    // kept where all pixels within the rim along one axis are
    private static bool[] Eroded(bool[] open, int lines, int length, int step, int lineStep)
    {
        var kept = new bool[open.Length];
        for (var line = 0; line < lines; line++)
        {
            var run = Rim;
            for (var i = 0; i < length + Rim; i++)
            {
                run = i >= length || open[line * lineStep + i * step] ? run + 1 : 0;
                if (i >= Rim && run > 2 * Rim) kept[line * lineStep + (i - Rim) * step] = open[line * lineStep + (i - Rim) * step];
            }
        }
        return kept;
    }

    private static List<Displacement> Measure(Ground earlier, Ground later, (double Y, double X) start, Align how, int slice, int lag, out double share)
    {
        var whole = new Box(default, new(1, earlier.Height, earlier.Width));
        var found = new List<Displacement>();
        share = 0;
        if (Climb(earlier, later, start, whole) is not { } all) return found;
        share = (double)all.Count / earlier.Open.Length;
        var step = how.Tile * 3 / 4;
        for (var y = 0; y + how.Tile <= earlier.Height || y == 0; y += step)
            for (var x = 0; x + how.Tile <= earlier.Width || x == 0; x += step)
            {
                var tile = new Box(new(0, y, x), new(1, how.Tile, how.Tile)).Intersect(whole);
                if (Climb(earlier, later, (all.Y, all.X), tile) is { } one && Math.Abs(one.Y - all.Y) < 3 && Math.Abs(one.X - all.X) < 3)
                    found.Add(new(slice, lag, one.Y, one.X, one.WeightY, one.WeightX));
            }
        if (found.Count == 0) found.Add(new(slice, lag, all.Y, all.X, all.WeightY, all.WeightX));
        return found;
    }

    // least squares of later(p + d) − gain·earlier(p) − offset over the pixels that both show as ground: light falls on it as exp(depth), a gain and an offset
    private static (double Y, double X, double WeightY, double WeightX, int Count)? Climb(Ground earlier, Ground later, (double Y, double X) d, Box box)
    {
        var width = earlier.Width;
        var normal = new double[4, 5];
        var row = new double[5];
        // variance of the noise of either slice, as the fit before left it
        var (count, weightY, weightX, noise) = (0, 0.0, 0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            Array.Clear(normal);
            (count, var squares) = (0, 0.0);
            for (var y = Math.Max(1, box.Start.Y); y < Math.Min(box.End.Y, earlier.Height - 1); y++)
            {
                var (v, fy) = Split(y + d.Y);
                if (v < 1 || v >= earlier.Height - 2) continue;
                for (var x = Math.Max(1, box.Start.X); x < Math.Min(box.End.X, width - 1); x++)
                {
                    if (!earlier.Open[y * width + x]) continue;
                    var (u, fx) = Split(x + d.X);
                    if (u < 1 || u >= width - 2) continue;
                    var at = v * width + u;
                    if (!later.Open[at] || !later.Open[at + 1] || !later.Open[at + width] || !later.Open[at + width + 1]) continue;
                    double Grey(int offset) => (1 - fy) * ((1 - fx) * later.Grey[at + offset] + fx * later.Grey[at + offset + 1])
                        + fy * ((1 - fx) * later.Grey[at + offset + width] + fx * later.Grey[at + offset + width + 1]);
                    (row[0], row[1]) = ((Grey(width) - Grey(-width)) / 2, (Grey(1) - Grey(-1)) / 2);
                    (row[2], row[3], row[4]) = (-earlier.Grey[y * width + x], -1, -Grey(0));
                    for (var i = 0; i < 4; i++)
                        for (var j = i; j < 5; j++) normal[i, j] += row[i] * row[j];
                    squares += row[4] * row[4];
                    count++;
                }
            }
            // both slices are noisy: without this the gain comes out too small, and on slopes a gain looks like a displacement
            normal[2, 2] -= count * noise;
            if (count < FewestPixels || !Solve(normal, out var solution)) return null;
            normal[2, 2] += count * noise;
            // what is left of the greys after the fit
            var rest = squares;
            for (var i = 0; i < 4; i++)
            {
                rest += solution[i] * (solution[i] * normal[i, i] - 2 * normal[i, 4]);
                for (var j = i + 1; j < 4; j++) rest += 2 * solution[i] * solution[j] * normal[i, j];
            }
            var variance = Math.Max(rest / count, 1e-6);
            noise = variance / (1 + solution[2] * solution[2]);
            (weightY, weightX) = (normal[0, 0] / variance, normal[1, 1] / variance);
            var length = Math.Sqrt(solution[0] * solution[0] + solution[1] * solution[1]);
            var shorten = Math.Min(1, 1 / Math.Max(1e-12, length));
            d = (d.Y + solution[0] * shorten, d.X + solution[1] * shorten);
            if (length < 2e-3) break;
            if (round == Rounds - 1 && length > 0.3) return null;
        }
        return (d.Y, d.X, weightY, weightX, count);
    }

    private static (int Whole, double Part) Split(double value)
    {
        var whole = (int)Math.Floor(value);
        return (whole, value - whole);
    }

    // Cholesky of the symmetric 4×4 part, in place of its lower half
    private static bool Solve(double[,] normal, out double[] solution)
    {
        solution = new double[4];
        var lower = new double[4, 4];
        for (var i = 0; i < 4; i++)
            for (var j = 0; j <= i; j++)
            {
                var sum = normal[j, i];
                for (var k = 0; k < j; k++) sum -= lower[i, k] * lower[j, k];
                if (i == j && !(sum > 1e-9 * normal[i, i])) return false;
                lower[i, j] = i == j ? Math.Sqrt(sum) : sum / lower[j, j];
            }
        for (var i = 0; i < 4; i++)
        {
            solution[i] = normal[i, 4];
            for (var k = 0; k < i; k++) solution[i] -= lower[i, k] * solution[k];
            solution[i] /= lower[i, i];
        }
        for (var i = 3; i >= 0; i--)
        {
            for (var k = i + 1; k < 4; k++) solution[i] -= lower[k, i] * solution[k];
            solution[i] /= lower[i, i];
        }
        return true;
    }
}
