using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Kerf.App;

/// <summary>Text that is markup already. Made by interpolation, where every hole that is not markup itself is escaped.</summary>
internal readonly record struct Html(string Text)
{
    public static readonly Html Empty = new("");

    public static Html Of(Handler markup) => new(markup.Text.ToString());

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(p => p.Text)));

    /// <summary>The markup, or nothing.</summary>
    public static Html When(bool condition, string markup) => condition ? new(markup) : Empty;

    public override string ToString() => Text;

    public static string Escape(string? text) => (text ?? "").Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal)
        .Replace("\"", "&quot;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal);

    [InterpolatedStringHandler]
    public readonly ref struct Handler(int literalLength, int formattedCount)
    {
        public StringBuilder Text { get; } = new(literalLength + 16 * formattedCount);

        public void AppendLiteral(string literal) => Text.Append(literal);

        public void AppendFormatted(Html html) => Text.Append(html.Text);

        public void AppendFormatted(IEnumerable<Html> parts)
        {
            foreach (var part in parts) Text.Append(part.Text);
        }

        public void AppendFormatted(string? text) => Text.Append(Escape(text));

        public void AppendFormatted(double value, string format = "0.######") => Text.Append(value.ToString(format, CultureInfo.InvariantCulture));

        public void AppendFormatted(int value) => Text.Append(value);
    }
}

/// <summary>How numbers, lengths and names are worded for a reader.</summary>
internal static partial class Wording
{
    /// <summary>Up to <paramref name="digits"/> significant digits; powers of ten from 10⁶ and below 10⁻³.</summary>
    public static string Number(double value, int digits = 4)
    {
        if (!double.IsFinite(value)) return double.IsNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
        if (value == 0) return "0";
        var power = (int)Math.Floor(Math.Log10(Math.Abs(value)));
        if (power is >= 6 or < -3) return Fixed(value / Math.Pow(10, power), digits - 1).TrimEnd('0').TrimEnd('.') + "×10" + Raised(power);
        var text = Fixed(value, Math.Clamp(digits - 1 - power, 0, 12));
        return text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    /// <summary>A value and its interval with as many decimals as two digits of the interval need.</summary>
    public static (string Value, string Low, string High) Interval(double value, double low, double high)
    {
        var width = high - low;
        var power = Math.Floor(Math.Log10(Math.Max(Math.Abs(value), Math.Max(Math.Abs(low), Math.Abs(high)))));
        if (!(width > 0) || !double.IsFinite(width) || power is >= 6 or < -3) return (Number(value), Number(low), Number(high));
        var decimals = Math.Clamp(1 - (int)Math.Floor(Math.Log10(width / 2)), 0, 8);
        return (Fixed(value, decimals), Fixed(low, decimals), Fixed(high, decimals));
    }

    /// <summary>Nanometres as "850 nm", "2.4 µm", "1.2 mm".</summary>
    public static string Length(double nanometres) => Math.Abs(nanometres) switch
    {
        < 1000 => $"{Number(nanometres, 3)} nm",
        < 1e6 => $"{Number(nanometres / 1e3, 3)} µm",
        _ => $"{Number(nanometres / 1e6, 3)} mm",
    };

    /// <summary>"0.4 s", "3 min 20 s", "2 h 5 min".</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 60 => $"{Number(seconds, 2)} s",
        < 3600 => Whole($"{Math.Floor(seconds / 60)} min {Math.Floor(seconds % 60)} s"),
        _ => Whole($"{Math.Floor(seconds / 3600)} h {Math.Floor(seconds / 60 % 60)} min"),
    };

    /// <summary>"1/nm" as nm⁻¹, "nm^2" as nm², "1" as nothing.</summary>
    public static string Unit(string unit)
    {
        if (unit is "1" or "") return "";
        var text = PerUnit().Replace(unit, m => m.Groups[1].Value + "⁻" + (m.Groups[2].Length > 0 ? Superscript(m.Groups[2].Value) : "¹"));
        return PowerUnit().Replace(text, m => Superscript(m.Groups[1].Value));
    }

    /// <summary>"stripeEnergyBefore" or "half-angle" as words.</summary>
    public static string Words(string name) => WordBreak().Replace(name.Replace('-', ' ').Replace('_', ' '), " ").ToLowerInvariant();

    /// <summary>Words with a capital first letter.</summary>
    public static string Title(string name) => Words(name) is { Length: > 0 } words ? char.ToUpperInvariant(words[0]) + words[1..] : name;

    private static string Fixed(double value, int decimals) =>
        value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).Replace('-', '−');

    private static string Whole(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Raised(int power) => (power < 0 ? "⁻" : "") + Superscript(Math.Abs(power).ToString(CultureInfo.InvariantCulture));

    private static string Superscript(string digits) =>
        string.Concat(digits.Select(d => d is >= '0' and <= '9' ? "⁰¹²³⁴⁵⁶⁷⁸⁹"[d - '0'] : d));

    [GeneratedRegex(@"^1/([A-Za-zµ]+)\^?(\d?)$")]
    private static partial Regex PerUnit();

    [GeneratedRegex(@"\^(\d)")]
    private static partial Regex PowerUnit();

    [GeneratedRegex("(?<=[a-z0-9])(?=[A-Z])")]
    private static partial Regex WordBreak();
}
