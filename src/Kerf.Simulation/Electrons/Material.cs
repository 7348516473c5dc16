using System.Globalization;
using Kerf.Volumes;

namespace Kerf.Simulation;

/// <summary>What electrons pass through: atoms in their proportions, and a density. Vacuum has no atoms.</summary>
/// <param name="Name">As the user called it.</param>
/// <param name="Atoms">Elements and how many atoms of each a formula unit has.</param>
/// <param name="Density">In g/cm³.</param>
public sealed record Material(string Name, IReadOnlyList<(Element Element, double Count)> Atoms, double Density)
{
    // name, formula, density: what users of the field name by word. Epoxy is a cured bisphenol-A resin; LPSCl is argyrodite
    private static readonly (string Name, string Formula, double Density)[] Known =
    [
        ("epoxy", "C21H25O5", 1.2), ("nmc", "LiNi0.8Mn0.1Co0.1O2", 4.7), ("nmc811", "LiNi0.8Mn0.1Co0.1O2", 4.7), ("nmc622", "LiNi0.6Mn0.2Co0.2O2", 4.7),
        ("nmc111", "LiNi0.33Mn0.33Co0.33O2", 4.7), ("lco", "LiCoO2", 5.05), ("lfp", "LiFePO4", 3.6), ("lpscl", "Li6PS5Cl", 1.86), ("lps", "Li3PS4", 1.87),
        ("carbon-binder", "C3F1H1", 1.5), ("carbon", "C", 1.8), ("graphite", "C", 2.26), ("gold", "Au", 19.32), ("platinum", "Pt", 21.45), ("silicon", "Si", 2.33),
    ];

    /// <summary>Nothing.</summary>
    public static readonly Material Vacuum = new("vacuum", [], 0);

    /// <summary>True when there is nothing to scatter at.</summary>
    public bool IsVacuum => Atoms.Count == 0;

    /// <summary>Mass of a formula unit in g/mol.</summary>
    public double FormulaMass => Atoms.Sum(a => a.Count * a.Element.Mass);

    /// <summary>Atoms of the i-th element per cubic nanometre.</summary>
    public double PerVolume(int i) => Atoms[i].Count * Density / FormulaMass * 602.214076;

    /// <summary>
    /// Reads "Au", "SiO2:2.65" (formula and density in g/cm³), "vacuum", or a word such as epoxy, NMC811, LPSCl, carbon-binder, gold.
    /// </summary>
    /// <exception cref="InputError">Unknown element, unreadable formula, no density, or one that is not between 0.001 and 25.</exception>
    public static Material Parse(string text)
    {
        var cut = text.LastIndexOf(':');
        var (name, given) = cut < 0 ? (text.Trim(), null) : (text[..cut].Trim(), text[(cut + 1)..].Trim());
        if (name.Equals("vacuum", StringComparison.OrdinalIgnoreCase)) return Vacuum;
        double? density = null;
        if (given is not null)
        {
            if (!double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !(value is >= 0.001 and <= 25))
                throw new InputError($"material {text}: density is \"{given}\"; give g/cm³ between 0.001 and 25, like {name}:2.65.");
            density = value;
        }
        var known = Known.FirstOrDefault(k => k.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        var atoms = Formula(known.Formula ?? name, text);
        density ??= known.Formula is not null ? known.Density : atoms.Count == 1 ? atoms[0].Element.Density
            : throw new InputError($"material {text}: the density of a compound must be given, in g/cm³: {name}:2.65.");
        return new(name, atoms, density.Value);
    }

    private static List<(Element Element, double Count)> Formula(string formula, string text)
    {
        var atoms = new List<(Element Element, double Count)>();
        for (var i = 0; i < formula.Length;)
        {
            var start = i++;
            while (i < formula.Length && char.IsAsciiLetterLower(formula[i])) i++;
            var symbol = formula[start..i];
            var element = Element.Of(symbol) ?? throw new InputError($"material {text}: there is no element \"{symbol}\". "
                + $"Write a formula like Au or SiO2:2.65, or one of vacuum, {string.Join(", ", Known.Select(k => k.Name))}.");
            var digits = i;
            while (i < formula.Length && (char.IsAsciiDigit(formula[i]) || formula[i] == '.')) i++;
            var count = 1.0;
            if (i > digits && (!double.TryParse(formula[digits..i], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out count) || !(count is > 0 and <= 1000)))
                throw new InputError($"material {text}: \"{formula[digits..i]}\" after {symbol} is no number of atoms; write one above 0 and up to 1000.");
            var at = atoms.FindIndex(a => a.Element == element);
            if (at < 0) atoms.Add((element, count));
            else atoms[at] = (element, atoms[at].Count + count);
        }
        return atoms.Count > 0 ? atoms : throw new InputError("material: is empty. Write a formula like Au or SiO2:2.65, or vacuum.");
    }
}
