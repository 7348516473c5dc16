using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Kerf.Simulation;

/// <summary>
/// What one step of the fast transport looks up, for one or several materials. The state of an electron is its remaining range: losing energy is
/// then a subtraction. Bins are equal steps of the range's square root, which is nearly the energy. The deflection is stored as its ratio to a
/// screened Rutherford deflection of the same median, a smooth function of angle, so that 64 knots hold Mott's distribution to a part in a thousand.
/// </summary>
internal sealed unsafe class StepTable
{
    /// <summary>Bins of the mean free path and of the screening.</summary>
    public const int Bins = 1024;

    /// <summary>Bins of the angular distribution, and knots of each.</summary>
    public const int Rows = 128, Knots = 64;

    private readonly float[] _path, _screening, _ratio;
    private readonly float[][] _energy, _converted;
    private readonly float* _p, _s, _r;
    private readonly IReadOnlyList<Transport?> _materials;
    private readonly double _keV;

    /// <summary>Tables up to the beam's energy.</summary>
    public StepTable(IReadOnlyList<Transport?> materials, double keV)
    {
        (Count, _materials, _keV) = (materials.Count, materials, keV);
        Ranges = [.. materials.Select(m => m is null ? 1f : (float)(m.Range(keV) * 1.0001))];
        _path = Pinned(Count * Bins, out _p);
        _screening = Pinned(Count * Bins, out _s);
        _ratio = Pinned(Count * Rows * (Knots + 1), out _r);
        (_energy, _converted) = (new float[Count][], new float[Count * Count][]);
        for (var m = 0; m < Count; m++)
        {
            if (materials[m] is { } transport) Fill(m, transport, Ranges[m]);
            else Array.Fill(_path, 1e30f, m * Bins, Bins);
        }
    }

    /// <summary>Materials.</summary>
    public int Count { get; }

    /// <summary>Range at the beam's energy in each material, nanometres.</summary>
    public float[] Ranges { get; }

    private static float[] Pinned(int count, out float* pointer)
    {
        var array = GC.AllocateArray<float>(count, pinned: true);
        pointer = (float*)Unsafe.AsPointer(ref array[0]);
        return array;
    }

    private void Fill(int m, Transport transport, float top)
    {
        var energies = Enumerable.Range(0, Bins + 1).Select(i => transport.Energy(Square((double)i / Bins) * top)).ToArray();
        _energy[m] = [.. energies.Select(e => (float)e)];
        for (var to = 0; to < Count; to++) if (_materials[to] is { } other) _converted[m * Count + to] = [.. energies.Select(e => (float)other.Range(e))];
        for (var row = 0; row < Rows; row++)
        {
            var energy = transport.Energy(Square((row + 0.5) / Rows) * top);
            var alpha = Screening(transport, energy);
            for (var i = 0; i <= Knots; i++)
            {
                var v = Square(Math.Max(i, 0.02) / Knots);
                _ratio[(m * Rows + row) * (Knots + 1) + i] = i == Knots ? 1f : (float)(transport.Deflection(energy, v * (1 + alpha) / (v + alpha)) / v);
            }
            for (var i = row * (Bins / Rows); i < (row + 1) * (Bins / Rows); i++)
            {
                _path[m * Bins + i] = (float)transport.FreePath(transport.Energy(Square((i + 0.5) / Bins) * top));
                _screening[m * Bins + i] = (float)alpha;
            }
        }
    }

    private static double Square(double x) => x * x;

    /// <summary>
    /// For each material, how much longer than the range left in it an electron's path can get by going on through other materials: the largest ratio at
    /// any energy above the detector's floor. Beyond any path when there is vacuum, which costs nothing.
    /// </summary>
    public static float[] Stretch(IReadOnlyList<Transport?> materials, Beam beam, bool vacuum)
    {
        const int points = 400;
        var stretch = new double[materials.Count];
        var solids = materials.OfType<Transport>().ToArray();
        double longest = 0, low = beam.Floor;
        for (var i = 1; i <= points; i++)
        {
            var high = beam.Floor * Math.Pow(beam.KeV / beam.Floor, (double)i / points);
            // the loss has one maximum and no minimum between two energies
            longest += solids.Max(m => (high - low) / Math.Min(m.Loss(low), m.Loss(high)));
            for (var m = 0; m < stretch.Length; m++) if (materials[m] is { } transport) stretch[m] = Math.Max(stretch[m], longest / (transport.Range(high) - transport.Range(beam.Floor)));
            low = high;
        }
        return [.. stretch.Select(s => vacuum ? 1e9f : (float)(s * 1.0001))];
    }

    // Rutherford's α such that half of the deflections lie below the true median
    private static double Screening(Transport transport, double keV)
    {
        var median = transport.Deflection(keV, 0.5);
        return median < 0.45 ? median / (1 - 2 * median) : 4.5;
    }

    /// <summary>Remaining energy in keV for a remaining range in material m.</summary>
    public double Energy(int m, float range) => Interpolate(_energy[m], m, range);

    /// <summary>Remaining range in material <paramref name="to"/> of an electron that has <paramref name="range"/> left in material <paramref name="from"/>.</summary>
    public float Convert(int from, int to, float range) => Math.Min(Interpolate(_converted[from * Count + to], from, range), Ranges[to] / 1.0001f);

    private float Interpolate(float[] table, int m, float range)
    {
        var at = MathF.Sqrt(Math.Max(0, range) / Ranges[m]) * Bins;
        var i = Math.Min((int)at, Bins - 1);
        return table[i] + (at - i) * (table[i + 1] - table[i]);
    }

    /// <summary>Loss per nanometre with a remaining range, over that at the beam's energy.</summary>
    public double LossRatio(int m, float range) => _materials[m]!.Loss(Math.Max(Energy(m, range), MottScattering.Lowest)) / _materials[m]!.Loss(_keV);

    /// <summary>The bin of a remaining range; <paramref name="inverse"/> is Bins²/range at the beam's energy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Bin(Vector256<float> range, Vector256<float> inverse) =>
        Vector256.ConvertToInt32Native(Vector256.Sqrt(Vector256.Min(Vector256.Max(range * inverse, Vector256<float>.Zero), Vector256.Create((Bins - 0.5f) * (Bins - 0.5f)))));

    /// <summary>Mean free paths for bins (with m·Bins added for material m).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> FreePath(Vector256<int> bin) => Lanes.Gather(_p, bin);

    /// <summary>Cosine and sine of the deflections for uniform random numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Deflect(Vector256<int> bin, Vector256<float> u, out Vector256<float> cos, out Vector256<float> sin)
    {
        var one = Vector256<float>.One;
        var alpha = Lanes.Gather(_s, bin);
        var v = alpha * u / (one + alpha - u);
        var at = Vector256.Sqrt(v) * (float)Knots;
        var knot = Vector256.Min(Vector256.ConvertToInt32Native(at), Vector256.Create(Knots - 1));
        // 1024 bins over 128 rows, material after material; a row holds 65 numbers
        var row = bin >> 3;
        var index = (row << 6) + row + knot;
        var low = Lanes.Gather(_r, index);
        var mu = v * (low + (at - Vector256.ConvertToSingle(knot)) * (Lanes.Gather(_r + 1, index) - low));
        mu = Vector256.Min(Vector256.Max(mu, Vector256<float>.Zero), one);
        cos = one - (mu + mu);
        sin = Vector256.Sqrt(mu * (one - mu)) * 2f;
    }
}
