using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Simulation;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf simulate structure KIND OUT.</summary>
public static class SimulateStructureCommand
{
    /// <summary>The command.</summary>
    public static Command Make()
    {
        var kind = new Argument<string>("KIND") { Description = string.Join(", ", VirtualStructure.Kinds) + "." };
        var output = new Argument<string>("OUT") { Description = "Where the labels go: .zarr, .tif, .npy, or a folder/ of slices." };
        var size = new Option<string>("--size") { Description = "Extent in voxels.", HelpName = "z,y,x", Required = true };
        var voxel = new Option<string?>("--voxel") { Description = "Voxel size in nm (default 10,10,10).", HelpName = "z,y,x" };
        var solid = new Option<string?>("--solid-fraction") { Description = "Share of the volume that is no pore (default 0.3).", HelpName = "share" };
        var wavelength = new Option<string?>("--wavelength") { Description = "Wavelength, pore or particle diameter, or pitch in nm (default 200).", HelpName = "nm" };
        var stack = new Option<string?>("--from") { Description = "self-similar: the binary stack.", HelpName = "path" };
        var variant = new Option<string?>("--variant") { Description = "electrode: carbon-binder (default) or solid-electrolyte.", HelpName = "name" };
        var command = new Command("structure", "A virtual specimen with known phases, streamed to disk.") { kind, output, size, voxel, solid, wavelength, stack, variant };
        foreach (var option in Invocation.Making(Invocation.Running(new Command("shared"))).Options) command.Add(option);
        return Invocation.With(command, (parsed, session) =>
        {
            var extent = ReadSize(parsed.GetValue(size)!);
            var edges = VoxelSize.Parse(parsed.GetValue(voxel) ?? "10");
            double Value(Option<string?> option, string usual) => SimulateCommands.Number(option, parsed.GetValue(option) ?? usual);
            var (share, length) = (Value(solid, "0.3"), Value(wavelength, "200"));
            var place = parsed.GetValue(output)!;
            VolumeFile.CheckPlace(new VolumeInfo(extent, PixelType.UInt8, edges), place, new() { Overwrite = session.Forced });
            CheckSpace(place, extent, bytesPerVoxel: 1);
            var walk = session.Walk with { Progress = session.Progress.Begin("structure") };
            var name = parsed.GetValue(kind)!;
            var made = name switch
            {
                "self-similar" => Similar(parsed.GetValue(stack), extent, edges, session),
                "electrode" when parsed.GetValue(variant) is "solid-electrolyte" => SolidElectrolyte(extent, edges, share, length, session.SeedValue, walk),
                "electrode" when parsed.GetValue(variant) is not (null or "carbon-binder") =>
                    throw new InputError($"--variant is \"{parsed.GetValue(variant)}\"; choose carbon-binder or solid-electrolyte."),
                _ => VirtualStructure.Make(name, extent, edges, share, length, session.SeedValue, walk.Part(0, 0.3)),
            };
            VolumeFile.Save(made, place, walk.Part(0.3, 0.9), new() { Overwrite = session.Forced });
            Print(place, made.Info, session);
        });
    }

    // counted in what was written
    private static void Print(string place, VolumeInfo info, Invocation session)
    {
        var written = VolumeFile.Open(place, new() { Voxel = info.Voxel });
        using var held = written as IDisposable;
        var counts = Fractions((IVolume<byte>)written, session.Walk);
        var total = (double)info.Size.Count;
        var fractions = new JsonObject(info.Phases!.Select(p => KeyValuePair.Create(p.Name, (JsonNode?)(counts[p.Label] / total))));
        var json = new JsonObject { ["output"] = place, ["fractions"] = fractions };
        session.Print(json, () => $"{place}: {info.Size} voxels, " + string.Join(", ", info.Phases!.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Name} {counts[p.Label] / total:P2}"))));
    }

    internal static long[] Fractions(IVolume<byte> labels, Traversal walk)
    {
        var slices = new long[labels.Info.Size.Z][];
        Blocks.ForEachSlice(labels, walk with { Progress = null }, (z, slice) =>
        {
            slices[z] = new long[256];
            foreach (var label in slice.AsSpan(0, (int)labels.Info.Size.SliceCount)) slices[z][label]++;
        });
        return [.. Enumerable.Range(0, 256).Select(label => slices.Sum(s => s[label]))];
    }

    private static IVolume<byte> Similar(string? path, Size3 size, VoxelSize voxel, Invocation session)
    {
        if (path is null) throw new InputError("self-similar needs a binary stack: --from PATH.");
        var stack = VolumeFile.Open(path, session.Opening);
        using var held = stack as IDisposable;
        return stack is IVolume<byte> labels ? VirtualStructure.SelfSimilar(labels, size, voxel)
            : throw new InputError($"{path}: holds {stack.Info.Type.Name()}; self-similar needs an 8-bit binary stack.");
    }

    // cracks and inner pores turn some active material into pore: aim higher by what the first try missed
    private static IVolume<byte> SolidElectrolyte(Size3 size, VoxelSize voxel, double solid, double diameter, ulong seed, Traversal walk)
    {
        var (pore, active) = (1 - solid, 0.575 * solid);
        IVolume<byte> Try(double p, double a) => new Electrode(size, voxel, new() { PoreFraction = p, ActiveFraction = a, MedianRadius = diameter / 2 }, seed).Labels;
        var labels = Try(pore, active);
        for (var i = 0; i < 2; i++)
        {
            var counts = Fractions(labels, walk);
            (pore, active) = (pore + (1 - solid) - counts[Electrode.Pore] / (double)size.Count, active + 0.575 * solid - counts[Electrode.Active] / (double)size.Count);
            labels = Try(pore, active);
        }
        return labels;
    }

    internal static Size3 ReadSize(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        var n = new int[3];
        return parts.Length == 3 && Enumerable.Range(0, 3).All(i => int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out n[i]) && n[i] > 0)
            ? new(n[0], n[1], n[2]) : throw new InputError($"--size is \"{text}\"; write z,y,x in voxels, like 64,512,512.");
    }

    // volumes compress, but nobody knows how well: the raw bytes must fit
    internal static void CheckSpace(string place, Size3 size, int bytesPerVoxel)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(place.TrimEnd('/')));
        if (folder is null || !Directory.Exists(folder)) return;
        // the product of three extents may exceed 64 bits
        var (free, needed) = ((Int128)new DriveInfo(folder).AvailableFreeSpace, (Int128)size.Z * size.Y * size.X * bytesPerVoxel);
        if (needed > free) throw new InputError($"{place}: {size} voxels take {needed >> 20} MiB, the disk has {free >> 20} MiB left. Choose a smaller volume or another disk.");
    }
}
