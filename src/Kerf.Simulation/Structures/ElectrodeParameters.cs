using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What a virtual solid-state electrode looks like. Lengths in nanometres.</summary>
public sealed record ElectrodeParameters
{
    /// <summary>Share of the volume that is active material (with its cracks and inner pores, 1 to 2 % of it), 0.2 to 0.7.</summary>
    public double ActiveFraction { get; init; } = 0.5;

    /// <summary>Share of the volume that is pore between particles and electrolyte, 0.01 to 0.3.</summary>
    public double PoreFraction { get; init; } = 0.13;

    /// <summary>Median radius of the particles in the image plane; the radii are lognormal.</summary>
    public double MedianRadius { get; init; } = 420;

    /// <summary>Standard deviation of the radii's logarithm.</summary>
    public double RadiusSpread { get; init; } = 0.35;

    /// <summary>Length of a particle along its long axis over its width.</summary>
    public double Elongation { get; init; } = 1.7;

    /// <summary>Share of the particles whose long axis leans away from z; the others stand along z.</summary>
    public double LeaningShare { get; init; } = 0.6;

    /// <summary>Mean angle of a leaning particle's long axis to z, towards +y for the most part, in degrees; its spread is half of it.</summary>
    public double LeanDegrees { get; init; } = 12;

    /// <summary>Share of the particles that carry a crack.</summary>
    public double CrackedShare { get; init; } = 0.25;

    /// <summary>Share of the particles with pores inside.</summary>
    public double PorousShare { get; init; } = 0.35;

    /// <summary>Edge length of the electrolyte's grains in the image plane.</summary>
    public double Grain { get; init; } = 200;

    /// <summary>How much longer grains and pores are along z than across: the sheet is milled along the direction in which it was rolled.</summary>
    public double GrainElongation { get; init; } = 1.5;

    /// <summary>
    /// Height of the platinum cap that covers the electrode's surface, from the canvas's upper edge; it carries tracking marks that run straight
    /// along z, and its label is 0. None by default.
    /// </summary>
    public double CapHeight { get; init; }

    internal ElectrodeParameters Checked()
    {
        Range(CapHeight, 0, 1e6, "cap height");
        Range(ActiveFraction, 0.2, 0.7, "active fraction");
        Range(PoreFraction, 0.01, 0.3, "pore fraction");
        Range(MedianRadius, 50, 1e5, "median radius");
        Range(RadiusSpread, 0, 0.6, "radius spread");
        Range(Elongation, 1, 4, "elongation");
        Range(LeaningShare, 0, 1, "leaning share");
        Range(LeanDegrees, 0, 45, "lean");
        Range(CrackedShare, 0, 1, "cracked share");
        Range(PorousShare, 0, 1, "porous share");
        Range(Grain, 5, 1e5, "grain");
        Range(GrainElongation, 0.25, 10, "grain elongation");
        return this;
    }

    private static void Range(double value, double low, double high, string name)
    {
        if (!(value >= low && value <= high))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"electrode: {name} is {value}; choose {low} to {high}."));
    }
}
