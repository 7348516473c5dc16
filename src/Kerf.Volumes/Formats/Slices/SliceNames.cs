using System.Globalization;
using System.Text.RegularExpressions;

namespace Kerf.Volumes;

/// <summary>One file of a slice folder.</summary>
/// <param name="Name">File name.</param>
/// <param name="Number">The slice's number in the name; null when the name has none.</param>
internal sealed record SliceName(string Name, decimal? Number)
{
    /// <summary>Position along z in nanometres as the name tells it ("z=1.250um"); null when it does not.</summary>
    public double? PositionNm => SliceNames.Position(Name);
}

/// <summary>Names that differ by the slice number alone, in slice order.</summary>
/// <param name="Label">The name with # for the number.</param>
/// <param name="Slices">The files.</param>
internal sealed record SliceSeries(string Label, IReadOnlyList<SliceName> Slices);

/// <summary>What the names of slices tell: which belong together, their order, what is missing.</summary>
internal static partial class SliceNames
{
    /// <summary>"slice2" before "slice10": runs of digits by value, the rest without regard to case.</summary>
    public static readonly IComparer<string> Natural = Comparer<string>.Create(CompareNaturally);

    /// <summary>Sorts names into series. With a pattern like "{channel}_{slice}" those that do not follow it are left out.</summary>
    public static List<SliceSeries> Series(IEnumerable<string> names, string? pattern)
    {
        var series = pattern is null ? names.GroupBy(Shape).SelectMany(Split) : ByPattern(names, pattern);
        return [.. series.Select(Ordered).OrderBy(s => s.Label, Natural)];
    }

    /// <summary>The parts in which labels differ: "SE2_#.tif", "InLens_#.tif" → "SE2", "InLens".</summary>
    public static string[] Distinguish(IReadOnlyList<string> labels)
    {
        var parts = labels.Select(label => Separator().Split(label).Where(part => part.Length > 0).ToArray()).ToArray();
        var shortest = parts.Min(p => p.Length);
        var (start, end) = (0, 0);
        while (start < shortest && parts.All(p => p[start] == parts[0][start])) start++;
        while (end < shortest - start && parts.All(p => p[^(end + 1)] == parts[0][^(end + 1)])) end++;
        var names = parts.Select(p => string.Join('_', p[start..^end].Where(part => part != "#"))).ToArray();
        return names.Contains("") || names.Distinct().Count() < names.Length ? [.. labels] : names;
    }

    /// <summary>Position along z in nanometres that a name tells.</summary>
    public static double? Position(string name) =>
        Depth().Match(name) is { Success: true } match && double.TryParse(match.Groups[1].Value, CultureInfo.InvariantCulture, out var value)
            ? value * (match.Groups[2].Value == "nm" ? 1 : 1000)
            : null;

    /// <summary>
    /// The numbers between the first and the last that no slice has, in a numbering of equal steps; null when the numbers count no slices:
    /// positions, time stamps, or none at all.
    /// </summary>
    public static List<long>? Missing(IReadOnlyList<SliceName> slices)
    {
        if (slices.Any(slice => slice.Number is not { } number || number != decimal.Truncate(number))) return null;
        var numbers = slices.Select(slice => (long)slice.Number!.Value).ToArray();
        var step = 0L;
        for (var i = 1; i < numbers.Length; i++) step = (long)System.Numerics.BigInteger.GreatestCommonDivisor(step, numbers[i] - numbers[i - 1]);
        if (step == 0) return [];
        var count = (numbers[^1] - numbers[0]) / step + 1;
        // more holes than slices many times over: no counter
        if (count > 10L * numbers.Length) return null;
        var held = numbers.ToHashSet();
        return [.. Enumerable.Range(0, (int)count).Select(i => numbers[0] + i * step).Where(number => !held.Contains(number))];
    }

    /// <summary>"3, 7-9, 12": runs of equal step; the rest is counted where the list gets long.</summary>
    public static string Listed(IReadOnlyList<long> numbers, int most = 8)
    {
        var runs = new List<(long First, long Last)>();
        foreach (var number in numbers)
        {
            if (runs.Count > 0 && runs[^1].Last + 1 == number) runs[^1] = (runs[^1].First, number);
            else runs.Add((number, number));
        }
        var text = string.Join(", ", runs.Take(most).Select(run => run.First == run.Last ? $"{run.First}" : $"{run.First}-{run.Last}"));
        var left = runs.Skip(most).Sum(run => run.Last - run.First + 1);
        return left > 0 ? $"{text} and {left} more" : text;
    }

    // what stays when every number is taken out; both endings of TIFF are one
    private static string Shape(string name) => Number().Replace(Path.ChangeExtension(name, Ending(name)), "#");

    private static string Ending(string name) => Path.GetExtension(name).ToLowerInvariant() is var ending && ending == ".tiff" ? ".tif" : ending;

    // names of one shape: the number that leaves the fewest series when it varies is the slice's
    private static IEnumerable<SliceSeries> Split(IGrouping<string, string> shape)
    {
        var names = shape.ToArray();
        var numbers = names.Select(name => Number().Matches(name).Select(match => match.Value).ToArray()).ToArray();
        var best = (Groups: int.MaxValue, Missing: long.MaxValue, Series: new List<SliceSeries>());
        for (var place = numbers[0].Length - 1; place >= 0; place--)
        {
            var at = place;
            if (numbers.Any(n => n[at].Length > 18)) continue;
            var alone = Group(names, numbers, at, n => string.Join('\n', n.Select((value, i) => i == at ? "#" : value)));
            // numbers that vary in step (counter and position, counter and time) leave every name a series of its own
            if (alone.Count == names.Length && names.Length > 1)
            {
                alone = Group(names, numbers, at, _ => "");
                if (alone[0].Slices.DistinctBy(slice => slice.Number).Count() < names.Length) continue;
            }
            var missing = alone.Sum(series => Missing(Ordered(series).Slices)?.Count ?? int.MaxValue);
            if (alone.Count < best.Groups || (alone.Count == best.Groups && missing < best.Missing)) best = (alone.Count, missing, alone);
        }
        return best.Series.Count > 0 ? best.Series : names.Select(name => new SliceSeries(name, [new(name, null)]));
    }

    private static List<SliceSeries> Group(string[] names, string[][] numbers, int place, Func<string[], string> key) =>
        [.. Enumerable.Range(0, names.Length).GroupBy(i => key(numbers[i])).Select(group => new SliceSeries(
            Label(names[group.First()], group.Key.Length == 0 ? null : place),
            [.. group.Select(i => new SliceName(names[i], Parsed(numbers[i][place])))]))];

    // the name with # for one number, or for all
    private static string Label(string name, int? place)
    {
        var at = 0;
        return Number().Replace(Path.ChangeExtension(name, Ending(name)), match => place is null || at++ == place ? "#" : match.Value);
    }

    private static IEnumerable<SliceSeries> ByPattern(IEnumerable<string> names, string pattern)
    {
        if (!pattern.Contains("{slice}", StringComparison.Ordinal))
            throw new InputError($"name pattern: \"{pattern}\" has no {{slice}}; write where the slice number stands, like {{channel}}_{{slice}}.");
        var text = Regex.Escape(pattern).Replace("\\{channel}", "(?<channel>.+?)", StringComparison.Ordinal)
            .Replace("\\{slice}", "(?<slice>[0-9]{1,18})", StringComparison.Ordinal).Replace("\\*", ".*?", StringComparison.Ordinal);
        var regex = new Regex($"^{text}(\\.[A-Za-z]+)?$", RegexOptions.NonBacktracking | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);
        return names.Select(name => (Name: name, Match: regex.Match(name))).Where(found => found.Match.Success)
            .GroupBy(found => found.Match.Groups["channel"].Value)
            .Select(group => new SliceSeries(group.Key.Length > 0 ? group.Key : pattern,
                [.. group.Select(found => new SliceName(found.Name, Parsed(found.Match.Groups["slice"].Value)))]));
    }

    private static decimal Parsed(string number) => decimal.Parse(number, CultureInfo.InvariantCulture);

    private static SliceSeries Ordered(SliceSeries series) => series with
    {
        Slices = [.. series.Slices.OrderBy(slice => slice.Number ?? 0).ThenBy(slice => slice.Name, Natural)],
    };

    private static int CompareNaturally(string? left, string? right)
    {
        var (a, b) = (Runs().Matches(left ?? ""), Runs().Matches(right ?? ""));
        for (var i = 0; i < Math.Min(a.Count, b.Count); i++)
        {
            var (x, y) = (a[i].Value, b[i].Value);
            var order = char.IsAsciiDigit(x[0]) && char.IsAsciiDigit(y[0]) ? CompareDigits(x.TrimStart('0'), y.TrimStart('0'))
                : string.Compare(x, y, StringComparison.OrdinalIgnoreCase);
            if (order != 0) return order;
        }
        return a.Count != b.Count ? a.Count.CompareTo(b.Count) : string.CompareOrdinal(left, right);
    }

    private static int CompareDigits(string x, string y) => x.Length != y.Length ? x.Length.CompareTo(y.Length) : string.CompareOrdinal(x, y);

    // a decimal number only where it surely is one: behind "=" or before a unit
    [GeneratedRegex(@"(?<==)[0-9]+\.[0-9]+|[0-9]+\.[0-9]+(?=\s?(?:nm|um|µm|μm))|[0-9]+")]
    private static partial Regex Number();

    [GeneratedRegex(@"([0-9]+(?:\.[0-9]+)?)\s?(nm|um|µm|μm)(?![A-Za-z])")]
    private static partial Regex Depth();

    [GeneratedRegex("[0-9]+|[^0-9]+")]
    private static partial Regex Runs();

    [GeneratedRegex(@"[_\-. ]+|(?=#)|(?<=#)")]
    private static partial Regex Separator();
}
