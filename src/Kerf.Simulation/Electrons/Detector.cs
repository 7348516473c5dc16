using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What of the electrons that leave the specimen is counted.</summary>
public enum Detector
{
    /// <summary>Through-lens, for backscattered electrons: all that leave with more than 0.05 keV.</summary>
    Tld,

    /// <summary>In-column: those within 60° of the normal that kept 85 % of the beam's energy; they never went deep.</summary>
    Icd,

    /// <summary>In-lens, for secondary electrons: most of those freed where the beam enters, some of those freed by backscattered electrons.</summary>
    InLens,

    /// <summary>In the chamber, for secondary electrons: mostly those freed by backscattered electrons.</summary>
    Se2,
}

/// <summary>The beam and what is made of it. Lengths in nanometres.</summary>
public sealed record Beam
{
    /// <summary>Energy in keV, 0.5 to 30.</summary>
    public required double KeV { get; init; }

    /// <summary>Electrons that a pixel gets, 1 to 10⁶.</summary>
    public required int ElectronsPerPixel { get; init; }

    /// <summary>Detector.</summary>
    public Detector Detector { get; init; } = Detector.Tld;

    /// <summary>Angle between beam and surface normal in degrees, towards +x; 0 to 85.</summary>
    public double TiltDegrees { get; init; }

    /// <summary>Standard deviation of the Gaussian probe; the beam scans the pixel's area besides.</summary>
    public double ProbeSigma { get; init; } = 1;

    /// <summary>How deep the structure is looked at; 0 for half of the longest range, at least 200 (800 with vacuum) and at most 1500. Deeper electrons are lost.</summary>
    public double Depth { get; init; }

    /// <summary>Cross-sections of elastic collisions.</summary>
    public Elastic Elastic { get; init; }

    /// <summary>
    /// Angles to the surface's normal, in degrees, between which an electron must leave to be counted by TLD or ICD; null for the detector's own: 0 to 90
    /// for TLD, 0 to 60 for ICD. The solid angle is 2π(cos inner − cos outer).
    /// </summary>
    public (double Inner, double Outer)? Acceptance { get; init; }

    /// <summary>Shares of the beam's energy between which it must leave to be counted by TLD or ICD; null for the detector's own: 0 to 1 for TLD, 0.85 to 1 for ICD.</summary>
    public (double Low, double High)? EnergyWindow { get; init; }

    /// <summary>The acceptance that holds.</summary>
    public (double Inner, double Outer) Angles => Acceptance ?? (0, Detector == Detector.Icd ? 60 : 90);

    /// <summary>The energy window that holds.</summary>
    public (double Low, double High) Window => EnergyWindow ?? (Detector == Detector.Icd ? 0.85 : 0, 1);

    // energy below which an electron does not count
    internal double Floor => Math.Max(Detector >= Detector.InLens ? 0 : Window.Low * KeV, MottScattering.Lowest);

    internal void Check()
    {
        BulkYield.CheckBeam(KeV, TiltDegrees);
        if (ElectronsPerPixel is < 1 or > 1_000_000) throw new InputError($"electrons per pixel is {ElectronsPerPixel}; choose 1 to 1000000.");
        if (!(ProbeSigma is >= 0 and <= 1000)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"probe is {ProbeSigma} nm; choose 0 to 1000."));
        if (Depth != 0 && !(Depth is >= 10 and <= 1e5)) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"depth is {Depth} nm; choose 10 to 100000."));
        if (Detector >= Detector.InLens && (Acceptance is not null || EnergyWindow is not null))
            throw new InputError($"acceptance and energy window are of backscattered electrons, {Detector.ToString().ToLowerInvariant()} counts secondary ones; choose tld or icd.");
        if (!(Angles is { Inner: >= 0, Outer: <= 90 } a && a.Inner < a.Outer))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"acceptance is {Angles.Inner} to {Angles.Outer} degrees; choose 0 to 90, the inner angle first."));
        if (!(Window is { Low: >= 0, High: <= 1 } w && w.Low < w.High))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"energy window is {Window.Low} to {Window.High} of the beam's energy; choose 0 to 1, the lower end first."));
    }
}
