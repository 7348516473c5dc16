using System.CommandLine;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study networks, kerf study models.</summary>
public static class NetworkStudies
{
    /// <summary>kerf study networks.</summary>
    public static Command Networks()
    {
        var edge = new Option<int>("--edge") { Description = "Pixels of a slice along both sides.", HelpName = "n", DefaultValueFactory = _ => 192 };
        var depth = new Option<int>("--depth") { Description = "Slices of the specimen that is trained on; the one that is scored has half as many.", HelpName = "n", DefaultValueFactory = _ => 64 };
        var electrons = new Option<int>("--electrons-per-pixel") { Description = "Electrons per pixel.", HelpName = "n", DefaultValueFactory = _ => 100 };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of each network.", HelpName = "n", DefaultValueFactory = _ => 40 };
        var windows = new Option<int>("--windows") { Description = "Patches of 64×64 in an epoch.", HelpName = "n", DefaultValueFactory = _ => 800 };
        var shot = new Option<bool>("--as-shot") { Description = "Images as the simulation counts them, without the thesis' noise and blurred edges." };
        var output = new Option<string>("--out") { Description = "Folder that receives networks.json, networks.md and the models; models that are there are not trained again.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = Invocation.Making(Invocation.Running(new Command("networks", "U-Nets on simulated gold at 1, 2 and 4 kV: slices, adjacent slices, volume, fusion, beside k-means.") { edge, depth, electrons, epochs, windows, shot, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            var study = new NetworkStudy(parsed.GetValue(edge), parsed.GetValue(depth), parsed.GetValue(electrons), parsed.GetValue(epochs), parsed.GetValue(windows), session.SeedValue) { AsShot = parsed.GetValue(shot) };
            if (study is { Edge: < 48 or > 1024 } or { Depth: < 10 or > 1024 } or { Electrons: < 1 } or { Epochs: < 1 } or { Windows: < 1 })
                throw new InputError($"study networks: edge {study.Edge}, depth {study.Depth}, electrons {study.Electrons}, epochs {study.Epochs}, windows {study.Windows}; allowed: 48 to 1024, 10 to 1024, 1 or more each.");
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            var json = study.Run(folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
            StudyCommand.Keep(folder, "networks", json, NetworkStudy.Markdown(json), session);
        });
    }

    /// <summary>kerf study models.</summary>
    public static Command Models()
    {
        var name = new Option<string?>("--name") { Description = "Only this one.", HelpName = "model" };
        var training = new Option<int>("--specimens") { Description = "Virtual specimens that are trained on.", HelpName = "n", DefaultValueFactory = _ => 20 };
        var scored = new Option<int>("--scored") { Description = "Further ones for the score.", HelpName = "n", DefaultValueFactory = _ => 6 };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of 480 patches.", HelpName = "n", DefaultValueFactory = _ => 40 };
        var output = new Option<string>("--out") { Description = "Folder that receives the models, and NAME.json and NAME.md with their scores.", HelpName = "folder", DefaultValueFactory = _ => "models" };
        var command = Invocation.Making(Invocation.Running(new Command("models", "Makes the pretrained models anew: many virtual specimens, one U-Net, scores on further specimens.") { name, training, scored, epochs, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            string[] names = parsed.GetValue(name) is { } one ? [one] : [.. PretrainedStudy.Names];
            if (names.FirstOrDefault(n => !PretrainedStudy.Names.Contains(n)) is { } unknown) throw new InputError($"--name is \"{unknown}\"; there are {string.Join(", ", PretrainedStudy.Names)}.");
            var study = new PretrainedStudy(parsed.GetValue(training), parsed.GetValue(scored), parsed.GetValue(epochs), session.SeedValue);
            if (study is { Training: < 10 or > 900 } or { Scored: < 1 or > 900 } or { Epochs: < 1 })
                throw new InputError($"study models: specimens {study.Training}, scored {study.Scored}, epochs {study.Epochs}; allowed: 10 to 900, 1 to 900, 1 or more.");
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            Torch.Start(session.Walk.Threads, "cpu");
            var all = new JsonObject();
            foreach (var model in names)
            {
                var json = study.Run(model, folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
                AtomicFile.WriteAllText(Path.Combine(folder, model + ".json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
                AtomicFile.WriteAllText(Path.Combine(folder, model + ".md"), PretrainedStudy.Markdown(json));
                all[model] = json;
            }
            session.Print(all, () => string.Join("\n", names.Select(n => PretrainedStudy.Markdown(all[n]!.AsObject()).TrimEnd())));
        });
    }
}
