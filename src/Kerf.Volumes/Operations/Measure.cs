using System.Text.Json.Serialization;

namespace Kerf.Volumes;

/// <summary>A number with its unit, its uncertainty and how it was got.</summary>
/// <param name="Name">camelCase: "fraction", "specificSurfaceArea".</param>
/// <param name="Phase">The phase's name; null when the number belongs to none.</param>
/// <param name="Axis">"z", "y" or "x"; null when the number has no direction.</param>
/// <param name="Value">The number.</param>
/// <param name="Unit">"1", "nm", "1/nm" …</param>
/// <param name="Low">Lower end of the interval; null when none can be given.</param>
/// <param name="High">Upper end of the interval.</param>
/// <param name="Method">Id of the page in <c>docs/methods/</c>, and how the interval was got: "fractions/block-bootstrap-95".</param>
public sealed record Measurement(string Name, string? Phase, string? Axis, double Value, string Unit, double? Low, double? High, string Method)
{
    /// <summary>Lower end of the range that the doubt of the segmentation leaves; null where no class probabilities were given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DoubtLow { get; init; }

    /// <summary>Upper end of that range.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DoubtHigh { get; init; }
}

/// <summary>A measured curve.</summary>
/// <param name="Name">"fraction-z-pore".</param>
/// <param name="X">Abscissa.</param>
/// <param name="Y">Ordinate.</param>
/// <param name="Unit">Unit of <paramref name="X"/>.</param>
public sealed record Curve(string Name, double[] X, double[] Y, string Unit)
{
    /// <summary>Lower edge of the 95 % band, as long as <see cref="Y"/>, NaN where there is none; null when none can be given.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? Low { get; init; }

    /// <summary>Upper edge of the band.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double[]? High { get; init; }
}

/// <summary>A table with one row per thing that was measured (a particle, a path): <c>NAME.csv</c> beside the measurements.</summary>
/// <param name="Name">kebab-case: "particles".</param>
/// <param name="Columns">What the columns hold, with their units.</param>
/// <param name="Rows">As many numbers in each as there are columns.</param>
public sealed record Table(string Name, IReadOnlyList<string> Columns, IReadOnlyList<double[]> Rows);

/// <summary>What a measure found.</summary>
public sealed record Measured(IReadOnlyList<Measurement> Measurements, IReadOnlyList<Curve> Curves)
{
    /// <summary>Tables for files; they are not printed.</summary>
    [JsonIgnore]
    public IReadOnlyList<Table> Tables { get; init; } = [];

    /// <summary>What can be shown in three dimensions, for figures.</summary>
    [JsonIgnore]
    public IReadOnlyList<Scene> Scenes { get; init; } = [];
}

/// <summary>One measure of a recipe, volume → numbers: a record declared like a <see cref="Step"/>.</summary>
public abstract record Measure
{
    /// <summary>It goes through the volume in parts and keeps to half of the budget, so that the whole process can be held to the budget.</summary>
    public virtual bool Streams => false;

    /// <summary>Does the work.</summary>
    public abstract Measured Run(IVolume source, Traversal walk, ulong seed);
}
