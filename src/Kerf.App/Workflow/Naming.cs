using System.Text;

namespace Kerf.App;

/// <summary>How names are spelt in recipes and on the command line, and what to say when one is misspelt.</summary>
public static class Naming
{
    /// <summary>HalfAngle → half-angle.</summary>
    public static string Kebab(string pascal)
    {
        var text = new StringBuilder();
        for (var i = 0; i < pascal.Length; i++)
        {
            if (char.IsUpper(pascal[i]) && i > 0 && (!char.IsUpper(pascal[i - 1]) || (i + 1 < pascal.Length && char.IsLower(pascal[i + 1])))) text.Append('-');
            text.Append(char.ToLowerInvariant(pascal[i]));
        }
        return text.ToString();
    }

    /// <summary>"; did you mean NAME?" when one of <paramref name="known"/> is close, else "; choose from …".</summary>
    public static string Suggest(string typed, IEnumerable<string> known)
    {
        var names = known.ToArray();
        var best = names.Select(name => (Name: name, Distance: Distance(typed.ToLowerInvariant(), name))).OrderBy(n => n.Distance).FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(2, best.Name.Length / 3)
            ? $"; did you mean {best.Name}?"
            : $"; choose from {string.Join(", ", names)}.";
    }

    // Levenshtein with adjacent swaps: the typing errors people make
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
