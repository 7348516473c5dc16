using System.Globalization;

namespace Kerf.Simulation;

/// <summary>
/// A chemical element as transport needs it. The last five numbers are Salvat's screening function, φ(r) = Σ Aᵢ·exp(−αᵢr) with r in Bohr radii,
/// fitted to self-consistent Dirac–Hartree–Fock–Slater atoms: Salvat et al. 1987, doi:10.1103/PhysRevA.36.467.
/// </summary>
/// <param name="Number">Atomic number, 1 to 92.</param>
/// <param name="Symbol">Such as "Au".</param>
/// <param name="Mass">Molar mass in g/mol.</param>
/// <param name="Density">Of the solid (or liquid) in g/cm³ near room temperature; of a gas at its boiling point.</param>
public sealed partial record Element(int Number, string Symbol, double Mass, double Density)
{
    private double[] _weight = [], _decay = [];

    /// <summary>All elements up to uranium, in order.</summary>
    public static IReadOnlyList<Element> All { get; } = [.. Table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Read)];

    /// <summary>The element of a symbol, or null.</summary>
    public static Element? Of(string symbol) => All.FirstOrDefault(e => e.Symbol == symbol);

    /// <summary>Potential energy of an electron at r Bohr radii, in hartree.</summary>
    public double Potential(double r)
    {
        var screening = 0.0;
        for (var i = 0; i < 3; i++) screening += _weight[i] * Math.Exp(-_decay[i] * r);
        return -Number / r * screening;
    }

    /// <summary>Electrons per cubed Bohr radius at r Bohr radii: what makes that potential, by Poisson's equation.</summary>
    public double ElectronDensity(double r)
    {
        var sum = 0.0;
        for (var i = 0; i < 3; i++) sum += _weight[i] * _decay[i] * _decay[i] * Math.Exp(-_decay[i] * r);
        return Number / (4 * Math.PI * r) * sum;
    }

    /// <summary>
    /// Mean excitation energy in keV: ICRU report 37 below Z = 13, J = 9.76·Z + 58.5·Z^−0.19 eV from there on (Berger and Seltzer 1964).
    /// </summary>
    public double MeanExcitation => (Number < 13 ? Light[Number - 1] : 9.76 * Number + 58.5 * Math.Pow(Number, -0.19)) * 1e-3;

    private static readonly double[] Light = [19.2, 41.8, 40, 63.7, 76, 78, 82, 95, 115, 137, 149, 156];

    private static Element Read(string line)
    {
        var part = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        double Value(int i) => double.Parse(part[i], CultureInfo.InvariantCulture);
        return new(int.Parse(part[0], CultureInfo.InvariantCulture), part[1], Value(2), Value(3))
        {
            _weight = [Value(4), Value(5), 1 - Value(4) - Value(5)],
            _decay = [Value(6), Value(7), Value(8)],
        };
    }
}
