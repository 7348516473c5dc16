namespace Kerf.Simulation;

/// <summary>
/// How electrons lose energy and direction in one material. Elastic: <see cref="MottScattering"/> (or <see cref="ScreenedRutherford"/>), each atom's cross-section raised by 1/Z
/// for what its electrons deflect (Fano 1954, doi:10.1103/PhysRev.93.117). Inelastic: continuous, by Joy and Luo's expression
/// (doi:10.1002/sca.4950110404) with Gauvin's k = 0.734·Z^0.037, and Bethe's relativistic terms (ICRU report 37). Tables reach from 0.05 to 30 keV.
/// </summary>
public sealed class Transport
{
    private const int Points = 4000;

    private readonly double[][] _cumulative;
    private readonly double[] _range = new double[Points + 1];
    private static readonly double Top = MottScattering.Grid[^1];

    /// <summary>Adds up the material's atoms.</summary>
    public Transport(Material material, double highestKeV = 30, Elastic elastic = Elastic.Mott)
    {
        Material = material;
        var used = Math.Min(MottScattering.Grid.Length, (int)Position(highestKeV) + 2);
        _cumulative = new double[used][];
        Parallel.For(0, used, i => _cumulative[i] = Mixture(material, i, elastic));
        for (var i = 1; i <= Points; i++)
        {
            double a = EnergyAt(i - 1), b = EnergyAt(i);
            _range[i] = _range[i - 1] + (b - a) / 6 * (1 / Loss(a) + 4 / Loss((a + b) / 2) + 1 / Loss(b));
        }
    }

    /// <summary>What the electrons are in.</summary>
    public Material Material { get; }

    /// <summary>Energy loss in keV per nanometre.</summary>
    public double Loss(double keV)
    {
        // Joy and Luo's is Bethe's expression for slow electrons; what speed adds to it is in ICRU report 37: 2E/mv² before the logarithm, half of
        // ln(1 + τ/2) + F(τ) − F(0) beside it
        var (tau, gamma) = (keV / 511, 1 + keV / 511);
        var fast = 0.5 * (Math.Log(1 + tau / 2) + (1 + tau * tau / 8 - (2 * tau + 1) * Math.Log(2)) / (gamma * gamma) - 1 + Math.Log(2));
        var sum = 0.0;
        foreach (var (element, count) in Material.Atoms)
        {
            var (z, j) = (element.Number, element.MeanExcitation);
            sum += count * z * (Math.Log(1.166 * (keV / j + 0.734 * Math.Pow(z, 0.037))) + fast);
        }
        return 7.85e-3 * Material.Density / Material.FormulaMass * sum / keV * (gamma * gamma / (1 + tau / 2));
    }

    /// <summary>Path in nanometres along which an electron slows down to <see cref="MottScattering.Lowest"/>.</summary>
    public double Range(double keV)
    {
        var at = Math.Log(Math.Max(1, keV / MottScattering.Lowest)) / Math.Log(Top / MottScattering.Lowest) * Points;
        var i = Math.Min(Points - 1, (int)at);
        return _range[i] + (at - i) * (_range[i + 1] - _range[i]);
    }

    /// <summary>The energy in keV that <see cref="Range"/> nanometres belong to.</summary>
    public double Energy(double range)
    {
        var i = Array.BinarySearch(_range, range);
        if (i < 0) i = Math.Clamp(~i - 1, 0, Points - 1);
        else if (i == Points) i--;
        return EnergyAt(i + (range - _range[i]) / (_range[i + 1] - _range[i]));
    }

    /// <summary>Mean free path in nanometres between two elastic collisions.</summary>
    public double FreePath(double keV)
    {
        var (i, share) = Cell(keV);
        return 1 / ((1 - share) * _cumulative[i][^1] + share * _cumulative[i + 1][^1]);
    }

    /// <summary>The angle, as μ = (1 − cos θ)/2, below which a share <paramref name="u"/> of the collisions scatters.</summary>
    public double Deflection(double keV, double u)
    {
        var (i, share) = Cell(keV);
        var (low, high) = (_cumulative[i], _cumulative[i + 1]);
        var wanted = u * ((1 - share) * low[^1] + share * high[^1]);
        int a = 0, b = MottScattering.Angles;
        while (b - a > 1)
        {
            var middle = (a + b) / 2;
            if ((1 - share) * low[middle] + share * high[middle] <= wanted) a = middle;
            else b = middle;
        }
        double from = (1 - share) * low[a] + share * high[a], to = (1 - share) * low[b] + share * high[b];
        return MottScattering.Mu[a] + (wanted - from) / (to - from) * (MottScattering.Mu[b] - MottScattering.Mu[a]);
    }

    private static double EnergyAt(double point) => MottScattering.Lowest * Math.Pow(Top / MottScattering.Lowest, point / Points);

    private static double Position(double keV) =>
        Math.Log(Math.Max(1, keV / MottScattering.Lowest)) / Math.Log(Top / MottScattering.Lowest) * (MottScattering.Grid.Length - 1);

    private (int, double) Cell(double keV)
    {
        var at = Position(keV);
        var i = Math.Min((int)at, _cumulative.Length - 2);
        return (i, at - i);
    }

    // 1/nm of scattering by less than each angle
    private static double[] Mixture(Material material, int energy, Elastic elastic)
    {
        var sum = new double[MottScattering.Angles + 1];
        for (var i = 0; i < material.Atoms.Count; i++)
        {
            var (atom, density) = (material.Atoms[i].Element, material.PerVolume(i));
            var cumulative = elastic == Elastic.Mott ? MottScattering.Cumulative(atom, energy) : ScreenedRutherford.Cumulative(atom, energy);
            for (var a = 1; a < sum.Length; a++) sum[a] += density * (1 + 1.0 / atom.Number) * cumulative[a];
        }
        return sum;
    }
}
