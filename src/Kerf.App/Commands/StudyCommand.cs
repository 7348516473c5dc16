using System.CommandLine;
using System.Globalization;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study NAME: re-runs a published table on simulated data and prints it beside the paper's.</summary>
public static class StudyCommand
{
    /// <summary>The command with one subcommand per study.</summary>
    public static Command Make() => new("study", "Re-runs a published table on simulated data and prints it beside the paper's.")
    {
        Ladder(), SimulationStudies.Backscatter(), SimulationStudies.ShineThrough(),
    };

    private static Command Ladder()
    {
        var scale = new Option<string>("--scale") { Description = "Field of view: small (80×112×112 voxels) or full (112×192×192).", HelpName = "small|full", DefaultValueFactory = _ => "full" };
        var seeds = new Option<string>("--seeds") { Description = "Specimens, comma-separated. 11, 12 and 13 were used for tuning.", HelpName = "n,n,…", DefaultValueFactory = _ => "1,2,3" };
        var output = new Option<string>("--out") { Description = "Folder that receives ladder.json and ladder.md.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = new Command("ladder", "Thresholds, z-gradient and random forests on a porous cathode seen by two detectors, trained on strokes, scored on the truth.") { scale, seeds, output };
        return Invocation.With(Invocation.Running(command), (parsed, session) =>
        {
            var size = parsed.GetValue(scale) switch
            {
                "small" => new Size3(80, 112, 112),
                "full" => new Size3(112, 192, 192),
                var other => throw new InputError($"--scale is \"{other}\"; write small or full."),
            };
            var numbers = Numbers(parsed.GetValue(seeds)!);
            var progress = session.Walk with { Progress = session.Progress.Begin("ladder") };
            var runs = numbers.Select((seed, i) => LadderStudy.Run(size, seed, progress.Part((double)i / numbers.Length, (i + 1.0) / numbers.Length))).ToArray();
            var json = LadderReport.Json(size, numbers, runs);
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            AtomicFile.WriteAllText(Path.Combine(folder, "ladder.json"), json.ToJsonString(new() { WriteIndented = true }) + "\n");
            AtomicFile.WriteAllText(Path.Combine(folder, "ladder.md"), LadderReport.Markdown(json));
            session.Print(json, () => LadderReport.Markdown(json).TrimEnd());
        });
    }

    private static ulong[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
        ulong.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw new InputError($"--seeds is \"{text}\"; write whole numbers like 1,2,3."))];
}
