using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>How one electron fared in a bulk.</summary>
/// <param name="Escaped">True when it left through the surface with more than 0.05 keV.</param>
/// <param name="Energy">What it had left then, in keV; 0 when it stopped.</param>
/// <param name="Deposited">The sum of what it gave to the bulk, step by step, in keV.</param>
/// <param name="Depth">The deepest that it came, in nanometres.</param>
/// <param name="Cosine">Of the angle between its exit direction and the outward normal.</param>
public readonly record struct Trajectory(bool Escaped, double Energy, double Deposited, double Depth, double Cosine);

/// <summary>The plain form of transport in a bulk: one electron after the other, double precision, no binned table. The fast form is judged by it.</summary>
public static class ScalarTransport
{
    /// <summary>Follows one electron through a half-space until it leaves or has slowed down to 0.05 keV.</summary>
    /// <param name="transport">The bulk.</param>
    /// <param name="keV">Energy of the beam.</param>
    /// <param name="tiltDegrees">Angle between the beam and the surface's normal.</param>
    /// <param name="random">The electron's own stream.</param>
    public static Trajectory Follow(Transport transport, double keV, double tiltDegrees, CounterRandom random)
    {
        double energy = keV, deposited = 0, z = 0, deepest = 0;
        double uz = Math.Cos(tiltDegrees * Math.PI / 180), ux = Math.Sin(tiltDegrees * Math.PI / 180), uy = 0.0;
        while (true)
        {
            var step = -transport.FreePath(energy) * Math.Log(1 - random.NextDouble());
            var leaves = z + uz * step < 0;
            if (leaves) step = -z / uz;
            var left = transport.Range(energy) - step;
            var next = left > 0 ? transport.Energy(left) : 0;
            deposited += energy - next;
            energy = next;
            if (left <= 0) return new(false, 0, deposited, deepest, 0);
            if (leaves) return new(true, energy, deposited, deepest, -uz);
            z += uz * step;
            deepest = Math.Max(deepest, z);
            var mu = transport.Deflection(energy, random.NextDouble());
            Turn(ref ux, ref uy, ref uz, 1 - 2 * mu, 2 * Math.Sqrt(mu * (1 - mu)), 2 * Math.PI * random.NextDouble());
        }
    }

    // into a new direction at the given angle, by a frame that no direction makes singular (Duff et al. 2017)
    private static void Turn(ref double ux, ref double uy, ref double uz, double cos, double sin, double azimuth)
    {
        double sign = uz < 0 ? -1 : 1, a = -1 / (sign + uz), b = ux * uy * a;
        double c = sin * Math.Cos(azimuth), s = sin * Math.Sin(azimuth);
        (ux, uy, uz) = (
            ux * cos + (1 + sign * ux * ux * a) * c + b * s,
            uy * cos + sign * b * c + (sign + uy * uy * a) * s,
            uz * cos - sign * ux * c - uy * s);
        var norm = 1 / Math.Sqrt(ux * ux + uy * uy + uz * uz);
        (ux, uy, uz) = (ux * norm, uy * norm, uz * norm);
    }
}
