using Kerf.Volumes;

namespace Kerf.Imaging;

/// <summary>Names and colours for the labels that a segmentation makes.</summary>
public static class PhaseNames
{
    /// <summary>The paper's colours: pores light grey, electrolyte blue, active material orange.</summary>
    public static readonly string[] Electrode = ["pore=#d9d9d9", "solid electrolyte=#3b7dd8", "active material=#e8883a"];

    /// <summary>Of a two-phase structure: 1 = pore, 2 = solid.</summary>
    public static readonly string[] PoreSolid = ["pore", "solid"];

    /// <summary>
    /// Phases 1 … <paramref name="count"/>, named in label order by "name" or "name=#rrggbb". What nobody named is called by
    /// <paramref name="defaults"/>, else "phase N".
    /// </summary>
    /// <exception cref="InputError">More names than phases, an empty name, a name twice, or a colour that is none.</exception>
    public static Phase[] Of(int count, string[] names, params string[] defaults)
    {
        if (names.Length > count) throw new InputError($"phases: {names.Length} names for {count} phases; give at most {count}.");
        var phases = new Phase[count];
        for (var i = 0; i < count; i++)
            phases[i] = Named(i + 1, i < names.Length ? names[i] : i < defaults.Length ? defaults[i] : Phase.Unnamed(i + 1).Name);
        if (phases.GroupBy(phase => phase.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new InputError($"phases: \"{twice.Key}\" names two phases; each needs a name of its own.");
        return phases;
    }

    private static Phase Named(int label, string text)
    {
        var parts = text.Split('=', StringSplitOptions.TrimEntries);
        var phase = Phase.Unnamed(label) with { Name = parts[0] };
        if (parts.Length == 2) phase = phase with { Colour = parts[1] };
        var isColour = phase.Colour.Length == 7 && phase.Colour[0] == '#' && phase.Colour.AsSpan(1).IndexOfAnyExcept(Hex) < 0;
        return phase.Name.Length > 0 && parts.Length <= 2 && isColour
            ? phase : throw new InputError($"phases: \"{text}\" is no phase; write a name, or a name and its colour like pore=#d9d9d9.");
    }

    private static readonly System.Buffers.SearchValues<char> Hex = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");
}
