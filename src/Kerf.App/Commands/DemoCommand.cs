using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf demo: a virtual solid-state electrode with known truth through the whole chain, and its score.</summary>
public static class DemoCommand
{
    /// <summary>The command.</summary>
    public static Command Make()
    {
        var project = new Option<string>("--project") { Description = "Folder of the project.", HelpName = "folder", DefaultValueFactory = _ => "kerf-demo" };
        var set = new Option<string[]>("--set") { Description = "Change a parameter of the recipe: step.parameter=value. May be repeated.", HelpName = "change" };
        var command = Invocation.Running(new Command("demo", "Sends a virtual specimen with known truth through the whole chain; prints the report's path and the score.") { project, set });
        Invocation.Making(command);
        return Invocation.With(command, (parsed, session) => Run(parsed.GetValue(project)!, parsed.GetValue(set) ?? [], session));
    }

    private static void Run(string folder, string[] changes, Invocation session)
    {
        using var project = Project.Open(folder);
        var specimen = Path.Combine(project.Folder, "specimen");
        var truth = DemoSpecimen.OpenOrCreate(specimen, session.SeedValue, size: null, session.Walk with { Progress = session.Progress.Begin("virtual specimen") });
        var path = Path.Combine(project.Folder, "recipe.yaml");
        var text = Templates.Read("solid-state");
        text.Input.Values["path"] = new("specimen/slices", "demo");
        // the specimen's platinum cap carries tracking marks; below it lies the electrode
        text.Apply([$"align.box=8, {DemoSpecimen.CapRows * 2 / 3}, 8, {DemoSpecimen.DefaultSize.X - 8}", $"crop.y={DemoSpecimen.CapRows + 8}, {DemoSpecimen.DefaultSize.Y}", .. changes]);
        AtomicFile.WriteAllText(path, RecipeYaml.Write(text));
        JsonObject score = [];
        var result = new RecipeRun(Recipe.Load(path), project, session.Walk, session.Progress.Begin)
        {
            Force = session.Forced,
            Score = run => score = Score(run, truth, session.Walk),
        }.Run();
        var json = RecipeCommands.Json(result);
        json["score"] = score.DeepClone();
        session.Print(json, () => $"{RecipeCommands.Text(result)}\n{Text(score)}");
    }

    // the frames: shifts are against slice 0 of the input, the segmentation lies in the box that the crops left of it
    private static JsonObject Score(RunResult run, DemoTruth truth, Traversal walk)
    {
        var shifts = run.Facts["align"]["shifts"]!.Deserialize<double[][]>()!;
        var start = run.Facts.Values.Select(facts => facts["box"]?.Deserialize<int[]>()).Where(box => box is not null)
            .Aggregate(default(Size3), (sum, box) => sum + new Size3(box![0], box[2], box[4]));
        using var phases = ZarrVolume.Open(run.Volumes["phases"]);
        using var before = ZarrVolume.Open(run.Volumes["brightness"]);
        using var after = ZarrVolume.Open(run.Volumes["destripe"]);
        var score = DemoScore.Of(truth, shifts, start, phases.AsLabels(), before, after, walk);
        return (JsonObject)JsonSerializer.SerializeToNode(score, MeasurementFiles.Json)!;
    }

    private static string Text(JsonObject score) => "score against the truth that no step saw: " + string.Join(", ", score
        .Where(s => s.Value is JsonValue value && value.GetValueKind() == JsonValueKind.Number)
        .Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} {s.Value!.GetValue<double>():0.####}")));
}
