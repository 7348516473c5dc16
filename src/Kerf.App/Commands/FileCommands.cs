using System.CommandLine;
using System.Text.Json.Nodes;

namespace Kerf.App;

/// <summary>kerf info, kerf convert.</summary>
public static class FileCommands
{
    /// <summary>The two commands.</summary>
    public static IEnumerable<Command> All() => [Info(), Convert()];

    private static Command Info()
    {
        var path = new Argument<string>("PATH") { Description = "A slice folder, a TIFF, a PNG or a .zarr." };
        return Invocation.With(Invocation.Reading(new Command("info", "Shape, type, voxel size, channels and vendor metadata.") { path, Invocation.Json }), (parsed, session) =>
        {
            var json = InfoCommand.Describe(parsed.GetValue(path)!, session.Opening);
            session.Print(json, () => InfoCommand.Text(json));
        });
    }

    private static Command Convert()
    {
        var input = new Argument<string>("IN") { Description = "A slice folder, a TIFF, a PNG or a .zarr." };
        var output = new Argument<string>("OUT") { Description = "The ending says the format: .zarr, .tif, .png, .npy, .vti (ParaView); a trailing slash means a folder of slices." };
        var command = Invocation.Reading(Invocation.Running(new Command("convert", "Converts between all formats.") { input, output, Invocation.Force }));
        return Invocation.With(command, (parsed, session) =>
        {
            var (from, to) = (parsed.GetValue(input)!, parsed.GetValue(output)!);
            ConvertCommand.Run(from, to, session.Opening, session.Walk with { Progress = session.Progress.Begin("convert") }, session.Forced);
            session.Print(new JsonObject { ["output"] = to }, () => $"{to}: written.");
        });
    }
}
