using System.Buffers;
using Kerf.Volumes;

namespace Kerf.Microstructure;

/// <summary>
/// A segmentation drawn from class probabilities: each voxel takes class k with probability pₖ, and near voxels are drawn alike. Class k has the
/// smallest Eₖ/pₖ, where the Eₖ are exponentially distributed and independent of each other: an exponential race, which class k wins with
/// probability pₖ. The Eₖ are the same all over the volume, or vary over a length.
/// </summary>
internal sealed class DrawnSegmentation : IVolume<byte>
{
    private const double TableEnd = 9;
    private const int PerUnit = 256;

    // −ln Φ(g) for g from −9 to 9
    private static readonly float[] Exponential = Table();
    private readonly ClassProbabilities _classes;
    private readonly double[] _levels;
    private readonly SmoothNoise[]? _noise;

    private DrawnSegmentation(ClassProbabilities classes, double[] levels, SmoothNoise[]? noise) => (_classes, _levels, _noise) = (classes, levels, noise);

    /// <summary>Draws whose Eₖ hold for the whole volume: evenly spread over all ratios that they can have (a Latin hypercube on the simplex).</summary>
    public static IEnumerable<DrawnSegmentation> Alike(ClassProbabilities classes, int count, ulong seed)
    {
        var others = classes.Count - 1;
        var orders = Enumerable.Range(0, others).Select(k => Shuffled(count, new CounterRandom(seed, (ulong)k))).ToArray();
        for (var draw = 0; draw < count; draw++)
        {
            // breaking a stick: the shares are those of independent exponential numbers in their sum
            var (levels, left) = (new double[classes.Count], 1.0);
            for (var k = 0; k < others; k++)
            {
                var part = 1 - Math.Pow(1 - (orders[k][draw] + 0.5) / count, 1.0 / (others - k));
                (levels[k], left) = (left * part, left * (1 - part));
            }
            levels[^1] = left;
            yield return new(classes, levels, null);
        }
    }

    /// <summary>A draw whose Eₖ vary: those of voxels further apart than about two lengths have nothing to do with each other.</summary>
    public static DrawnSegmentation Varying(ClassProbabilities classes, double length, ulong seed, int draw) => new(classes, [], [.. Enumerable.Range(0, classes.Count).Select(k =>
    {
        var random = new CounterRandom(seed, (ulong)(draw * 256L + k));
        return new SmoothNoise(classes.Given.Info.Size, Lengths.Voxel(classes.Given.Info), length, (ulong)random.NextUInt() << 32 | random.NextUInt());
    })]);

    /// <inheritdoc/>
    public VolumeInfo Info => _classes.Given.Info;

    /// <inheritdoc/>
    public void Read(Box box, Span<byte> target)
    {
        var count = checked((int)box.Count);
        _classes.Given.Read(box, target);
        var (share, race, best) = (Rent(), Rent(), Rent());
        best.AsSpan(0, count).Fill(float.PositiveInfinity);
        for (var k = 0; k < _classes.Count; k++)
        {
            _classes.Read(k, box, share.AsSpan(0, count));
            if (_noise is null) race.AsSpan(0, count).Fill((float)_levels[k]);
            else
            {
                _noise[k].Read(box, race);
                for (var i = 0; i < count; i++) race[i] = Looked(race[i]);
            }
            var label = _classes.Label(k);
            for (var i = 0; i < count; i++)
            {
                // what is outside the specimen stays there
                if (!(share[i] > 0) || (target[i] == 0 && _classes.ZeroIsOutside)) continue;
                var time = race[i] / share[i];
                if (time < best[i]) (best[i], target[i]) = (time, label);
            }
        }
        foreach (var buffer in (float[][])[share, race, best]) ArrayPool<float>.Shared.Return(buffer);

        float[] Rent() => ArrayPool<float>.Shared.Rent(count);
    }

    private static float Looked(float normal)
    {
        var at = (Math.Clamp(normal, -TableEnd, TableEnd) + TableEnd) * PerUnit;
        var below = Math.Min((int)at, Exponential.Length - 2);
        return (float)(Exponential[below] + (at - below) * (Exponential[below + 1] - Exponential[below]));
    }

    // Φ by Simpson's rule from the tail, where e⁻⁴⁰ is left out
    private static float[] Table()
    {
        var table = new float[(int)(2 * TableEnd * PerUnit) + 1];
        static double Density(double g) => Math.Exp(-g * g / 2) / Math.Sqrt(2 * Math.PI);
        // Mills' ratio at the lower end
        var (step, below) = (1.0 / PerUnit, Density(-TableEnd) / TableEnd * (1 - 1 / (TableEnd * TableEnd)));
        for (var i = 0; i < table.Length; i++)
        {
            var g = -TableEnd + i * step;
            table[i] = (float)-Math.Log(Math.Min(below, 1));
            below += step / 6 * (Density(g) + 4 * Density(g + step / 2) + Density(g + step));
        }
        return table;
    }

    private static int[] Shuffled(int count, CounterRandom random)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var other = random.NextInt(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }
}
