namespace Kerf.Imaging;

/// <summary>Closes small enclosed spots in a plane: the repair that T-II makes after a cubic spline.</summary>
internal static class PlaneHoles
{
    /// <summary>Spots (4-connected, away from the plane's border) of fewer than <paramref name="below"/> pixels whose whole outline is one other label become that label.</summary>
    public static void Close(byte[] plane, int height, int width, int below)
    {
        var seen = new HashSet<int>();
        var spot = new List<int>();
        foreach (var start in Small(plane, height, width, below))
        {
            seen.Add(start);
            spot.Clear();
            spot.Add(start);
            var around = -1;
            var enclosed = true;
            for (var i = 0; i < spot.Count; i++)
            {
                var (y, x) = (spot[i] / width, spot[i] % width);
                if (y == 0 || x == 0 || y == height - 1 || x == width - 1) enclosed = false;
                if (y > 0) Visit(spot[i] - width);
                if (y < height - 1) Visit(spot[i] + width);
                if (x > 0) Visit(spot[i] - 1);
                if (x < width - 1) Visit(spot[i] + 1);
            }
            if (!enclosed || around < 0) continue;
            foreach (var pixel in spot) plane[pixel] = (byte)around;

            void Visit(int next)
            {
                if (plane[next] != plane[start])
                {
                    enclosed &= around < 0 || around == plane[next];
                    around = plane[next];
                }
                else if (seen.Add(next)) spot.Add(next);
            }
        }
    }

    // first pixels of the spots below a size, in their order; from runs of equal pixels, of which there are few
    private static List<int> Small(byte[] plane, int height, int width, int below)
    {
        // of each run: where it starts, an earlier run of the same spot (itself for the first of all), and in the first the pixels of the spot
        List<int> starts = [], parents = [], pixels = [];
        var above = 0;
        for (var y = 0; y < height; y++)
        {
            var own = starts.Count;
            for (var x = 0; x < width;)
            {
                var start = y * width + x;
                var rest = plane.AsSpan(start, width - x).IndexOfAnyExcept(plane[start]);
                var end = rest < 0 ? width : x + rest;
                var run = starts.Count;
                starts.Add(start);
                parents.Add(run);
                pixels.Add(end - x);
                // runs above that end before this one does are never asked again
                for (; y > 0 && above < own; above++)
                {
                    var (first, last) = (starts[above] - (y - 1) * width, (above + 1 < own ? starts[above + 1] - (y - 1) * width : width) - 1);
                    if (first >= end) break;
                    if (last >= x && plane[starts[above]] == plane[start]) Join(above, run);
                    if (last >= end) break;
                }
                x = end;
            }
            above = own;
        }
        return [.. Enumerable.Range(0, starts.Count).Where(run => parents[run] == run && pixels[run] < below).Select(run => starts[run])];

        int First(int run)
        {
            while (parents[run] != run) run = parents[run] = parents[parents[run]];
            return run;
        }

        void Join(int one, int other)
        {
            (one, other) = (First(one), First(other));
            if (one == other) return;
            if (one > other) (one, other) = (other, one);
            parents[other] = one;
            pixels[one] += pixels[other];
        }
    }
}
