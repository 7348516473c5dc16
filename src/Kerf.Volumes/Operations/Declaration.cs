namespace Kerf.Volumes;

/// <summary>Names an operation (a step or a measure) for recipes, the command line and the docs.</summary>
/// <param name="name">kebab-case, as typed: "destripe".</param>
/// <param name="summary">One sentence for a microscopist.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class OperationAttribute(string name, string summary) : Attribute
{
    /// <summary>kebab-case, as typed.</summary>
    public string Name { get; } = name;

    /// <summary>One sentence for a microscopist.</summary>
    public string Summary { get; } = summary;
}

/// <summary>
/// Declares a parameter of an operation, once: command line, YAML, workbook and docs derive from it. Put it on an init-only property whose
/// initial value is the default; its name becomes kebab-case (HalfAngle → half-angle). Types: double, int, bool, enum, string, and arrays or
/// nullables of them.
/// </summary>
/// <param name="description">What it does and how to choose it, one or two sentences.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ParameterAttribute(string description) : Attribute
{
    /// <summary>What it does and how to choose it.</summary>
    public string Description { get; } = description;

    /// <summary>"nm", "degrees", "pixels", "grey levels" …; empty for a pure number.</summary>
    public string Unit { get; init; } = "";

    /// <summary>Lowest allowed value.</summary>
    public double Min { get; init; } = double.NegativeInfinity;

    /// <summary>Highest allowed value.</summary>
    public double Max { get; init; } = double.PositiveInfinity;

    /// <summary>The value names a file, a folder or another volume of the project; relative paths start at the recipe's folder.</summary>
    public bool IsPath { get; init; }
}
