namespace Kerf.Simulation;

/// <summary>The cross-section by which atoms deflect electrons.</summary>
public enum Elastic
{
    /// <summary>Dirac's equation for the atom (<see cref="MottScattering"/>); the first electron waits 0.1 to 0.5 s for each element.</summary>
    Mott,

    /// <summary>Screened Rutherford (<see cref="ScreenedRutherford"/>): ready at once; too little backscattering below some 10 keV and for heavy atoms.</summary>
    Rutherford,
}

/// <summary>
/// Rutherford's cross-section with Bishop's screening, α = 3.4·10⁻³·Z^0.67/E, and the relativistic factor, as in Joy 1995, "Monte Carlo Modeling for
/// Electron Microscopy and Microanalysis", eq. 3.2 and 3.3.
/// </summary>
public static class ScreenedRutherford
{
    /// <summary>Total cross-section in nm².</summary>
    public static double Total(Element element, double keV)
    {
        var alpha = Screening(element, keV);
        var relativistic = (keV + 511) / (keV + 1024);
        return 5.21e-7 * element.Number * element.Number / (keV * keV) * 4 * Math.PI / (alpha * (1 + alpha)) * relativistic * relativistic;
    }

    // for scattering by less than each angle of the tables: a share μ(1 + α)/(μ + α)
    internal static double[] Cumulative(Element element, int energy)
    {
        var (keV, total) = (MottScattering.Grid[energy], Total(element, MottScattering.Grid[energy]));
        var alpha = Screening(element, keV);
        return [.. MottScattering.Mu.Select(mu => total * mu * (1 + alpha) / (mu + alpha))];
    }

    private static double Screening(Element element, double keV) => 3.4e-3 * Math.Pow(element.Number, 0.67) / keV;
}
