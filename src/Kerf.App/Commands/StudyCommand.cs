using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study NAME: re-runs a published table on simulated data and prints it beside the paper's.</summary>
public static class StudyCommand
{
    /// <summary>The command with one subcommand per study.</summary>
    public static Command Make() => new("study", "Re-runs a published table on simulated data and prints it beside the paper's.")
    {
        Ladder(), Slices(), SimulationStudies.Backscatter(), SimulationStudies.ShineThrough(), SimulationStudies.Realism(), NetworkStudies.Networks(), NetworkStudies.Models(), NetworkStudies.Particles(), NetworkStudies.Shale(),
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
            Keep(parsed.GetValue(output)!, "ladder", json, LadderReport.Markdown(json), session);
        });
    }

    private static Command Slices()
    {
        var edge = new Option<int>("--edge") { Description = "Voxels of 2.5 nm along each axis of a structure.", HelpName = "n", DefaultValueFactory = _ => 192 };
        var seeds = new Option<string>("--seeds") { Description = "Structures, comma-separated.", HelpName = "n,n,…", DefaultValueFactory = _ => "1,2,3,4,5" };
        var draws = new Option<int>("--draws") { Description = "Thickness draws of each.", HelpName = "n", DefaultValueFactory = _ => 4 };
        var wavelength = new Option<double>("--wavelength") { Description = "Coarse wavelength of the structures; the fine one is shorter by 15/110.", HelpName = "nm", DefaultValueFactory = _ => SlicesStudy.Wavelength };
        var also = new Option<double>("--also") { Description = "A second coarse wavelength, on up to five of the structures with up to four draws; 0 leaves it out.", HelpName = "nm", DefaultValueFactory = _ => 170 };
        var model = new Option<string?>("--model") { Description = "A network that kerf train fill wrote, for RML.", HelpName = "MODEL" };
        var stack = new Option<string?>("--stack") { Description = "A real 8-bit stack: every second slice is dropped and predicted.", HelpName = "path" };
        var output = new Option<string>("--out")
        {
            Description = "Folder that receives slices.json and slices.md, and slices/, where each structure is kept: a study that was stopped goes on there.",
            HelpName = "folder",
            DefaultValueFactory = _ => "studies",
        };
        var command = new Command("slices", "Uneven slices of simulated gold, rebuilt by each method and scored on the truth; dropped slices of a real stack, predicted.")
        {
            edge, seeds, draws, wavelength, also, model, stack, output,
        };
        return Invocation.With(Invocation.Running(command), (parsed, session) =>
        {
            var (n, cuts, length, second, learned, folder) = (parsed.GetValue(edge), parsed.GetValue(draws), parsed.GetValue(wavelength), parsed.GetValue(also), parsed.GetValue(model), parsed.GetValue(output)!);
            if (n is < 32 or > 1024) throw new InputError($"--edge is {n}; choose 32 to 1024 voxels.");
            if (cuts is < 1 or > 1000) throw new InputError($"--draws is {cuts}; choose 1 to 1000.");
            var numbers = Numbers(parsed.GetValue(seeds)!);
            var progress = session.Walk with { Progress = session.Progress.Begin("slices") };
            var real = parsed.GetValue(stack) is { } path ? Real(path, learned, session.Walk) : null;
            var kept = Path.Combine(folder, "slices");
            var study = new SlicesStudy(n, cuts, length, learned);
            var other = second > 0 && second != length ? new SlicesStudy(n, Math.Min(cuts, 4), second, learned) : null;
            var json = SlicesReport.Json(study, study.Run(numbers, kept, progress.Part(0, 0.9)), other, other?.Run([.. numbers.Take(5)], kept, progress.Part(0.9, 1)) ?? [], real);
            Keep(folder, "slices", json, SlicesReport.Markdown(json), session);
        });
    }

    private static DroppedResult Real(string path, string? model, Traversal walk)
    {
        var opened = VolumeFile.Open(path);
        using var held = opened as IDisposable;
        if (opened is not IVolume<byte> { Info.Size.Z: >= 5 } stack) throw new InputError($"{path}: holds {opened.Info.Size} voxels of {opened.Info.Type.Name()}; give 5 or more slices of uint8.");
        return DroppedSlices.Predict(stack, model, walk);
    }

    internal static void Keep(string folder, string name, JsonObject json, string page, Invocation session)
    {
        Directory.CreateDirectory(folder);
        AtomicFile.WriteAllText(Path.Combine(folder, name + ".json"), json.ToJsonString(new() { WriteIndented = true }) + "\n");
        AtomicFile.WriteAllText(Path.Combine(folder, name + ".md"), page);
        session.Print(json, () => page.TrimEnd());
    }

    private static ulong[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(part =>
        ulong.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : throw new InputError($"--seeds is \"{text}\"; write whole numbers like 1,2,3."))];
}
