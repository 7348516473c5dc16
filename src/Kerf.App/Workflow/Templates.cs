using System.Reflection;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The recipes that ship with the program: the files of <c>recipes/</c>, embedded.</summary>
public static class Templates
{
    private const string Prefix = "recipes/";

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => Path.GetFileNameWithoutExtension(n[Prefix.Length..])).Order(StringComparer.Ordinal)];

    /// <summary>One of them as text.</summary>
    /// <exception cref="InputError">There is none of that name; with the nearest.</exception>
    public static RecipeText Read(string name)
    {
        if (!Names.Contains(name)) throw new InputError($"there is no template \"{name}\"{Naming.Suggest(name, Names)}");
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream($"{Prefix}{name}.yaml")!);
        return RecipeYaml.Read(reader.ReadToEnd(), name + ".yaml");
    }
}
