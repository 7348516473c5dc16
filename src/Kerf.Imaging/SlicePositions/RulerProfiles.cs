using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>A spot of a slice's profile that may be a mark.</summary>
/// <param name="X">Column, to a fraction of a pixel.</param>
/// <param name="Strength">Height of the response in units of its noise.</param>
internal readonly record struct Spot(double X, double Strength);

/// <summary>The band of a stack that holds a ruler, each slice as a profile along x.</summary>
internal static class RulerProfiles
{
    private static readonly double[] Scales = [1.5, 2, 3, 4.5, 6.5, 9, 13];

    // spots weaker than this are noise
    private const double Weakest = 5;

    private const int MostSpots = 10;

    /// <summary>Mean over the rows of a box for each slice.</summary>
    public static float[][] Read(IVolume<float> source, int rowStart, int rowEnd, int columnStart, int columnEnd, Traversal walk)
    {
        var size = source.Info.Size;
        var profiles = new float[size.Z][];
        walk.ForEach(size.Z, z =>
        {
            var box = new Box(new(z, rowStart, columnStart), new(1, rowEnd - rowStart, columnEnd - columnStart));
            var voxels = new float[box.Count];
            source.Read(box, voxels);
            profiles[z] = new float[box.Size.X];
            for (var x = 0; x < box.Size.X; x++)
            {
                var sum = 0.0;
                for (var y = 0; y < box.Size.Y; y++) sum += voxels[y * box.Size.X + x];
                profiles[z][x] = (float)(sum / box.Size.Y);
            }
        });
        return profiles;
    }

    /// <summary>
    /// The spots of each slice at the scale and of the sign (bright or dark) at which the fourth strongest stands out most (a ruler has four marks): maxima of the second
    /// derivative of a Gaussian, placed by a parabola through three columns.
    /// </summary>
    public static (Spot[][] Spots, double Scale) Spots(float[][] profiles)
    {
        (Spot[][], double) best = ([], 0);
        var most = double.NegativeInfinity;
        foreach (var scale in Scales)
        {
            var taps = Taps(scale);
            var responses = Array.ConvertAll(profiles, profile => Response(profile, taps));
            foreach (var sign in (int[])[1, -1])
            {
                var spots = Array.ConvertAll(responses, response => Find(response, sign));
                double[] fourth = [.. spots.Select(s => s.Length >= 4 ? s[3].Strength : 0).Order()];
                var score = fourth[fourth.Length / 2];
                if (score > most) (most, best) = (score, (spots, scale));
            }
        }
        return best;
    }

    private static Spot[] Find(double[] response, int sign)
    {
        double[] magnitudes = [.. response.Select(Math.Abs).Order()];
        var noise = 1.4826 * magnitudes[magnitudes.Length / 2] + 1e-9;
        var spots = new List<Spot>();
        for (var x = 1; x < response.Length - 1; x++)
        {
            var (a, b, c) = (sign * response[x - 1], sign * response[x], sign * response[x + 1]);
            if (b <= Weakest * noise || b < a || b <= c) continue;
            spots.Add(new(x + 0.5 * (a - c) / (a - 2 * b + c), b / noise));
        }
        return [.. spots.OrderByDescending(s => s.Strength).Take(MostSpots)];
    }

    private static double[] Taps(double scale)
    {
        var reach = (int)Math.Ceiling(4 * scale);
        var taps = new double[2 * reach + 1];
        for (var i = -reach; i <= reach; i++) taps[i + reach] = (1 - i * i / (scale * scale)) * Math.Exp(-i * i / (2 * scale * scale));
        var mean = taps.Average();
        return Array.ConvertAll(taps, tap => tap - mean);
    }

    private static double[] Response(float[] profile, double[] taps)
    {
        var reach = taps.Length / 2;
        var response = new double[profile.Length];
        for (var x = 0; x < response.Length; x++)
        {
            var sum = 0.0;
            for (var i = -reach; i <= reach; i++) sum += taps[i + reach] * profile[Math.Clamp(x + i, 0, profile.Length - 1)];
            response[x] = sum;
        }
        return response;
    }
}
