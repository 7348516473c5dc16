using Kerf.Volumes;

namespace Kerf.App;

/// <summary>Brush strokes as a user would draw them on a few slices, inside one phase each, from a known truth.</summary>
public static class Strokes
{
    private const int Length = 24;

    /// <summary>Sparse labels: strokes of two pixels' width that wander through one phase and keep a pixel away from its border.</summary>
    /// <param name="truth">The truth, labels from 1.</param>
    /// <param name="slices">Slices to draw on.</param>
    /// <param name="perPhase">Strokes per phase and slice.</param>
    /// <param name="seed">Another seed, another user.</param>
    public static Volume<byte> Draw(Volume<byte> truth, IEnumerable<int> slices, int perPhase, ulong seed)
    {
        var labels = new Volume<byte>(truth.Info);
        foreach (var z in slices)
        {
            byte[] phases = [.. truth.Slice(z).ToArray().Distinct().Where(label => label > 0).Order()];
            foreach (var phase in phases)
            {
                var random = new CounterRandom(seed, (ulong)z << 8 | phase | 1UL << 61);
                var drawn = 0;
                for (var attempt = 0; attempt < 200 * perPhase && drawn < perPhase; attempt++)
                    if (Stroke(truth, labels, z, phase, ref random)) drawn++;
            }
        }
        return labels;
    }

    private static bool Stroke(Volume<byte> truth, Volume<byte> labels, int z, byte phase, ref CounterRandom random)
    {
        var size = truth.Info.Size;
        double y = random.NextInt(size.Y), x = random.NextInt(size.X), angle = random.NextDouble() * 2 * Math.PI;
        var length = 0;
        for (; length < Length && Clear(truth, z, (int)y, (int)x, phase); length++)
        {
            foreach (var (dy, dx) in ((int, int)[])[(0, 0), (0, 1), (1, 0), (1, 1)]) labels[z, (int)y + dy, (int)x + dx] = phase;
            angle += 0.35 * random.NextNormal();
            (y, x) = (y + Math.Sin(angle), x + Math.Cos(angle));
        }
        return length > 0;
    }

    // the brush and a pixel around it lie in the phase
    private static bool Clear(Volume<byte> truth, int z, int y, int x, byte phase)
    {
        var size = truth.Info.Size;
        if (y < 1 || x < 1 || y + 2 >= size.Y || x + 2 >= size.X) return false;
        for (var dy = -1; dy <= 2; dy++)
            for (var dx = -1; dx <= 2; dx++)
                if (truth[z, y + dy, x + dx] != phase) return false;
        return true;
    }
}
