using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Kerf.Volumes;

namespace Kerf.App;

/// <summary>The work of <c>kerf info</c>.</summary>
public static class InfoCommand
{
    /// <summary>
    /// Shape (z, y, x), type, voxel size in nanometres or null, unit, channels and metadata of a volume. Where several channels are there and none
    /// is chosen, the first is described.
    /// </summary>
    /// <exception cref="InputError">As <see cref="VolumeFile.Open"/>.</exception>
    public static JsonObject Describe(string path, OpenOptions options)
    {
        var channels = VolumeFile.Channels(path, options);
        var volume = VolumeFile.Open(path, options with { Channel = options.Channel ?? (channels.Count > 1 ? channels[0] : null) });
        using var held = volume as IDisposable;
        var info = volume.Info;
        return new()
        {
            ["shape"] = new JsonArray(info.Size.Z, info.Size.Y, info.Size.X),
            ["type"] = info.Type.Name(),
            ["voxelSize"] = info.Voxel is { } voxel ? new JsonObject { ["z"] = voxel.Z, ["y"] = voxel.Y, ["x"] = voxel.X } : null,
            ["unit"] = "nm",
            ["channels"] = new JsonArray([.. channels.Select(name => JsonValue.Create(name))]),
            ["metadata"] = new JsonObject(info.Metadata.OrderBy(note => note.Key, StringComparer.Ordinal)
                .Select(note => KeyValuePair.Create<string, JsonNode?>(note.Key, note.Value))),
        };
    }

    /// <summary>The same for people: one line each.</summary>
    public static string Text(JsonObject description)
    {
        var text = new StringBuilder();
        void Line(string name, string value) =>
            text.Append(CultureInfo.InvariantCulture, $"{name,-22}{(value.Length > 100 ? value[..97] + "…" : value)}\n");
        Line("shape (z, y, x)", string.Join(" × ", description["shape"]!.AsArray().Select(length => length!.ToString())));
        Line("type", description["type"]!.ToString());
        Line("voxel size (z, y, x)", description["voxelSize"] is { } voxel
            ? $"{voxel["z"]} × {voxel["y"]} × {voxel["x"]} nm" : "unknown; give it with --voxel z,y,x (nanometres)");
        Line("channels", string.Join(", ", description["channels"]!.AsArray().Select(name => name!.ToString())));
        foreach (var (name, value) in description["metadata"]!.AsObject()) Line(name, value!.ToString());
        return text.ToString().TrimEnd('\n');
    }
}
