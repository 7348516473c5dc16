using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study networks, kerf study models, kerf study particles, kerf study shale.</summary>
public static class NetworkStudies
{
    /// <summary>kerf study networks.</summary>
    public static Command Networks()
    {
        var edge = new Option<int>("--edge") { Description = "Pixels of a slice of the specimen that is trained on, along both sides; of the one that is scored two thirds.", HelpName = "n", DefaultValueFactory = _ => 192 };
        var depth = new Option<int>("--depth") { Description = "Slices of each specimen.", HelpName = "n", DefaultValueFactory = _ => 64 };
        var electrons = new Option<int>("--electrons-per-pixel") { Description = "Electrons per pixel.", HelpName = "n", DefaultValueFactory = _ => 400 };
        var voxel = new Option<double>("--voxel") { Description = "Edge of a voxel, as the thesis' synthetic gold has it.", HelpName = "nm", DefaultValueFactory = _ => 2.5 };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of each network.", HelpName = "n", DefaultValueFactory = _ => 40 };
        var windows = new Option<int>("--windows") { Description = "Patches of 64×64 in an epoch.", HelpName = "n", DefaultValueFactory = _ => 800 };
        var noise = new Option<string>("--noise") { Description = "Of the images: thesis (Poisson and Gaussian noise, blurred edges), gaussian (no Poisson noise, which counts electrons a second time) or none.", HelpName = "name", DefaultValueFactory = _ => "thesis" };
        var vacuum = new Option<bool>("--vacuum") { Description = "Empty pores, 2 kV alone, as T-I compares slices, adjacent slices and the volume; writes networks-vacuum." };
        var output = new Option<string>("--out") { Description = "Folder that receives networks.json, networks.md and the models; models that are there are not trained again.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
        var command = Invocation.Making(Invocation.Running(new Command("networks", "U-Nets on simulated gold at 1, 2 and 4 kV: slices, adjacent slices, volume, fusion, beside k-means.") { edge, depth, voxel, electrons, epochs, windows, noise, vacuum, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            var study = new NetworkStudy(parsed.GetValue(edge), parsed.GetValue(depth), parsed.GetValue(electrons), parsed.GetValue(epochs), parsed.GetValue(windows), session.SeedValue)
            {
                Noise = parsed.GetValue(noise)!,
                Vacuum = parsed.GetValue(vacuum),
                Voxel = parsed.GetValue(voxel),
            };
            if (study is { Edge: < 72 or > 1024 } or { Depth: < 10 or > 1024 } or { Electrons: < 1 } or { Epochs: < 1 } or { Windows: < 1 } or { Voxel: not (>= 1 and <= 20) })
                throw new InputError(string.Create(CultureInfo.InvariantCulture,
                    $"study networks: edge {study.Edge}, depth {study.Depth}, electrons {study.Electrons}, epochs {study.Epochs}, windows {study.Windows}, voxel {study.Voxel} nm; allowed: 72 to 1024, 10 to 1024, 1 or more each, 1 to 20 nm."));
            if (!ThesisImage.Sessions.ContainsKey(study.Noise)) throw new InputError($"--noise is \"{study.Noise}\"; choose {string.Join(", ", ThesisImage.Sessions.Keys)}.");
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            var json = study.Run(folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
            StudyCommand.Keep(folder, study.Name("networks"), json, NetworkStudy.Markdown(json), session);
        });
    }

    /// <summary>kerf study models.</summary>
    public static Command Models()
    {
        var name = new Option<string?>("--name") { Description = "Only this one.", HelpName = "model" };
        var training = new Option<int>("--specimens") { Description = "Virtual specimens that are trained on.", HelpName = "n", DefaultValueFactory = _ => 40 };
        var scored = new Option<int>("--scored") { Description = "Further ones for the score.", HelpName = "n", DefaultValueFactory = _ => 6 };
        var epochs = new Option<int>("--epochs") { Description = "Epochs of 960 patches.", HelpName = "n", DefaultValueFactory = _ => 60 };
        var output = new Option<string>("--out") { Description = "Folder that receives the models, and NAME.json and NAME.md with their scores; a model that is there is scored, and with --force trained again.", HelpName = "folder", DefaultValueFactory = _ => "models" };
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
                if (session.Forced) File.Delete(Path.Combine(folder, model + ".kerf"));
                var json = study.Run(model, folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
                AtomicFile.WriteAllText(Path.Combine(folder, model + ".json"), json.ToJsonString(MeasurementFiles.Json) + "\n");
                AtomicFile.WriteAllText(Path.Combine(folder, model + ".md"), PretrainedStudy.Markdown(json));
                all[model] = json;
            }
            session.Print(all, () => string.Join("\n", names.Select(n => PretrainedStudy.Markdown(all[n]!.AsObject()).TrimEnd())));
        });
    }

    /// <summary>kerf study particles.</summary>
    public static Command Particles()
    {
        var images = Count("--images", "Images of each of the two particles.", 100);
        var edge = Count("--edge", "Pixels along both sides of an image.", 256);
        var epochs = Count("--epochs", "Epochs of each training.", 100);
        var patch = Count("--patch", "Edge of a patch.", 256);
        var batch = Count("--batch", "Patches of a step.", 32);
        var electrons = Count("--electrons-per-pixel", "Electrons per pixel.", 20);
        var output = Folder("particles.json, particles.md, images and models; what is there is not made again");
        var command = Invocation.Making(Invocation.Running(new Command("particles", "SegNet on pores of simulated cathode particles: raw, stretched and equalised images.") { images, edge, epochs, patch, batch, electrons, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            var study = new ParticleStudy(
                parsed.GetValue(images), parsed.GetValue(edge), parsed.GetValue(epochs), parsed.GetValue(patch), parsed.GetValue(batch), parsed.GetValue(electrons), session.SeedValue);
            if (study is { Images: < 4 or > 1000 } or { Edge: < 72 or > 2048 } or { Epochs: < 1 } or { Patch: < 16 } or { Batch: < 1 } or { Electrons: < 1 } || study.Patch > study.Edge)
            {
                throw new InputError($"study particles: images {study.Images}, edge {study.Edge}, epochs {study.Epochs}, patch {study.Patch}, batch {study.Batch}, electrons {study.Electrons}; "
                    + "allowed: 4 to 1000, 48 to 2048, 1 or more, 16 to the edge, 1 or more, 1 or more.");
            }
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            Torch.Start(session.Walk.Threads, "cpu");
            var json = study.Run(folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
            StudyCommand.Keep(folder, "particles", json, ParticleStudy.Markdown(json), session);
        });
    }

    /// <summary>kerf study shale.</summary>
    public static Command Shale()
    {
        var tiles = new Option<string>("--tiles") { Description = "Folder with raw/ and masks/: 46 tiles of 256×256 in a column, half over half.", HelpName = "folder", Required = true };
        var (stretches, epochs) = (Count("--stretches", "Parts of the strip along y, each tested once.", 4), Count("--epochs", "Epochs of each network.", 15));
        var output = Folder("shale.json, shale.md and models; models that are there are not trained again");
        var command = Invocation.Making(Invocation.Running(new Command("shale", "A U-Net beside a random forest on shale with regions drawn by hand, split by stretches.") { tiles, stretches, epochs, output }));
        return Invocation.With(command, (parsed, session) =>
        {
            var study = new ShaleStudy(parsed.GetValue(stretches), parsed.GetValue(epochs), session.SeedValue);
            if (study is { Stretches: < 2 or > 16 } or { Epochs: < 1 })
                throw new InputError($"study shale: stretches {study.Stretches}, epochs {study.Epochs}; allowed: 2 to 16, 1 or more.");
            var folder = parsed.GetValue(output)!;
            Directory.CreateDirectory(folder);
            Torch.Start(session.Walk.Threads, "cpu");
            var json = study.Run(parsed.GetValue(tiles)!, folder, session.Walk, text => { if (!session.IsQuiet) Console.Error.WriteLine(text); });
            StudyCommand.Keep(folder, "shale", json, ShaleStudy.Markdown(json), session);
        });
    }

    private static Option<int> Count(string name, string description, int usual) => new(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => usual };

    private static Option<string> Folder(string what) => new("--out") { Description = $"Folder that receives {what}.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
}
