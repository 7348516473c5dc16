using System.Globalization;
using System.Text;
using Kerf.Volumes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Kerf.App;

/// <summary>Recipes as YAML: read with line numbers, written with every parameter's description, unit, default and range beside it.</summary>
public static class RecipeYaml
{
    /// <summary>Parses a recipe.</summary>
    /// <param name="text">The YAML.</param>
    /// <param name="file">The file's name, for error lines.</param>
    /// <exception cref="InputError">Not YAML, or not of a recipe's form; with the line.</exception>
    public static RecipeText Read(string text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException exception)
        {
            throw new InputError($"{file}:{exception.Start.Line}: not valid YAML ({exception.Message.ReplaceLineEndings(" ")}).", exception);
        }
        catch (InvalidOperationException exception)
        {
            // what the parser throws where brackets do not close
            throw new InputError($"{file}: not valid YAML; a bracket or a quotation mark is not closed.", exception);
        }
        if (stream.Documents.Count == 0 || stream.Documents[0].RootNode is not YamlMappingNode root)
            throw new InputError($"{file}: holds no recipe; it starts with title:, input: and steps:. See kerf new.");

        var recipe = new RecipeText();
        foreach (var (key, value) in root.Children)
        {
            var name = Scalar(key, file).Text;
            switch (name)
            {
                case "input": Fill(recipe.Input, value, file); break;
                case "output": Fill(recipe.Output, value, file); break;
                case "steps": recipe.Steps.AddRange(Entries(value, file, name)); break;
                case "measures": recipe.Measures.AddRange(Entries(value, file, name)); break;
                default: recipe.Head.Values[name] = Value(value, file); break;
            }
        }
        return recipe;
    }

    private static IEnumerable<TypedEntry> Entries(YamlNode node, string file, string section)
    {
        if (node is not YamlSequenceNode list) throw new InputError($"{Where(node, file)}: {section} is a list; start each with \"- name\".");
        foreach (var item in list.Children)
        {
            // "- destripe" or "- destripe: {half-angle: 5}"
            if (item is YamlMappingNode { Children.Count: 1 } map)
            {
                var entry = new TypedEntry(Scalar(map.Children[0].Key, file));
                Fill(entry, map.Children[0].Value, file);
                yield return entry;
            }
            else if (item is YamlScalarNode)
            {
                yield return new(Scalar(item, file));
            }
            else
            {
                throw new InputError($"{Where(item, file)}: each of {section} is \"- name\" or \"- name: {{parameter: value}}\"; mind the indentation.");
            }
        }
    }

    private static void Fill(TypedEntry entry, YamlNode node, string file)
    {
        if (node is YamlScalarNode { Value: null or "" or "~" or "null" }) return;
        if (node is not YamlMappingNode map) throw new InputError($"{Where(node, file)}: {entry.Operation.Text} takes \"parameter: value\" lines.");
        foreach (var (key, value) in map.Children) entry.Values[Scalar(key, file).Text] = Value(value, file);
    }

    private static Typed Value(YamlNode node, string file) => node is YamlSequenceNode list
        ? new(string.Join(", ", list.Children.Select(n => Scalar(n, file).Text)), Where(node, file))
        : Scalar(node, file);

    private static Typed Scalar(YamlNode node, string file) => node is YamlScalarNode scalar
        ? new(scalar.Value is null || (scalar.Style == ScalarStyle.Plain && scalar.Value is "~" or "null") ? "" : scalar.Value, Where(node, file))
        : throw new InputError($"{Where(node, file)}: one value is expected here, not a nested block.");

    private static string Where(YamlNode node, string file) => string.Create(CultureInfo.InvariantCulture, $"{file}:{node.Start.Line}");

    /// <summary>Writes a recipe with every parameter, each with its description, unit, allowed values and default as a comment.</summary>
    public static string Write(RecipeText recipe)
    {
        var text = new StringBuilder();
        text.Append("# A Kerf recipe. Check it with: kerf check FILE    Run it with: kerf run FILE --project FOLDER\n");
        foreach (var (name, value) in recipe.Head.Values) text.Append(CultureInfo.InvariantCulture, $"{name}: {Quoted(value.Text)}\n");
        Section("input", Catalogue.Input, recipe.Input);
        text.Append("\nsteps:\n");
        foreach (var entry in recipe.Steps) Entry(entry, Catalogue.Step(entry.Operation));
        text.Append("\nmeasures:\n");
        foreach (var entry in recipe.Measures) Entry(entry, Catalogue.Measure(entry.Operation));
        Section("output", Catalogue.Output, recipe.Output);
        return text.ToString();

        void Section(string name, Declared declared, TypedEntry entry)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n# {declared.Summary}\n{name}:\n");
            Parameters(declared, entry, "  ");
        }

        void Entry(TypedEntry entry, Declared declared)
        {
            text.Append(CultureInfo.InvariantCulture, $"  # {declared.Summary}\n  - {declared.Name}:\n");
            foreach (var name in (string[])["from", "to"])
                if (!declared.Has(name) && entry.Values.TryGetValue(name, out var typed)) text.Append(CultureInfo.InvariantCulture, $"      {name}: {Quoted(typed.Text)}\n");
            Parameters(declared, entry, "      ");
        }

        void Parameters(Declared declared, TypedEntry entry, string indent)
        {
            foreach (var parameter in declared.Parameters)
            {
                var value = entry.Values.TryGetValue(parameter.Name, out var typed) ? typed.Text : parameter.Default;
                text.Append(CultureInfo.InvariantCulture, $"{indent}{parameter.Name}: {(parameter.IsList ? $"[{value}]" : Quoted(value))}");
                text.Append(CultureInfo.InvariantCulture, $"  # {parameter.Description} {parameter.Legend}\n");
            }
        }
    }

    private static string Quoted(string value)
    {
        var plain = value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is ' ' or '.' or '-' or '_' or '/' or '(' or ')') && !value.StartsWith('-') && value.Trim() == value;
        return plain || double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? value : $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
