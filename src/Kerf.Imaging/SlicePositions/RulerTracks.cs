namespace Kerf.Imaging;

/// <summary>One mark of a ruler through the stack.</summary>
/// <param name="Sign">How it moves with depth: 0 stays, +1 to the right, −1 to the left.</param>
/// <param name="X">Its column in each slice; NaN where it was not seen.</param>
internal sealed record RulerMark(int Sign, double[] X);

/// <summary>
/// Follows a ruler's marks. A few slices in which four spots can be followed without doubt tell which stay and which move; from there on, in both directions, each slice has two
/// unknowns, the drift of all marks and the way of those that move, and takes the pair that explains most spots. So marks may fade, cross, and jump.
/// </summary>
internal static class RulerTracks
{
    // slices in which marks are told apart
    private const int Window = 12;

    // within the window: how far a spot may lie from where its track goes, pixels
    private const double Gate = 7;

    // a mark that moves less than this per slice stays, pixels
    private const double Staying = 0.2;

    // misfit of a spot that still counts, pixels
    private const double Tolerance = 1;

    // marks closer than this melt into one spot, pixels
    private const double Crossing = 16;

    // between two slices: largest drift and largest way of a moving mark that are tried, pixels
    private const double LargestDrift = 25;
    private const double LargestWay = 40;

    /// <summary>The marks, those that stay first; null when no window shows at least one that stays and one that moves, and a third of either kind.</summary>
    public static RulerMark[]? Find(Spot[][] spots)
    {
        (int Start, (int Sign, double X)[] Marks, double Step, double Quality)? best = null;
        for (var start = 0; start == 0 || start + Window <= spots.Length; start += Window / 2)
        {
            var end = Math.Min(spots.Length, start + Window);
            if (Recognise(spots[start..end]) is { } found && (best is null || found.Quality > best.Value.Quality)) best = (start, found.Marks, found.Step, found.Quality);
        }
        return best is { } seed ? Propagate(spots, seed.Start, seed.Marks, seed.Step) : null;
    }

    // which spots of the first slice of a window stay or move, and how far a moving one goes per slice
    private static ((int Sign, double X)[] Marks, double Step, double Quality)? Recognise(Spot[][] window)
    {
        var tracks = Follow(window);
        if (tracks.Count < 3) return null;
        var pairs = from a in Enumerable.Range(0, tracks.Count) from b in Enumerable.Range(a + 1, tracks.Count - a - 1) select (A: a, B: b);
        ((int, double)[] Marks, double Step, double Quality)? best = null;
        foreach (var (a, b) in pairs)
        {
            // two that keep their distance, and others that move against them, all at one speed
            var (apart, wander) = Line([.. tracks[a].Zip(tracks[b], (x, y) => x - y)]);
            if (Math.Abs(apart) > Staying) continue;
            double[] middle = [.. tracks[a].Zip(tracks[b], (x, y) => (x + y) / 2)];
            var moving = tracks.Where((_, i) => i != a && i != b).Select(x => (X: x, Line: Line([.. x.Zip(middle, (p, q) => p - q)])))
                .Where(t => Math.Abs(t.Line.Slope) > Staying).OrderBy(t => t.Line.Slope).ToArray();
            if (moving.Length == 0) continue;
            // one angle: opposite speeds agree best, or equal ones
            var chosen = moving.Length == 1 ? [moving[0]]
                : (from p in Enumerable.Range(0, moving.Length) from q in Enumerable.Range(p + 1, moving.Length - p - 1) select new[] { moving[p], moving[q] })
                    .MinBy(m => Disagreement([m[0].X, m[1].X], [m[0].Line.Slope, m[1].Line.Slope], middle))!;
            var misfit = chosen.Length == 1 ? 1 : Disagreement([chosen[0].X, chosen[1].X], [chosen[0].Line.Slope, chosen[1].Line.Slope], middle);
            var quality = chosen.Length - wander - misfit;
            if (best is not null && quality <= best.Value.Quality) continue;
            best = ([(0, tracks[a][0]), (0, tracks[b][0]), .. chosen.Select(m => (Math.Sign(m.Line.Slope), m.X[0]))], chosen.Average(m => Math.Abs(m.Line.Slope)), quality);
        }
        return best;
    }

    // root mean square difference of the ways that two moving marks tell, slice by slice
    private static double Disagreement(double[][] x, double[] slopes, double[] middle)
    {
        double Way(int m, int z) => Math.Sign(slopes[m]) * (x[m][z] - middle[z] - (x[m][0] - middle[0]));
        return Math.Sqrt(Enumerable.Range(0, middle.Length).Average(z => (Way(0, z) - Way(1, z)) * (Way(0, z) - Way(1, z))));
    }

    // spots that are followed through every slice of a window: nearest to where the last step, or no step, takes them once the common drift is taken out
    private static List<double[]> Follow(Spot[][] window)
    {
        var tracks = window[0].Select(s => new List<double> { s.X }).ToList();
        for (var z = 1; z < window.Length && tracks.Count > 0; z++)
        {
            var next = window[z];
            if (next.Length == 0) return [];
            // the drift that brings most tracks onto spots
            double[] shifts = [0, .. from t in tracks from s in next let d = s.X - t[^1] where Math.Abs(d) <= Gate select d];
            var drift = shifts.OrderByDescending(d => tracks.Sum(t => next.Max(s => Closeness(s.X - t[^1] - d)))).ThenBy(Math.Abs).First();
            var kept = new List<List<double>>();
            var taken = new HashSet<int>();
            foreach (var track in tracks)
            {
                var velocity = track.Count > 2 ? (track[^1] - track[0]) / (track.Count - 1) : 0;
                var expected = track[^1] + (track.Count > 2 ? velocity : drift);
                var spot = Enumerable.Range(0, next.Length).OrderBy(i => Math.Abs(next[i].X - expected)).First();
                if (Math.Abs(next[spot].X - expected) > Gate || !taken.Add(spot)) continue;
                track.Add(next[spot].X);
                kept.Add(track);
            }
            tracks = kept;
        }
        return [.. tracks.Select(t => t.ToArray())];
    }

    private static RulerMark[] Propagate(Spot[][] spots, int start, (int Sign, double X)[] marks, double typical)
    {
        var found = marks.Select(m => new RulerMark(m.Sign, Unseen(spots.Length))).ToArray();
        foreach (var direction in (int[])[1, -1])
        {
            var (drift, way) = (0.0, 0.0);
            for (var z = direction > 0 ? start : start - 1; z >= 0 && z < spots.Length; z += direction)
            {
                var expected = z == start ? 0 : direction * typical;
                if (Explain(spots[z], marks, drift, way, direction, expected) is not { } at)
                {
                    way += expected;
                    continue;
                }
                (drift, way) = at;
                for (var m = 0; m < marks.Length; m++)
                {
                    var x = marks[m].X + drift + marks[m].Sign * way;
                    var spot = spots[z].MinBy(s => Math.Abs(s.X - x));
                    if (Math.Abs(spot.X - x) < 2 * Tolerance) found[m].X[z] = spot.X;
                    // two that cross melt into one spot; they are told apart when their appearance is fitted
                    else if (marks.Count(o => Math.Abs(o.X + drift + o.Sign * way - x) < Crossing) > 1) found[m].X[z] = x;
                }
            }
        }
        return found;
    }

    // the drift and the way that explain most spots of a slice; null when they explain fewer than three marks, or two of them without a moving one
    private static (double Drift, double Way)? Explain(Spot[] spots, (int Sign, double X)[] marks, double drift, double way, int direction, double expected)
    {
        (double Drift, double Way)? best = null;
        var most = double.NegativeInfinity;
        if (spots.Length == 0) return null;
        foreach (var still in marks.Where(m => m.Sign == 0))
        {
            foreach (var s in spots)
            {
                var d = s.X - still.X;
                if (Math.Abs(d - drift) > LargestDrift) continue;
                foreach (var moving in marks.Where(m => m.Sign != 0))
                {
                    foreach (var t in spots)
                    {
                        var w = moving.Sign * (t.X - moving.X - d);
                        if ((w - way) * direction is < -2 or > LargestWay) continue;
                        var score = marks.Sum(m => spots.Max(p => Closeness((p.X - m.X - d - m.Sign * w) / Tolerance)))
                            - 0.3 * Math.Abs(d - drift) / LargestDrift - 0.3 * Math.Abs(w - way - expected) / LargestWay;
                        if (score <= most) continue;
                        (most, best) = (score, (d, w));
                    }
                }
            }
        }
        // two marks always explain themselves; they are believed when they say what was expected
        if (best is not { } at || most > Math.Min(marks.Length, 3) - 0.9) return best;
        return most > 1.5 && Math.Abs(at.Drift - drift) < Gate && Math.Abs(at.Way - way - expected) < Gate ? best : null;
    }

    private static double Closeness(double distance) => Math.Exp(-distance * distance / 2);

    private static double[] Unseen(int slices)
    {
        var x = new double[slices];
        Array.Fill(x, double.NaN);
        return x;
    }

    // slope of a straight line and the root mean square distance from it
    private static (double Slope, double Wander) Line(double[] values)
    {
        double n = values.Length, k = (n - 1) / 2, mean = values.Average();
        var slope = values.Select((v, i) => (i - k) * (v - mean)).Sum() / Enumerable.Range(0, values.Length).Sum(i => (i - k) * (i - k));
        return (slope, Math.Sqrt(values.Select((v, i) => v - mean - slope * (i - k)).Average(r => r * r)));
    }
}
