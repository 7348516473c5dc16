using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What came back from a bulk.</summary>
/// <param name="Electrons">Electrons followed.</param>
/// <param name="Backscattered">Those that left with more than 0.05 keV.</param>
/// <param name="Energies">Histogram of their energy over the beam's energy: 200 bins from 0 to 1.</param>
/// <param name="Depths">Histogram of the deepest that they came, over the range at the beam's energy: 200 bins from 0 to 0.5.</param>
/// <param name="RangeNanometres">Path to 0.05 keV from the beam's energy.</param>
/// <param name="Seconds">Wall time of the transport itself, tables not counted.</param>
public sealed record BulkYield(long Electrons, long Backscattered, long[] Energies, long[] Depths, double RangeNanometres, double Seconds)
{
    /// <summary>Bins of the histograms.</summary>
    public const int Bins = 200;

    private const int Batch = 1 << 14, Group = 16;
    private const float Idle = -1e30f;

    /// <summary>Backscatter coefficient.</summary>
    public double Eta => (double)Backscattered / Electrons;

    /// <summary>Its binomial standard error.</summary>
    public double StandardError => Math.Sqrt(Math.Max(Eta * (1 - Eta), 1.0 / Electrons) / Electrons);

    /// <summary>Depth in nanometres that half of the backscattered electrons never went beyond.</summary>
    public double HalfDepth
    {
        get
        {
            var (sum, bin) = (0L, 0);
            while (bin < Bins && 2 * (sum + Depths[bin]) < Backscattered) sum += Depths[bin++];
            var share = bin < Bins && Depths[bin] > 0 ? (Backscattered / 2.0 - sum) / Depths[bin] : 0;
            return (bin + share) / Bins * 0.5 * RangeNanometres;
        }
    }

    /// <summary>Shoots electrons at a flat bulk; the same counts for any number of threads and on any processor.</summary>
    /// <param name="material">The bulk.</param>
    /// <param name="keV">Energy of the beam, 0.5 to 30.</param>
    /// <param name="electrons">How many, 1 to 10¹².</param>
    /// <param name="seed">Electron i draws from stream (seed, i).</param>
    /// <param name="walk">Threads.</param>
    /// <param name="tiltDegrees">Angle between the beam and the normal, 0 to 85.</param>
    /// <param name="elastic">Cross-sections.</param>
    /// <exception cref="InputError">A parameter is out of its range.</exception>
    public static BulkYield Of(Material material, double keV, long electrons, ulong seed, Traversal walk, double tiltDegrees = 0, Elastic elastic = Elastic.Mott)
    {
        CheckBeam(keV, tiltDegrees);
        if (electrons is < 1 or > 1_000_000_000_000) throw new InputError($"electrons is {electrons}; choose 1 to 10^12.");
        if (material.IsVacuum) throw new InputError("material is vacuum: nothing scatters there. Choose a material with atoms.");
        var transport = new Transport(material, keV, elastic);
        var table = new StepTable([transport], keV);
        var range = transport.Range(keV);
        var batches = checked((int)((electrons + Batch - 1) / Batch));
        var parts = new Tally[batches];
        var clock = Stopwatch.StartNew();
        walk.ForEach(batches, i =>
        {
            var first = (long)i * Batch;
            parts[i] = new();
            Shoot(table, keV, (float)range, first, (int)Math.Min(Batch, electrons - first), seed, tiltDegrees, parts[i]);
        });
        var seconds = clock.Elapsed.TotalSeconds;
        var total = new Tally();
        foreach (var part in parts) total.Add(part);
        return new(electrons, total.Energies.Sum(), total.Energies, total.Depths, range, seconds);
    }

    internal static void CheckBeam(double keV, double tiltDegrees)
    {
        if (!(keV is >= 0.5 and <= 30)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"energy is {keV} keV; choose 0.5 to 30."));
        if (!(tiltDegrees is >= 0 and <= 85)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"tilt is {tiltDegrees} degrees; choose 0 to 85."));
    }

    // several vectors of electrons in flight; who stops or leaves makes room for the next
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Shoot(StepTable table, double keV, float range, long first, int count, ulong seed, double tilt, Tally tally)
    {
        const int width = Lanes.Width, lanes = Group * width;
        var state = stackalloc float[6 * lanes];
        float* z = state, left = state + lanes, ux = state + 2 * lanes, uy = state + 3 * lanes, uz = state + 4 * lanes, deep = state + 5 * lanes;
        uint* item = stackalloc uint[2 * lanes], block = item + lanes;
        float startX = (float)Math.Sin(tilt * Math.PI / 180), startZ = (float)Math.Cos(tilt * Math.PI / 180);
        var high = (uint)((ulong)first >> 32);
        var (next, flying) = (0, 0);
        void Launch(int lane)
        {
            // an idle lane lies deeper than any path that it has left
            (z[lane], left[lane], ux[lane], uy[lane], uz[lane], deep[lane], block[lane]) = (next < count ? 0 : 1, next < count ? range : Idle, startX, 0, startZ, 0, 0);
            if (next < count) flying++;
            item[lane] = (uint)(first + next++);
        }
        for (var i = 0; i < lanes; i++) Launch(i);
        var inverse = Vector256.Create(StepTable.Bins * (float)StepTable.Bins / table.Ranges[0]);
        while (flying > 0)
        {
            for (var g = 0; g < lanes; g += width)
            {
                Lanes.Draw(seed, Vector256.Load(item + g), high, Vector256.Load(block + g), out var w0, out var w1, out var w2, out _);
                Vector256<float> r = Vector256.Load(left + g), x = Vector256.Load(ux + g), y = Vector256.Load(uy + g), down = Vector256.Load(uz + g), depth = Vector256.Load(z + g);
                var step = table.FreePath(StepTable.Bin(r, inverse)) * Lanes.Exponential(w0);
                var after = depth + down * step;
                var rest = r - step;
                // who is deeper than the path that it has left never comes back
                var done = Vector256.LessThan(after, Vector256<float>.Zero) | Vector256.LessThan(rest, after);
                table.Deflect(StepTable.Bin(rest, inverse), Lanes.Uniform(w1), out var cos, out var sin);
                after.Store(z + g);
                rest.Store(left + g);
                Vector256.Max(Vector256.Load(deep + g), after).Store(deep + g);
                (Vector256.Load(block + g) + Vector256<uint>.One).Store(block + g);
                var over = done.ExtractMostSignificantBits();
                // the direction before the deflection is the one that an electron leaves with
                for (; over != 0; over &= over - 1)
                {
                    var lane = g + System.Numerics.BitOperations.TrailingZeroCount(over);
                    if (left[lane] <= Idle) continue;
                    // what it flew beyond the surface cost nothing
                    if (z[lane] < 0) tally.Escape(table, keV, range, left[lane] + z[lane] / uz[lane], deep[lane]);
                    flying--;
                    Launch(lane);
                }
                Lanes.Turn(ref x, ref y, ref down, cos, sin, w2);
                Vector256.ConditionalSelect(done, Vector256.Load(ux + g), x).Store(ux + g);
                Vector256.ConditionalSelect(done, Vector256.Load(uy + g), y).Store(uy + g);
                Vector256.ConditionalSelect(done, Vector256.Load(uz + g), down).Store(uz + g);
            }
        }
    }

    private sealed class Tally
    {
        public readonly long[] Energies = new long[Bins], Depths = new long[Bins];

        public void Escape(StepTable table, double keV, float range, float left, float depth)
        {
            if (left <= 0) return;
            Energies[Math.Min(Bins - 1, (int)(table.Energy(0, left) / keV * Bins))]++;
            Depths[Math.Min(Bins - 1, (int)(depth / range * 2 * Bins))]++;
        }

        public void Add(Tally other)
        {
            for (var i = 0; i < Bins; i++)
            {
                Energies[i] += other.Energies[i];
                Depths[i] += other.Depths[i];
            }
        }
    }
}
