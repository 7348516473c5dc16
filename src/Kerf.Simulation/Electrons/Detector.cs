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

    // energy below which an electron does not count
    internal double Floor => Detector == Detector.Icd ? 0.85 * KeV : MottScattering.Lowest;
}
