using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf run, new, check, steps.</summary>
public static class RecipeCommands
{
    /// <summary>The four commands.</summary>
    public static IEnumerable<Command> All() => [RunCommand(), New(), Check(), Steps()];

    private static Command RunCommand()
    {
        var recipe = new Argument<string>("RECIPE") { Description = "A .yaml or .xlsx recipe." };
        var project = new Option<string?>("--project") { Description = "Folder of the project (default: the recipe's name beside the recipe).", HelpName = "folder" };
        var set = new Option<string[]>("--set") { Description = "Change a parameter: step.parameter=value. May be repeated.", HelpName = "change" };
        var command = Invocation.Running(new Command("run", "Runs a recipe: slices in, volumes, measurements and report out.") { recipe, project, set, Invocation.Force });
        return Invocation.With(command, (parsed, session) =>
        {
            var path = parsed.GetValue(recipe)!;
            var loaded = Recipe.Load(path, parsed.GetValue(set));
            var folder = parsed.GetValue(project) ?? Path.ChangeExtension(Path.GetFullPath(path), null);
            using var opened = Project.Open(folder);
            var result = new RecipeRun(loaded, opened, session.Walk, session.Progress.Begin) { Force = session.Forced }.Run();
            session.Print(Json(result), () => Text(result));
        });
    }

    /// <summary>The contract's object: report, volumes, measurements.</summary>
    public static JsonObject Json(RunResult result) => new()
    {
        ["report"] = result.Report,
        ["volumes"] = JsonSerializer.SerializeToNode(result.Volumes, MeasurementFiles.Json),
        ["measurements"] = JsonSerializer.SerializeToNode(result.Measured.Measurements, MeasurementFiles.Json),
    };

    /// <summary>The same for people: the measurements as a table, then the report's path.</summary>
    public static string Text(RunResult result)
    {
        var text = new StringBuilder(MeasureCommands.Table(result.Measured.Measurements));
        return text.Append(CultureInfo.InvariantCulture, $"report: {result.Report}").ToString();
    }

    private static Command New()
    {
        var file = new Argument<string>("FILE") { Description = "The recipe to write: .yaml or .xlsx." };
        var template = new Option<string>("--template") { Description = $"One of: {string.Join(", ", Templates.Names)}.", HelpName = "name", DefaultValueFactory = _ => "solid-state" };
        return Invocation.With(new Command("new", "Writes a commented recipe or workbook to start from.") { file, template, Invocation.Json, Invocation.Force }, (parsed, session) =>
        {
            var path = parsed.GetValue(file)!;
            var ending = Path.GetExtension(path).ToLowerInvariant();
            if (ending is not (".yaml" or ".yml" or ".xlsx")) throw new InputError($"{path}: a recipe ends in .yaml or .xlsx.");
            if (File.Exists(path) && !session.Forced) throw new InputError($"{path}: is there already; choose another name or add --force.");
            var text = Templates.Read(parsed.GetValue(template)!);
            if (ending == ".xlsx") AtomicFile.WriteAllBytes(path, RecipeWorkbook.Write(text));
            else AtomicFile.WriteAllText(path, RecipeYaml.Write(text));
            session.Print(new JsonObject { ["recipe"] = path }, () => $"{path}: written. Set input.path and input.voxel, then: kerf check {path}");
        });
    }

    private static Command Check()
    {
        var recipe = new Argument<string>("RECIPE") { Description = "A .yaml or .xlsx recipe." };
        var set = new Option<string[]>("--set") { Description = "Change a parameter: step.parameter=value. May be repeated.", HelpName = "change" };
        return Invocation.With(new Command("check", "Checks a recipe and its input without running anything.") { recipe, set, Invocation.Json }, (parsed, session) =>
        {
            var path = parsed.GetValue(recipe)!;
            var loaded = Recipe.Load(path, parsed.GetValue(set));
            var source = VolumeFile.Open(loaded.Input.Path, loaded.Input.Options(64 << 20));
            var json = new JsonObject
            {
                ["recipe"] = path,
                ["steps"] = new JsonArray([.. loaded.Steps.Select(s => (JsonNode)s.Id)]),
                ["measures"] = new JsonArray([.. loaded.Measures.Select(m => (JsonNode)m.Declared.Name)]),
                ["shape"] = new JsonArray(source.Info.Size.Z, source.Info.Size.Y, source.Info.Size.X),
            };
            session.Print(json, () => $"{path}: fine. {source.Info.Size} voxels of {source.Info.Type.Name()}, {(source.Info.Voxel is { } v ? $"{v} nm" : "voxel size unknown")}; "
                + $"steps: {string.Join(" → ", loaded.Steps.Select(s => s.Id))}; measures: {string.Join(", ", loaded.Measures.Select(m => m.Declared.Name))}");
        });
    }

    private static Command Steps()
    {
        var name = new Argument<string?>("NAME") { Description = "One step or measure; all when left out.", Arity = ArgumentArity.ZeroOrOne };
        return Invocation.With(new Command("steps", "The catalogue of steps and measures: parameters, units, ranges, defaults.") { name, Invocation.Json }, (parsed, session) =>
        {
            var all = Catalogue.Steps.Concat(Catalogue.Measures).ToArray();
            var chosen = parsed.GetValue(name) is not { } typed ? all
                : all.Where(d => d.Name == typed).ToArray() is { Length: > 0 } found ? found
                : throw new InputError($"there is no step \"{typed}\"{Naming.Suggest(typed, all.Select(d => d.Name))}");
            session.Print(new JsonObject { ["steps"] = new JsonArray([.. chosen.Select(Json)]) }, () => string.Join('\n', chosen.Select(d => Text(d, chosen.Length == 1))));
        });
    }

    private static JsonNode Json(Declared declared) => new JsonObject
    {
        ["name"] = declared.Name,
        ["kind"] = typeof(Step).IsAssignableFrom(declared.Type) ? "step" : "measure",
        ["summary"] = declared.Summary,
        ["parameters"] = new JsonArray([.. declared.Parameters.Select(p => (JsonNode)new JsonObject
        {
            ["name"] = p.Name, ["description"] = p.Description, ["unit"] = p.Unit, ["default"] = p.Default, ["allowed"] = p.Allowed,
        })]),
    };

    private static string Text(Declared declared, bool detailed)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{declared.Name,-20}{declared.Summary}");
        if (detailed)
            foreach (var p in declared.Parameters) text.Append(CultureInfo.InvariantCulture, $"\n  --{p.Name,-20}{p.Description} {p.Legend}");
        return text.ToString();
    }
}
