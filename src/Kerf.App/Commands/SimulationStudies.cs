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
        (value, _, walk) => BackscatterStudy.Run((long)Math.Clamp(value ?? 400_000, 1000, 1e9), walk), BackscatterStudy.Markdown);

    /// <summary>kerf study shine-through.</summary>
    public static Command ShineThrough() => Make(
        "shine-through", "Thresholds on levelled-wave gold in vacuum and epoxy at 1, 2 and 4 kV, by two detectors.",
        new("--electrons-per-pixel") { Description = "Electrons per pixel (default 100).", HelpName = "n" },
        (value, seed, walk) => ShineThroughStudy.Run(new(16, 80, 80), (int)Math.Clamp(value ?? 100, 1, 1e5), seed, walk), ShineThroughStudy.Markdown);

    private static Command Make(string name, string summary, Option<string?> count, Func<double?, ulong, Traversal, JsonObject> run, Func<JsonObject, string> page)
    {
        var output = new Option<string>("--out") { Description = $"Folder that receives {name}.json and {name}.md.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = Invocation.Making(Invocation.Running(new Command(name, summary) { count, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            double? value = parsed.GetValue(count) is { } text ? SimulateCommands.Number(count, text) : null;
            var json = run(value, session.SeedValue, session.Walk with { Progress = session.Progress.Begin(name) });
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            AtomicFile.WriteAllText(Path.Combine(folder, name + ".json"), json.ToJsonString(new() { WriteIndented = true }) + "\n");
            AtomicFile.WriteAllText(Path.Combine(folder, name + ".md"), page(json));
            session.Print(json, () => page(json).TrimEnd());
        });
    }
}
