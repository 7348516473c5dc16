using System.Globalization;

namespace Kerf.Volumes;

/// <summary>Lengths as microscopes and image programs write them.</summary>
internal static class LengthUnit
{
    /// <summary>Nanometres of one unit; null when it is no metric length ("pixel", "inch", "reference frame").</summary>
    public static double? Nanometres(string unit) => unit.Trim() switch
    {
        "fm" => 1e-6,
        "pm" => 1e-3,
        "Å" or "\u212B" or "A" or "angstrom" => 0.1,
        "nm" or "nanometer" or "nanometers" or "nanometre" => 1,
        "um" or "µm" or "μm" or "micron" or "microns" or "micrometer" or "micrometers" or "micrometre" or "\\u00B5m" or "\\u00b5m" => 1e3,
        "mm" or "millimeter" or "millimetre" => 1e6,
        "cm" => 1e7,
        "m" or "meter" or "metre" => 1e9,
        // µ that a wrong text encoding made into something else, one or two signs long
        [not (>= 'a' and <= 'z'), 'm'] or [not (>= 'a' and <= 'z'), _, 'm'] => 1e3,
        _ => null,
    };

    /// <summary>Reads "543.0 pm" as nanometres.</summary>
    public static double? Parse(string text)
    {
        var parts = text.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length == 2 && Number(parts[0]) is { } number && Nanometres(parts[1]) is { } unit ? Positive(number * unit) : null;
    }

    /// <summary>A finite number, or null.</summary>
    public static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    /// <summary>A length that can be one: above 0 and finite, and so are the numbers made from it.</summary>
    public static double? Positive(double? length) => length is > 1e-12 and < 1e18 ? length : null;
}
