using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Brush strokes as a user would draw them on a few slices, inside one phase each, from a known truth.</summary>
public static class Strokes
{
    private const int Length = 24;

    /// <summary>Sparse labels: strokes of two pixels' width that start anywhere, wander through one phase and stay inside it.</summary>
    /// <param name="truth">The truth, labels from 1.</param>
    /// <param name="slices">Slices to draw on.</param>
    /// <param name="coverage">Share of each slice that the strokes cover.</param>
    /// <param name="seed">Another seed, another user.</param>
    public static Volume<byte> Draw(Volume<byte> truth, IEnumerable<int> slices, double coverage, ulong seed)
    {
        var labels = new Volume<byte>(truth.Info);
        foreach (var z in slices)
        {
            var random = new CounterRandom(seed, (uint)z | 1UL << 61);
            // a step of the brush paints two new pixels
            var steps = coverage * truth.Info.Size.SliceCount / 2;
            for (var attempt = 0; attempt < 100_000 && steps > 0; attempt++) steps -= Stroke(truth, labels, z, ref random);
        }
        return labels;
    }

    private static int Stroke(Volume<byte> truth, Volume<byte> labels, int z, ref CounterRandom random)
    {
        var size = truth.Info.Size;
        double y = random.NextInt(size.Y), x = random.NextInt(size.X), angle = random.NextDouble() * 2 * Math.PI;
        var phase = truth[z, (int)y, (int)x];
        if (phase == 0) return 0;
        var length = 0;
        for (; length < Length && Clear(truth, z, (int)y, (int)x, phase); length++)
        {
            foreach (var (dy, dx) in ((int, int)[])[(0, 0), (0, 1), (1, 0), (1, 1)]) labels[z, (int)y + dy, (int)x + dx] = phase;
            angle += 0.35 * random.NextNormal();
            (y, x) = (y + Math.Sin(angle), x + Math.Cos(angle));
        }
        return length;
    }

    // the brush lies in the phase
    private static bool Clear(Volume<byte> truth, int z, int y, int x, byte phase)
    {
        var size = truth.Info.Size;
        if (y < 0 || x < 0 || y + 1 >= size.Y || x + 1 >= size.X) return false;
        for (var dy = 0; dy <= 1; dy++)
            for (var dx = 0; dx <= 1; dx++)
                if (truth[z, y + dy, x + dx] != phase) return false;
        return true;
    }
}
