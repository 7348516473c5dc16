using System.Collections.Concurrent;

namespace Kerf.Simulation;

/// <summary>
/// Elastic scattering of electrons at free atoms: the Dirac equation solved partial wave by partial wave in the static potential of
/// <see cref="Element.Potential"/> and the local exchange of Furness and McCarthy, doi:10.1088/0022-3700/6/11/021 (Mott's cross-section, doi:10.1098/rspa.1929.0127; the method: Czyżewski et al. 1990, doi:10.1063/1.346400).
/// Atomic units inside, nanometres outside.
/// </summary>
public sealed class MottScattering
{
    /// <summary>Steps of the angular grid.</summary>
    internal const int Angles = 400;

    /// <summary>Lowest energy of the tables in keV: slower electrons count as stopped, and as secondary ones when they leave.</summary>
    public const double Lowest = 0.05;

    private const double Highest = 30.5;
    private const int Energies = 72, MostWaves = 1200;
    private const double C = 137.035999, Hartree = 0.027211386, BohrSquared = 0.0529177211 * 0.0529177211;
    private static readonly ConcurrentDictionary<(int Number, int Energy), double[]> Solved = new();

    /// <summary>Energies of the tables in keV, in equal steps of the logarithm.</summary>
    internal static readonly double[] Grid = [.. Enumerable.Range(0, Energies).Select(i => Lowest * Math.Pow(Highest / Lowest, i / (Energies - 1.0)))];

    /// <summary>μ = (1 − cos θ)/2 at each step of the angular grid: (i/400)⁴, dense where electrons scatter by small angles.</summary>
    internal static readonly double[] Mu = [.. Enumerable.Range(0, Angles + 1).Select(i => Math.Pow((double)i / Angles, 4))];

    /// <summary>Cross-section in nm² for scattering by less than each angle of <see cref="Mu"/>; the last entry is the total.</summary>
    internal static double[] Cumulative(Element element, int energy) => Solved.GetOrAdd((element.Number, energy), _ =>
    {
        var differential = Differential(element, Grid[energy]);
        var sum = new double[Angles + 1];
        for (int i = 0; i < Angles; i++) sum[i + 1] = sum[i] + 4 * Math.PI * (Mu[i + 1] - Mu[i]) * (differential[i] + differential[i + 1]) / 2;
        return sum;
    });

    /// <summary>dσ/dΩ in nm²/sr at each angle of the grid.</summary>
    public static double[] Differential(Element element, double keV)
    {
        var energy = keV / Hartree;
        var k = Math.Sqrt(energy * (energy + 2 * C * C)) / C;
        var (up, down) = Phases(element, energy, k);
        var values = new double[Angles + 1];
        for (var i = 0; i <= Angles; i++) values[i] = At(Mu[i], up, down) / (4 * k * k) * BohrSquared;
        return values;
    }

    // |f|² + |g|² times 4k²: sums of Legendre functions over e^{2iδ} − 1
    private static double At(double mu, List<double> up, List<double> down)
    {
        double cos = 1 - 2 * mu, sin = 2 * Math.Sqrt(mu * (1 - mu));
        double fr = 0, fi = 0, gr = 0, gi = 0, p = 1, pBefore = 0, q = 0, qBefore = 0;
        for (var l = 0; l < up.Count; l++)
        {
            double ur = Math.Cos(2 * up[l]) - 1, ui = Math.Sin(2 * up[l]), dr = Math.Cos(2 * down[l]) - 1, di = Math.Sin(2 * down[l]);
            fr += ((l + 1) * ur + l * dr) * p;
            fi += ((l + 1) * ui + l * di) * p;
            gr += (dr - ur) * q;
            gi += (di - ui) * q;
            (p, pBefore) = (((2 * l + 1) * cos * p - l * pBefore) / (l + 1), p);
            (q, qBefore) = (l == 0 ? sin : ((2 * l + 1) * cos * q - (l + 1) * qBefore) / l, q);
        }
        return fr * fr + fi * fi + gr * gr + gi * gi;
    }

    // δ for j = l + 1/2 and l − 1/2, until they vanish
    private static (List<double> Up, List<double> Down) Phases(Element element, double energy, double k)
    {
        var path = RadialPath.Of(element, energy, k);
        var bessel = new SphericalBessel(k * path.End, MostWaves + 2);
        List<double> up = [], down = [];
        for (var l = 0; l < MostWaves; l++)
        {
            up.Add(Phase(element, path, energy, k, l, -(l + 1), bessel));
            down.Add(l == 0 ? 0 : Phase(element, path, energy, k, l, l, bessel));
            if (l > 3 && Math.Max(Math.Abs(up[l]), Math.Abs(down[l])) < 2e-5) break;
        }
        return (up, down);
    }

    // integrates the two radial functions outwards (Runge–Kutta) and matches them with free waves
    private static double Phase(Element element, RadialPath path, double energy, double k, int l, int kappa, SphericalBessel bessel)
    {
        // far below the turning point a wave of high l is too weak to matter: start there as a free one
        var start = l == 0 ? 0 : path.From(l / k * Math.Pow(10, -8.0 / l));
        var (charge, r) = (element.Number / C, path.R);
        double p = 1, q;
        if (start == 0)
        {
            var gamma = Math.Sqrt((double)kappa * kappa - charge * charge);
            q = kappa < 0 ? -charge / (gamma - kappa) : (gamma + kappa) / charge;
        }
        else
        {
            q = kappa < 0 ? -(energy - path.V[start]) / C * r[start] / (2 * l + 3) : (2 * l + 1) / r[start] * C / (2 * C * C + energy - path.V[start]);
        }
        for (var i = start; i < path.Steps; i++)
        {
            var h = r[i + 1] - r[i];
            double a1 = kappa / r[i], a2 = kappa / (r[i] + h / 2), a3 = kappa / r[i + 1];
            double w1 = (energy - path.V[i]) / C, w2 = (energy - path.Middle[i]) / C, w3 = (energy - path.V[i + 1]) / C;
            double p1 = -a1 * p + (2 * C + w1) * q, q1 = a1 * q - w1 * p, pt = p + h / 2 * p1, qt = q + h / 2 * q1;
            double p2 = -a2 * pt + (2 * C + w2) * qt, q2 = a2 * qt - w2 * pt;
            (pt, qt) = (p + h / 2 * p2, q + h / 2 * q2);
            double p3 = -a2 * pt + (2 * C + w2) * qt, q3 = a2 * qt - w2 * pt;
            (pt, qt) = (p + h * p3, q + h * q3);
            double p4 = -a3 * pt + (2 * C + w3) * qt, q4 = a3 * qt - w3 * pt;
            p += h / 6 * (p1 + 2 * p2 + 2 * p3 + p4);
            q += h / 6 * (q1 + 2 * q2 + 2 * q3 + q4);
            if (Math.Abs(p) > 1e100 || Math.Abs(q) > 1e100) (p, q) = (p * 1e-100, q * 1e-100);
        }
        var slope = C * k / (energy + 2 * C * C) * Math.Sign(kappa);
        var (ratio, other) = (q / p, kappa < 0 ? l + 1 : l - 1);
        return Math.Atan((ratio * bessel.J[l] - slope * bessel.J[other]) / (ratio * bessel.Y[l] - slope * bessel.Y[other]));
    }

    // the atom's, and the exchange of the electron with its electrons as a local potential (Furness and McCarthy)
    private static double Potential(Element element, double energy, double r)
    {
        var (potential, density) = (element.Potential(r), Math.Max(0, element.ElectronDensity(r)));
        var kinetic = energy - potential;
        return potential + 0.5 * (kinetic - Math.Sqrt(kinetic * kinetic + 4 * Math.PI * density));
    }

    // the radii of one energy, shared by all partial waves: steps of a tenth of a radius near the nucleus, of 1/60 wavelength further out
    private sealed record RadialPath(double[] R, double[] V, double[] Middle)
    {
        public int Steps => Middle.Length;

        public double End => R[^1];

        public static RadialPath Of(Element element, double energy, double k)
        {
            List<double> radii = [1e-5], values = [Potential(element, energy, 1e-5)], middle = [];
            while (radii[^1] < 1 || -values[^1] * radii[^1] > 1e-5)
            {
                var (r, v) = (radii[^1], values[^1]);
                var step = Math.Min(0.1 / Math.Sqrt(k * k - 2 * v), 0.1 * r);
                middle.Add(Potential(element, energy, r + step / 2));
                radii.Add(r + step);
                values.Add(Potential(element, energy, r + step));
            }
            return new([.. radii], [.. values], [.. middle]);
        }

        public int From(double radius)
        {
            var at = Array.BinarySearch(R, radius);
            return Math.Min(at < 0 ? ~at : at, Steps - 2);
        }
    }

    // jₗ(x) by recursion downwards, yₗ(x) upwards
    private sealed class SphericalBessel
    {
        public SphericalBessel(double x, int count)
        {
            (J, Y) = (new double[count], new double[count]);
            Y[0] = -Math.Cos(x) / x;
            Y[1] = (Y[0] - Math.Sin(x)) / x;
            for (var l = 1; l + 1 < count; l++) Y[l + 1] = (2 * l + 1) / x * Y[l] - Y[l - 1];
            var top = Math.Max(count, (int)x) + 60;
            var t = new double[top + 2];
            t[top] = 1e-280;
            for (var l = top; l > 0; l--)
            {
                t[l - 1] = (2 * l + 1) / x * t[l] - t[l + 1];
                if (Math.Abs(t[l - 1]) > 1e250) for (var i = l - 1; i <= top; i++) t[i] *= 1e-250;
            }
            double j0 = Math.Sin(x) / x, j1 = (j0 - Math.Cos(x)) / x;
            var scale = Math.Abs(j0) > Math.Abs(j1) ? j0 / t[0] : j1 / t[1];
            for (var l = 0; l < count; l++) J[l] = t[l] * scale;
        }

        public double[] J { get; }

        public double[] Y { get; }
    }
}
