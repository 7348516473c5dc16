namespace Kerf.Imaging;

/// <summary>Closes small enclosed spots in a plane: the repair that T-II makes after a cubic spline.</summary>
internal static class PlaneHoles
{
    /// <summary>Spots (4-connected, away from the plane's border) of fewer than <paramref name="below"/> pixels whose whole outline is one other label become that label.</summary>
    public static void Close(byte[] plane, int height, int width, int below)
    {
        var seen = new bool[plane.Length];
        var spot = new List<int>();
        for (var start = 0; start < plane.Length; start++)
        {
            if (seen[start]) continue;
            seen[start] = true;
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
            if (!enclosed || spot.Count >= below || around < 0) continue;
            foreach (var pixel in spot) plane[pixel] = (byte)around;

            void Visit(int next)
            {
                if (plane[next] != plane[start])
                {
                    enclosed &= around < 0 || around == plane[next];
                    around = plane[next];
                }
                else if (!seen[next])
                {
                    seen[next] = true;
                    spot.Add(next);
                }
            }
        }
    }
}
