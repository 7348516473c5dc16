using System.CommandLine;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study backscatter, kerf study shine-through.</summary>
public static class SimulationStudies
{
    /// <summary>kerf study backscatter.</summary>
    public static Command Backscatter() => Make(
        "backscatter", "Bulk backscatter coefficients beside formula and measurements; the fast transport beside the scalar one.",
        new("--electrons") { Description = "Electrons per coefficient (default 400000).", HelpName = "n" },
        (value, _, _, walk) => BackscatterStudy.Run((long)Math.Clamp(value ?? 400_000, 1000, 1e9), walk), BackscatterStudy.Markdown);

    /// <summary>kerf study shine-through.</summary>
    public static Command ShineThrough() => Make(
        "shine-through", "Thresholds on levelled-wave gold in vacuum and epoxy at 1, 2 and 4 kV, by two detectors; and under the conditions of the thesis.",
        new("--electrons-per-pixel") { Description = "Electrons per pixel (default 40).", HelpName = "n" },
        (value, seed, folder, walk) => ShineThroughStudy.Run(
            new(16, 96, 96), (int)Math.Clamp(value ?? 40, 1, 1e5), [seed, seed + 1, seed + 2], Path.Combine(folder, "shine-through.png"), walk),
        ShineThroughReport.Markdown, (json, folder) => ShineThroughReport.Page(json, Path.Combine(folder, "shine-through.png")));

    /// <summary>kerf study realism.</summary>
    public static Command Realism()
    {
        var stack = new Option<string>("--stack") { Description = "Real 8-bit slices of a rock with one main matrix, four or more.", HelpName = "path", Required = true };
        var edge = new Option<int>("--edge") { Description = "Rows and columns to simulate.", HelpName = "n", DefaultValueFactory = _ => 512 };
        var slices = new Option<int>("--slices") { Description = "Slices to simulate.", HelpName = "n", DefaultValueFactory = _ => 6 };
        var output = new Option<string>("--out") { Description = "Folder that receives realism.json, realism.md and realism.png.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = Invocation.Making(Invocation.Running(new Command("realism", "A real stack beside a simulated one that was fitted on half of it: noise, greys, likeness over distance.") { stack, edge, slices, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            var (path, rows, count, folder) = (parsed.GetValue(stack)!, parsed.GetValue(edge), parsed.GetValue(slices), parsed.GetValue(output)!);
            if (rows is < 192 or > 4096) throw new InputError($"--edge is {rows}; choose 192 to 4096.");
            if (count is < 2 or > 1000) throw new InputError($"--slices is {count}; choose 2 to 1000.");
            var opened = VolumeFile.Open(path);
            using var held = opened as IDisposable;
            if (opened is not IVolume<byte> { Info.Size: { Z: >= 4, Y: >= 512, X: >= 512 } } real)
                throw new InputError($"{path}: holds {opened.Info.Size} voxels of {opened.Info.Type.Name()}; give 4 or more slices of 512×512 or more pixels of uint8.");
            Directory.CreateDirectory(folder);
            var walk = session.Walk with { Progress = session.Progress.Begin("realism") };
            var json = RealismStudy.Run(Volume<byte>.Load(real), new(count, rows, rows), session.SeedValue, Path.Combine(folder, "realism.png"), walk);
            Keep(folder, "realism", json, RealismReport.Markdown(json), session);
        });
    }

    private static void Keep(string folder, string name, JsonObject json, string page, Invocation session)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, name + ".json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
        AtomicFile.WriteAllText(Path.Combine(folder, name + ".md"), page);
        session.Print(json, () => page.TrimEnd());
    }

    private static Command Make(string name, string summary, Option<string?> count, Func<double?, ulong, string, Traversal, JsonObject> run, Func<JsonObject, string> page,
        Func<JsonObject, string, string>? figures = null)
    {
        var output = new Option<string>("--out") { Description = $"Folder that receives {name}.json and {name}.md.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = Invocation.Making(Invocation.Running(new Command(name, summary) { count, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            double? value = parsed.GetValue(count) is { } text ? SimulateCommands.Number(count, text) : null;
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            var made = run(value, session.SeedValue, folder, session.Walk with { Progress = session.Progress.Begin(name) });
            // as read back: a number is a number there, whatever type it had; and on disk first, should a page fail
            var json = JsonNode.Parse(made.ToJsonString(MeasurementFiles.Json))!.AsObject();
            AtomicFile.WriteAllText(Path.Combine(folder, name + ".json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
            if (figures is not null) AtomicFile.WriteAllText(Path.Combine(folder, name + ".html"), figures(json, folder));
            Keep(folder, name, json, page(json), session);
        });
    }
}
