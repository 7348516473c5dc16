using System.Globalization;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>One entry of a recipe as it was typed: an operation's name and its parameters, not yet checked.</summary>
public sealed class TypedEntry(Typed operation)
{
    /// <summary>The operation's name.</summary>
    public Typed Operation { get; } = operation;

    /// <summary>Parameters by name, in the order typed.</summary>
    public Dictionary<string, Typed> Values { get; } = [];
}

/// <summary>A recipe as text: what a YAML file and a workbook have in common before anything is checked.</summary>
public sealed class RecipeText
{
    /// <summary>"title", "description", "seed".</summary>
    public TypedEntry Head { get; set; } = new(new("recipe", "recipe"));

    /// <summary>The input section.</summary>
    public TypedEntry Input { get; set; } = new(new("input", "recipe"));

    /// <summary>The output section.</summary>
    public TypedEntry Output { get; set; } = new(new("output", "recipe"));

    /// <summary>Steps in order.</summary>
    public List<TypedEntry> Steps { get; } = [];

    /// <summary>Measures in order.</summary>
    public List<TypedEntry> Measures { get; } = [];

    /// <summary>Reads the file by its ending.</summary>
    /// <exception cref="InputError">Missing, unreadable, or not a recipe.</exception>
    public static RecipeText Read(string path)
    {
        if (!File.Exists(path)) throw new InputError($"{path}: there is no such recipe. Make one with kerf new {(path.Length > 0 ? path : "recipe.yaml")} --template NAME.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".yaml" or ".yml" => RecipeYaml.Read(File.ReadAllText(path), Path.GetFileName(path)),
            ".xlsx" => RecipeWorkbook.Read(path),
            _ => throw new InputError($"{path}: a recipe ends in .yaml or .xlsx."),
        };
    }

    /// <summary>Applies "step.parameter=value" changes; the step is named by its id (its <c>to</c>) or its operation.</summary>
    public RecipeText Apply(IReadOnlyList<string> changes)
    {
        foreach (var change in changes)
        {
            var equals = change.IndexOf('=', StringComparison.Ordinal);
            var dot = change.IndexOf('.', StringComparison.Ordinal);
            if (dot <= 0 || equals < dot) throw new InputError($"--set {change}: write step.parameter=value, like destripe.half-angle=8.");
            var (target, name, text) = (change[..dot], change[(dot + 1)..equals], change[(equals + 1)..]);
            Entry(target, change).Values[name] = new(text, $"--set {change}");
        }
        return this;
    }

    private TypedEntry Entry(string target, string change)
    {
        var named = new Dictionary<string, TypedEntry> { ["recipe"] = Head, ["input"] = Input, ["output"] = Output };
        foreach (var (id, entry) in Ids()) named.TryAdd(id, entry);
        foreach (var entry in Steps.Concat(Measures)) named.TryAdd(entry.Operation.Text, entry);
        return named.TryGetValue(target, out var found) ? found
            : throw new InputError($"--set {change}: the recipe has no step \"{target}\"{Naming.Suggest(target, named.Keys)}");
    }

    // a step's id is its "to", else its operation's name, numbered from the second unnamed one on
    private IEnumerable<(string Id, TypedEntry Entry)> Ids()
    {
        var seen = new Dictionary<string, int>();
        foreach (var entry in Steps)
        {
            if (entry.Values.TryGetValue("to", out var to))
            {
                yield return (to.Text, entry);
                continue;
            }
            var name = entry.Operation.Text;
            var count = seen[name] = seen.GetValueOrDefault(name) + 1;
            yield return (count == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}-{count}"), entry);
        }
    }

    /// <summary>Checks everything and makes the recipe.</summary>
    /// <param name="path">Path of the file, whose folder relative paths start from.</param>
    public Recipe Build(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        CheckHead();
        var input = (InputSection)Catalogue.Input.Build(Input.Values);
        var volumes = new List<string> { Recipe.Raw };
        var steps = new List<RecipeStep>();
        var lastGrey = Recipe.Raw;
        foreach (var (id, entry) in Ids())
        {
            CheckId(id, entry, volumes);
            var declared = Catalogue.Step(entry.Operation);
            var from = Known(entry, volumes) ?? volumes[^1];
            var values = entry.Values.Where(v => v.Key is not ("from" or "to"));
            steps.Add(new(id, from, declared, (Step)declared.Build(Resolved(declared, values, folder, volumes)), entry.Operation.Where));
            volumes.Add(id);
            lastGrey = id;
        }
        var measures = Measures.ConvertAll(entry =>
        {
            var declared = Catalogue.Measure(entry.Operation);
            // what is no volume is the measure's own, where it has a parameter of that name (a phase)
            var own = declared.Has("from") && entry.Values.GetValueOrDefault("from") is { } typed && !volumes.Contains(typed.Text);
            var from = own ? lastGrey : Known(entry, volumes) ?? lastGrey;
            var values = entry.Values.Where(v => own || v.Key is not "from");
            return new RecipeMeasure(from, declared, (Measure)declared.Build(Resolved(declared, values, folder, volumes)), entry.Operation.Where);
        });
        return new Recipe
        {
            Title = Head.Values.GetValueOrDefault("title")?.Text ?? Path.GetFileNameWithoutExtension(path),
            Description = Head.Values.GetValueOrDefault("description")?.Text ?? "",
            Seed = Seed(),
            Input = input with { Path = Path.GetFullPath(input.Path, folder) },
            Output = (OutputSection)Catalogue.Output.Build(Output.Values),
            Steps = steps,
            Measures = measures,
            Text = this,
            Folder = folder,
        };
    }

    private void CheckHead()
    {
        string[] known = ["title", "description", "seed"];
        foreach (var (name, typed) in Head.Values)
            if (!known.Contains(name)) throw new InputError($"{typed.Where}: a recipe has no \"{name}\"{Naming.Suggest(name, [.. known, "input", "steps", "measures", "output"])}");
    }

    private ulong Seed()
    {
        if (Head.Values.GetValueOrDefault("seed") is not { } typed) return 1;
        return ulong.TryParse(typed.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed
            : throw new InputError($"{typed.Where}: seed is \"{typed.Text}\"; allowed: a whole number, 0 or more.");
    }

    private static void CheckId(string id, TypedEntry entry, List<string> volumes)
    {
        var where = entry.Values.GetValueOrDefault("to")?.Where ?? entry.Operation.Where;
        // the id becomes a folder's name
        if (id.Length is 0 or > 64 || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            throw new InputError($"{where}: \"{id}\" cannot name a volume; use letters, digits, - and _.");
        if (volumes.Contains(id)) throw new InputError($"{where}: a volume \"{id}\" is there already; give this step another name with to.");
    }

    private static string? Known(TypedEntry entry, List<string> volumes)
    {
        if (entry.Values.GetValueOrDefault("from") is not { } from) return null;
        return volumes.Contains(from.Text) ? from.Text
            : throw new InputError($"{from.Where}: there is no volume \"{from.Text}\" before this step{Naming.Suggest(from.Text, volumes)}");
    }

    // a path is another volume of the recipe (kept as its name) or a file beside the recipe (made absolute)
    private static IEnumerable<KeyValuePair<string, Typed>> Resolved(
        Declared declared, IEnumerable<KeyValuePair<string, Typed>> values, string folder, List<string> volumes) =>
        values.Select(v => declared.Parameters.FirstOrDefault(p => p.Name == v.Key && p.IsPath) is { } parameter
            ? new(v.Key, v.Value with { Text = parameter.MapPaths(v.Value.Text, path => volumes.Contains(path) ? path : Path.GetFullPath(path, folder)) })
            : v);
}
