using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf simulate two-detector OUT: a porous cathode's images by two detectors, with known truth.</summary>
public static class TwoDetectorCommand
{
    /// <summary>The subcommand.</summary>
    public static Command Make()
    {
        var output = new Argument<string>("OUT") { Description = "A folder: receives se2.zarr, inlens.zarr and truth.zarr (1 void, 2 carbon-binder, 3 NMC)." };
        var size = new Option<string>("--size") { Description = "Extent in voxels.", HelpName = "z,y,x", DefaultValueFactory = _ => "96,192,192" };
        var voxel = new Option<string>("--voxel") { Description = "Voxel size in nm.", HelpName = "z,y,x", DefaultValueFactory = _ => "20,20,20" };
        var command = new Command("two-detector", "A porous NMC cathode seen by two detectors, with shine-through, redeposition, bright rims, curtains and noise.") { output, size, voxel };
        return Invocation.With(Invocation.Making(Invocation.Running(command)), (parsed, session) =>
        {
            var folder = parsed.GetValue(output)!;
            var walk = session.Walk with { Progress = session.Progress.Begin("two-detector") };
            var (se2, inLens, truth) = Stack(Extent(parsed.GetValue(size)!), VoxelSize.Parse(parsed.GetValue(voxel)!), session.SeedValue, walk);
            Directory.CreateDirectory(folder);
            JsonObject json = [];
            foreach (var (name, volume) in new[] { ("se2", se2), ("inlens", inLens), ("truth", truth) })
            {
                var path = Path.Combine(folder, name + ".zarr");
                if (Directory.Exists(path) && !session.Forced) throw new InputError($"{path}: is there already; choose another folder or add --force.");
                VolumeFile.Save(volume, path, walk with { Progress = null }, new() { Overwrite = session.Forced });
                json[name] = path;
            }
            session.Print(json, () => $"{folder}: se2.zarr, inlens.zarr and truth.zarr written.");
        });
    }

    /// <summary>Both detectors' images and the labels behind them.</summary>
    public static (Volume<byte> Se2, Volume<byte> InLens, Volume<byte> Truth) Stack(Size3 field, VoxelSize voxel, ulong seed, Traversal walk)
    {
        var microscope = new TwoDetectors();
        var specimen = PorousCathode.Generate(microscope.Canvas(field, voxel), voxel, new(), seed, walk);
        return microscope.Image(specimen, field, seed, walk with { Progress = null });
    }

    private static Size3 Extent(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0).ToArray();
        return parts.Length == 3 && parts.All(n => n is >= 8 and <= 4096) ? new(parts[0], parts[1], parts[2])
            : throw new InputError($"--size is \"{text}\"; write z,y,x in voxels, 8 to 4096 each, like 96,192,192.");
    }
}
