using System.CommandLine;
using Kerf.Networks;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf study particles, kerf study shale.</summary>
public static class NetworkStudies
{
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
            if (study is { Images: < 4 or > 1000 } or { Edge: < 48 or > 2048 } or { Epochs: < 1 } or { Patch: < 16 } or { Batch: < 1 } or { Electrons: < 1 } || study.Patch > study.Edge)
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

    private static Option<int> Count(string name, string description, int usual) => new(name) { Description = description, HelpName = "n", DefaultValueFactory = _ => usual };

    private static Option<string> Folder(string what) => new("--out") { Description = $"Folder that receives {what}.", HelpName = "folder", DefaultValueFactory = _ => "studies" };
}
