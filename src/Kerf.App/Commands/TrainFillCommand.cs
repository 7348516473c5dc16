using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Imaging;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf train fill --out MODEL: the network of kerf fill --method learned.</summary>
internal static class TrainFillCommand
{
    private static readonly Declared Parameters = Declared.Of<NetworkOptions>();

    private static readonly string[] Chosen = ["width", "loss", "rate", "epochs", "minutes", "patience", "factor", "stop", "patch", "batch", "windows"];

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var stack = new Argument<string?>("STACK") { Description = "A segmented stack that kerf reposition put on a grid of the pixel size. Left out: simulated gold.", Arity = ArgumentArity.ZeroOrOne };
        var model = new Option<string>("--out") { Description = "The model file to write. Beside it: checkpoints while it trains, and MODEL.html with the curves.", HelpName = "MODEL", Required = true };
        var resume = new Option<bool>("--resume") { Description = "Go on where a training with the same parameters was stopped or killed." };
        var device = TrainNetworkCommand.Device();
        Option<double> Number(string name, double usual, string text) => new(name) { Description = text, HelpName = "nm", DefaultValueFactory = _ => usual };
        var structures = new Option<int>("--structures") { Description = "Simulated structures; the last one judges. Their seeds go on from 100 + the seed.", HelpName = "n", DefaultValueFactory = _ => 8 };
        var edge = new Option<int>("--edge") { Description = "Voxels of a simulated structure along each axis.", HelpName = "n", DefaultValueFactory = _ => 192 };
        var grid = Number("--grid", SlicesStudy.Grid, "Voxel size of simulated structures.");
        var wavelength = Number("--wavelength", SlicesStudy.Wavelength, "Coarse wavelength of simulated structures; the fine one is shorter by 15/110.");
        var mean = Number("--mean", 10.16, "Mean slice thickness of what is simulated; a stack has its own.");
        var sd = Number("--sd", 3.12, "Its standard deviation.");
        var options = TrainCommands.Options(Parameters, p => Chosen.Contains(p.Name));
        var command = new Command("fill", "Trains the network of fill --method learned, on simulated gold or on the planes of a stack of one's own.") { stack, model, resume, device, structures, edge, grid, wavelength, mean, sd };
        foreach (var option in options) command.Add(option);
        return Invocation.With(Invocation.Making(Invocation.Running(command)), (parsed, session) =>
        {
            var clock = Stopwatch.StartNew();
            var path = parsed.GetValue(model)!;
            var resumes = parsed.GetValue(resume);
            TrainCommands.CheckModelPlace(path, session.Forced || resumes);
            var chosen = TrainCommands.Build<NetworkOptions>(Parameters, options, parsed);
            var setup = new NetworkOptions { Windows = 1024, Loss = Loss.CrossEntropy };
            chosen = chosen with
            {
                Architecture = ArchitectureKind.Inpaint,
                Windows = chosen.Windows > 0 ? chosen.Windows : setup.Windows,
                Loss = options.Any(o => o.Name == "--loss" && parsed.GetResult(o) is { Implicit: false }) ? chosen.Loss : setup.Loss,
            };
            var (patch, own) = (chosen.Patch, parsed.GetValue(stack));
            var walk = session.Walk with { Progress = session.Progress.Begin("truth") };
            CuttingLaw law = new(parsed.GetValue(mean), parsed.GetValue(sd));
            VoxelSize voxel;
            FillPatches patches;
            string words;
            if (own is null)
            {
                var (n, size) = (parsed.GetValue(structures), parsed.GetValue(edge));
                if (n is < 1 or > 1000 || size < patch || size > 512) throw new InputError($"train fill: {n} structures of {size} voxels; choose 1 to 1000 of {patch} (--patch) to 512.");
                if (!(law.Mean > 0 && law.Sd >= 0)) throw new InputError($"train fill: slices of {law.Mean} ± {law.Sd} nm; the mean must be above 0, the deviation not below.");
                ulong[] seeds = [.. Enumerable.Range(0, n).Select(i => 100 + session.SeedValue + (ulong)i)];
                voxel = new(law.Mean, parsed.GetValue(grid), parsed.GetValue(grid));
                patches = FillPatches.Simulated(seeds, size, voxel.X, parsed.GetValue(wavelength), 0.12, law, patch, session.SeedValue, walk);
                words = $"simulated {n} {size} {voxel} {parsed.GetValue(wavelength)} {law}";
            }
            else
            {
                (patches, law, voxel) = Own(own, patch, session, walk);
                words = $"own {own} {voxel} {law}";
            }
            var curves = new TrainingCurves(path, session);
            var training = new InpaintTraining(chosen, FillChannels.Names, words) { Voxel = voxel, Report = record => curves.Add("", record), Say = text => Console.Error.WriteLine("kerf: " + text) };
            var trained = training.Run((item, image, target) => patches.Make(item, InpaintTraining.Patches, image, target), session.SeedValue, path, resumes, parsed.GetValue(device)!, session.Walk);
            NetworkFile.Save(trained, path);
            InpaintTraining.Clean(path);
            session.Print(Json(trained, path, law, clock.Elapsed), () => Text(trained, path, clock.Elapsed));
        });
    }

    // a stack's slices, its gaps filled by shape; its own law of thickness
    private static (FillPatches, CuttingLaw, VoxelSize) Own(string path, int patch, Invocation session, Traversal walk)
    {
        var opened = VolumeFile.Open(path, session.Opening);
        using var held = opened as IDisposable;
        var info = opened.Info;
        if (opened is not IVolume<byte> labels) throw new InputError($"{path}: holds {info.Type.Name()} voxels; train fill learns from a segmented stack (8-bit labels).");
        var voxel = info.RequireVoxel("train fill");
        if (SliceDepths.Of(info, SliceDepths.PlanesKey) is not { Length: >= 3 } planes)
            throw new InputError($"{path}: does not say which of its planes hold slices; put them on a grid of the pixel size with kerf reposition first.");
        if (new[] { voxel.Y, voxel.X }.Any(edge => Math.Abs(Math.Log(voxel.Z / edge)) > 0.05))
            throw new InputError(string.Create(CultureInfo.InvariantCulture, $"{path}: planes are {voxel.Z} nm apart and pixels {voxel.X} nm; reposition with --grid {voxel.X}, so that planes across x and y look alike."));
        if (Math.Min(info.Size.Z, Math.Min(info.Size.Y, info.Size.X)) < patch) throw new InputError($"{path}: has {info.Size} voxels, less than a patch of {patch}; choose a smaller --patch.");
        double[] gaps = [.. planes.Skip(1).Zip(planes, (next, one) => (next - one) * voxel.Z)];
        var law = new CuttingLaw(gaps.Average(), Math.Sqrt(gaps.Sum(g => (g - gaps.Average()) * (g - gaps.Average())) / (gaps.Length - 1)));
        var run = new StepRun(labels, made => new Volume<byte>(made)) { Walk = walk };
        new Fill { Method = FillMethod.Shape, Labels = true }.Run(run);
        var filled = (Volume<byte>)run.Target!;
        return (FillPatches.Own(filled, [.. planes.Select(p => (int)p)], law, patch, session.SeedValue, walk with { Progress = null }), law, new(law.Mean, voxel.Y, voxel.X));
    }

    private static JsonObject Json(NetworkModel model, string path, CuttingLaw law, TimeSpan time) => new()
    {
        ["model"] = path,
        ["parameters"] = model.Architecture.Build().Parameters,
        ["epochs"] = model.Training.Curve.Count,
        ["bestLoss"] = model.Training.BestLoss,
        ["mean"] = law.Mean,
        ["sd"] = law.Sd,
        ["seconds"] = Math.Round(time.TotalSeconds, 3),
        ["device"] = Torch.DeviceName,
    };

    private static string Text(NetworkModel model, string path, TimeSpan time) => string.Create(CultureInfo.InvariantCulture,
        $"{path}: {model.Architecture.Build().Parameters:N0} parameters, {model.Training.Curve.Count} epochs, {time.TotalSeconds:0} s on {Torch.DeviceName}; lowest validation loss {model.Training.BestLoss:0.0000}");
}
