using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf adapt SPECIMEN --project P: from a stack without labels to phases, and how far to trust them.</summary>
public static class AdaptCommand
{
    /// <summary>The command.</summary>
    public static Command Make()
    {
        var specimen = new Argument<string>("SPECIMEN") { Description = "Grey values of two phases: .zarr, TIFF, PNG or a slice folder." };
        var project = new Option<string>("--project") { Description = "Folder that receives models/adapted.kerf, volumes/phases.zarr, volumes/uncertainty.zarr, adapt.json and report.html.", HelpName = "folder", DefaultValueFactory = _ => "kerf-adapt" };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of the training at most.", HelpName = "n", DefaultValueFactory = _ => 15 };
        var minutes = new Option<double>("--minutes") { Description = "Minutes of the training at most.", HelpName = "n", DefaultValueFactory = _ => 10 };
        var command = new Command("adapt", "Measures a stack of two phases, simulates one like it, trains a network on that, segments, and says how far to trust it.") { specimen, project, epochs, minutes };
        return Invocation.With(Invocation.Making(Invocation.Reading(Invocation.Running(command))), (parsed, session) =>
            Run(parsed.GetValue(specimen)!, parsed.GetValue(project)!, parsed.GetValue(epochs), parsed.GetValue(minutes), session));
    }

    private static void Run(string path, string folder, int epochs, double minutes, Invocation session)
    {
        if (epochs is < 1 or > 10_000 || minutes is <= 0 or > 1e6) throw new InputError(string.Create(CultureInfo.InvariantCulture, $"--epochs is {epochs}, --minutes {minutes}; allowed: 1 to 10000, above 0 to 1e6."));
        var clock = Stopwatch.StartNew();
        var stack = VolumeFile.Open(path, session.Opening);
        using var held = stack as IDisposable;
        var adaptation = new Adaptation(stack, path, session.Walk, session.SeedValue);
        adaptation.Check();
        foreach (var part in (string[])["models", "volumes"]) Directory.CreateDirectory(Path.Combine(folder, part));
        var traits = adaptation.Measure();
        var modelPath = Path.Combine(folder, "models", "adapted.kerf");
        var model = Trained(adaptation, traits, modelPath, epochs, minutes, session);
        var (phases, uncertainty) = (Path.Combine(folder, "volumes", "phases.zarr"), Path.Combine(folder, "volumes", "uncertainty.zarr"));
        var before = clock.Elapsed;
        var missing = session.Forced || !Directory.Exists(phases);
        if (missing) Segment(model, modelPath, stack, path, phases, uncertainty, session);
        var seconds = missing ? (clock.Elapsed - before).TotalSeconds : 0;
        using var found = ZarrVolume.Open(phases);
        using var doubt = ZarrVolume.Open(uncertainty);
        var test = model.Training.Test!;
        var json = new JsonObject
        {
            ["model"] = modelPath,
            ["phases"] = phases,
            ["uncertainty"] = uncertainty,
            ["measured"] = new JsonObject
            {
                ["dark"] = traits.Dark,
                ["bright"] = traits.Bright,
                ["noise"] = traits.Noise,
                ["contrastOverNoise"] = traits.Contrast,
                ["blurPixels"] = traits.Blur,
                ["fraction"] = traits.Fraction,
                ["chordNm"] = traits.Chord,
                ["wavelengthNm"] = traits.Wavelength,
            },
            ["simulated"] = new JsonObject { ["accuracy"] = test.Accuracy, ["f1"] = test.MeanF1, ["epochs"] = model.Training.Curve.Count },
            ["trust"] = adaptation.Trust((IVolume<byte>)found, (IVolume<float>)doubt, traits),
        };
        var report = Path.Combine(folder, "report.html");
        json["report"] = report;
        AdaptReport.Write(stack, path, traits, adaptation.Simulate(traits, 1), model, found, doubt, json, Verdict(json), seconds, report, session.Walk with { Progress = session.Progress.Begin("report") });
        json["seconds"] = Math.Round(clock.Elapsed.TotalSeconds, 3);
        AtomicFile.WriteAllText(Path.Combine(folder, "adapt.json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
        session.Print(json, () => $"{phases}: {Verdict(json)}");
    }

    private static NetworkModel Trained(Adaptation adaptation, StackTraits traits, string path, int epochs, double minutes, Invocation session)
    {
        if (File.Exists(path) && !session.Forced) return NetworkFile.Load(path);
        var (image, truth) = adaptation.Simulate(traits, 1);
        var options = new NetworkOptions { Slices = 3, Depth = 3, Width = 12, Loss = Loss.CrossEntropy, Schedule = Schedule.Cosine, Rate = 3e-3, Epochs = epochs, Minutes = minutes, Patch = 48, Windows = 256, Stop = epochs };
        var curves = new TrainingCurves(path, session);
        var training = new NetworkTraining([("stack", image)], truth, options, session.SeedValue, path, session.Walk) { Report = curves.Add, Say = text => Console.Error.WriteLine("kerf: " + text) };
        var model = training.Run(resume: !session.Forced);
        model = model with { Phases = [new(1, "dark", "#2b2b33"), new(2, "bright", "#e8b23a")] };
        NetworkFile.Save(model, path);
        training.Clean();
        return model;
    }

    private static void Segment(NetworkModel model, string modelPath, IVolume stack, string path, string phases, string uncertainty, Invocation session)
    {
        Torch.Start(session.Walk.Threads);
        var info = stack.Info;
        VolumeOutput[] places = [new(phases, info with { Type = PixelType.UInt8, Phases = model.VisiblePhases }), new(uncertainty, info with { Type = PixelType.Float32, Phases = null })];
        using var outputs = GrowingOutputs.Claim(places, Fingerprint.OfText(string.Join('\n', "adapt", Fingerprint.OfStamps(Path.GetFullPath(modelPath)), Fingerprint.OfStamps(Path.GetFullPath(path)))), session.Forced);
        if (!outputs.AreWhole)
        {
            using var prediction = new NetworkPrediction(model, new());
            prediction.Run([stack], (IWritableVolume<byte>)outputs.Create(0)[0], new() { Uncertainty = (IWritableVolume<float>)outputs.Create(1)[0] }, session.Walk with { Progress = session.Progress.Begin("segment") });
        }
        outputs.Publish(session.Walk, session.Progress.Begin);
    }

    private static string Verdict(JsonObject json)
    {
        double V(string group, string name) => json[group]?[name]?.GetValue<double>() ?? double.NaN;
        return string.Create(CultureInfo.InvariantCulture, $"The bright phase fills {V("trust", "fraction"):P1}; on simulated stacks like this one {V("simulated", "accuracy"):P2} of the voxels are right. ")
            + string.Create(CultureInfo.InvariantCulture, $"Trust: {V("trust", "agreementWithThreshold"):P1} agree with a threshold on the smoothed stack, {V("trust", "uncertainShare"):P1} are uncertain, anisotropy {V("trust", "anisotropyTwoPoint"):0.00} (two-point), {V("trust", "anisotropyDiameter"):0.00} (diameter).");
    }
}
