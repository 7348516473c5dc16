using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Kerf.Microstructure;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>kerf mesh IN OUT.</summary>
public static class MeshCommand
{
    private const int MostRelaxations = 100;

    /// <summary>The command.</summary>
    public static Command Make()
    {
        var input = new Argument<string>("IN") { Description = "A segmented volume: .zarr, TIFF, or a slice folder." };
        var output = new Argument<string>("OUT") { Description = "The mesh; the ending says the format: .stl, .ply or .glb (glTF)." };
        var phase = new Option<string?>("--phase") { Description = "The phase: the number its voxels hold, or its name.", HelpName = "N" };
        var relax = new Option<string?>("--relax") { Description = "How often vertices are moved to the mean of their neighbours, 0 to 100 (default 10); 0 keeps the voxels' steps.", HelpName = "n" };
        var command = Invocation.Reading(Invocation.Running(new Command("mesh", "The surface of a phase as a triangle mesh, for ParaView, Blender or a printer.") { input, output, phase, relax, Invocation.Force }));
        return Invocation.With(command, (parsed, session) =>
        {
            var place = parsed.GetValue(output)!;
            if (Path.GetExtension(place).ToLowerInvariant() is not (".stl" or ".ply" or ".glb"))
                throw new InputError($"{place}: no mesh format has the ending \"{Path.GetExtension(place)}\". Write .stl, .ply or .glb.");
            if (Path.Exists(place) && !session.Forced) throw new InputError($"{place}: is there already. Choose another name, or replace it with --force.");
            var text = parsed.GetValue(relax) ?? "10";
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var relaxations) || relaxations > MostRelaxations)
                throw new InputError($"--relax is \"{text}\"; allowed: a whole number from 0 to {MostRelaxations}.");
            var source = VolumeFile.Open(parsed.GetValue(input)!, session.Opening);
            using var held = source as IDisposable;
            var mask = PhaseMask.Of(source.AsLabels("mesh: the source"), parsed.GetValue(phase), "mesh", session.Walk);
            var mesh = SurfaceNets.Of(mask, relaxations, session.Walk with { Progress = session.Progress.Begin("mesh") });
            MeshFile.Save(place, mesh, mask.Phase);
            var unit = Lengths.Unit(mask.Info);
            session.Print(
                new JsonObject { ["output"] = place, ["phase"] = mask.Phase.Name, ["vertices"] = mesh.Vertices.Count, ["triangles"] = mesh.Triangles.Count, ["unit"] = unit },
                () => string.Create(CultureInfo.InvariantCulture, $"{place}: {mesh.Triangles.Count} triangles, {mesh.Vertices.Count} vertices, in {unit}."));
        });
    }
}
